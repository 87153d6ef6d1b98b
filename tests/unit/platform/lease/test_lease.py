# SPDX-License-Identifier: Apache-2.0
"""Who acts, from when and until when; times are in seconds of the world, all clocks run at the same rate."""

from __future__ import annotations

import pytest
from support.lease.key import MemoryKey
from support.lease.world import SECONDS, Process, World

from submgr.platform.lease.lease import MARGIN, Found, Lease, Purpose
from submgr.platform.lease.record import Holder, LeaseRecord, State, record_of

ME = Holder("submgr-0", "10.0.0.1:8088", "token")


@pytest.fixture
def world() -> World:
    """Two processes, the first of which holds the lease."""
    made = World([1.0, 1.0], seed=1)
    made.processes[1].paused_until = 3 * SECONDS
    made.run(4 * SECONDS)
    assert made.acting() == [made.processes[0]]
    return made


def until_acts(world: World, process: Process, most: float = 10 * SECONDS) -> float:
    """Seconds until the process acts."""
    began = world.now
    while not process.acts():
        assert world.now - began < most, (process.lease.lost, world.key.value)
        world.run(0.01)
    return world.now - began


def held(world: World) -> LeaseRecord:
    assert world.key.value is not None
    return record_of(world.key.value)


def test_the_first_one_waits_two_leases_for_a_holder_that_may_be_there() -> None:
    world = World([1.0], seed=1)
    assert 2 * SECONDS <= until_acts(world, world.processes[0]) < 2 * SECONDS + 0.6
    assert (held(world).epoch, held(world).holder, held(world).state) == (1, "p0", State.HELD)


def test_the_holder_acts_for_ever(world: World) -> None:
    for _ in range(1000):
        world.run(0.1)
        assert world.acting() == [world.processes[0]]
    assert held(world).epoch == 1


def test_after_a_kill_another_one_acts_within_a_lease_and_a_look(world: World) -> None:
    holder, standby = world.processes
    holder.paused_until = float("inf")
    waited = until_acts(world, standby)
    assert SECONDS - SECONDS / 3 - 0.01 <= waited <= SECONDS + SECONDS / 12 + 0.05
    assert held(world).epoch == 2


def test_a_lease_that_is_given_back_is_taken_at_the_next_look(world: World) -> None:
    holder, standby = world.processes
    holder.end_in_order()
    assert not holder.acts()
    assert until_acts(world, standby) <= SECONDS / 12 + 0.05


def test_nobody_trusts_that_a_lease_was_given_back_who_has_not_seen_it_held() -> None:
    world = World([1.0, 1.0], seed=1)
    world.processes[1].paused_until = float("inf")
    until_acts(world, world.processes[0])
    world.processes[0].end_in_order()
    world.run(1.0)
    world.processes[1].start()
    world.processes[1].paused_until = 0.0
    world.processes[1].start()
    assert SECONDS <= until_acts(world, world.processes[1]) <= SECONDS + 0.6


def test_paused_for_longer_than_the_lease_it_does_not_act_when_it_goes_on(world: World) -> None:
    holder, standby = world.processes
    holder.paused_until = world.now + 2 * SECONDS
    until_acts(world, standby)
    world.run(2 * SECONDS)
    assert world.acting() == [standby]
    assert holder.lease.lost == "p1 has taken the lease"


def test_paused_and_nobody_else_there_it_takes_its_lease_again(world: World) -> None:
    holder, standby = world.processes
    standby.paused_until = float("inf")
    holder.paused_until = world.now + 2 * SECONDS
    world.run(2 * SECONDS)
    assert not holder.acts()
    assert SECONDS <= until_acts(world, holder) <= SECONDS + 0.6
    assert holder.lease.epoch == 2


def test_it_stops_before_anybody_else_may_begin(world: World) -> None:
    holder, _ = world.processes
    renewed = holder.clock() - (holder.lease.age(holder.clock()) or 0.0)
    assert holder.lease.may_act(renewed + (1 - MARGIN) * SECONDS - 0.001)
    assert not holder.lease.may_act(renewed + (1 - MARGIN) * SECONDS)


def test_a_record_that_got_lost_is_written_again_by_its_holder(world: World) -> None:
    holder, _ = world.processes
    world.key.empty()
    for _ in range(100):
        world.run(0.1)
        assert world.acting() == [holder]
    assert (held(world).epoch, held(world).token) == (1, holder.lease.me.token)


@pytest.mark.parametrize("emptied", [True, False])
def test_after_an_outage_the_holder_is_first(world: World, emptied: bool) -> None:
    holder, _ = world.processes
    world.away_until = world.now + 4 * SECONDS
    world.run(2 * SECONDS)
    assert world.acting() == []
    if emptied:
        world.key.empty()
    world.run(2 * SECONDS)
    until_acts(world, holder, 2 * SECONDS)
    world.run(5 * SECONDS)
    assert world.acting() == [holder]


def test_a_holder_that_died_in_an_outage_is_followed_within_the_lease_and_two_seconds(world: World) -> None:
    holder, standby = world.processes
    holder.paused_until = float("inf")
    world.away_until = world.now + 4 * SECONDS
    world.run(4 * SECONDS)
    assert until_acts(world, standby) <= SECONDS + 2.0


def test_cut_off_from_the_database_it_stops_and_another_one_begins(world: World) -> None:
    holder, standby = world.processes
    holder.cut_until = world.now + 3 * SECONDS
    until_acts(world, standby)
    assert not holder.acts()
    world.run(3 * SECONDS)
    assert world.acting() == [standby]
    assert holder.lease.lost


def test_the_epoch_is_above_each_one_that_was_in_use() -> None:
    world = World([1.0], seed=1)
    world.processes[0].lease.note_epoch(41)
    until_acts(world, world.processes[0])
    assert held(world).epoch == 42


def test_a_renewal_that_was_carried_out_and_not_answered_is_no_loss() -> None:
    key, lease = MemoryKey(), Lease(ME, SECONDS)
    taken = LeaseRecord(0, State.VACANT, "", "", "somebody").encode()
    key.value = taken
    for now in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0):
        request = lease.next(now)
        lease.answered(request, now, now, key.carry_out(request))
    assert lease.may_act(6.0)
    unanswered = lease.next(7.0)
    key.carry_out(unanswered)
    lease.unanswered(unanswered)
    again = lease.next(7.5)
    lease.answered(again, 7.5, 7.5, key.carry_out(again))
    assert lease.pause(7.5, True) == 0.0
    last = lease.next(7.5)
    lease.answered(last, 7.5, 7.5, key.carry_out(last))
    assert lease.age(7.5) == 0.0
    assert last.purpose is Purpose.RENEW


def test_an_answer_that_comes_after_the_end_does_not_bring_the_lease_back(world: World) -> None:
    lease, now = world.processes[0].lease, world.processes[0].clock()
    request = lease.next(now)
    late = now + SECONDS
    lease.answered(request, now, late, Found(True, request.new))
    assert not lease.may_act(late)


@pytest.mark.parametrize("value", [b"", b"nonsense", b"\xff", b"{}", b'{"epoch": -1}'])
def test_what_nobody_can_read_is_a_vacant_lease(value: bytes) -> None:
    assert record_of(value) == LeaseRecord(0, State.VACANT, "", "", "")


def test_a_record_is_json_that_an_operator_can_read() -> None:
    record = LeaseRecord(7, State.HELD, "submgr-0", "10.0.0.1:8088", "token", 3)
    assert record.encode() == (
        b'{"epoch":7,"state":"held","holder":"submgr-0","address":"10.0.0.1:8088","token":"token","beat":3}'
    )
    assert record_of(record.encode()) == record
    assert str(record.by) == "submgr-0 (10.0.0.1:8088)"
