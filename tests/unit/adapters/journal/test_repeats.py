# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from submgr.adapters.journal.repeats import INTERVAL, KINDS, Repeats, and_more

AT_ONCE = 10


def test_what_is_repeated_is_due_a_few_times_then_after_a_while_with_what_was_left_out() -> None:
    repeats = Repeats(AT_ONCE)
    assert [repeats.due("a", float(n)) for n in range(AT_ONCE + 3)] == [0] * AT_ONCE + [None] * 3
    assert repeats.due("b", 20.0) == 0
    assert repeats.due("a", INTERVAL) == 3
    assert (and_more(3), and_more(0)) == (" (and 3 more like it)", "")
    assert repeats.due("a", INTERVAL + 1) == 0


def test_so_many_kinds_are_remembered() -> None:
    repeats = Repeats(AT_ONCE)
    for _ in range(AT_ONCE):
        repeats.due("first", 0.0)
    assert repeats.due("first", 0.0) is None
    for number in range(KINDS):
        repeats.due(number, 0.0)
    assert repeats.due("first", 0.0) == 0
