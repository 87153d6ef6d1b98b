# SPDX-License-Identifier: Apache-2.0
"""The store over a real redis that comes back without what it had acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import gevent
import pytest
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.processes.sentinel import Sentinel
from support.waiting import at_work, eventually

from submgr.platform.store.base import Change, StoreError
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_client import SdlSettings

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

E2 = "submgr_e2SubsDb"
REST = "submgr_restSubsDb"
MARKER = ("submgr_markerDb", "submgr:0")


def quick(server: RedisServer) -> SdlStore:
    settings = SdlSettings(server.environment, connect_timeout=0.6, operation_timeout=0.6)
    return SdlStore(settings, probe_interval=0.1)


@pytest.fixture
def store(server: RedisServer) -> Iterator[SdlStore]:
    store = quick(server)
    store.start()
    for namespace in (E2, REST):
        store.read_all(namespace)
    yield store
    store.stop()


def removal(*keys: str) -> Change:
    return Change(E2, remove=frozenset(keys))


def complete_again(store: SdlStore, losses: int = 1) -> None:
    eventually(lambda: store.stats().losses >= losses and store.trouble() is None)


@pytest.mark.parametrize("how", ["killed", "flushed"])
def test_an_empty_database_gets_everything_back(
    server: RedisServer, store: SdlStore, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(Change(E2, {str(n): b"e2 %d" % n for n in range(1000)}))
    store.write(Change(REST, {"abc": b"{}", "gone": b"{}"}))
    store.write(Change(REST, {"abc": b"later"}, frozenset({"gone"})))
    if how == "killed":
        server.kill()
        eventually(lambda: not store.reachable())
        server.start()
    else:
        server.command("FLUSHALL")
    complete_again(store)
    assert store.read_all(REST) == {"abc": b"later"}
    assert [server.get(REST, key) for key in ("abc", "gone")] == [b"later", None]
    assert [server.get(E2, str(n)) for n in (0, 999)] == [b"e2 0", b"e2 999"]
    assert store.stats().written_back == 1001
    words = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert sum("everything is written back" in text for text in words) == 1


def test_a_write_finds_the_loss_before_any_look(server: RedisServer) -> None:
    """Redis was restarted so quickly that nobody saw it: the write does not hide that all else is gone."""
    store = SdlStore(SdlSettings(server.environment), probe_interval=60)
    store.start()
    try:
        store.write(Change(E2, {"1": b"x", "2": b"x"}))
        server.command("FLUSHALL")
        store.write(Change(E2, {"2": b"y"}))
        assert server.get(E2, "2") == b"y"
        eventually(lambda: server.get(E2, "1") == b"x")
        assert server.get(E2, "2") == b"y"
    finally:
        store.stop()


def test_a_database_of_long_ago_is_brought_up_to_date(server: RedisServer, store: SdlStore) -> None:
    store.write(Change(E2, {"kept": b"1", "removed": b"1", "changed": b"1"}))
    server.command("SET", "{another},1", "x")
    server.command("SAVE")
    store.write(Change(E2, {"changed": b"2", "new": b"2"}, frozenset({"removed"})))
    server.kill()
    server.start()
    complete_again(store)
    assert store.read_all(E2) == {"kept": b"1", "changed": b"2", "new": b"2"}
    assert server.get(E2, "removed") is None
    assert server.get("another", "1") == b"x"


def test_what_was_never_read_is_not_removed(server: RedisServer) -> None:
    """A process that does not know the namespace as a whole cannot know what does not belong there."""
    server.command("SET", f"{{{E2}}},unknown", "x")
    store = quick(server)
    store.start()
    try:
        server.command("SAVE")
        store.write(Change(E2, {"mine": b"1"}))
        server.kill()
        server.start()
        complete_again(store)
        assert store.read_all(E2) == {"unknown": b"x", "mine": b"1"}
    finally:
        store.stop()


def test_lost_again_and_again_under_load(server: RedisServer, store: SdlStore) -> None:
    """Every acknowledged change is there in the end, in its order; every other one is not."""
    acknowledged: dict[str, bytes] = {}
    over = False

    def work(worker: int) -> None:
        number = 0
        while not over:
            number += 1
            key, value = f"{worker}-{number % 40}", b"%d" % number
            try:
                if number % 7:
                    store.write(Change(E2, {key: value}))
                    acknowledged[key] = value
                else:
                    store.write(removal(key))
                    acknowledged.pop(key, None)
            except StoreError:
                gevent.sleep(0.01)

    with at_work(*(partial(work, worker) for worker in range(10))) as workers:
        eventually(lambda: len(acknowledged) > 200)
        for losses in range(1, 5):
            if losses % 2:
                server.command("FLUSHALL")
            else:
                server.kill()
                server.start()
            eventually(lambda wanted=losses: store.stats().losses >= wanted)
        over = True
        gevent.joinall(workers, raise_error=True)
    complete_again(store)
    assert not store.stats().repairs_pending
    assert store.read_all(E2) == acknowledged


def test_writes_go_on_while_tens_of_thousands_are_written_back(server: RedisServer) -> None:
    """One group of changes after each piece: twenty writes one after the other are done long before all is back."""
    store = SdlStore(SdlSettings(server.environment, operation_timeout=10.0))
    store.start()
    pending: list[int] = []
    failed: list[StoreError] = []

    def told(error: StoreError | None) -> None:
        pending.append(store.stats().repairs_pending)
        failed.extend([error] if error is not None else [])
        if len(pending) < 20:
            store.submit(Change(REST, {"k": b"%d" % len(pending)}), told)

    try:
        store.read_all(E2)
        store.read_all(REST)
        for start in range(0, 20_000, 1000):
            store.write(Change(E2, {str(n): b"x" * 500 for n in range(start, start + 1000)}))
        server.command("FLUSHALL")
        store.submit(Change(REST, {"k": b"0"}), told)
        eventually(lambda: len(pending) == 20)
        assert failed == []
        assert pending == sorted(pending, reverse=True)
        assert pending[-1] > 10_000
        complete_again(store)
        assert server.get(REST, "k") == b"19"
        assert len(store.keys(E2)) == 20_000
    finally:
        store.stop()


def test_what_an_operator_emptied_stays_empty(
    server: RedisServer, store: SdlStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(Change(E2, {"1": b"x"}))
    store.pause_repairs()
    server.command("FLUSHALL")
    eventually(lambda: store.stats().losses == 1)
    store.write(Change(E2, {"2": b"x"}))
    assert store.read_all(E2) == {"2": b"x"}
    assert store.trouble() is None
    assert "nothing is written back" in caplog.text


def test_a_database_that_may_not_be_written_to_is_trouble(server: RedisServer, store: SdlStore) -> None:
    store.write(Change(E2, {"1": b"x"}))
    server.command("ACL", "SETUSER", "default", "-mset")
    eventually(lambda: "NOPERM" in str(store.trouble()))
    with pytest.raises(StoreError, match="NOPERM"):
        store.write(Change(E2, {"2": b"x"}))
    assert store.reachable()
    server.command("ACL", "SETUSER", "default", "+mset")
    eventually(lambda: store.trouble() is None)
    store.write(Change(E2, {"2": b"x"}))
    assert (store.stats().losses, store.read_all(E2)) == (0, {"1": b"x", "2": b"x"})


def test_full_when_it_comes_back(server: RedisServer, store: SdlStore) -> None:
    """It is complete once it has room."""
    store.write(Change(E2, {"1": b"x"}))
    server.command("CONFIG", "SET", "maxmemory", "1")
    server.command("FLUSHALL")
    eventually(lambda: "OOM" in str(store.trouble()))
    server.command("CONFIG", "SET", "maxmemory", "0")
    complete_again(store)
    assert store.read_all(E2) == {"1": b"x"}


def test_removals_that_a_full_database_took_are_no_loss(server: RedisServer, store: SdlStore) -> None:
    store.write(Change(E2, {"1": b"x", "2": b"x"}))
    server.command("CONFIG", "SET", "maxmemory", "1")
    store.write(removal("1"))
    server.command("CONFIG", "SET", "maxmemory", "0")
    eventually(lambda: store.trouble() is None)
    store.write(removal("2"))
    assert store.stats().losses == 0


def test_a_start_on_an_empty_database_is_no_loss(server: RedisServer, store: SdlStore) -> None:
    store.write(Change(E2, {"1": b"x"}))
    store.stop()
    server.command("FLUSHALL")
    store.start()
    assert store.read_all(E2) == {}
    store.write(Change(E2, {"2": b"x"}))
    assert store.stats().losses == 0
    assert server.get(*MARKER) == b"1:1"


def test_each_start_has_an_epoch_of_its_own(server: RedisServer, store: SdlStore) -> None:
    store.write(Change(E2, {"1": b"x"}))
    assert server.get(*MARKER) == b"1:1"
    store.stop()
    store.start()
    assert server.get(*MARKER) == b"2:0"


def test_a_run_that_ended_while_it_wrote_back_is_told(
    server: RedisServer, store: SdlStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.stop()
    server.command("SET", "{submgr_markerDb},submgr:0", "7:12:incomplete")
    store.start()
    assert "the run before this one ended before all were back" in caplog.text
    assert server.get(*MARKER) == b"8:0"


def test_a_marker_that_is_none_keeps_nobody_from_starting(server: RedisServer, store: SdlStore) -> None:
    store.stop()
    server.command("SET", "{submgr_markerDb},submgr:0", "what?")
    store.start()
    store.write(Change(E2, {"1": b"x"}))
    assert server.get(*MARKER) == b"1:1"


def test_two_processes_by_accident_write_on(
    server: RedisServer, store: SdlStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(Change(E2, {"1": b"x"}))
    second = quick(server)
    second.start()
    try:
        second.read_all(E2)
        second.write(Change(E2, {"2": b"x"}))
        store.write(Change(E2, {"3": b"x"}))
        second.write(Change(E2, {"4": b"x"}))
        eventually(lambda: "another process writes to redis" in caplog.text)
        assert [each.trouble() for each in (store, second)] == [None, None]
        assert [each.stats().losses for each in (store, second)] == [0, 0]
        assert store.keys(E2) == {"1", "2", "3", "4"}
    finally:
        second.stop()


def test_a_failover_that_lost_writes(server: RedisServer, store: SdlStore, tmp_path: Path) -> None:
    """The Sentinel names a replica that was behind: what it does not have is written to it."""
    with RedisServer() as replica, Sentinel(tmp_path, server) as sentinel:
        store.stop()
        store = SdlStore(SdlSettings(sentinel.environment, operation_timeout=0.6), probe_interval=0.1)
        store.start()
        try:
            store.read_all(E2)
            store.write(Change(E2, {"1": b"x", "removed": b"x"}))
            replica.command("REPLICAOF", "127.0.0.1", str(server.port))
            eventually(lambda: replica.get(E2, "1") == b"x")
            replica.command("REPLICAOF", "NO", "ONE")
            store.write(Change(E2, {"2": b"x"}, frozenset({"removed"})))
            sentinel.command("SENTINEL", "REMOVE", "dbaasmaster")
            sentinel.command("SENTINEL", "MONITOR", "dbaasmaster", "127.0.0.1", str(replica.port), "1")
            server.kill()
            complete_again(store)
            assert [replica.get(E2, key) for key in ("1", "2", "removed")] == [b"x", b"x", None]
        finally:
            store.stop()


def test_a_sentinel_promotes_a_replica_that_was_behind(server: RedisServer, store: SdlStore, tmp_path: Path) -> None:
    """The replica had lost the master while that took writes, and the master dies before they find each other."""
    store.stop()
    with RedisServer("--replicaof", f"127.0.0.1 {server.port}") as replica:
        eventually(lambda: b"state=online" in server.command("INFO", "replication"))
        with Sentinel(tmp_path, server, down_after=0.5) as sentinel:
            store = SdlStore(SdlSettings(sentinel.environment, operation_timeout=0.6), probe_interval=0.1)
            store.start()
            try:
                eventually(store.reachable)
                store.read_all(E2)
                store.write(Change(E2, {"1": b"x", "removed": b"x"}))
                eventually(lambda: replica.get(E2, "removed") == b"x")
                eventually(
                    lambda: b"num-slaves\r\n$1\r\n1" in sentinel.command("SENTINEL", "MASTER", "dbaasmaster"), 30.0
                )
                replica.command("REPLICAOF", "127.0.0.1", "1")
                store.write(Change(E2, {"2": b"x"}, frozenset({"removed"})))
                server.kill()
                eventually(lambda: store.stats().losses == 1 and store.trouble() is None, 60.0)
                assert [replica.get(E2, key) for key in ("1", "2", "removed")] == [b"x", b"x", None]
                assert store.read_all(E2) == {"1": b"x", "2": b"x"}
            finally:
                store.stop()


def test_a_program_that_only_knows_what_it_wrote(server: RedisServer) -> None:
    """As the MEC services are named: each program has a marker of its own beside the same records."""
    stores = [SdlStore(SdlSettings(server.environment, name=name), probe_interval=0.1) for name in ("submgr", "mec-x")]
    for number, store in enumerate(stores):
        store.start()
        store.write(Change(f"mec_{number}", {"k": b"%d" % number}))
    try:
        server.command("FLUSHALL")
        for store in stores:
            eventually(lambda store=store: store.stats().losses == 1 and store.trouble() is None)
        assert [server.get(f"mec_{number}", "k") for number in (0, 1)] == [b"0", b"1"]
        assert server.get("submgr_markerDb", "mec-x:0") is not None
    finally:
        for store in stores:
            store.stop()
