# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket

import pytest

from submgr.rmr.addresses import (
    AddressError,
    interface_address,
    join_address,
    listen_address,
    own_addresses,
    own_host,
    split_address,
)


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [("host:1", "host", 1), ("10.0.0.1:65535", "10.0.0.1", 65535), ("[fd00::1]:4560", "fd00::1", 4560)],
)
def test_an_endpoint_name_both_ways(name: str, host: str, port: int) -> None:
    assert split_address(name) == (host, port)
    assert join_address(host, port) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("host", "has no port"),
        ("host:0", "has the port '0'"),
        ("host:65536", "has the port '65536'"),
        ("host:x", "has the port 'x'"),
        ("fd00::1:4560", "several colons"),
        (":4560", "no valid host"),
        ("a b:4560", "no valid host"),
        ("h" * 60 + ":4560", "longer than 63 bytes"),
    ],
)
def test_what_names_no_endpoint(name: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        split_address(name)


def test_our_host_has_the_given_name_or_its_own_up_to_the_first_dot() -> None:
    assert own_host("submgr") == "submgr"
    assert own_host("") == socket.gethostname().partition(".")[0]


def test_where_to_listen() -> None:
    assert listen_address("") == "0.0.0.0"
    assert listen_address("fd00::1") == "fd00::1"
    assert listen_address("lo") == interface_address("lo") == "127.0.0.1"
    assert listen_address("no-such-thing") is None


def test_loopback_is_no_address_that_peers_know_us_by() -> None:
    assert own_addresses("127.0.0.1") == []
    assert own_addresses("10.0.0.1") == ["10.0.0.1"]
    assert "127.0.0.1" not in own_addresses("0.0.0.0")
