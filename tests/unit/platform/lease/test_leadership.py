# SPDX-License-Identifier: Apache-2.0
"""What the owner of a lease is told, in the order in which it happens; time is a number."""

from __future__ import annotations

import pytest
from support.lease.key import MemoryKey

from submgr.platform.lease.leadership import Leadership
from submgr.platform.lease.lease import Lease
from submgr.platform.lease.record import Holder, LeaseRecord, State, record_of
from submgr.platform.store.base import StoreUnavailable

SECONDS = 3.0


class Member:
    """A process that takes part; `run` lets it look after its lease for some time."""

    def __init__(self, name: str, key: MemoryKey, now: list[float]) -> None:
        self.told: list[object] = []
        self.floor = 0
        self.floor_fails = False
        self.key = key
        self.now = now
        self.lease = Lease(Holder(name, f"{name}:8088", f"token of {name}"), SECONDS)
        self.leadership = Leadership(
            self.lease, key, self._floor, self.told.append, self.told.append, clock=lambda: now[0]
        )

    def _floor(self) -> int:
        if self.floor_fails:
            raise StoreUnavailable("away")
        return self.floor

    def run(self, seconds: float) -> None:
        end = self.now[0] + seconds
        while self.now[0] < end and self.lease.lost is None:
            answered = self.leadership.look_after()
            self.now[0] += self.lease.pause(self.now[0], answered)


@pytest.fixture
def key() -> MemoryKey:
    return MemoryKey()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def holder(key: MemoryKey, now: list[float]) -> Member:
    made = Member("a", key, now)
    made.run(2.5 * SECONDS)
    return made


@pytest.fixture
def standby(holder: Member, key: MemoryKey, now: list[float]) -> Member:
    made = Member("b", key, now)
    made.run(0.1)
    return made


def test_it_tells_its_owner_of_the_epoch(holder: Member) -> None:
    assert holder.told == [1]
    assert holder.leadership.epoch == 1
    assert holder.leadership.may_act()
    assert holder.leadership.why_not() is None
    assert holder.leadership.holder() == holder.lease.me


def test_the_standby_knows_who_is_active(holder: Member, standby: Member) -> None:
    assert standby.leadership.why_not() == "standby of a (a:8088)"
    assert not standby.leadership.may_act()
    assert (standby.leadership.age(), standby.leadership.epoch) == (None, 0)


def test_before_it_has_looked_it_knows_nobody(key: MemoryKey, now: list[float]) -> None:
    assert Member("b", key, now).leadership.why_not() == "standby, nobody has the lease"


def test_it_takes_a_higher_epoch_than_anything_in_the_database(key: MemoryKey, now: list[float]) -> None:
    made = Member("a", key, now)
    made.floor = 41
    made.run(2.5 * SECONDS)
    assert made.told == [42]


def test_without_the_highest_epoch_it_takes_nothing(key: MemoryKey, now: list[float]) -> None:
    made = Member("a", key, now)
    made.floor_fails = True
    made.run(2.2 * SECONDS)
    assert made.told == []
    assert made.leadership.why_not() == "standby, nobody has the lease: away"


def test_a_database_that_is_away_is_said_and_ends_the_right_to_act(holder: Member, now: list[float]) -> None:
    holder.key.away = True
    holder.run(SECONDS)
    assert not holder.leadership.may_act()
    assert "the lease was last renewed" in (holder.leadership.why_not() or "")
    assert (holder.leadership.why_not() or "").endswith(": away")
    holder.key.away = False
    holder.run(2 * SECONDS)
    assert holder.told == [1, 2]


def test_whoever_is_followed_is_told_once(holder: Member, standby: Member, now: list[float]) -> None:
    standby.run(2 * SECONDS)
    assert standby.told == [2]
    holder.run(SECONDS)
    assert holder.told == [1, "b (b:8088) has taken the lease"]
    assert holder.leadership.why_not() == "b (b:8088) has taken the lease"
    assert holder.leadership.epoch == 0


def test_a_stop_gives_the_lease_back(holder: Member, standby: Member) -> None:
    holder.leadership.stop()
    assert not holder.leadership.may_act()
    assert record_of(holder.key.value or b"").state is State.RELEASED
    standby.run(0.5)
    assert standby.told == [2]


def test_a_stop_gives_the_lease_back_when_a_renewal_was_not_answered(holder: Member, now: list[float]) -> None:
    request = holder.lease.next(now[0])
    holder.key.carry_out(request)
    holder.leadership.stop()
    assert record_of(holder.key.value or b"").state is State.RELEASED


def test_a_stop_while_the_database_is_away_is_the_end_all_the_same(holder: Member) -> None:
    holder.key.away = True
    holder.leadership.stop()
    assert not holder.leadership.may_act()


def test_who_gives_up_does_not_give_back(holder: Member) -> None:
    holder.leadership.give_up("somebody else acts")
    holder.leadership.give_up("once more")
    holder.leadership.stop()
    assert holder.told == [1, "somebody else acts"]
    assert record_of(holder.key.value or b"").state is State.HELD


def test_a_standby_that_stops_leaves_the_lease_alone(holder: Member, standby: Member) -> None:
    before = holder.key.value
    standby.leadership.stop()
    assert holder.key.value == before
    assert record_of(before or b"") == LeaseRecord(1, State.HELD, "a", "a:8088", "token of a", 1)
