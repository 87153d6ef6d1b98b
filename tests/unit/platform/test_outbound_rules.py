# SPDX-License-Identifier: Apache-2.0
"""Where peers may make this process connect to: networks and names, allowed and denied, and ports of our own."""

from __future__ import annotations

import logging

import pytest
from gevent import socket

from submgr.platform.names import Address
from submgr.platform.outbound_rules import Outbound, OutboundRules, Refused, entry

CHART = ("127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "::")


def refused(address: str, *, allow: tuple[str, ...] = (), deny: tuple[str, ...] = (), host: str = "") -> bool:
    return OutboundRules(allow, deny).refusal(host or address, address) is not None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.9",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
    ],
)
def test_what_the_chart_denies(address):
    assert refused(address, deny=CHART)
    assert refused(address, deny=("loopback", "Link-Local"))
    assert refused(address, deny=CHART, host="innocent.example")
    assert not refused(address)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "126.255.255.255", "128.0.0.1", "2001:db8::1", "fec0::1", "169.253.0.1"]
)
def test_what_the_chart_lets_pass(address):
    assert not refused(address, deny=CHART)
    assert not refused(address, deny=("loopback", "link-local"))


def test_no_address_at_all_means_this_host():
    assert refused("0.0.0.0", deny=("127.0.0.0/8",))
    assert refused("::", deny=("::1",))
    assert refused("::ffff:0.0.0.0", deny=("127.0.0.1",))
    assert not refused("0.0.0.0", deny=CHART, allow=("127.0.0.1",))


def test_allowed_wins_over_denied():
    assert not refused("127.0.0.5", allow=("127.0.0.5",), deny=CHART)
    assert refused("127.0.0.6", allow=("127.0.0.5",), deny=CHART)
    assert not refused("10.1.1.1", allow=("127.0.0.5",), deny=CHART)
    assert not refused("::ffff:127.0.0.5", allow=("127.0.0.5",), deny=CHART)
    assert not refused("127.0.0.9", host="a.trusted", allow=(".trusted",), deny=CHART)


def test_allow_without_deny_refuses_all_else():
    assert not refused("10.1.1.1", allow=("10.0.0.0/8",))
    assert refused("11.1.1.1", allow=("10.0.0.0/8",))
    assert refused("::1", allow=("10.0.0.0/8",))
    assert not refused("11.1.1.1", allow=("10.0.0.0/8", "example"), host="x.example")
    # until the name is looked up nobody knows
    assert OutboundRules(allow=("10.0.0.0/8",)).refusal("x.example", None) is None


@pytest.mark.parametrize("written", ["svc.example", ".svc.example", "*.svc.example", ".SVC.Example", "svc.example."])
def test_a_name_is_that_host_and_all_below_it(written):
    rules = OutboundRules(deny=(written,))
    for host in ("svc.example", "a.svc.example", "A.B.SVC.EXAMPLE", "svc.example."):
        assert rules.refusal(host, None) == f"outbound.deny has {written}"
        assert rules.refusal(host, "10.0.0.1") is not None
    for host in ("xsvc.example", "example", "svc.example.org", "svc"):
        assert rules.refusal(host, "10.0.0.1") is None


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        ".",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "300.1.1.1",
        "10.0.0",
        "fe80::/200",
        ":::",
        "a b",
        "http://host",
        "host:80",
        "a..b",
        "-a",
        "a/8",
        "ü.example",
        "127.0.0.1,::1",
    ],
)
def test_what_is_no_entry_is_named(wrong):
    with pytest.raises(ValueError, match="neither a network"):
        entry(wrong)
    with pytest.raises(ValueError, match="neither a network"):
        OutboundRules(allow=("10.0.0.0/8", wrong))


def at(host: str, port: int = 80) -> Address:
    return (socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port))


def test_the_addresses_of_a_name_are_chosen_among_and_refusals_are_counted_and_logged(caplog):
    outbound = Outbound(OutboundRules(deny=CHART))
    assert outbound.permitted("h.example", [at("127.0.0.1"), at("10.0.0.1")]) == [at("10.0.0.1")]
    assert outbound.permitted("h.example", []) == []
    assert outbound.refused == 0
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with pytest.raises(Refused, match=r"h\.example \(::1\) is refused: outbound\.deny has ::1"):
                outbound.permitted("h.example", [at("::1"), at("127.0.0.1")])
    assert outbound.refused == 3
    assert len(caplog.records) == 1


def test_what_a_host_tells_without_a_look_up():
    outbound = Outbound(OutboundRules(deny=(*CHART, "internal.example")))
    assert outbound.refusal("127.0.0.1", 80) == "outbound.deny has 127.0.0.0/8"
    assert outbound.refusal("[::1]", 80) == "outbound.deny has ::1"
    assert outbound.refusal("db.internal.example", 80) == "outbound.deny has internal.example"
    assert outbound.refusal("localhost", 80) is None
    assert outbound.url_refusal("http://[::ffff:127.0.0.1]:99/x") is not None
    assert outbound.url_refusal("https://a.internal.example/") is not None
    assert outbound.url_refusal("http://10.0.0.1/") is None
    assert outbound.url_refusal("http://[::1") is None  # no URL: others say so


def test_ports_of_our_own_are_refused_whatever_is_allowed():
    outbound = Outbound(OutboundRules(allow=("127.0.0.0/8",)), own_ports=lambda: {8080})
    assert outbound.refusal("127.0.0.1", 8080) == "port 8080 is this process's own"
    assert outbound.refusal("127.0.0.9", 8080) is not None
    assert outbound.refusal("::ffff:127.0.0.1", 8080) is not None
    assert outbound.refusal("0.0.0.0", 8080) is not None
    assert outbound.refusal("127.0.0.1", 8081) is None
    # the port of another host
    far = Outbound(OutboundRules(deny=("198.51.100.0/24",)), own_ports=lambda: {8080})
    assert far.refusal("203.0.113.1", 8080) is None


def test_without_rules_everything_is_allowed():
    outbound = Outbound(own_ports=lambda: {8080})
    assert outbound.refusal("127.0.0.1", 8080) is None
    assert outbound.permitted("localhost", [at("127.0.0.1", 8080)]) == [at("127.0.0.1", 8080)]
    outbound.rules = OutboundRules(deny=("127.0.0.1",))
    assert outbound.refusal("127.0.0.1", 8080) is not None
