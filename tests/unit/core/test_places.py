# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st

from submgr.core.registry import NotificationQuota


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
def test_the_books_balance(steps: list[tuple[str, int, bool]]) -> None:
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
