# SPDX-License-Identifier: Apache-2.0
"""Instance ids: the one that has been free the longest first, and none before nothing of it is left."""

from __future__ import annotations

import sys
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from submgr.core.registry import FIRST, LAST, InstanceIds


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
