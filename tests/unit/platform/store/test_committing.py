# SPDX-License-Identifier: Apache-2.0
"""The committing store over a database that does what the test says: repairs, reads, figures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples
from support.store.database import NS, Database, Fate, Watcher, removal, settled, until

from submgr.platform.store.base import Change, StoreError, StoreTimeout, StoreUnavailable
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.memory import MemoryBackend


@pytest.mark.parametrize("fate", [Fate.DONE_UNANSWERED, Fate.NEVER_DONE, Fate.DONE_LATE])
def test_a_write_without_an_answer_is_taken_back(store: CommittingStore, database: Database, fate: Fate) -> None:
    store.write(Change(NS, {"a": b"0", "b": b"0"}))
    database.fates = [fate]
    with pytest.raises(StoreTimeout):
        store.write(Change(NS, {"a": b"1", "new": b"1"}, frozenset({"b"})))
    settled(store)
    assert database.read_all(NS) == {"a": b"0", "b": b"0"}


def test_what_an_earlier_process_wrote_is_known_before_it_is_overwritten(
    store: CommittingStore, database: Database
) -> None:
    MemoryBackend.write(database, NS, {"a": b"0"}, [])
    database.fates = [Fate.DONE_UNANSWERED]
    with pytest.raises(StoreTimeout):
        store.write(Change(NS, {"a": b"1"}))
    settled(store)
    assert database.read_all(NS) == {"a": b"0"}


def test_nothing_is_read_before_a_write_once_all_was_read(store: CommittingStore, watcher: Watcher) -> None:
    store.read_all(NS)
    watcher.latencies.clear()
    for key in ("a", "b", "a"):
        store.write(Change(NS, {key: b"1"}))
    assert [op for op in watcher.latencies if op != "probe"] == ["write"] * 3


def test_a_failed_persistent_change_is_made_in_the_end(store: CommittingStore, database: Database) -> None:
    store.write(Change(NS, {"a": b"0", "b": b"0"}))
    database.fates = [Fate.REFUSED, Fate.NOT_SENT, Fate.NEVER_DONE, Fate.REFUSED]
    with pytest.raises(StoreError):
        store.write(Change(NS, {"c": b"1"}, frozenset({"a"})), persistent=True)
    settled(store)
    assert database.read_all(NS) == {"b": b"0", "c": b"1"}
    assert database.fates == []


def test_reads_show_the_outcome_before_it_is_written(store: CommittingStore, database: Database) -> None:
    store.write(Change(NS, {"a": b"0", "b": b"0"}))
    database.fates = [Fate.REFUSED] * 1000
    with pytest.raises(StoreError):
        store.write(removal("a"), persistent=True)
    assert store.read_all(NS) == {"b": b"0"}
    assert store.read(NS, {"a"}) == {}
    assert store.keys(NS) == {"b"}
    database.fates = []
    settled(store)
    assert database.read_all(NS) == {"b": b"0"}


def test_a_later_change_replaces_what_is_to_be_repaired(store: CommittingStore, database: Database) -> None:
    database.away = True
    until(lambda: not store.reachable())
    with pytest.raises(StoreUnavailable):
        store.write(Change(NS, {"a": b"1", "b": b"1"}), persistent=True)
    with pytest.raises(StoreUnavailable):
        store.write(Change(NS, {"a": b"2"}), persistent=True)
    with pytest.raises(StoreUnavailable):
        store.write(Change(NS, {"b": b"3"}))
    assert database.asked == []
    database.away = False
    settled(store)
    assert database.read_all(NS) == {"a": b"2", "b": b"1"}


def test_paused_repairs_write_nothing_back(store: CommittingStore, database: Database) -> None:
    database.away = True
    with pytest.raises(StoreError):
        store.write(Change(NS, {"a": b"1"}), persistent=True)
    assert store.stats().repairs_pending == 1
    store.pause_repairs()
    assert store.stats().repairs_pending == 0
    with pytest.raises(StoreError):
        store.write(Change(NS, {"b": b"1"}), persistent=True)
    database.away = False
    database.fates = [Fate.DONE_UNANSWERED]
    until(store.reachable)
    with pytest.raises(StoreTimeout):
        store.write(Change(NS, {"c": b"1"}))
    until(store.reachable)
    store.write(Change(NS, {"d": b"1"}))
    assert database.read_all(NS) == {"c": b"1", "d": b"1"}
    store.stop()
    store.start()
    database.fates = [Fate.DONE_UNANSWERED]
    with pytest.raises(StoreTimeout):
        store.write(Change(NS, {"e": b"1"}))
    settled(store)
    assert database.read_all(NS) == {"c": b"1", "d": b"1"}


def test_failures_are_counted_by_kind(store: CommittingStore, database: Database, watcher: Watcher) -> None:
    database.fates = [Fate.REFUSED, Fate.REFUSED, Fate.REFUSED]
    for change in (Change(NS, {"k": b""}), removal("k"), Change(NS, {"k": b""}, frozenset({"x"}))):
        with pytest.raises(StoreError):
            store.write(change)
    assert watcher.failures == ["write", "remove", "write"]
    database.away = True
    until(lambda: not store.reachable())
    with pytest.raises(StoreUnavailable, match="away"):
        store.keys(NS)
    assert watcher.failures == ["write", "remove", "write", "read"]
    stats = store.stats()
    assert (stats.reachable, stats.error, stats.failed) == (False, "away", 3)


keys = st.sampled_from("abc")
steps = st.tuples(
    st.dictionaries(keys, st.one_of(st.none(), st.binary(min_size=1, max_size=1)), min_size=1, max_size=3),
    st.booleans(),
    st.lists(st.sampled_from(Fate), max_size=3),
    st.booleans(),
)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(steps, max_size=8))
def test_whatever_fails_the_database_ends_up_with_what_was_told(
    plan: list[tuple[dict[str, bytes | None], bool, list[Fate], bool]],
) -> None:
    """What was acknowledged holds, what failed does not, but for persistent changes, which hold anyway."""
    database = Database()
    MemoryBackend.write(database, NS, {"a": b"before"}, [])
    store = CommittingStore(database, probe_interval=0.002, observer=Watcher())
    store.start()
    held: dict[str, bytes | None] = {"a": b"before"}

    def done(effect: dict[str, bytes | None], persistent: bool, error: StoreError | None) -> None:
        if error is None or persistent:
            held.update(effect)

    def expected() -> dict[str, bytes]:
        return {key: value for key, value in held.items() if value is not None}

    try:
        for effect, persistent, fates, wait in plan:
            database.fates += fates
            values = {key: value for key, value in effect.items() if value is not None}
            change = Change(NS, values, frozenset(effect.keys() - values.keys()))
            store.submit(change, lambda error, e=effect, p=persistent: done(e, p, error), persistent=persistent)
            if wait:
                until(lambda: not store.stats().waiting)
        until(lambda: not store.stats().waiting)
        if store.reachable():
            assert store.read_all(NS) == expected()
        database.fates = []
        settled(store)
        assert database.read_all(NS) == expected()
    finally:
        store.stop()
