# SPDX-License-Identifier: Apache-2.0
"""The notifier against xApps that answer well, badly, late or never."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import gevent
import pytest
from gevent import socket
from gevent.event import Event
from support.http.peer import OK, HttpPeer, Request, answer
from support.ports import free_port
from support.waiting import eventually

from submgr.adapters.notifier import PATH, XappNotifier, body_of
from submgr.core.commands import Notify
from submgr.core.errors import Failure, Source
from submgr.core.model import ClientEndpoint
from submgr.core.registry import NotificationQuota
from submgr.platform.outbound_rules import Outbound, OutboundRules
from submgr.platform.outbox import RetryPolicy
from submgr.runtime.ports import Notifier

TRIES = 3


class Desk:
    """A notifier, and what came of the notifications given to it."""

    def __init__(self, timeout: float = 0.3, outbound: Outbound | None = None) -> None:
        self.policy = RetryPolicy(tries=TRIES, delay=0.02)
        self.quota = NotificationQuota(lambda: 10_000)
        self.done: list[Notify] = []
        self.ended: list[tuple[Notify, bool]] = []
        self.ages: list[float] = []
        self.answered: list[bool] = []
        self.notifier = XappNotifier(
            self.quota, lambda: self.policy, self._on_ended, timeout=timeout, outbound=outbound
        )

    def _on_ended(self, notification: Notify, delivered: bool, age: float, answered: bool) -> None:
        self.answered.append(answered)
        self.ended.append((notification, delivered))
        self.ages.append(age)

    def tell(self, notification: Notify) -> Notify:
        assert self.quota.reserve(notification.endpoint.http, 1)
        self.notifier.notify(notification, lambda: self.done.append(notification))
        return notification

    def until_done(self, count: int) -> None:
        eventually(lambda: len(self.done) >= count)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.notifier.stop()


@pytest.fixture
def peer() -> Iterator[HttpPeer]:
    peer = HttpPeer()
    yield peer
    peer.stop()


@pytest.fixture
def hanging() -> Iterator[HttpPeer]:
    for_ever = Event()
    peer = HttpPeer(lambda request: for_ever.wait() or OK)
    yield peer
    peer.stop()


def note(peer: HttpPeer | int, subscription_id: str = "a", n: int = 1) -> Notify:
    port = peer if isinstance(peer, int) else peer.port
    return Notify(subscription_id, ClientEndpoint("127.0.0.1", port, 4560), n, 100 + n)


def told(peer: HttpPeer) -> list[tuple[str, int]]:
    return [
        (request.json["SubscriptionId"], request.json["SubscriptionInstances"][0]["XappEventInstanceId"])
        for request in peer.requests
    ]


def test_it_is_the_port(desk: Desk) -> None:
    port: Notifier = desk.notifier
    assert port is desk.notifier


def test_the_request(desk: Desk, peer: HttpPeer) -> None:
    notification = desk.tell(note(peer))
    desk.until_done(1)
    (request,) = peer.requests
    assert (request.method, request.path) == ("POST", "/ric/v1/subscriptions/response")
    assert request.body == body_of(notification)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(request.body))
    assert request.headers["host"] == f"127.0.0.1:{peer.port}"
    assert "transfer-encoding" not in request.headers
    assert desk.ended == [(notification, True)]
    assert 0 <= desk.ages[0] < 10
    assert desk.quota.total() == 0
    assert desk.notifier.waiting == 0


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_host(desk: Desk, host: str) -> None:
    try:
        peer = HttpPeer(host="::1")
    except OSError as error:
        pytest.skip(f"no IPv6 loopback: {error}")
    desk.tell(Notify("a", ClientEndpoint(host, peer.port, 4560), 1, 1))
    desk.until_done(1)
    peer.stop()
    assert peer.requests[0].headers["host"] == f"[::1]:{peer.port}"
    assert desk.ended[0][1]


@pytest.mark.parametrize(
    "sent",
    [
        answer("200 OK", b"{}"),
        answer("201 Created"),
        answer("204 No Content"),
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nno length",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut",
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        answer("200 OK", b"x" * 300_000),
    ],
)
def test_any_2xx_is_delivered_whatever_the_body(desk: Desk, peer: HttpPeer, sent: bytes) -> None:
    peer.answer = lambda request: sent
    desk.tell(note(peer))
    desk.until_done(1)
    assert desk.ended[0][1]
    assert len(peer.requests) == 1


def test_a_body_that_comes_a_byte_at_a_time_holds_nobody_up(peer: HttpPeer) -> None:
    def trickle(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        for _ in range(1000):
            gevent.sleep(0.02)
            yield b"x"

    peer.answer = trickle
    desk = Desk(timeout=30)
    for n in range(2):
        desk.tell(note(peer, "a", n))
    eventually(lambda: len(desk.done) == 2, seconds=10)
    desk.notifier.stop()
    assert [delivered for _, delivered in desk.ended] == [True, True]


@pytest.mark.parametrize("sent", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_redirects_are_not_followed(desk: Desk, peer: HttpPeer, sent: str) -> None:
    elsewhere = HttpPeer()
    peer.answer = lambda request: answer(sent, b"", f"Location: http://127.0.0.1:{elsewhere.port}/")
    desk.tell(note(peer))
    desk.until_done(1)
    elsewhere.stop()
    assert not desk.ended[0][1]
    assert elsewhere.requests == []
    assert [request.path for request in peer.requests] == [PATH] * TRIES


@pytest.mark.parametrize("sent", [answer("500 Oops"), answer("404 Not Found"), None, b"SSH-2.0\r\n"])
def test_what_is_not_delivered_is_tried_again(desk: Desk, peer: HttpPeer, sent: bytes | None) -> None:
    peer.answer = lambda request: sent if len(peer.requests) < TRIES else OK
    notification = desk.tell(note(peer))
    desk.until_done(1)
    assert desk.ended == [(notification, True)]
    assert [request.body for request in peer.requests] == [body_of(notification)] * TRIES


def test_the_last_try_gives_up_and_says_so(desk: Desk, peer: HttpPeer, caplog: pytest.LogCaptureFixture) -> None:
    peer.answer = lambda request: answer("503 Service Unavailable", b"<p>not now</p>")
    with caplog.at_level(logging.WARNING):
        notification = desk.tell(note(peer))
        desk.until_done(1)
    assert (desk.ended, desk.answered) == ([(notification, False)], [True])
    assert len(peer.requests) == TRIES
    assert desk.quota.total() == 0
    first, line = caplog.messages
    assert first.startswith("a notification to 127.0.0.1:") and "it is tried again: 503" in first
    assert f"127.0.0.1:{peer.port} given up after 3 tries" in line
    assert "503 Service Unavailable: not now" in line


def test_the_settings_are_read_when_they_are_needed(desk: Desk, peer: HttpPeer) -> None:
    peer.answer = lambda request: answer("500 Oops")
    desk.policy = RetryPolicy(tries=1, delay=0.02)
    desk.tell(note(peer))
    desk.until_done(1)
    desk.policy = RetryPolicy(tries=4, delay=0.02)
    desk.tell(note(peer))
    desk.until_done(2)
    assert len(peer.requests) == 1 + 4


def test_an_xapp_that_is_not_there(desk: Desk) -> None:
    desk.tell(note(free_port()))
    desk.tell(Notify("b", ClientEndpoint("not a host", 8080, 0), 1, 1))
    desk.until_done(2)
    assert [delivered for _, delivered in desk.ended] == [False, False]
    assert desk.answered == [False, False]


def test_order_holds_within_a_rest_subscription(desk: Desk, peer: HttpPeer) -> None:
    def first_fails_once(request: Request) -> bytes:
        return answer("500 Oops") if len(peer.requests) == 1 else OK

    peer.answer = first_fails_once
    for n in range(5):
        desk.tell(note(peer, "a", n))
    desk.until_done(5)
    assert told(peer) == [("a", 0), ("a", 0), ("a", 1), ("a", 2), ("a", 3), ("a", 4)]


def test_order_holds_when_the_first_one_is_given_up(desk: Desk, peer: HttpPeer) -> None:
    peer.answer = lambda request: answer("500 Oops") if b'"XappEventInstanceId":0,' in request.body else OK
    for n in range(3):
        desk.tell(note(peer, "a", n))
    desk.until_done(3)
    assert told(peer) == [("a", 0)] * TRIES + [("a", 1), ("a", 2)]
    assert [delivered for _, delivered in desk.ended] == [False, True, True]


def test_rest_subscriptions_of_one_endpoint_do_not_wait_for_each_other(desk: Desk, peer: HttpPeer) -> None:
    for_ever = Event()
    peer.answer = lambda request: OK if request.json["SubscriptionId"] != "stuck" else for_ever.wait() or OK
    desk.tell(note(peer, "stuck"))
    for n in range(10):
        desk.tell(note(peer, f"quick{n}"))
    desk.until_done(10)
    assert {notification.subscription_id for notification in desk.done[:10]} == {f"quick{n}" for n in range(10)}


def test_a_dead_and_a_hanging_xapp_delay_nobody(peer: HttpPeer, hanging: HttpPeer) -> None:
    desk = Desk(timeout=30)
    dead = free_port()
    desk.policy = RetryPolicy(tries=10, delay=30)
    for n in range(100):
        desk.tell(note(hanging, f"hanging{n}"))
        desk.tell(note(dead, f"dead{n}"))
    for n in range(100):
        desk.tell(note(peer, "living", n))
    desk.until_done(100)
    assert told(peer) == [("living", n) for n in range(100)]
    assert desk.quota.taken(f"127.0.0.1:{hanging.port}") == 100
    assert desk.notifier.stop() == 200


def test_a_hanging_xapp_is_given_up(desk: Desk, hanging: HttpPeer) -> None:
    desk.tell(note(hanging))
    desk.until_done(1)
    assert not desk.ended[0][1]
    assert len(hanging.requests) == TRIES


def test_what_is_dropped_is_neither_told_nor_done(desk: Desk, peer: HttpPeer) -> None:
    let_go = Event()
    peer.answer = lambda request: let_go.wait() and OK
    desk.notifier.drop("unknown")
    for n in range(5):
        desk.tell(note(peer, "a", n))
    desk.tell(note(peer, "b"))
    peer.until(2)
    desk.notifier.drop("a")
    assert desk.quota.taken(f"127.0.0.1:{peer.port}") == 2, "the two that are under way"
    let_go.set()
    eventually(lambda: desk.quota.total() == 0)
    assert sorted(told(peer)) == [("a", 0), ("b", 1)]
    assert sorted(n.subscription_id for n in desk.done) == ["a", "b"]


def test_a_drop_between_two_tries_ends_them(desk: Desk, peer: HttpPeer) -> None:
    peer.answer = lambda request: answer("500 Oops")
    desk.policy = RetryPolicy(tries=10, delay=0.2)
    desk.tell(note(peer))
    desk.tell(note(peer, "a", 2))
    peer.until(1)
    eventually(lambda: desk.notifier.waiting == 2)
    gevent.sleep(0.05)
    desk.notifier.drop("a")
    assert desk.quota.total() == 0
    assert desk.notifier.waiting == 0
    desk.tell(note(peer, "b"))
    peer.until(3)
    assert told(peer) == [("a", 1), ("b", 1), ("b", 1)]
    assert desk.done == []


def test_the_same_subscription_can_be_told_of_again_after_a_drop(desk: Desk, peer: HttpPeer) -> None:
    desk.tell(note(peer, "a", 1))
    desk.notifier.drop("a")
    again = desk.tell(note(peer, "a", 2))
    # the first one was under way when it was dropped: it may be delivered, and done, before this one is sent
    eventually(lambda: again in desk.done)
    assert ("a", 2) in told(peer)


def test_failures_are_delivered_like_successes(desk: Desk, peer: HttpPeer) -> None:
    failed = Notify("a", ClientEndpoint("127.0.0.1", peer.port, 1), 1, 0, Failure("no", Source.ASN1))
    desk.tell(failed)
    desk.until_done(1)
    assert desk.ended == [(failed, True)]


def test_descriptors_stay_flat_when_xapps_answer_with_bodies(desk: Desk) -> None:
    bodies = [
        answer("200 OK", b'{"status":"received"}'),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nread to the end",
        answer("200 OK", b"x" * 100_000),
        b"HTTP/1.0 200 OK\r\n\r\nold",
    ]
    count = 0

    def talk(request: Request) -> bytes | None:
        nonlocal count
        count += 1
        return bodies[count % len(bodies)]

    peer = HttpPeer(talk)
    most = 0
    for n in range(400):
        desk.tell(note(peer, f"s{n % 4}", n))
        if n % 40 == 39:
            desk.until_done(n + 1)
            most = max(most, _sockets())
            if n == 79:
                early = most
    peer.stop()
    assert most <= early + 4
    assert all(delivered for _, delivered in desk.ended)


def _sockets() -> int:
    open_now = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            open_now += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except FileNotFoundError:
            continue
    return open_now


def test_many_xapps_that_never_answer_hold_up_none_that_does(peer: HttpPeer) -> None:
    desk = Desk(timeout=20)
    for_ever = Event()
    silent = [HttpPeer(lambda request: for_ever.wait() or OK) for _ in range(25)]
    before = len(os.listdir("/proc/self/fd"))
    try:
        for xapp in silent:
            for n in range(60):
                desk.tell(note(xapp, f"{xapp.port}-{n}"))
        eventually(lambda: sum(len(xapp.requests) for xapp in silent) > 500)
        desk.tell(note(peer))
        desk.until_done(1)
        assert [notification.endpoint.http_port for notification, _ in desk.ended] == [peer.port]
        # both ends of each connection are here
        assert len(os.listdir("/proc/self/fd")) - before < 2 * 700
        assert desk.notifier.waiting == 25 * 60
    finally:
        desk.notifier.stop()
        for xapp in silent:
            xapp.stop()


def test_an_xapp_that_our_rules_refuse_is_not_taken_for_gone(peer: HttpPeer) -> None:
    outbound = Outbound(OutboundRules(deny=("127.0.0.1",)))
    desk = Desk(outbound=outbound)
    desk.tell(note(peer))
    desk.until_done(1)
    desk.notifier.stop()
    assert (desk.ended[0][1], desk.answered, peer.requests) == (False, [True], [])
    assert outbound.refused == TRIES
