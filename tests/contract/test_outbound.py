# SPDX-License-Identifier: Apache-2.0
"""The rules of outbound on real connections: what is refused is never connected to, whatever its name says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket
from support.http.peer import HttpPeer, answer

from submgr.platform import connecting
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpConnectError
from submgr.platform.names import Names
from submgr.platform.outbound_rules import Outbound, OutboundRules

LOOPBACK = OutboundRules(deny=("127.0.0.0/8", "::1"))


@pytest.fixture
def peer() -> Iterator[HttpPeer]:
    peer = HttpPeer()
    yield peer
    peer.stop()


@pytest.fixture
def outbound() -> Outbound:
    return Outbound(LOOPBACK)


@pytest.fixture
def client(outbound: Outbound) -> Iterator[HttpClient]:
    client = HttpClient(outbound=outbound)
    yield client
    client.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "LOCALHOST"])
def test_a_refused_address_is_not_connected_to(client, outbound, peer, host):
    with pytest.raises(HttpConnectError, match=r"is refused: outbound\.deny has") as refused:
        client.request("POST", f"http://{host}:{peer.port}/", body=b"x")
    assert refused.value.sent is False
    assert outbound.refused == 1
    outbound.rules = OutboundRules()
    assert client.request("POST", f"http://{host}:{peer.port}/", body=b"x").status == 200
    assert peer.connections == 1


def test_a_redirect_leads_nowhere(client, outbound, peer):
    inner = HttpPeer()
    outbound.rules = OutboundRules(allow=("127.0.0.1",), deny=("127.0.0.0/8",))
    peer.answer = lambda request: answer("307 Temporary Redirect", b"", f"Location: http://127.0.0.2:{inner.port}/")
    assert client.request("POST", f"http://127.0.0.1:{peer.port}/", body=b"x").status == 307
    inner.stop()
    assert inner.connections == 0


def test_the_name_is_looked_up_once_and_that_address_is_connected_to(peer, outbound):
    answers = ["127.0.0.1", "127.0.0.2"]

    def look_up(name: str) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), 0))]

    outbound.rules = OutboundRules(deny=("127.0.0.2",))
    names = Names(look_up, at_once=4)
    with connecting.connect(names, "rebinding.example", peer.port, 5, outbound.permitted) as sock:
        assert sock.getpeername() == ("127.0.0.1", peer.port)
    assert answers == ["127.0.0.2"]
    with pytest.raises(OSError, match=r"rebinding\.example \(127\.0\.0\.2\) is refused"):
        connecting.connect(names, "rebinding.example", peer.port, 5, outbound.permitted)


def test_a_name_with_a_refused_address_is_connected_to_at_its_other(peer, outbound):
    def look_up(name: str) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("127.0.0.2", "127.0.0.1")]

    outbound.rules = OutboundRules(deny=("127.0.0.2",))
    with connecting.connect(Names(look_up, at_once=4), "h.example", peer.port, 5, outbound.permitted) as sock:
        assert sock.getpeername()[0] == "127.0.0.1"


def test_of_thousands_of_addresses_a_few_are_tried():
    tried = []

    def look_up(name: str) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))] * 5000

    def permitted(host: str, addresses: list[Any]) -> list[Any]:
        tried.extend(addresses)
        return addresses

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="refused"):
            connecting.connect(Names(look_up, at_once=4), "h.example", closed.getsockname()[1], 5, permitted)
    assert len(tried) == 16


def test_changed_rules_hold_for_connections_that_were_kept(client, outbound, peer):
    outbound.rules = OutboundRules()
    url = f"http://127.0.0.1:{peer.port}/"
    for _ in range(3):
        assert client.request("GET", url).status == 200
    assert peer.connections == 1
    outbound.rules = LOOPBACK
    with pytest.raises(HttpConnectError, match="is refused"):
        client.request("GET", url)
    assert len(peer.requests) == 3


def test_ports_of_our_own_are_refused_with_any_rule(client, outbound, peer):
    outbound.rules = OutboundRules(deny=("169.254.0.0/16",))
    assert client.request("GET", f"http://127.0.0.1:{peer.port}/").status == 200
    client.close()
    outbound.own_ports = lambda: {peer.port}
    for host in ("127.0.0.1", "localhost", "127.0.0.3"):
        with pytest.raises(HttpConnectError, match="this process's own"):
            client.request("GET", f"http://{host}:{peer.port}/")


def test_a_registration_may_be_judged_in_a_native_thread(outbound):
    outbound.own_ports = lambda: {8080}
    judged = gevent.get_hub().threadpool.spawn(outbound.refusal, "127.0.0.1", 8080)
    assert judged.get(timeout=10) == "port 8080 is this process's own"


def test_requests_to_addresses_of_peers_are_marked(client, outbound, peer):
    outbound.rules = OutboundRules()
    plain = HttpClient()
    for each in (client, plain):
        each.request("POST", f"http://127.0.0.1:{peer.port}/", body=b"x")
    plain.close()
    assert ["ric-callback" in request.headers for request in peer.requests] == [True, False]
