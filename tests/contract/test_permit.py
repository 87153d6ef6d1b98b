# SPDX-License-Identifier: Apache-2.0
"""A process that may not act (any more): nothing leaves, also of what was queued while it might."""

from __future__ import annotations

import gevent
import pytest
from support.http.peer import HttpPeer
from support.ports import free_port
from support.rmr.fake_librmr import FakeLibrmr
from support.rmr.peer import Link, Peer
from support.waiting import eventually

from submgr.adapters.notifier import XappNotifier
from submgr.adapters.routing_manager import RoutingManager
from submgr.core.commands import Notify
from submgr.core.events import RouteFailureKind
from submgr.core.model import ClientEndpoint, RmrEndpoint
from submgr.core.registry import NotificationQuota
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpConnectError
from submgr.platform.lease.permit import NOT_ACTING
from submgr.platform.outbox import RetryPolicy
from submgr.rmr.librmr.transport import LibrmrTransport
from submgr.rmr.message import Message, Status
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.transport import WireTransport
from submgr.runtime.ports import RouteFailure


class Permit:
    def __init__(self) -> None:
        self.given = True

    def __call__(self) -> bool:
        return self.given


@pytest.fixture
def permit() -> Permit:
    return Permit()


def config(permit: Permit) -> TransportConfig:
    return TransportConfig(host="127.0.0.1", port=free_port(), name="127.0.0.1", may_send=permit)


def test_frames_that_waited_for_a_connection_do_not_leave(permit: Permit) -> None:
    transport, lost, port = WireTransport(config(permit), lambda message: None), [], free_port()
    transport.start()
    for n in range(3):
        assert transport.send_to(f"127.0.0.1:{port}", Message(n, b"x"), lost.append) is Status.OK
    gevent.sleep(0.05)  # nobody listens: they wait
    assert lost == []
    permit.given = False
    with Peer(port) as peer:
        eventually(lambda: len(lost) == 3)
        assert lost == [NOT_ACTING] * 3
        permit.given = True
        transport.send_to(peer.name, Message(9, b"y"), lost.append)
        eventually(lambda: peer.got)
        assert [message.mtype for message in peer.got] == [9]
    transport.stop(timeout=0)


def test_the_rest_of_a_frame_that_left_in_part_does_not_leave(permit: Permit) -> None:
    transport, lost = WireTransport(config(permit), lambda message: None), []
    transport.start()
    with Peer(read=False) as peer:
        for n in range(10):
            transport.send_to(peer.name, Message(n, bytes(1_000_000)), lost.append)
        eventually(lambda: peer.links)
        gevent.sleep(0.1)  # it has filled the buffers of the kernel
        assert lost == []
        permit.given = False
        link = Link(peer.links[0].sock)
        link.read()
        eventually(lambda: lost and link.closed)
        assert set(lost) == {NOT_ACTING}
        assert len(link.got) + len(lost) == 10
    transport.stop(timeout=0)


def test_an_answer_does_not_leave(permit: Permit) -> None:
    statuses = []

    def received(message: Message) -> None:
        permit.given = False
        statuses.append(transport.reply(message, 2, b"answer", lost.append))

    lost: list[str] = []
    transport = WireTransport(config(permit), received)
    transport.start()
    one = WireTransport(TransportConfig(host="127.0.0.1", port=free_port(), name="127.0.0.1"), lambda message: None)
    one.start()
    one.send_to(transport.name, Message(1, b"request"))
    eventually(lambda: lost)
    assert (statuses, lost) == ([Status.OK], [NOT_ACTING])
    one.stop(timeout=0)
    transport.stop(timeout=0)


def test_librmr_is_not_asked_to_send(permit: Permit) -> None:
    fake, lost = FakeLibrmr(), []
    transport = LibrmrTransport(config(permit), lambda message: None, load=lambda: fake)
    transport.start()
    permit.given = False
    with Peer() as peer:
        assert transport.send_to(peer.name, Message(1, b"x"), lost.append) is Status.OK
        eventually(lambda: lost)
        assert (lost, peer.got) == ([NOT_ACTING], [])
    transport.stop(timeout=0)
    fake.shut()


def test_a_request_does_not_leave_on_a_new_connection_nor_on_a_kept_one(permit: Permit) -> None:
    peer, client = HttpPeer(), HttpClient(may_send=permit)
    url = f"http://127.0.0.1:{peer.port}/"
    assert client.request("POST", url, body=b"1").status == 200
    for _ in range(2):
        permit.given = False
        with pytest.raises(HttpConnectError, match=NOT_ACTING):
            client.request("POST", url, body=b"2")
        client.close()
    permit.given = True
    assert client.request("POST", url, body=b"3").status == 200
    assert [request.body for request in peer.requests] == [b"1", b"3"]
    client.close()
    peer.stop()


def test_a_route_call_fails_and_a_notification_is_tried_again(permit: Permit) -> None:
    peer = HttpPeer()
    routes = RoutingManager("127.0.0.1", peer.port, "", may_send=permit)
    quota, ended = NotificationQuota(lambda: 10), []
    notifier = XappNotifier(
        quota, lambda: RetryPolicy(tries=100, delay=0.02), lambda *facts: ended.append(facts[1]), may_send=permit
    )
    permit.given = False
    outcome: list[RouteFailure | None] = []
    routes.create(1, RmrEndpoint("xapp", 4560), outcome.append)
    notifier.notify(Notify("id", ClientEndpoint("127.0.0.1", peer.port, 0), 1, 1), lambda: None)
    eventually(lambda: outcome)
    assert outcome[0] is not None
    assert (outcome[0].kind, outcome[0].message) == (RouteFailureKind.UNREACHABLE, NOT_ACTING)
    assert (peer.requests, ended) == ([], [])
    permit.given = True
    eventually(lambda: ended)
    assert (ended, len(peer.requests)) == ([True], 1)
    notifier.stop()
    routes.stop()
    peer.stop()
