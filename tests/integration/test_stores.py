# SPDX-License-Identifier: Apache-2.0
"""A database that is away, hangs, refuses, is full, or holds what nobody can read."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import gevent
import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.platform.http.errors import HttpError

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

ANSWERED_WITHIN = 5.0
"""Seconds, of the user guide: whatever hangs behind it."""


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[RedisServer, Neighbourhood, Daemon]]:
    with RedisServer(durable=True) as redis, Neighbourhood(redis) as around, Daemon(around) as daemon:
        yield redis, around, daemon


@pytest.fixture
def around(_running: tuple[RedisServer, Neighbourhood, Daemon]) -> Iterator[Neighbourhood]:
    _, around, daemon = _running
    yield around
    around.e2term.rules.clear()
    eventually(daemon.is_ready)
    for subscription_id in daemon.rests():
        daemon.unsubscribe(subscription_id)
    eventually(lambda: not daemon.rests() and around.empty() and daemon.clean(), 15.0)
    around.reset()


@pytest.fixture
def redis(_running: tuple[RedisServer, Neighbourhood, Daemon]) -> RedisServer:
    return _running[0]


@pytest.fixture
def daemon(_running: tuple[RedisServer, Neighbourhood, Daemon]) -> Daemon:
    return _running[2]


def timed(daemon: Daemon, method: str, path: str = "", body: Any = None) -> tuple[int, float]:
    """Status, and the seconds it took."""
    begin = time.monotonic()
    status, _ = daemon.xapp(method, path, body)
    return status, time.monotonic() - begin


def test_hangs_during_a_procedure(around: Neighbourhood, daemon: Daemon, redis: RedisServer) -> None:
    """The first test here: with changes still to be caught up from an earlier hang, this one would not be sent."""
    around.node_does(procedure="subscribe", delay=0.25, count=1)
    daemon.subscribe(around.request("gnb_1", detail(1)))
    eventually(lambda: around.e2term.received[12010] == 1)
    redis.suspend()
    try:
        assert around.xapp.wait(1)
    finally:
        redis.resume()
    (told,) = around.xapp.instances()
    assert (told["E2EventInstanceId"], told["ErrorSource"]) == (0, "DBAAS")
    assert told.get("TimeoutType") == "DBAAS-Timeout", told
    assert told["ErrorCause"]
    eventually(around.empty)
    eventually(lambda: daemon.stored()["submgr_e2SubsDb"] == {})


def test_nothing_is_left_in_the_database(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(1), detail(2, [9])))
    assert around.xapp.wait(2)
    stored = daemon.stored()
    assert set(stored["submgr_restSubsDb"]) == {subscription_id}
    numbers = {str(i["E2EventInstanceId"]) for i in around.xapp.instances()}
    eventually(lambda: {r["SubRespRcvd"] for r in daemon.stored()["submgr_e2SubsDb"].values()} == {"SubResp"})
    assert set(daemon.stored()["submgr_e2SubsDb"]) == numbers
    daemon.unsubscribe(subscription_id)
    eventually(daemon.clean)
    assert around.empty()


def test_restarted_in_the_middle(around: Neighbourhood, daemon: Daemon, redis: RedisServer) -> None:
    """Away: a POST is refused, a DELETE succeeds all the same; back: what was owed to it is written."""
    first = daemon.subscribe(around.request("gnb_1", detail(1)))
    assert around.xapp.wait(1)
    redis.stop()
    try:
        status, seconds = timed(daemon, "POST", body=around.request("gnb_1", detail(2, [2])))
        assert (status, seconds < ANSWERED_WITHIN) == (503, True), seconds
        eventually(lambda: not daemon.is_ready())
        status, answer = daemon.platform("GET", "health/ready")
        assert any("database" in reason for reason in answer["reasons"]), answer
        assert daemon.platform("GET", "health/alive")[0] == 200
        status, seconds = timed(daemon, "DELETE", f"/{first}")
        assert (status, seconds < ANSWERED_WITHIN) == (204, True), seconds
        assert daemon.post({**around.request(), "SubscriptionId": first})[0] == 404
    finally:
        redis.start()
    eventually(daemon.is_ready)
    eventually(daemon.clean)
    eventually(around.empty)
    daemon.subscribe(around.request("gnb_2", detail(3, [3])))
    assert around.xapp.wait(2)
    assert [i["XappEventInstanceId"] for i in around.xapp.instances()] == [1, 3]


def test_hung_in_the_middle(around: Neighbourhood, daemon: Daemon, redis: RedisServer) -> None:
    """Every request is answered in time; what redis executes of it when it goes on is not left there."""
    first = daemon.subscribe(around.request("gnb_1", detail(1)))
    assert around.xapp.wait(1)
    redis.suspend()
    try:
        requests = [
            gevent.spawn(timed, daemon, "POST", "", around.request("gnb_1", detail(2, [2]))),
            gevent.spawn(timed, daemon, "POST", "", around.request("gnb_3", detail(3, [3]))),
            gevent.spawn(timed, daemon, "DELETE", f"/{first}"),
            gevent.spawn(timed, daemon, "GET"),
            gevent.spawn(timed, daemon, "POST", "", {}),
        ]
        gevent.joinall(requests, raise_error=True)
        answers = [request.value for request in requests]
        assert [status for status, _ in answers] == [503, 503, 204, 200, 400]
        assert max(seconds for _, seconds in answers) < ANSWERED_WITHIN
    finally:
        redis.resume()
    eventually(daemon.is_ready)
    eventually(lambda: daemon.clean() and around.empty() and not daemon.rests(), 15.0)
    assert len(around.xapp.notifications) == 1


def refuse_writes(redis: RedisServer) -> None:
    redis.command("CONFIG", "SET", "maxmemory", "1")


def take_writes(redis: RedisServer) -> None:
    redis.command("CONFIG", "SET", "maxmemory", "0")


def test_refuses_writes_during_a_procedure(around: Neighbourhood, daemon: Daemon, redis: RedisServer) -> None:
    """The first of two is undone at the node, the second is never sent: what cannot be saved is not done."""
    around.node_does(procedure="subscribe", delay=0.25, count=1)
    daemon.subscribe(around.request("gnb_1", detail(1, [1]), detail(2, [2])))
    eventually(lambda: around.e2term.received[12010] == 1)
    refuse_writes(redis)
    try:
        assert around.xapp.wait(2)
        first, second = around.xapp.instances()
        for told in (first, second):
            assert (told["E2EventInstanceId"], told["ErrorSource"]) == (0, "DBAAS")
            assert "TimeoutType" not in told
            assert "maxmemory" in told["ErrorCause"], "the store's own words"
        eventually(around.empty)
        assert around.e2term.received[12010] == 1
        assert daemon.post(around.request("gnb_2", detail(3, [3])))[0] == 503
    finally:
        take_writes(redis)
    eventually(lambda: daemon.stored()["submgr_e2SubsDb"] == {})


def test_read_only_for_a_while(around: Neighbourhood, daemon: Daemon, redis: RedisServer) -> None:
    first = daemon.subscribe(around.request("gnb_1", detail(1)))
    assert around.xapp.wait(1)
    redis.command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert daemon.post(around.request("gnb_1", detail(2, [2])))[0] == 503
        status, seconds = timed(daemon, "DELETE", f"/{first}")
        assert (status, seconds < ANSWERED_WITHIN) == (204, True)
    finally:
        redis.command("REPLICAOF", "NO", "ONE")
    eventually(daemon.clean, 15.0)
    eventually(around.empty)


BROKEN = {
    "submgr_e2SubsDb": {
        "7": b"no JSON at all",
        "8": b"",
        "9": b"[]",
        "10": b'{"Valid":true}',
        "11": b'{"Valid":true,"ReqId":{"Id":1,"InstanceId":12},"Meid":{"RanName":"gnb_1"}}',
        "12": b"\xff\xfe\x00",
        "13": b'{"ReqId":"text"}',
        "many": b"{}",
    },
    "submgr_restSubsDb": {"broken": b'{"Meid":17}', "cut": b'{"Created":"2026-11-22 00:33'},
    "submgr_removalsDb": {"14:gnb_1": b"null"},
}


def test_what_cannot_be_read_stops_nobody_and_stays() -> None:
    with RedisServer(durable=True) as redis, Neighbourhood(redis) as around, Daemon(around) as daemon:
        good = daemon.subscribe(around.request("gnb_1", detail(1)))
        assert around.xapp.wait(1)
        number = around.xapp.instances()[0]["E2EventInstanceId"]
        eventually(lambda: good in daemon.stored()["submgr_restSubsDb"])
        daemon.stop()
        for namespace, records in BROKEN.items():
            for key, value in records.items():
                redis.command("SET", f"{{{namespace}}},{key}", value)
        daemon.start()
        assert daemon.metric("submgr_unreadable_records") == sum(map(len, BROKEN.values()))
        assert [item["SubscriptionId"] for item in daemon.listed()] == [number]
        assert set(daemon.rests()) == {good}
        logged = " ".join(line["msg"] for line in daemon.logged("cannot be read"))
        assert all(repr(key) in logged for records in BROKEN.values() for key in records)
        daemon.subscribe(around.request("gnb_2", *[detail(n, [n, 1]) for n in range(20)]))
        assert around.xapp.wait(21)
        given_out = {i["E2EventInstanceId"] for i in around.xapp.instances()}
        assert len(given_out) == 21
        assert not given_out & {0, *range(7, 15)}, "the ids of records that cannot be read"
        for namespace, records in BROKEN.items():
            assert {key: redis.get(namespace, key) for key in records} == records


def test_down_at_the_start(redis: RedisServer, around: Neighbourhood, daemon: Daemon) -> None:
    """Not ready, and says why; ready when it comes, with what was stored."""
    daemon.subscribe(around.request("gnb_1", detail(1)))
    assert around.xapp.wait(1)
    listed = daemon.listed()
    daemon.stop()
    redis.stop()
    try:
        daemon.start(wait=False)
        eventually(lambda: answers(daemon, "health/alive") == 200)
        status, answer = daemon.platform("GET", "health/ready")
        assert status == 503
        assert any("database" in reason for reason in answer["reasons"]), answer
        status, answer = daemon.platform("GET", "subscriptions")
        assert (status, "database" in answer["message"]) == (503, True), answer
        with pytest.raises(HttpError):
            daemon.post(around.request())
    finally:
        redis.start()
    eventually(daemon.is_ready)
    assert daemon.listed() == listed
    assert around.e2term.received[12010] == 1


def answers(daemon: Daemon, path: str) -> int | None:
    try:
        return daemon.platform("GET", path)[0]
    except HttpError:
        return None


def test_not_there_for_as_many_tries_as_configured(redis: RedisServer) -> None:
    with Neighbourhood(redis) as around:
        environment = {"DBAAS_SERVICE_PORT": "1"}
        with ExitStack() as ends:
            daemon = Daemon(around, environment, controls={"dbRetryForever": "false", "dbTryCount": 2})
            ends.push(daemon)
            daemon.start(wait=False)
            assert daemon.wait() == 1
            assert "2 tries" in daemon.logged("could not be read")[-1]["msg"]
            assert "Traceback" not in daemon.log_file.read_text()


def test_the_disk_is_full() -> None:
    """A file of SQLite that cannot grow: refused with 503, nothing is sent; taken again when there is room."""
    with Neighbourhood() as around, Daemon(around) as daemon:
        daemon.subscribe(around.request("gnb_1", detail(1)))
        assert around.xapp.wait(1)
        size = max(path.stat().st_size for path in daemon.path.glob("submgr.db*"))
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        answers = [daemon.post(around.request("gnb_2", detail(n, [n, n], ActionDefinition=[7] * 9000))) for n in (2, 3)]
        assert [status for status, _ in answers] == [503, 503], answers
        assert around.e2term.received[12010] == 1
        assert [item["Meid"] for item in daemon.listed()] == ["gnb_1"]
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, unlimited)
        eventually(lambda: daemon.post(around.request("gnb_2", detail(4, [4])))[0] == 201)
        assert around.xapp.wait(2)
        assert [i["XappEventInstanceId"] for i in around.xapp.instances()] == [1, 4]
