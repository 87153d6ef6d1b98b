# SPDX-License-Identifier: Apache-2.0
"""One fetch for all replicas that want the same: its result, its failure, and the death of who fetches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import Event
from support.store.shared import MemoryShared
from support.waiting import turns_until

from mec.common.flights import PATIENCE, TIME_TO_LIVE, Flights
from submgr.platform.store.base import StoreUnavailable
from submgr.platform.turns import turn


class Lacks(Exception):
    pass


class Late(Exception):
    pass


class Fleet:
    """Two replicas, and what they fetch. Time goes on when somebody waits."""

    def __init__(self) -> None:
        self.shared = MemoryShared()
        self.found: str | None = None
        self.fetched = 0
        self.go = Event()
        self.result: Callable[[], str] = lambda: "state"

    def replica(self) -> Flights:
        def sleep(seconds: float) -> None:
            self.shared.now += seconds
            turn()

        failures = {"lacks": Lacks}
        return Flights(self.shared, "mec_ues", "flight/", failures, Late, lambda: self.shared.now, sleep)

    def fetch(self) -> str:
        self.fetched += 1
        self.go.wait()
        self.found = self.result()
        return self.found

    def fly(self) -> Any:
        return gevent.spawn(self.replica().fly, "ue/app", self.fetch, lambda: self.found)


def test_the_others_get_what_one_has_fetched() -> None:
    fleet = Fleet()
    flying = [fleet.fly() for _ in range(5)]
    turns_until(lambda: fleet.fetched)
    fleet.go.set()
    gevent.joinall(flying, raise_error=True)
    assert [each.value for each in flying] == ["state"] * 5
    assert fleet.fetched == 1
    assert fleet.shared.keys("mec_ues", "flight/") == set()


def test_the_others_get_the_failure_and_who_comes_later_tries_again() -> None:
    fleet = Fleet()

    def lacks() -> str:
        raise Lacks("nothing there")

    fleet.result = lacks
    flying = [fleet.fly() for _ in range(3)]
    turns_until(lambda: fleet.fetched)
    for _ in range(5):
        turn()  # the others wait
    fleet.go.set()
    gevent.joinall(flying)
    assert {(type(each.exception), str(each.exception)) for each in flying} == {(Lacks, "nothing there")}
    assert fleet.fetched == 1
    fleet.result = lambda: "there now"
    again = fleet.fly()
    again.join()
    assert again.value == "there now"


def test_a_failure_that_is_not_shared_leaves_the_turn_to_another_one() -> None:
    fleet = Fleet()
    results = iter([ValueError("a bug")])

    def bug_first() -> str:
        for error in results:
            raise error
        return "state"

    fleet.result = bug_first
    fleet.go.set()
    first, second = fleet.fly(), fleet.fly()
    gevent.joinall([first, second])
    assert isinstance(first.exception, ValueError)
    assert second.value == "state"


def test_the_death_of_who_fetches_costs_its_time_to_live() -> None:
    fleet = Fleet()
    assert fleet.shared.lend("mec_ues", "flight/ue/app", None, b'{"by":"dead"}', TIME_TO_LIVE)
    fleet.go.set()
    flying = fleet.fly()
    flying.join()
    assert flying.value == "state"
    assert TIME_TO_LIVE <= fleet.shared.now < TIME_TO_LIVE + 0.1


def test_nobody_waits_for_ever() -> None:
    fleet = Fleet()
    assert fleet.shared.lend("mec_ues", "flight/ue/app", None, b'{"by":"slow"}', 60)
    flying = fleet.fly()
    flying.join()
    assert isinstance(flying.exception, Late)
    assert PATIENCE <= fleet.shared.now < PATIENCE + 0.1


def test_what_has_landed_just_before_is_not_fetched_again() -> None:
    fleet = Fleet()
    fleet.found = "landed"
    flying = fleet.fly()
    flying.join()
    assert (flying.value, fleet.fetched) == ("landed", 0)


def test_an_unreadable_flight_is_taken_over() -> None:
    fleet = Fleet()
    fleet.shared.lend("mec_ues", "flight/ue/app", None, b"\xff", 60)
    fleet.go.set()
    flying = fleet.fly()
    flying.join()
    assert flying.value == "state"


def test_a_database_that_is_away_is_told() -> None:
    fleet = Fleet()
    fleet.shared.away = True
    with pytest.raises(StoreUnavailable):
        fleet.replica().fly("ue/app", fleet.fetch, lambda: None)
