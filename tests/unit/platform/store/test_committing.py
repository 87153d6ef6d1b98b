# SPDX-License-Identifier: Apache-2.0
"""The committing store over a database that does what the test says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from enum import Enum

import gevent
import pytest
from gevent.event import Event
from hypothesis import given, settings
from hypothesis import strategies as st

from submgr.platform.store.base import Change, StoreError, StoreTimeout, StoreUnavailable
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.memory import MemoryBackend
from submgr.platform.store.writer import MAX_GROUP_BYTES, MAX_GROUP_CHANGES
from submgr.platform.turns import turn

NS = "ns"

happened = Event()
"""Set by every call of the database and every failure: what a test waits for may have come."""


class Fate(Enum):
    """What becomes of a write."""

    DONE = 0
    REFUSED = 1
    NOT_SENT = 2
    DONE_UNANSWERED = 3
    NEVER_DONE = 4
    DONE_LATE = 5


class Database(MemoryBackend):
    """Takes the fate of its writes from `fates` (then all are done).

    A late write is done when the database is next found to answer, just before that: no earlier moment is
    worse, and a later one is excluded by what `probe` promises. While `gate` is clear, writes wait for it.
    """

    def __init__(self, fates: Collection[Fate] = ()) -> None:
        super().__init__()
        self.fates = list(fates)
        self.asked: list[tuple[dict[str, bytes], set[str]]] = []
        self.away = False
        self.gate = Event()
        self.gate.set()
        self.refuses_values = False
        self.broken = 0
        self._late: list[tuple[str, Mapping[str, bytes], Collection[str]]] = []

    def probe(self) -> None:
        happened.set()
        if self.away:
            raise StoreUnavailable("away")
        late, self._late = self._late, []
        for write in late:
            super().write(*write)

    def write(self, namespace: str, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        self.asked.append((dict(values), set(removals)))
        happened.set()
        self.gate.wait()
        happened.set()
        if self.broken:
            self.broken -= 1
            raise ZeroDivisionError
        if self.refuses_values and values:
            raise StoreError("full")
        fate = self.fates.pop(0) if self.fates else Fate.DONE
        if fate is Fate.REFUSED:
            raise StoreError("refused")
        if fate is Fate.NOT_SENT or (self.away and fate is Fate.DONE):
            raise StoreUnavailable("away")
        if fate is Fate.DONE_LATE:
            self._late.append((namespace, values, removals))
        elif fate is not Fate.NEVER_DONE:
            super().write(namespace, values, removals)
        if fate is not Fate.DONE:
            raise StoreTimeout("no answer")


class Watcher:
    def __init__(self) -> None:
        self.latencies: list[str] = []
        self.failures: list[str] = []

    def on_latency(self, operation: str, seconds: float) -> None:
        assert seconds >= 0
        self.latencies.append(operation)

    def on_failure(self, kind: str) -> None:
        self.failures.append(kind)
        happened.set()


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def store(database: Database, watcher: Watcher) -> Iterator[CommittingStore]:
    store = CommittingStore(database, probe_interval=0.01, observer=watcher)
    store.start()
    yield store
    database.gate.set()
    store.stop()


def until(condition: Callable[[], bool]) -> None:
    with gevent.Timeout(5):
        while not condition():
            happened.clear()
            happened.wait()


def settled(store: CommittingStore) -> None:
    until(lambda: store.reachable() and not store.stats().repairs_pending)


def removal(*keys: str) -> Change:
    return Change(NS, remove=frozenset(keys))


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


def test_a_refused_change_does_not_take_its_neighbours_along(store: CommittingStore, database: Database) -> None:
    store.write(Change(NS, {"old": b"0"}))
    database.gate.clear()
    told: list[tuple[str, str | None]] = []
    for name, change in [
        ("first", Change(NS, {"first": b"1"})),
        ("set", Change(NS, {"k": b"1"})),
        ("remove", removal("old")),
        ("both", Change(NS, {"l": b"2"}, frozenset({"x"}))),
        ("other", removal("m")),
    ]:
        store.submit(change, lambda error, n=name: told.append((n, str(error) if error else None)))
        until(lambda: len(database.asked) == 2)  # the first one is on its way, the others wait
    database.refuses_values = True
    database.gate.set()
    until(lambda: len(told) == 5)
    assert told == [("first", "full"), ("set", "full"), ("remove", None), ("both", "full"), ("other", None)]
    assert database.read_all(NS) == {}


def test_a_full_database_is_repaired_as_far_as_it_lets(store: CommittingStore, database: Database) -> None:
    store.write(Change(NS, {"old": b"0"}))
    database.refuses_values = True
    with pytest.raises(StoreError):
        store.write(Change(NS, {"new": b"1"}, frozenset({"old"})), persistent=True)
    until(lambda: database.read_all(NS) == {})
    assert store.stats().repairs_pending == 1
    database.refuses_values = False
    settled(store)
    assert database.read_all(NS) == {"new": b"1"}


def test_nobody_waits_for_one_timeout_after_the_other(store: CommittingStore, database: Database) -> None:
    """One write is on its way and gets no answer: what waited behind it fails unsent, in order."""
    database.gate.clear()
    database.fates = [Fate.NEVER_DONE]
    told: list[tuple[int, type[StoreError]]] = []
    store.submit(Change(NS, {"0": b""}), lambda error: told.append((0, type(error))))
    until(lambda: len(database.asked) == 1)
    for number in range(1, 6):
        change = Change(f"ns{number % 2}", {f"{number}": b""})
        store.submit(change, lambda error, n=number: told.append((n, type(error))))
    database.away = True
    database.gate.set()
    until(lambda: len(told) == 6)
    assert told[0] == (0, StoreTimeout)
    assert [n for n, kind in told if n % 2 and kind is StoreUnavailable] == [1, 3, 5]
    assert [n for n, kind in told if not n % 2 and kind is StoreUnavailable] == [2, 4]
    assert len(database.asked) == 1
    with pytest.raises(StoreUnavailable):
        store.read_all(NS)


def test_a_look_that_began_before_a_timeout_does_not_vouch_for_that_write(watcher: Watcher) -> None:
    class SlowToAnswer(Database):
        asked_first = Event()
        answered = Event()

        def probe(self) -> None:
            super().probe()
            self.asked_first.set()
            self.answered.wait()

    database = SlowToAnswer()
    database.answered.set()
    store = CommittingStore(database, probe_interval=0.01, observer=watcher)
    store.start()
    try:
        database.answered.clear()
        database.asked_first.clear()
        looks = watcher.latencies.count("probe")
        assert database.asked_first.wait(5)
        database.fates = [Fate.DONE_LATE]
        with pytest.raises(StoreTimeout):
            store.write(Change(NS, {"a": b"1"}))
        database.answered.set()
        settled(store)
        assert watcher.latencies.count("probe") >= looks + 2
        assert database.read_all(NS) == {}
    finally:
        store.stop()


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


def test_a_bug_leaves_nobody_waiting(
    store: CommittingStore, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(Change(NS, {"a": b"0"}))
    database.broken = 2
    told: list[tuple[str, type[StoreError] | None]] = []
    for name, namespace in [("1", NS), ("2", NS), ("3", "other"), ("4", "another")]:
        change = Change(namespace, {"a": b"1"})
        store.submit(change, lambda error, n=name: told.append((n, error and type(error))))
    until(lambda: len(told) == 4)
    assert told == [("1", StoreTimeout), ("2", StoreTimeout), ("3", StoreTimeout), ("4", None)]
    assert "ZeroDivisionError" in caplog.text
    settled(store)
    assert [database.read_all(name) for name in (NS, "other", "another")] == [{"a": b"0"}, {}, {"a": b"1"}]


def test_stopping_makes_the_repairs_that_are_due(database: Database) -> None:
    store = CommittingStore(database, probe_interval=60)
    store.start()
    database.fates = [Fate.REFUSED]
    told: list[StoreError | None] = []
    store.submit(Change(NS, {"a": b"1"}), told.append, persistent=True)
    store.submit(Change(NS, {"b": b"1"}), told.append)
    store.stop()
    assert len(told) == 2
    assert database.read_all(NS) == {"a": b"1", "b": b"1"}


def test_groups_are_bounded_and_namespaces_take_turns(store: CommittingStore, database: Database) -> None:
    count = 2 * MAX_GROUP_CHANGES + 1
    told: list[int] = []
    for number in range(count):
        store.submit(Change(NS, {f"{number}": b""}), lambda error, n=number: told.append(n))
    for number in range(3):
        store.submit(Change("big", {f"{number}": bytes(MAX_GROUP_BYTES)}), lambda error, n=number: told.append(-n))
    until(lambda: len(told) == count + 3)
    sizes = [len(values) for values, _ in database.asked]
    assert sizes == [MAX_GROUP_CHANGES, 1, MAX_GROUP_CHANGES, 1, 1, 1]
    assert [number for number in told if number > 0] == list(range(1, count))


def test_a_change_that_had_no_turn_in_time_fails_unsent(database: Database) -> None:
    now = 100.0
    store = CommittingStore(database, patience=2.0, clock=lambda: now)
    store.start()
    database.gate.clear()
    told: list[type[StoreError] | None] = []
    for number in range(3):
        store.submit(Change(NS, {f"{number}": b""}), lambda error: told.append(error and type(error)))
        until(lambda: len(database.asked) == 1)
        now += 2.1
    database.gate.set()
    store.stop()
    assert told == [None, StoreUnavailable, StoreUnavailable]
    assert database.read_all(NS) == {"0": b""}


def test_stopping_has_an_end(database: Database) -> None:
    now = 100.0
    store = CommittingStore(database, patience=60.0, clock=lambda: now)
    store.start()
    database.gate.clear()
    told: list[type[StoreError] | None] = []
    for number in range(3):
        store.submit(Change(f"ns{number}", {"k": b""}), lambda error: told.append(error and type(error)))
    until(lambda: len(database.asked) == 1)
    stopping = gevent.spawn(store.stop, timeout=5.0)
    turn()
    now += 5.1
    database.gate.set()
    stopping.get(timeout=5)
    assert told == [None, StoreUnavailable, StoreUnavailable]


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


@settings(max_examples=60, deadline=None)
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
