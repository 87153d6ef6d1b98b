# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from submgr.adapters.journal.conditions import WELL_AFTER, Conditions
from submgr.adapters.journal.entries import Severity
from submgr.adapters.journal.journal import Journal
from submgr.platform.store.base import StoreStats


class World:
    def __init__(self) -> None:
        self.journal = Journal(lambda: 1000.0)
        self.troubles: dict[str, str] = {}
        self.losses = 0
        self.table: tuple[int, int] | None = None
        self.conditions = Conditions(self.journal, lambda: dict(self.troubles), self.stats, lambda: self.table)

    def stats(self) -> StoreStats:
        return StoreStats(True, None, 0, 0, 0, 0, 0, self.losses, 0, False)

    def looks(self, times: int = 1) -> list[tuple[str, Severity, str]]:
        """The new entries."""
        before = self.journal.last
        for _ in range(times):
            self.conditions.look()
        return [(each.kind.value, each.severity, each.facts.words) for each in self.journal.after(before)]


def test_a_database_that_goes_is_told_once_and_once_when_it_is_back() -> None:
    world = World()
    assert world.looks(3) == []
    world.troubles["database"] = "the database does not answer: 1 s"
    assert world.looks() == [("store", Severity.ERROR, "database: the database does not answer: 1 s")]
    world.troubles["database"] = "the database does not answer: 2 s"
    assert world.looks(5) == []
    del world.troubles["database"]
    assert world.looks(WELL_AFTER - 1) == []
    assert world.looks() == [("store", Severity.INFO, "database: well again")]


def test_what_comes_and_goes_is_one_entry() -> None:
    world = World()
    for number in range(20):
        world.troubles = {"routes": "none"} if number % 2 == 0 else {}
        world.conditions.look()
    assert [each.facts.words for each in world.journal.after(0)] == ["routes: none"]


def test_a_start_that_is_over_is_told_at_once() -> None:
    world = World()
    world.troubles["restore"] = "not restored yet"
    assert world.looks() == [("start", Severity.INFO, "not ready yet: not restored yet")]
    world.troubles["restore"] = "the database could not be read"
    assert world.looks() == []
    world.troubles.clear()
    assert world.looks(2) == [("start", Severity.INFO, "ready for xApps")]


def test_a_lease_that_is_lost_is_told_and_when_it_is_back() -> None:
    world = World()
    assert world.looks() == []
    world.troubles["restore"] = "standby of submgr-1"
    assert world.looks() == [("start", Severity.INFO, "not ready yet: standby of submgr-1")]
    world.troubles.clear()
    world.looks()
    world.troubles["restore"] = "the lease was last renewed 2.7 s ago"
    words = "not active any more: the lease was last renewed 2.7 s ago"
    assert world.looks() == [("leadership", Severity.WARNING, words)]
    world.troubles["restore"] = "the lease was last renewed 3.7 s ago"
    assert world.looks() == []
    world.troubles.clear()
    assert world.looks() == [("start", Severity.INFO, "ready for xApps")]


def test_another_route_table_and_lost_writes() -> None:
    world = World()
    world.table = (3, 2)
    assert world.looks(2) == [("route", Severity.INFO, "the RMR route table in force has 3 routes and 2 E2 nodes")]
    world.table, world.losses = (0, 0), 1
    (routes, lost) = world.looks(2)
    assert routes[2] == "the RMR route table in force has 0 routes and 0 E2 nodes"
    assert lost[:2] == ("store", Severity.ERROR)
