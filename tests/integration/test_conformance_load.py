# SPDX-License-Identifier: Apache-2.0
"""Order and independence under load: answers before notifications, slow neighbours, a node that flaps.

CONFORMANCE_TIMES multiplies how often (`make fuzz`: notifications in the order of ten thousand, a thousand flaps).
"""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Iterator
from functools import partial

import gevent
import gevent.socket
import pytest
from support.processes.daemon import NODES, Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import at_work, eventually

from submgr.platform.http.errors import HttpError

TIMES = int(os.environ.get("CONFORMANCE_TIMES", "1"))


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[Neighbourhood, Daemon]]:
    with Neighbourhood() as around, Daemon(around) as daemon:
        yield around, daemon


@pytest.fixture
def around(_running: tuple[Neighbourhood, Daemon]) -> Iterator[Neighbourhood]:
    around, daemon = _running
    yield around
    around.e2term.rules.clear()
    around.rtmgr.rules.clear()
    for subscription_id in daemon.rests():
        daemon.unsubscribe(subscription_id)
    eventually(lambda: around.empty() and not daemon.rests())
    around.reset()


@pytest.fixture
def daemon(_running: tuple[Neighbourhood, Daemon]) -> Daemon:
    return _running[1]


def has_come(client: socket.socket) -> bool:
    """Is there an answer in the socket, or has one been there?"""
    try:
        return bool(client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False


def test_the_answer_is_there_before_the_notification(around: Neighbourhood, daemon: Daemon) -> None:
    """A client that reads nothing looks into its socket when its notification comes. Every other one is a merge or a
    repetition, whose notification has the shortest way."""
    times = 200 * TIMES
    overtaken = 0
    with gevent.socket.create_connection(("127.0.0.1", daemon.xapp_port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw = client._sock  # type: ignore[attr-defined]
        for n in range(times):
            body = json.dumps(around.request("gnb_1", detail(n % 50, [n % 25]))).encode()
            head = f"POST /ric/v1/subscriptions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body)
            assert around.xapp.wait(len(around.xapp.delivered) + 1) or has_come(raw)
            overtaken += not has_come(raw)
            read_answer(client)
    assert overtaken == 0


def read_answer(client: gevent.socket.socket) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += client.recv(65536)
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201"), answer
    length = int(next(line.split(b":")[1] for line in head.splitlines() if line.lower().startswith(b"content-length")))
    while len(rest) < length:
        rest += client.recv(65536)


def test_a_slow_routing_manager_holds_up_no_delete_of_another_node(around: Neighbourhood, daemon: Daemon) -> None:
    """And at its own node only what concerns the same subscription."""
    slow = daemon.subscribe(around.request("gnb_1", detail(1, [1])))
    beside = daemon.subscribe(around.request("gnb_1", detail(2, [2])))
    others = [daemon.subscribe(around.request(name, detail(1, [n]))) for name in NODES[1:] for n in range(10)]
    assert around.xapp.wait(22)
    number = around.xapp.instances(slow)[0]["E2EventInstanceId"]
    around.rtmgr_does(method="DELETE", instance=number, delay=1.8)
    for subscription_id in (slow, beside, *others):
        daemon.unsubscribe(subscription_id)
    eventually(lambda: len(removed(around)) == 22, what=lambda: removed(around))
    assert removed(around)[-1] == number


def removed(around: Neighbourhood) -> list[int]:
    """Instance ids in the order in which the removal of their routes was answered."""
    answers = around.rtmgr.log.entries(event="answered")
    return [event["instance"] for event in answers if event["method"] == "DELETE"]


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
def test_a_node_that_flaps_under_load(around: Neighbourhood) -> None:
    """Requests and deletes come while the connection of their node breaks and comes back; in the end all agree."""
    rng = random.Random(7)
    stopped = False

    def client(daemon: Daemon, there: Neighbourhood, number: int) -> None:
        held: list[str] = []
        while not stopped:
            try:
                if held and rng.random() < 0.4:
                    daemon.unsubscribe(held.pop())
                else:
                    status, answer = daemon.post(there.request("gnb_1", detail(number, [rng.randrange(6)])))
                    assert status in (201, 503), answer
                    held += [answer["SubscriptionId"]] if status == 201 else []
            except HttpError:
                pass
            gevent.sleep(rng.random() * 0.02)

    with RedisServer() as redis, Neighbourhood(redis) as there, Daemon(there) as daemon:
        with at_work(*(partial(client, daemon, there, n) for n in range(6))) as clients:
            for _ in range(30 * TIMES):
                gevent.sleep(rng.random() * 0.08)
                there.e2term.disconnect("gnb_1") if rng.random() < 0.7 else there.e2term.reset_node("gnb_1")
                gevent.sleep(rng.random() * 0.04)
                there.e2term.connect("gnb_1")
            stopped = True
            gevent.joinall(clients, timeout=20, raise_error=True)
        # other nodes never noticed
        other = daemon.subscribe(there.request("gnb_2", detail(99, [99])))
        eventually(lambda: there.xapp.instances(other))
        assert there.xapp.instances(other)[0]["ErrorCause"] == ""
        agree = lambda: there.holds() | there.holds("gnb_2") == listed(daemon) == set(there.rtmgr.routes)  # noqa: E731
        eventually(agree, 20.0, what=lambda: (there.holds(), listed(daemon), there.rtmgr.routes))
        for subscription_id in daemon.rests():
            daemon.unsubscribe(subscription_id)
        eventually(lambda: there.empty() and not daemon.rests() and daemon.clean(), 20.0, what=lambda: daemon.stored())


def listed(daemon: Daemon) -> set[int]:
    return {item["SubscriptionId"] for item in daemon.listed()}
