# SPDX-License-Identifier: Apache-2.0
"""A database that does what a test says, and waiting for what becomes of it without looking at a clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import Enum

import gevent
from gevent.event import Event

from submgr.platform.store.base import Change, StoreError, StoreLost, StoreRefusesWrites, StoreTimeout, StoreUnavailable
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.memory import MemoryBackend

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
        self.read_only = False
        self.probes = 0
        self.broken = 0
        self._lost = False
        self._late: list[tuple[str, Mapping[str, bytes], Collection[str]]] = []

    def lose(self) -> None:
        """It has come back empty: its next answer says so."""
        self._namespaces.clear()
        self._lost = True

    def has_lost(self, namespace: str | None = None) -> bool:
        return self._lost

    def take_again(self) -> None:
        self._lost = False
        happened.set()

    def probe(self) -> None:
        self.probes += 1
        happened.set()
        if self.away:
            raise StoreUnavailable("away")
        if self.read_only:
            raise StoreRefusesWrites("READONLY")
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
        if self.read_only:
            raise StoreRefusesWrites("READONLY")
        if self._lost:
            raise StoreLost("empty")
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
    """Remembers the calls of a StoreObserver."""

    def __init__(self) -> None:
        self.latencies: list[str] = []
        self.failures: list[str] = []

    def on_latency(self, operation: str, seconds: float) -> None:
        assert seconds >= 0
        self.latencies.append(operation)

    def on_failure(self, kind: str) -> None:
        self.failures.append(kind)
        happened.set()


def until(condition: Callable[[], bool]) -> None:
    """Waits until `condition` holds; asks again whenever something has happened. Raises gevent.Timeout after 5 s."""
    with gevent.Timeout(5):
        while not condition():
            happened.clear()
            happened.wait()


def settled(store: CommittingStore) -> None:
    """Waits until the database answers and no repair is due."""
    until(lambda: store.reachable() and not store.stats().repairs_pending)


def removal(*keys: str) -> Change:
    return Change(NS, remove=frozenset(keys))
