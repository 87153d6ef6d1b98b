# SPDX-License-Identifier: Apache-2.0
"""The table of timers."""

from __future__ import annotations

from submgr.core import planner  # noqa: F401 - the procedures that it plans
from submgr.core.timers import TIMERS, removal_delay


def test_timers_are_within_their_own_range() -> None:
    assert len({timer.name for timer in TIMERS}) == len(TIMERS)
    for timer in TIMERS:
        assert timer.low <= timer.seconds <= timer.high
        assert timer.waits_for


def test_removals_are_tried_within_half_a_minute_then_less_and_less() -> None:
    delays = [removal_delay(n) for n in range(1, 20)]
    assert delays[0] <= 30.0
    assert delays == sorted(delays)
    assert delays[-1] == 300.0
