# SPDX-License-Identifier: Apache-2.0
"""A redis that answers and does not do what it is for: readiness and the refusals say which answer it was."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.platform.http.errors import HttpError

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer(durable=True) as redis:
        yield redis


@pytest.fixture
def around(redis: RedisServer) -> Iterator[Neighbourhood]:
    with Neighbourhood(redis) as around:
        around.reset()
        for name in ("gnb_1", "gnb_2", "gnb_3"):
            around.e2term.disconnect(name)
            around.e2term.connect(name)
        yield around


def readiness(daemon: Daemon) -> tuple[int, str]:
    status, answer = daemon.platform("GET", "health/ready")
    return status, str(answer)


def reason(daemon: Daemon) -> str:
    """Why it is not ready; "" while nobody listens yet."""
    try:
        return readiness(daemon)[1]
    except HttpError:
        return ""


def test_a_read_only_replica(around: Neighbourhood, redis: RedisServer) -> None:
    with Daemon(around) as daemon:
        subscription_id = daemon.subscribe(around.request("gnb_1", detail(1)))
        assert around.xapp.wait(1)
        redis.command("CONFIG", "SET", "replica-serve-stale-data", "yes")
        redis.command("REPLICAOF", "127.0.0.1", "1")
        assert eventually(lambda: readiness(daemon)[0] == 503, 3.0)
        assert "the database takes no writes" in readiness(daemon)[1]
        assert "READONLY" in readiness(daemon)[1]
        status, answer = daemon.post(around.request("gnb_1", detail(2, [2])))
        assert (status, "READONLY" in answer["message"]) == (503, True), answer
        assert daemon.xapp("DELETE", f"/{subscription_id}")[0] == 204
        gevent.sleep(3.5)
        lines = [line for line in daemon.log_file.read_text().splitlines() if "READONLY" in line or "repair" in line]
        assert len(lines) <= 6, lines
        redis.command("REPLICAOF", "NO", "ONE")
        assert eventually(daemon.is_ready, 5.0)
        assert eventually(lambda: around.empty() and daemon.clean())
        assert len(daemon.logged("the database takes writes again")) == 1
        assert daemon.subscribe(around.request("gnb_2"))


def test_a_replica_that_answers_ok(around: Neighbourhood, redis: RedisServer) -> None:
    with Daemon(around) as daemon:
        redis.command("CONFIG", "SET", "replica-read-only", "no")
        redis.command("REPLICAOF", "127.0.0.1", "1")
        status, answer = daemon.post(around.request("gnb_1"))
        assert (status, "replica of 127.0.0.1:1" in answer["message"]) == (503, True), answer
        assert eventually(lambda: "is a replica of 127.0.0.1:1" in readiness(daemon)[1], 3.0)
        redis.command("REPLICAOF", "NO", "ONE")
        assert eventually(daemon.is_ready, 5.0)
        assert eventually(lambda: daemon.clean())
        assert around.e2term.received[12010] == 0


def test_one_that_wants_a_password_at_the_start(around: Neighbourhood, redis: RedisServer) -> None:
    redis.command("CONFIG", "SET", "requirepass", "secret")
    daemon = Daemon(around)
    daemon.start(wait=False)
    try:
        assert eventually(lambda: "NOAUTH" in reason(daemon))
    finally:
        daemon.stop()
        daemon.close()


def test_the_variables_are_not_set_or_mean_nothing(around: Neighbourhood, redis: RedisServer) -> None:
    environment = {
        "DBAAS_SERVICE_HOST": "",
        "DBAAS_CLUSTER_ADDR_LIST": f"no address, 127.0.0.1:{redis.port},",
        "DBAAS_SERVICE_PORT": "tcp://10.0.0.1:6379",
    }
    with Daemon(around, environment) as daemon:
        assert daemon.subscribe(around.request("gnb_1"))
        assert around.xapp.wait(1)
        for words in ("'no address' is no address", "an entry is empty", "'tcp://10.0.0.1:6379' is no port number"):
            assert len(daemon.logged(words)) == 1
        for subscription_id in daemon.rests():
            daemon.unsubscribe(subscription_id)
        assert eventually(lambda: around.empty() and daemon.clean())


def test_no_variable_at_all(around: Neighbourhood) -> None:
    """It starts, says where it looks, and waits for a database there."""
    environment = {"DBAAS_SERVICE_HOST": "", "DBAAS_SERVICE_PORT": "1"}
    daemon = Daemon(around, environment)
    daemon.start(wait=False)
    try:
        assert eventually(lambda: daemon.logged("DBAAS_SERVICE_HOST is not set: localhost is taken"))
        assert eventually(lambda: "localhost:1" in reason(daemon))
        assert daemon.process.poll() is None
    finally:
        daemon.stop()
        daemon.close()
