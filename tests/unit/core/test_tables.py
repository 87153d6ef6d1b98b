# SPDX-License-Identifier: Apache-2.0
"""The tables themselves: every state can be left, every waiting state has a timer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from submgr.core.procedures.base import ENDED, Expired, GaveUp, Lost, Procedure, Resend, State
from submgr.core.timers import TIMERS, removal_delay


def procedures(base: type[Procedure] = Procedure) -> Iterator[type[Procedure]]:
    for kind in base.__subclasses__():
        if hasattr(kind, "TRANSITIONS"):
            yield kind
        yield from procedures(kind)


ALL = sorted(set(procedures()), key=lambda kind: kind.__name__)


def test_they_are_all_here() -> None:
    names = {kind.__name__ for kind in ALL}
    assert {"Admission", "Withdrawal", "Establish", "Join", "RouteSync", "PolicyUpdate", "Restore", "Teardown"} <= names


@pytest.mark.parametrize("kind", ALL)
def test_a_waiting_state_has_a_timer_and_a_way_out_when_it_expires(kind: type[Procedure]) -> None:
    for state, table in kind.TRANSITIONS.items():
        if state is State.NEW:
            continue
        if state in ENDED:
            assert not table
            assert state not in kind.TIMERS
            continue
        assert state in kind.TIMERS, f"{kind.__name__} waits in {state} without a timer"
        assert Expired in table or {Resend, GaveUp} <= table.keys(), state


@pytest.mark.parametrize("kind", ALL)
def test_every_state_can_be_reached_and_left(kind: type[Procedure]) -> None:
    reached, fresh = {State.NEW}, {State.NEW}
    while fresh:
        fresh = {target for state in fresh for target in kind.TRANSITIONS[state].values() if target} - reached
        reached |= fresh
    assert reached == set(kind.TRANSITIONS)
    assert reached & ENDED
    for state in reached - ENDED:
        assert any(target not in (None, state) for target in kind.TRANSITIONS[state].values())


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind.SLOT])
def test_what_holds_the_node_lets_go_when_it_is_lost(kind: type[Procedure]) -> None:
    for state in kind.SLOT - {State.SAVING}:
        if state in (State.REQUESTED, State.DELETING):
            assert Lost in kind.TRANSITIONS[state], state


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
