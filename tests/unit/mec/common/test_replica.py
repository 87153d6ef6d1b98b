# SPDX-License-Identifier: Apache-2.0
"""Which of several replicas acts, and what the others know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest
from support.lease.key import MemoryKey
from support.waiting import turns_until

from mec.common.replica import LeaseRole
from submgr.platform.lease.lease import Lease
from submgr.platform.lease.record import Holder, LeaseRecord, State
from submgr.platform.store.base import Store, StoreError, StoreFenced, StoreUnavailable


class Records:
    """The records that only the active one writes. `fails`: what the next fences raise."""

    def __init__(self) -> None:
        self.fenced: list[int] = []
        self.fails: list[StoreError] = []
        self.tell_fenced: Callable[[], None] = lambda: None

    def marked_epoch(self) -> int:
        return 4

    def on_fenced(self, tell: Callable[[], None]) -> None:
        self.tell_fenced = tell

    def fence(self, epoch: int) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.fenced.append(epoch)


class One:
    """A replica. In these tests no time passes: a lease is as good as endless, and is had at once."""

    def __init__(self, key: MemoryKey, name: str) -> None:
        self.records = Records()
        self.begun = 0
        self.ended: list[str] = []
        me = Holder(name, f"{name}:8000", f"token of {name}")
        self.role = LeaseRole(me, 60.0, key, cast(Store, self.records), self.ended.append)

    def begin(self) -> None:
        self.begun += 1


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> MemoryKey:
    monkeypatch.setattr(Lease, "pause", lambda self, now, answered: 0.0002)
    return MemoryKey()


@pytest.fixture
def one(key: MemoryKey) -> Iterator[One]:
    made = One(key, "one")
    yield made
    made.role.stop()


@pytest.fixture
def other(key: MemoryKey) -> Iterator[One]:
    made = One(key, "other")
    yield made
    made.role.stop()


def released(key: MemoryKey, epoch: int = 6) -> None:
    """The record of a lease that was given back, as seen by who was watching."""
    before = LeaseRecord(epoch, State.HELD, "before", "before:8000", "token of before")
    key.value = before.encode()


def give_back(key: MemoryKey, epoch: int = 6) -> None:
    key.value = LeaseRecord(epoch, State.RELEASED, "before", "before:8000", "token of before").encode()


def test_one_acts_and_the_other_knows_where_it_is(key: MemoryKey, one: One, other: One) -> None:
    released(key)
    one.role.start(one.begin)
    turns_until(lambda: one.role.elsewhere() == "before:8000")
    assert not one.role.acting() and "standby of before (before:8000)" in str(one.role.why_not())
    give_back(key)
    turns_until(one.role.acting)
    assert (one.begun, one.records.fenced) == (1, [7])
    assert one.role.elsewhere() is None and one.role.why_not() is None
    other.role.start(other.begin)
    turns_until(lambda: other.role.elsewhere() == "one:8000")
    assert not other.role.acting() and other.begun == 0
    one.role.stop()
    assert not one.role.acting()
    turns_until(other.role.acting)
    assert other.begun == 1 and one.ended == []


def test_records_that_cannot_be_taken_yet_are_tried_again(
    key: MemoryKey, one: One, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("submgr.platform.lease.fencing._AGAIN", 0.0002)
    one.records.fails = [StoreUnavailable("away")] * 3
    released(key)
    one.role.start(one.begin)
    turns_until(lambda: one.role.elsewhere() is not None)
    give_back(key)
    turns_until(one.role.acting)
    assert one.begun == 1 and not one.records.fails


@pytest.mark.parametrize("how", ["fenced at the take-over", "fenced later", "a bug"])
def test_who_cannot_be_the_active_one_ends(key: MemoryKey, one: One, how: str) -> None:
    def bug() -> None:
        raise ValueError("a bug")

    one.records.fails = [StoreFenced("later")] if how == "fenced at the take-over" else []
    released(key)
    one.role.start(bug if how == "a bug" else one.begin)
    turns_until(lambda: one.role.elsewhere() is not None)
    give_back(key)
    if how == "fenced later":
        turns_until(one.role.acting)
        one.records.tell_fenced()
    turns_until(lambda: one.ended)
    assert not one.role.acting() and one.role.why_not() is not None
