# SPDX-License-Identifier: Apache-2.0
"""What every store promises, whatever is behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest
from gevent.event import Event
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer

from submgr.platform.store.base import Change, InvalidKey, StoreError, StoreUnavailable
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.memory import MemoryStore
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_client import SdlSettings
from submgr.platform.store.sqlite import SqliteStore
from submgr.platform.turns import turn

NS = "submgr_e2SubsDb"

redis = pytest.param("redis", marks=[pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)])


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture(params=["memory", "sqlite", redis])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], CommittingStore]:
    """Makes the store of this run; a second one made after the first was stopped has the same database."""
    if request.param == "memory":
        store = MemoryStore()
        return lambda: store
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "state" / "submgr.db")
    running: RedisServer = request.getfixturevalue("server")
    running.command("FLUSHALL")
    return lambda: SdlStore(SdlSettings(running.environment))


@pytest.fixture
def store(make: Callable[[], CommittingStore]) -> Iterator[CommittingStore]:
    store = make()
    store.start()
    yield store
    store.stop()


class TestStore:
    @pytest.mark.parametrize("value", [b"", b"\x00", bytes(range(256)) * 3, b"{}\r\n$-1\r\n", b"x" * 1_500_000])
    def test_bytes_come_back_as_they_were(self, store: CommittingStore, value: bytes) -> None:
        store.write(Change(NS, {"1": value, "2": b"other"}))
        assert store.read(NS, {"1"}) == {"1": value}
        assert store.read_all(NS) == {"1": value, "2": b"other"}

    @pytest.mark.parametrize("key", ["", "gNB-Köln ☃", "a b", "a,b", "{a},b", "*", "a?[b]", "\x00\n", "k" * 4000])
    def test_any_text_is_a_key(self, store: CommittingStore, key: str) -> None:
        store.write(Change(NS, {key: b"1", "plain": b"2"}))
        assert store.read(NS, [key]) == {key: b"1"}
        assert store.keys(NS) == {key, "plain"}
        store.write(Change(NS, remove=frozenset({key})))
        assert store.read_all(NS) == {"plain": b"2"}

    @pytest.mark.parametrize(("namespace", "key"), [("a*", "k"), ("", "k"), ("a,b", "k"), ("ä", "k"), ("a", "\ud800")])
    def test_what_no_database_holds_is_refused(self, store: CommittingStore, namespace: str, key: str) -> None:
        for ask in (
            lambda: Change(namespace, {key: b""}),
            lambda: Change(namespace, remove=frozenset({key})),
            lambda: store.read(namespace, {key}),
        ):
            with pytest.raises(InvalidKey):
                ask()

    def test_namespaces_are_apart(self, store: CommittingStore) -> None:
        store.write(Change("ns", {"k": b"1"}))
        store.write(Change("ns2", {"k": b"2"}))
        store.write(Change("n", {"k": b"3"}))
        store.write(Change("ns2", remove=frozenset({"k"})))
        assert [store.read_all(name) for name in ("ns", "ns2", "n", "none")] == [{"k": b"1"}, {}, {"k": b"3"}, {}]

    def test_set_and_remove_in_one_change(self, store: CommittingStore) -> None:
        store.write(Change(NS, {"old": b"1", "kept": b"2"}))
        store.write(Change(NS, {"new": b"3"}, frozenset({"old", "never"})))
        assert store.read_all(NS) == {"kept": b"2", "new": b"3"}

    def test_a_key_is_not_set_and_removed_at_once(self) -> None:
        with pytest.raises(InvalidKey):
            Change(NS, {"k": b""}, frozenset({"k"}))

    def test_a_value_that_is_not_bytes_is_the_callers_mistake(self) -> None:
        with pytest.raises(TypeError, match="not str"):
            Change(NS, {"k": "text"})  # type: ignore[dict-item]

    def test_nothing_is_a_change_too(self, store: CommittingStore) -> None:
        store.write(Change(NS))
        store.write(Change(NS, remove=frozenset({"absent"})))
        assert store.read(NS, []) == {}
        assert store.read(NS, {"absent"}) == {}
        assert (store.read_all(NS), store.keys(NS)) == ({}, set())

    def test_one_string_is_not_a_collection_of_keys(self, store: CommittingStore) -> None:
        with pytest.raises(TypeError):
            store.read(NS, "12")

    def test_outcomes_are_told_in_order_and_once(self, store: CommittingStore) -> None:
        told: list[tuple[int, StoreError | None]] = []
        all_told = Event()

        def done(number: int, error: StoreError | None) -> None:
            told.append((number, error))
            if number == 299:
                all_told.set()

        for number in range(300):
            store.submit(Change(NS, {"k": b"%d" % number}), lambda error, n=number: done(n, error))
        assert told == []
        assert all_told.wait(10)
        assert told == [(number, None) for number in range(300)]
        assert store.read(NS, {"k"}) == {"k": b"299"}

    def test_the_last_change_of_a_key_wins(self, store: CommittingStore) -> None:
        changes = [
            Change(NS, {"a": b"1", "b": b"1"}),
            Change(NS, remove=frozenset({"a"})),
            Change(NS, {"c": b"2"}, frozenset({"b"})),
            Change(NS, {"b": b"3"}),
        ]
        gevent.joinall([gevent.spawn(store.write, change) for change in changes], raise_error=True)
        assert store.read_all(NS) == {"b": b"3", "c": b"2"}

    def test_waiting_changes_are_written_as_one_group(self, store: CommittingStore) -> None:
        def work(worker: int) -> None:
            for number in range(20):
                store.write(Change(NS, {f"{worker}": b"%d" % number}))

        gevent.joinall([gevent.spawn(work, worker) for worker in range(100)], raise_error=True)
        stats = store.stats()
        assert (stats.acknowledged, stats.failed, stats.waiting) == (2000, 0, 0)
        assert stats.groups <= 200
        assert store.read_all(NS) == {f"{worker}": b"19" for worker in range(100)}

    def test_a_change_is_seen_whole(self, store: CommittingStore) -> None:
        """Neither a reader of both keys sees one of two values, nor one of a value and a removal."""
        finished = Event()

        def watch() -> int:
            seen = 0
            while not finished.is_set():
                found = store.read(NS, ["a", "b", "c"])
                if found:
                    seen += 1
                    assert found["a"] == found["b"]
                    assert ("c" in found) == (found["a"] == b"odd")
                turn()
            return seen

        watcher = gevent.spawn(watch)
        for _ in range(100):
            store.write(Change(NS, {"a": b"odd", "b": b"odd", "c": b""}))
            store.write(Change(NS, {"a": b"even", "b": b"even"}, frozenset({"c"})))
        finished.set()
        assert watcher.get(timeout=10) > 0

    def test_more_keys_than_are_asked_for_at_a_time(self, store: CommittingStore) -> None:
        values = {f"{number}": b"v%d" % number for number in range(2600)}
        store.write(Change(NS, values))
        store.write(Change("other", values))
        assert store.keys(NS) == values.keys()
        assert store.read_all(NS) == values
        assert store.read(NS, [*values, "absent"]) == values
        store.write(Change(NS, remove=frozenset(values)))
        assert store.read_all(NS) == {}

    def test_one_waiters_bug_does_not_keep_others_waiting(
        self, store: CommittingStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.submit(Change(NS, {"a": b"1"}), lambda error: 1 / 0)
        store.write(Change(NS, {"b": b"2"}))
        store.write(Change(NS, {"c": b"3"}))
        assert store.read_all(NS) == {"a": b"1", "b": b"2", "c": b"3"}
        assert "ZeroDivisionError" in caplog.text

    def test_stopping_writes_what_waits(self, store: CommittingStore, make: Callable[[], CommittingStore]) -> None:
        told: list[StoreError | None] = []
        for number in range(1000):
            store.submit(Change(f"ns{number % 3}", {f"{number}": b"x"}), told.append)
        store.stop()
        assert told == [None] * 1000
        again = make()
        again.start()
        assert [len(again.keys(f"ns{number}")) for number in range(3)] == [334, 333, 333]
        again.stop()

    def test_nothing_is_done_before_the_start_and_after_the_stop(self, make: Callable[[], CommittingStore]) -> None:
        store = make()
        for _ in range(2):
            assert not store.reachable()
            with pytest.raises(StoreUnavailable):
                store.write(Change(NS, {"k": b""}))
            for ask in (lambda: store.read(NS, {"k"}), lambda: store.read_all(NS), lambda: store.keys(NS)):
                with pytest.raises(StoreUnavailable):
                    ask()
            store.start()
            assert store.reachable()
            store.start()
            assert store.read_all(NS) == {}
            store.stop()
            store.stop()
