# SPDX-License-Identifier: Apache-2.0
"""What nodes share: instance ids (the one free the longest is given out first) and the notification quota."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submgr.core.registry import FIRST, LAST, MARK_AHEAD, InstanceIds, NotificationQuota


def test_in_order_then_the_least_recently_used() -> None:
    ids = InstanceIds()
    assert [ids.allocate("a") for _ in range(4)] == [1, 2, 3, 4]
    for n in (3, 1):
        ids.release(n)
    assert ids.allocate("a") == 5
    for n in range(6, LAST + 1):
        assert ids.allocate("a") == n
    assert [ids.allocate("a"), ids.allocate("a"), ids.allocate("a")] == [3, 1, None]


def test_there_is_no_0_and_no_65535() -> None:
    assert (FIRST, LAST) == (1, 65534)


def test_one_is_free_again_after_exhaustion() -> None:
    ids = InstanceIds()
    for _ in range(LAST):
        ids.allocate("a")
    assert ids.allocate("a") is None
    ids.release(777)
    assert ids.allocate("b") == 777
    assert ids.allocate("b") is None


def test_doubtful_ones_are_last() -> None:
    ids = InstanceIds()
    for _ in range(LAST):
        ids.allocate("a")
    ids.release(5, doubtful=True)
    ids.release(6)
    ids.release(7)
    assert [ids.allocate("a") for _ in range(4)] == [6, 7, 5, None]


def test_a_claimed_one_is_not_given_out() -> None:
    ids = InstanceIds()
    ids.claim(1, "a")
    ids.claim(3, None)
    assert [ids.allocate("b"), ids.allocate("b")] == [2, 4]
    assert ids.owner(1) == "a" and ids.owner(3) is None and ids.owner(99) is None
    ids.release(1)
    assert ids.allocate("b") == 5


def test_owners() -> None:
    ids = InstanceIds()
    ids.allocate("a")
    ids.allocate("b")
    ids.allocate("a")
    assert ids.owned_by("a") == [1, 3] and ids.owned_by("b") == [2]
    assert ids.in_use() == 3


@pytest.mark.parametrize("mark", [1, 100, 2 * LAST - 50])
def test_one_that_was_in_use_at_the_start_is_given_out_last_once_it_is_free(mark: int) -> None:
    """Wherever the previous run ended: the id before it, or of another implementation behind it."""
    ids = InstanceIds()
    ids.go_on_at(mark)
    ids.claim(3, "a")
    ids.claim(60_000, "a")
    ids.release(3)
    ids.release(60_000)
    given_out = [ids.allocate("b") for _ in range(LAST)]
    assert given_out[-2:] == [3, 60_000] and len(set(given_out)) == LAST
    assert ids.reused(3) and ids.reused(60_000)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=80), st.integers(1, 2 * LAST))
def test_none_is_lost_and_none_is_given_out_twice(steps: list[tuple[int, bool]], mark: int) -> None:
    ids = InstanceIds()
    ids.go_on_at(mark)
    for n in range(FIRST, LAST - 5):
        ids.claim(n, "other")
    mine: list[int] = []
    for place, doubtful in steps:
        if place < len(mine):
            ids.release(mine.pop(place), doubtful)
        elif (given_out := ids.allocate("me")) is not None:
            mine.append(given_out)
    while (given_out := ids.allocate("me")) is not None:
        mine.append(given_out)
    assert sorted(mine) == list(range(LAST - 5, LAST + 1))


def test_one_that_is_given_back_twice_is_given_out_once() -> None:
    ids = InstanceIds()
    for _ in range(LAST):
        ids.allocate("a")
    ids.release(9)
    ids.release(9)
    assert [ids.allocate("a"), ids.allocate("a")] == [9, None]


@given(st.lists(st.one_of(st.just("take"), st.integers(0, 20)), max_size=60))
def test_never_given_out_twice(steps: list[str | int]) -> None:
    ids = InstanceIds()
    for n in range(1, LAST - 5):
        ids.claim(n, "other")
    mine: list[int] = []
    for step in steps:
        if step == "take":
            given_out = ids.allocate("me")
            assert (given_out is None) == (len(mine) == 6)
            if given_out is not None:
                assert given_out not in mine
                mine.append(given_out)
        elif mine and isinstance(step, int):
            ids.release(mine.pop(step % len(mine)), doubtful=step % 3 == 0)


def calls(work: Callable[[], object]) -> int:
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_allocation_takes_as_many_steps_however_many_are_in_use() -> None:
    few, many = InstanceIds(), InstanceIds()
    for _ in range(100):
        few.allocate("a")
    for _ in range(LAST):
        many.allocate("a")
    for ids in (few, many):
        ids.release(50)
    assert calls(lambda: few.allocate("b")) <= 6
    assert calls(lambda: many.allocate("b")) <= 6
    assert calls(lambda: many.release(50)) <= 6


# --- the notification quota


def test_a_group_has_its_bound_and_no_other_group_notices() -> None:
    places = NotificationQuota(lambda: 3)
    assert places.reserve("a:1", 2)
    assert not places.reserve("a:1", 2)
    assert places.taken("a:1") == 2
    assert places.reserve("a:1", 1)
    assert places.reserve("b:1", 3)
    assert places.total() == 6


def test_more_than_there_ever_are_is_refused_whole() -> None:
    places = NotificationQuota(lambda: 3)
    assert not places.reserve("a:1", 4)
    assert places.total() == 0


def test_what_is_given_back_can_be_had_again() -> None:
    places = NotificationQuota(lambda: 1)
    assert places.reserve("a:1", 1)
    places.release("a:1")
    assert places.reserve("a:1", 1)


def test_a_new_bound_counts_at_the_next_reservation() -> None:
    bound = 2
    places = NotificationQuota(lambda: bound)
    assert places.reserve("a:1", 2)
    bound = 1
    places.release("a:1")
    assert not places.reserve("a:1", 1)
    bound = 2
    assert places.reserve("a:1", 1)


def test_what_has_to_be_told_takes_a_place_over_the_bound() -> None:
    places = NotificationQuota(lambda: 1)
    places.take("a:1", 2)
    assert places.taken("a:1") == 2
    places.release("a:1")
    assert not places.reserve("a:1", 1)


def test_giving_back_more_than_was_taken_makes_no_room_for_more_than_the_bound() -> None:
    places = NotificationQuota(lambda: 1)
    places.reserve("a:1", 1)
    places.release("a:1", 2)
    assert places.taken("a:1") == 0
    assert places.reserve("a:1", 1)
    assert not places.reserve("a:1", 1)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 4), st.booleans()), max_size=40))
def test_the_quota_balances(steps: list[tuple[str, int, bool]]) -> None:
    places = NotificationQuota(lambda: 5)
    taken = {"a": 0, "b": 0}
    for group, n, take in steps:
        if take:
            assert places.reserve(group, n) == (taken[group] + n <= 5)
            taken[group] += n if taken[group] + n <= 5 else 0
        else:
            places.release(group, n)
            taken[group] = max(taken[group] - n, 0)
        assert places.taken(group) == taken[group]
        assert places.total() == sum(taken.values())


# --- instance ids at their limits


def test_all_65534_are_given_out_and_not_one_more() -> None:
    ids = InstanceIds()
    given = [ids.allocate("a") for _ in range(LAST)]
    assert given == list(range(FIRST, LAST + 1))
    assert ids.allocate("a") is None
    ids.release(40000)
    ids.release(7)
    assert [ids.allocate("a"), ids.allocate("a"), ids.allocate("a")] == [40000, 7, None]


def test_a_doubtful_id_is_the_last_one_given_out_also_before_its_first_use() -> None:
    ids = InstanceIds()
    ids.doubt(2)
    ids.claim(60000, "a")
    ids.release(60000, doubtful=True)
    given = [ids.allocate("a") for _ in range(LAST)]
    assert given[-2:] == [2, 60000]
    assert sorted(given) == list(range(FIRST, LAST + 1))


def test_an_id_is_in_one_pool_only() -> None:
    ids = InstanceIds()
    for _ in range(LAST):
        ids.allocate("a")
    ids.release(5)
    ids.doubt(5)
    ids.release(6)
    assert [ids.allocate("b"), ids.allocate("b"), ids.allocate("b")] == [6, 5, None]


def allocate(ids: InstanceIds, n: int = 1) -> list[int]:
    found = [ids.allocate("gnb") for _ in range(n)]
    assert None not in found
    return found  # type: ignore[return-value]


def test_a_start_goes_on_where_the_previous_run_ended() -> None:
    ids = InstanceIds()
    allocate(ids, 5)
    after = InstanceIds()
    after.go_on_at(ids.mark)
    assert allocate(after) == [6] and not after.reused(6)


def test_after_the_last_id_the_first_ones_are_used_again_also_over_a_start() -> None:
    ids = InstanceIds()
    ids.go_on_at(LAST)
    assert allocate(ids, 3) == [LAST, 1, 2]
    assert not ids.reused(LAST) and ids.reused(1) and ids.reused(2)
    after = InstanceIds()
    after.go_on_at(ids.mark)
    assert allocate(after, 2) == [3, 4] and after.reused(3)
    assert len({*allocate(after, LAST - 2), 3, 4}) == LAST
    assert after.allocate("gnb") is None


def test_ids_found_in_the_store_are_passed_over_wherever_the_start_goes_on() -> None:
    ids = InstanceIds()
    ids.go_on_at(7)
    ids.claim(7, "gnb")
    ids.claim(2, "gnb")
    assert allocate(ids) == [8]


@pytest.mark.parametrize("mark", [-1, 0, 1, 3 * LAST, 10**9])
def test_a_mark_that_makes_no_sense_begins_at_the_first(mark: int) -> None:
    ids = InstanceIds()
    ids.go_on_at(mark)
    assert allocate(ids) == [FIRST]


def test_the_mark_is_stored_ahead_of_the_ids_and_seldom() -> None:
    ids = InstanceIds()
    marks = []
    for n in range(1, 10 * MARK_AHEAD + 1):
        allocate(ids)
        mark = ids.next_mark()
        if mark is not None:
            marks.append(mark)
        assert marks[-1] > n, "a start after a kill never gives out an id of before"
    assert len(marks) == 10
