# SPDX-License-Identifier: Apache-2.0
"""The role of a process: what it does in which order when it gets the lease, and when it loses it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.lease.key import MemoryKey
from support.waiting import turns_until

from submgr.adapters.records.loaded import Loaded
from submgr.core.errors import RefusedError
from submgr.platform.lease.lease import Lease
from submgr.platform.lease.record import Holder, LeaseRecord, State
from submgr.platform.store.base import StoreError, StoreFenced, StoreUnavailable
from submgr.standby import Standby

LOADED = Loaded(next_instance_id=7)


class Records:
    """The store and the warm copy of it. `fails`: what the next fences raise."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.fails: list[StoreError] = []
        self.tell_fenced: Callable[[], None] = lambda: None

    # the store

    def marked_epoch(self) -> int:
        return 4

    def on_fenced(self, tell: Callable[[], None]) -> None:
        self.tell_fenced = tell

    def fence(self, epoch: int) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.events.append(("fence", epoch))

    # the copy

    def start(self) -> None:
        self.events.append("follow")

    def stop(self) -> None:
        self.events.append("follow no more")

    def caught_up(self, within: float) -> Loaded | None:
        self.events.append("caught up")
        return LOADED


class Process:
    """Takes a lease of a thousandth of a second's patience: in these tests no time passes."""

    def __init__(self, key: MemoryKey) -> None:
        self.records = Records()
        self.events = self.records.events
        self.inside: str | None = ""
        self.lease = Lease(Holder("submgr-0", "10.0.0.1:8088", "token"), 0.001)
        store, warm = self.records, self.records
        self.standby = Standby(
            self.lease,
            key,
            store,
            warm,
            lambda why: self.events.append(why),
            lambda: self.events.append("counted"),  # type: ignore[arg-type]
        )

    def take_over(self, loaded: Loaded | None) -> None:
        self.inside = self.standby.why_not()
        self.events.append(("take over", loaded))

    def get(self, epoch: int) -> None:
        """What the lease says when it has been taken."""
        self.lease.epoch = epoch
        self.lease._renewed = float("inf")
        self.standby._taken(epoch)


@pytest.fixture
def process() -> Process:
    made = Process(MemoryKey())
    made.standby._take_over = made.take_over
    return made


def test_it_takes_the_records_before_it_reads_the_last_of_them_and_acts(process: Process) -> None:
    process.get(5)
    turns_until(lambda: process.standby.why_not() is None)
    assert process.events == [
        "counted",
        ("fence", 5),
        "caught up",
        "follow no more",
        ("take over", LOADED),
    ]
    assert process.inside == "taking over"
    process.standby.refuse()
    assert process.standby.may_send()


def test_a_database_that_does_not_answer_is_asked_again(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submgr.platform.lease.fencing._AGAIN", 0.0005)
    process.records.fails = [StoreUnavailable("away"), StoreUnavailable("away")]
    process.get(5)
    turns_until(lambda: process.standby.why_not() is None)
    assert ("fence", 5) in process.events


def test_records_that_another_one_has_end_it(process: Process) -> None:
    process.records.fails = [StoreFenced("epoch 9")]
    process.get(5)
    turns_until(lambda: len(process.events) == 2)
    assert process.events == ["counted", "another process has taken the records"]
    assert not process.standby.may_send()


def test_a_lease_that_it_gets_again_changes_only_the_epoch(process: Process) -> None:
    process.get(5)
    turns_until(lambda: process.standby.why_not() is None)
    del process.events[:]
    process.get(6)
    turns_until(lambda: len(process.events) == 2)
    assert process.events == ["counted", ("fence", 6)]
    assert process.standby.why_not() is None


def test_a_write_that_is_refused_ends_the_role_at_once(process: Process) -> None:
    process.get(5)
    turns_until(lambda: process.standby.why_not() is None)
    process.records.tell_fenced()
    assert not process.standby.may_send()
    assert process.events[-1] == "another process has taken the records"
    with pytest.raises(RefusedError) as refused:
        process.standby.refuse()
    assert (refused.value.status, refused.value.retry_after) == (503, 1)


def test_a_bug_in_the_take_over_ends_it(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    def bug(loaded: Loaded | None) -> None:
        raise ZeroDivisionError

    process.standby._take_over = bug
    process.get(5)
    turns_until(lambda: "the take-over failed" in process.events)
    assert not process.standby.may_send()
    assert "ZeroDivisionError" in caplog.text


def test_a_standby_names_the_active_one(process: Process) -> None:
    other = LeaseRecord(3, State.HELD, "submgr-1", "10.0.0.2:8088", "other")
    process.lease._watch(0.0, 0.0, other.encode())
    with pytest.raises(RefusedError, match=r"not active: standby of submgr-1 \(10\.0\.0\.2:8088\)"):
        process.standby.refuse()
    assert process.standby.age() == 0.0
