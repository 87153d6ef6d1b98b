# SPDX-License-Identifier: Apache-2.0
"""The Routing Manager client against one that answers well, badly, late or never."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import gevent
import pytest
from gevent import monkey
from gevent.event import Event
from gevent.queue import Queue
from support.http.peer import OK, HttpPeer, Request, answer
from support.ports import free_port

from submgr.adapters import routing_manager
from submgr.adapters.routing_manager import RoutingManager
from submgr.core.commands import RouteChange
from submgr.core.events import RouteFailureKind
from submgr.core.model import RmrEndpoint
from submgr.runtime.ports import RouteFailure, Routes

FIRST = RmrEndpoint("service-ricxapp-x-rmr.ricxapp", 4560)
SECOND = RmrEndpoint("10.0.0.7", 4570)
COLLECTION = "/ric/v1/handles/xapp-subscription-handle"
TIMEOUT = 0.3
STAND_STILL = monkey.get_original("time", "sleep")


class Watch:
    def __init__(self) -> None:
        self.counted: list[str] = []
        self.answered: list[str] = []

    def latency(self, method: str, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.answered.append(method)


@pytest.fixture
def peer() -> Iterator[HttpPeer]:
    peer = HttpPeer()
    yield peer
    peer.stop()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def manager(watch: Watch) -> Iterator[Callable[..., RoutingManager]]:
    managers: list[RoutingManager] = []

    def start(
        port: int,
        host: str = "127.0.0.1",
        base_url: str = "/ric/v1",
        at_once: int = 64,
        timeout: float = TIMEOUT,
    ) -> RoutingManager:
        managers.append(
            RoutingManager(
                host,
                port,
                base_url,
                timeout=timeout,
                at_once=at_once,
                count=watch.counted.append,
                latency=watch.latency,
            )
        )
        return managers[-1]

    yield start
    for one in managers:
        one.stop()


def call(operation: Callable[..., None], *args: object) -> RouteFailure | None:
    done: Queue[RouteFailure | None] = Queue()
    operation(*args, done.put)
    outcome: RouteFailure | None = done.get(timeout=10)
    return outcome


def test_the_four_requests(peer: HttpPeer, manager: Callable[..., RoutingManager], watch: Watch) -> None:
    routes: Routes = manager(peer.port)
    assert call(routes.create, 1, FIRST) is None
    assert call(routes.update, 1, (FIRST, SECOND), RouteChange.MERGE) is None
    assert call(routes.update, 1, (SECOND,), RouteChange.UNMERGE) is None
    assert call(routes.delete, 1, SECOND) is None
    assert [(r.method, r.path, r.body) for r in peer.requests] == [
        ("POST", COLLECTION, b'{"address":"service-ricxapp-x-rmr.ricxapp","port":4560,"subscription_id":1}'),
        (
            "PUT",
            f"{COLLECTION}/1",
            b'[{"address":"service-ricxapp-x-rmr.ricxapp","port":4560},{"address":"10.0.0.7","port":4570}]',
        ),
        ("PUT", f"{COLLECTION}/1", b'[{"address":"10.0.0.7","port":4570}]'),
        ("DELETE", COLLECTION, b'{"address":"10.0.0.7","port":4570,"subscription_id":1}'),
    ]
    for request in peer.requests:
        assert request.headers["content-type"] == "application/json"
        assert request.headers["content-length"] == str(len(request.body))
        assert "transfer-encoding" not in request.headers
    assert peer.connections == 1, "the connection is kept"
    assert watch.answered == ["POST", "PUT", "PUT", "DELETE"]
    assert watch.counted == []


def test_a_fault_of_ours_ends_the_call_as_a_failure(
    peer: HttpPeer, manager: Callable[..., RoutingManager], watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(routing_manager, "words_of", broken)
    failure = call(manager(peer.port).create, 1, FIRST)
    assert failure is not None
    assert failure.kind is RouteFailureKind.BROKEN
    assert watch.counted == ["RouteCreateFail"]


@pytest.mark.parametrize("base_url", ["", "/"])
def test_without_a_base_url(peer: HttpPeer, manager: Callable[..., RoutingManager], base_url: str) -> None:
    assert call(manager(peer.port, base_url=base_url).create, 1, FIRST) is None
    assert peer.requests[0].path == "/handles/xapp-subscription-handle"


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content", "299 Whatever"])
def test_any_2xx_is_success(peer: HttpPeer, manager: Callable[..., RoutingManager], status: str) -> None:
    body = b"" if status.startswith("204") else b"any text, <b>not</b> JSON"
    peer.answer = lambda request: answer(status, body)
    assert call(manager(peer.port).create, 1, FIRST) is None


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.0 201 Created\r\n\r\n",
        b"HTTP/1.1 201 Created\r\n\r\nread to the end",
        b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\ncut off",
        b"HTTP/1.1 201 Created\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 10_000,
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_the_status_counts_whatever_becomes_of_the_body(
    peer: HttpPeer, manager: Callable[..., RoutingManager], sent: bytes
) -> None:
    def talk(request: Request) -> bytes | None:
        return sent if len(peer.requests) == 1 else None

    peer.answer = talk
    routes = manager(peer.port)
    outcome: Queue[RouteFailure | None] = Queue()
    routes.create(1, FIRST, outcome.put)
    peer.until(1)
    with gevent.Timeout(10):
        while not outcome.qsize() and peer.requests:
            gevent.sleep(0.01)
            peer.stop()
    assert outcome.get(timeout=10) is None


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (answer("409 Conflict", b"subscription 1 exists"), "409 Conflict: subscription 1 exists"),
        (answer("400 Bad Request"), "400 Bad Request"),
        (answer("500 Oops", b'{"error":"x"}\n'), '500 Internal Server Error: {"error":"x"}'),
        (answer("302 Found", b"", "Location: /elsewhere"), "302 Found"),
        (answer("598 Own"), "598"),
        (
            answer(
                "503 Service Unavailable",
                b"<html><head><style>p {color: red}</style><title>Sorry</title></head>\n"
                b"<body><script>alert(1 < 2)</script><p>not\tready &amp; <b>busy</b></p></body></html>",
            ),
            "503 Service Unavailable: Sorry not ready & busy",
        ),
        (answer("404 Not Found", b"\xff\x00\x1b[31m ok"), "404 Not Found: \ufffd [31m ok"),
        (answer("500 Oops", b"x" * 500_000), f"500 Internal Server Error: {'x' * 200}"),
        (answer("500 Oops", b"<script>" * 100_000), "500 Internal Server Error"),
    ],
)
def test_refused(
    peer: HttpPeer, manager: Callable[..., RoutingManager], watch: Watch, sent: bytes, message: str
) -> None:
    peer.answer = lambda request: sent
    if ":" not in message:
        message += f": is an xApp registered under {FIRST}?"
    assert call(manager(peer.port).create, 1, FIRST) == RouteFailure(RouteFailureKind.REFUSED, message)
    assert watch.counted == ["RouteCreateFail"]


@pytest.mark.parametrize("status", ["204 No Content", "404 Not Found"])
def test_a_removal_that_has_removed_nothing_is_unconfirmed_and_no_failure(
    peer: HttpPeer, manager: Callable[..., RoutingManager], watch: Watch, status: str
) -> None:
    peer.answer = lambda request: answer(status)
    failure = call(manager(peer.port).delete, 1, FIRST)
    assert failure is not None and failure.kind is RouteFailureKind.UNCONFIRMED
    assert "nothing was removed" in failure.message and watch.counted == []


@pytest.mark.parametrize(
    "body", [b'{"code": 500, "message": "no such xApp"}', b'{"error": "no such xApp"}', b' {"code":404,"error":""}']
)
@pytest.mark.parametrize("what", ["create", "update", "delete"])
def test_a_success_whose_body_tells_of_an_error_is_none(
    peer: HttpPeer, manager: Callable[..., RoutingManager], what: str, body: bytes
) -> None:
    peer.answer = lambda request: answer("200 OK", body)
    routes = manager(peer.port)
    failure = {
        "create": lambda: call(routes.create, 1, FIRST),
        "update": lambda: call(routes.update, 1, (FIRST,), RouteChange.MERGE),
        "delete": lambda: call(routes.delete, 1, FIRST),
    }[what]()
    assert failure is not None and failure.kind is RouteFailureKind.REFUSED
    assert failure.message.startswith("200 OK, but: ")


NOT_AN_ERROR = [b"", b"{}", b'{"code": 200}', b'{"message": "error free"}', b"{", b"[1]", b'{"code":"x"}']


@pytest.mark.parametrize("body", NOT_AN_ERROR)
def test_the_body_of_a_success_is_mostly_nothing_to_look_at(
    peer: HttpPeer, manager: Callable[..., RoutingManager], body: bytes
) -> None:
    peer.answer = lambda request: answer("200 OK", body)
    assert call(manager(peer.port).delete, 1, FIRST) is None


def test_each_kind_of_change_has_its_counter(
    peer: HttpPeer, manager: Callable[..., RoutingManager], watch: Watch
) -> None:
    peer.answer = lambda request: answer("500 Oops")
    routes = manager(peer.port)
    assert call(routes.create, 1, FIRST) is not None
    assert call(routes.update, 1, (FIRST,), RouteChange.MERGE) is not None
    assert call(routes.update, 1, (FIRST,), RouteChange.UNMERGE) is not None
    assert call(routes.delete, 1, FIRST) is not None
    assert watch.counted == ["RouteCreateFail", "RouteCreateUpdateFail", "RouteDeleteUpdateFail", "RouteDeleteFail"]


def kind(failure: RouteFailure | None) -> RouteFailureKind:
    assert failure is not None
    assert failure.message
    return failure.kind


def test_a_silent_routing_manager_is_a_timeout(peer: HttpPeer, manager: Callable[..., RoutingManager]) -> None:
    for_ever = Event()
    peer.answer = lambda request: for_ever.wait() or OK
    assert kind(call(manager(peer.port).create, 1, FIRST)) is RouteFailureKind.TIMEOUT


def test_one_that_stops_in_the_middle_of_its_answer_is_a_timeout(
    peer: HttpPeer, manager: Callable[..., RoutingManager]
) -> None:
    peer.answer = lambda request: b"HTTP/1.1 20"
    assert kind(call(manager(peer.port).create, 1, FIRST)) is RouteFailureKind.TIMEOUT


def test_nobody_there(manager: Callable[..., RoutingManager]) -> None:
    assert kind(call(manager(free_port()).create, 1, FIRST)) is RouteFailureKind.UNREACHABLE


def test_a_name_that_is_none(manager: Callable[..., RoutingManager]) -> None:
    assert kind(call(manager(3800, host="no such host").create, 1, FIRST)) is RouteFailureKind.UNREACHABLE


@pytest.mark.parametrize("sent", [None, b"SSH-2.0-OpenSSH_9\r\n", b"\0" * 100 + b"\n"], ids=["closes", "ssh", "nuls"])
def test_one_that_closes_or_speaks_no_http(
    peer: HttpPeer, manager: Callable[..., RoutingManager], sent: bytes | None
) -> None:
    peer.answer = lambda request: sent
    assert kind(call(manager(peer.port).create, 1, FIRST)) is RouteFailureKind.BROKEN


@pytest.mark.parametrize(("status", "expected"), [(502, "BROKEN"), (504, "BROKEN"), (500, "REFUSED"), (503, "REFUSED")])
def test_a_proxy_on_the_way_does_not_know_what_was_done(
    peer: HttpPeer, manager: Callable[..., RoutingManager], status: int, expected: str
) -> None:
    peer.answer = lambda request: b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
    assert kind(call(manager(peer.port).create, 1, FIRST)) is RouteFailureKind[expected]


def test_calls_do_not_wait_for_each_other(peer: HttpPeer, manager: Callable[..., RoutingManager]) -> None:
    for_ever = Event()
    peer.answer = lambda request: OK if request.json["subscription_id"] % 2 else for_ever.wait() or OK
    done: Queue[tuple[int, RouteFailure | None]] = Queue()
    routes = manager(peer.port)
    for instance_id in range(20):
        routes.create(instance_id, FIRST, lambda failure, instance_id=instance_id: done.put((instance_id, failure)))
    ended = [done.get(timeout=10) for _ in range(20)]
    assert [failure for _, failure in ended[:10]] == [None] * 10
    assert {kind(failure) for _, failure in ended[10:]} == {RouteFailureKind.TIMEOUT}


def test_at_most_so_many_at_once_and_what_is_late_is_never_sent(
    peer: HttpPeer, manager: Callable[..., RoutingManager]
) -> None:
    for_ever = Event()
    peer.answer = lambda request: for_ever.wait() or OK
    done: Queue[RouteFailure | None] = Queue()
    routes = manager(peer.port, at_once=3, timeout=1.0)
    for instance_id in range(1, 11):
        routes.create(instance_id, FIRST, done.put)
    peer.until(3)
    # The calls began one after the other, and the event loop would end them so: a waiting call would get the connection
    # of an ended one in the moments that it has left itself. A loop that stands still until then finds them all late.
    STAND_STILL(1.0)
    ended = [done.get(timeout=10) for _ in range(10)]
    assert {kind(failure) for failure in ended} == {RouteFailureKind.TIMEOUT}
    peer.answer = lambda request: OK
    assert call(routes.create, 11, FIRST) is None
    assert [request.json["subscription_id"] for request in peer.requests] == [1, 2, 3, 11]


def test_a_restarted_routing_manager_is_found_again(manager: Callable[..., RoutingManager]) -> None:
    first = HttpPeer()
    routes = manager(first.port)
    assert call(routes.create, 1, FIRST) is None
    first.stop()
    assert kind(call(routes.create, 2, FIRST)) is RouteFailureKind.UNREACHABLE
    second = HttpPeer(port=first.port)
    assert call(routes.create, 3, FIRST) is None
    second.stop()
    assert [request.json["subscription_id"] for request in second.requests] == [3]


def test_a_removal_does_not_overtake_the_creation_it_undoes() -> None:
    """The core gives a creation up when the E2 connection is lost, and removes what it may have made at once."""
    held = Event()
    order: list[str] = []

    def slow(request: Request) -> bytes:
        order.append(f"{request.method} begins")
        if request.method == "POST":
            held.wait(5)
        order.append(f"{request.method} ends")
        return answer("201 Created")

    peer = HttpPeer(slow)
    routes = RoutingManager("127.0.0.1", peer.port, "/ric/v1", timeout=5.0)
    done: Queue[str] = Queue()
    try:
        routes.create(1, FIRST, lambda failure: done.put(f"created {failure}"))
        routes.delete(1, FIRST, lambda failure: done.put(f"deleted {failure}"))
        # another instance does not wait
        routes.update(2, [SECOND], RouteChange.MERGE, lambda failure: done.put(f"updated {failure}"))
        assert done.get(timeout=5) == "updated None"
        assert "DELETE begins" not in order
        held.set()
        assert [done.get(timeout=5), done.get(timeout=5)] == ["created None", "deleted None"]
    finally:
        routes.stop()
        peer.stop()
    assert order.index("POST ends") < order.index("DELETE begins")
