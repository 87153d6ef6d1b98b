# SPDX-License-Identifier: Apache-2.0
"""Two processes on one redis of which only one may write: the one with the larger epoch."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.platform.store.base import Change, StoreError, StoreFenced
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_client import SdlSettings

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

E2 = "submgr_e2SubsDb"


def made(environment: dict[str, str], timeout: float = 0.6) -> SdlStore:
    settings = SdlSettings(environment, connect_timeout=timeout, operation_timeout=timeout, fenced=True)
    return SdlStore(settings, probe_interval=0.1)


@pytest.fixture
def pair(server: RedisServer) -> Iterator[tuple[SdlStore, SdlStore]]:
    stores = made(server.environment), made(server.environment)
    for store in stores:
        store.start()
    yield stores
    for store in stores:
        store.stop()


def test_nothing_is_written_before_the_database_is_taken(server: RedisServer, pair: tuple[SdlStore, SdlStore]) -> None:
    store, _ = pair
    with pytest.raises(StoreFenced):
        store.write(Change(E2, {"1": b"x"}), persistent=True)
    assert store.reachable()
    assert store.marked_epoch() == 0
    assert server.command("DBSIZE") == b":0\r\n"
    store.fence(1)
    assert store.marked_epoch() == 1
    store.write(Change(E2, {"2": b"x"}))
    assert store.read_all(E2) == {"2": b"x"}  # a change that was refused is no repair


def test_the_larger_epoch_wins(pair: tuple[SdlStore, SdlStore]) -> None:
    old, new = pair
    told: list[str] = []
    old.on_fenced(lambda: told.append("old"))
    new.on_fenced(lambda: told.append("new"))
    old.fence(1)
    old.write(Change(E2, {"1": b"old"}))
    new.fence(2)
    with pytest.raises(StoreFenced, match="epoch 2"):
        old.write(Change(E2, {"1": b"late"}, frozenset({"2"})), persistent=True)
    assert told == ["old"]
    with pytest.raises(StoreFenced):
        old.write(Change(E2, {"1": b"late"}))
    with pytest.raises(StoreFenced):
        old.fence(1)
    new.write(Change(E2, {"1": b"new"}))
    assert old.read_all(E2) == {"1": b"new"}
    old.fence(3)
    old.write(Change(E2, {"1": b"again"}))
    eventually(lambda: told == ["old", "new"])  # a look finds it, too
    assert new.read_all(E2) == {"1": b"again"}


def test_of_many_writes_at_the_moment_of_the_change_the_late_ones_fail(pair: tuple[SdlStore, SdlStore]) -> None:
    """What the old one was told is written is there for the new one; after its `fence` nothing changes any more."""
    old, new = pair
    old.fence(1)
    acknowledged: set[str] = set()
    refused = 0

    def work(worker: int) -> None:
        nonlocal refused
        for number in range(1000):
            try:
                old.write(Change(E2, {f"{worker}-{number}": b"x"}))
                acknowledged.add(f"{worker}-{number}")
            except StoreFenced:
                refused += 1
                return

    workers = [gevent.spawn(work, worker) for worker in range(20)]
    eventually(lambda: len(acknowledged) > 200)
    new.fence(2)
    held = new.keys(E2)
    gevent.joinall(workers, raise_error=True)
    assert refused == 20
    assert new.keys(E2) == held
    assert acknowledged <= held


def test_who_gives_it_back_writes_nothing_any_more(pair: tuple[SdlStore, SdlStore]) -> None:
    store, other = pair
    told: list[str] = []
    store.on_fenced(lambda: told.append("fenced"))
    store.fence(1)
    store.release()
    with pytest.raises(StoreFenced):
        store.write(Change(E2, {"1": b"x"}))
    other.fence(2)
    assert told == []


def test_a_database_that_is_away_is_taken_later(server: RedisServer, pair: tuple[SdlStore, SdlStore]) -> None:
    store, _ = pair
    server.kill()
    for ask in (lambda: store.fence(1), lambda: store.marked_epoch()):
        with pytest.raises(StoreError):
            ask()
    server.start()
    eventually(store.reachable)
    store.fence(1)
    store.write(Change(E2, {"1": b"x"}))


def test_the_standby_writes_back_what_it_followed(server: RedisServer, pair: tuple[SdlStore, SdlStore]) -> None:
    """The database was emptied when the active one ended: the standby is the only one that knows the records."""
    active, standby = pair
    active.fence(1)
    active.write(Change(E2, {"1": b"x", "2": b"x"}))
    assert standby.read_all(E2) == {"1": b"x", "2": b"x"}
    change = Change(E2, {"3": b"x"}, frozenset({"1"}))
    active.write(change)
    standby.follow(change)
    eventually(lambda: standby.marked_epoch() == 1)
    gevent.sleep(0.3)  # looks of the standby
    active.stop()
    server.command("FLUSHALL")
    standby.fence(2)
    eventually(lambda: standby.stats().losses == 1 and standby.trouble() is None)
    assert standby.read_all(E2) == {"2": b"x", "3": b"x"}


def test_a_read_of_the_standby_counts_anew(pair: tuple[SdlStore, SdlStore]) -> None:
    active, standby = pair
    active.fence(1)
    active.write(Change(E2, {"1": b"x", "2": b"x"}))
    standby.read_all(E2)
    active.write(Change(E2, {"2": b"y"}, frozenset({"1"})))
    standby.read_all(E2)
    standby.fence(2)
    standby.write(Change("other", {"k": b""}))
    assert standby.read_all(E2) == {"2": b"y"}


def test_an_active_that_writes_back_is_overtaken_in_the_middle(server: RedisServer) -> None:
    """The next one goes on with what it knows."""
    active, standby = made(server.environment, timeout=10.0), made(server.environment, timeout=10.0)
    active.start()
    standby.start()
    try:
        active.fence(1)
        active.read_all(E2)
        for start in range(0, 20_000, 1000):
            active.write(Change(E2, {str(n): b"x" * 500 for n in range(start, start + 1000)}))
        assert len(standby.read_all(E2)) == 20_000
        server.command("FLUSHALL")
        active.write(Change("other", {"k": b""}))  # finds the loss, and goes before nearly all that is written back
        standby.fence(2)
        eventually(lambda: standby.stats().losses == 1 and standby.trouble() is None)
        assert len(standby.keys(E2)) == 20_000
        with pytest.raises(StoreFenced):
            active.write(Change(E2, {"1": b"late"}))
    finally:
        active.stop()
        standby.stop()


def test_each_server_has_the_epoch(server: RedisServer) -> None:
    with RedisServer() as other:
        both = {
            "DBAAS_CLUSTER_ADDR_LIST": "127.0.0.1,127.0.0.1",
            "DBAAS_SERVICE_PORT": f"{server.reserve()},{other.reserve()}",
        }
        old, new = made(both), made(both)
        old.start()
        new.start()
        try:
            old.fence(1)
            names = [f"ns{n}" for n in range(10)]
            for name in names:
                old.write(Change(name, {"k": b"x"}))
            new.fence(2)
            for name in names:
                with pytest.raises(StoreFenced):
                    old.write(Change(name, {"k": b"late"}))
            other.kill()
            for ask in (new.marked_epoch, lambda: old.fence(3)):
                with pytest.raises(StoreError):
                    ask()
            for name in names:
                with pytest.raises(StoreError):
                    old.write(Change(name, {"k": b"late"}))
            other.start()
            eventually(old.reachable)
            old.fence(3)
            for name in names:
                old.write(Change(name, {"k": b"y"}))
        finally:
            old.stop()
            new.stop()
