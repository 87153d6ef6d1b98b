# SPDX-License-Identifier: Apache-2.0
"""The daemon on a redis that keeps nothing on disk, as the RIC's: it comes back empty, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import gevent
import pytest
from redis import Redis
from support.processes.daemon import QUICK, Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import at_work, eventually

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]


@pytest.fixture
def around(redis: RedisServer) -> Iterator[Neighbourhood]:
    with Neighbourhood(redis) as around:
        around.reset()
        node_states(around)
        yield around


def node_states(around: Neighbourhood) -> None:
    """E2 Manager writes them anew when it finds the database empty."""
    assert around.rnib is not None
    for name, node in around.e2term.nodes.items():
        around.rnib.write(name, node.state)


def records(redis: RedisServer) -> dict[bytes, bytes | None]:
    """What is stored for subscriptions, as it is stored."""
    with Redis(redis.host, redis.port) as client:
        keys = [*client.keys("{submgr_e2SubsDb},*"), *client.keys("{submgr_restSubsDb},*")]
        return {key: client.get(key) for key in keys}


def test_the_records_come_back_and_outlive_a_restart(around: Neighbourhood, redis: RedisServer) -> None:
    with Daemon(around) as daemon:
        kept = [daemon.subscribe(around.request("gnb_1", detail(1, [n]))) for n in range(20)]
        assert around.xapp.wait(20)
        gone = kept.pop()
        daemon.unsubscribe(gone)
        eventually(lambda: len(around.holds()) == 19)
        eventually(lambda: len(records(redis)) == 38)
        before = records(redis)
        redis.kill()
        redis.start()
        node_states(around)
        eventually(lambda: records(redis) == before, what=lambda: len(records(redis)))
        eventually(lambda: daemon.platform("GET", "health/ready")[0] == 200)
        assert daemon.metric("submgr_store_losses_total") == 1
        assert daemon.metric("submgr_store_written_back_total") >= 38
        assert "the database has lost writes" in daemon.log_file.read_text()
        daemon.kill()
        daemon.start()
        assert sorted(daemon.rests()) == sorted(kept)
        assert len(around.holds()) == 19


def test_what_an_operator_emptied_stays_empty(around: Neighbourhood, redis: RedisServer) -> None:
    with Daemon(around, debug={"token": "s3cret"}) as daemon:
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        assert daemon.platform("POST", "test/emptydb", Authorization="Bearer s3cret")[0] == 200
        assert records(redis) == {}
        redis.kill()
        redis.start()
        node_states(around)
        eventually(lambda: "nothing is written back" in daemon.log_file.read_text())
        eventually(lambda: daemon.platform("GET", "health/ready")[0] == 200)
        assert records(redis) == {}


def test_what_differs_is_reconciled(around: Neighbourhood, redis: RedisServer) -> None:
    """A redis that evicts a record, and one that somebody has put there."""
    with Daemon(around, controls={"reconcile": 0}) as daemon:
        first = daemon.subscribe(around.request("gnb_1", detail(1, [1])))
        daemon.subscribe(around.request("gnb_2", detail(1, [2]), detail(2, [3])))
        assert around.xapp.wait(3)
        assert eventually(lambda: daemon.platform("GET", "reconcile") == (200, []))
        before = records(redis)
        (key,) = [name for name in before if b"e2SubsDb" in name and b'"gnb_1"' in (before[name] or b"")]
        redis.command("DEL", key)
        redis.command("SET", f"{{submgr_restSubsDb}},{first}", "garbage")
        _, differences = daemon.platform("GET", "reconcile")
        assert [(each["What"], each["Repaired"]) for each in differences] == [
            ("e2_record", False),
            ("rest_record", False),
        ]
        assert records(redis) != before
        daemon.configure(controls={"reconcile": 1})
        eventually(lambda: records(redis) == before, 30.0)
        eventually(lambda: daemon.metric("submgr_reconciled_total") == 2)
        eventually(lambda: len(daemon.logged("reconciled")) == 2)
        daemon.unsubscribe(first)
        eventually(lambda: len(around.holds()) == 0)
        assert eventually(lambda: daemon.platform("GET", "reconcile") == (200, []))


def test_emptied_again_and_again_under_load(around: Neighbourhood, redis: RedisServer) -> None:
    """In the end the E2 nodes, the database, the lists and a restart agree, and every accepted one is there."""
    over = False
    held: dict[int, str] = {}

    def work(daemon: Daemon, number: int) -> None:
        body = around.request(f"gnb_{number % 3 + 1}", detail(1, [number]))
        while not over:
            if number in held:
                assert daemon.xapp("DELETE", f"/{held[number]}")[0] == 204
                del held[number]
            else:
                status, answer = daemon.post(body)
                if status == 201:
                    held[number] = answer["SubscriptionId"]
            gevent.sleep(0.02)

    with Daemon(around, controls={**QUICK, "checkE2State": "false"}) as daemon:
        with at_work(*(partial(work, daemon, number) for number in range(20))) as workers:
            for round_ in range(6):
                gevent.sleep(0.4)
                before = daemon.metric("submgr_store_losses_total")
                if round_ % 2:
                    redis.command("FLUSHALL")
                else:
                    redis.kill()
                    redis.start()
                eventually(lambda seen=before: daemon.metric("submgr_store_losses_total") > seen)
            over = True
            gevent.joinall(workers, raise_error=True)
        eventually(lambda: daemon.platform("GET", "health/ready")[0] == 200)
        nodes = around.e2term.nodes.values()

        def agree() -> bool:
            stored = daemon.stored()
            at_nodes = {str(each) for node in nodes for each in node.subscriptions}
            rests = set(held.values())
            return (
                set(daemon.rests()) == rests == stored["submgr_restSubsDb"].keys()
                and at_nodes == stored["submgr_e2SubsDb"].keys()
                and len(at_nodes) == len(rests)
                and daemon.platform("GET", "reconcile") == (200, [])
            )

        eventually(agree, 30.0, what=lambda: (len(held), daemon.rests(), daemon.stored()))
        daemon.kill()
        daemon.start()
        eventually(agree, 30.0, what=lambda: (len(held), daemon.rests(), daemon.stored()))
