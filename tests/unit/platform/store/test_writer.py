# SPDX-License-Identifier: Apache-2.0
"""The writer of the store: its groups, its order, changes that fail, its end."""

from __future__ import annotations

import gevent
import pytest
from support.store.database import NS, Database, Fate, removal, settled, until

from submgr.platform.store.base import Change, StoreError, StoreRefusesWrites, StoreTimeout, StoreUnavailable
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.writer import MAX_GROUP_BYTES, MAX_GROUP_CHANGES
from submgr.platform.turns import turn


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


def test_a_bug_leaves_nobody_waiting(
    store: CommittingStore, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(Change(NS, {"a": b"0"}))
    database.broken = 1
    told: list[tuple[str, type[StoreError] | None]] = []
    for name, namespace in [("1", NS), ("2", NS), ("3", "other"), ("4", "another")]:
        change = Change(namespace, {"a": b"1"})
        store.submit(change, lambda error, n=name: told.append((n, error and type(error))))
    until(lambda: len(told) == 4)
    assert told == [("1", StoreTimeout), ("2", StoreTimeout), ("3", None), ("4", None)]
    assert "ZeroDivisionError" in caplog.text
    settled(store)
    assert [database.read_all(name) for name in (NS, "other", "another")] == [{"a": b"0"}, {"a": b"1"}, {"a": b"1"}]


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


def test_repairs_that_are_refused_back_off_and_are_made_as_soon_as_writes_are_taken(
    store: CommittingStore, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.read_only = True
    with pytest.raises(StoreRefusesWrites):
        store.write(Change(NS, {"a": b"1"}), persistent=True)
    first = len(database.asked)
    looks = database.probes
    until(lambda: database.probes >= looks + 60)
    tries = len(database.asked) - first
    assert 2 <= tries <= 10, "a look finds the pause of the last try over only now and then"
    assert caplog.text.count("could not be repaired") == 1
    database.read_only = False
    looks = database.probes
    settled(store)
    assert database.probes <= looks + 3
    assert database.read_all(NS) == {"a": b"1"}
