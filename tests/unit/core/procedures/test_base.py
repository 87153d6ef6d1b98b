# SPDX-License-Identifier: Apache-2.0
"""The tables themselves: every state can be left, every waiting state has a timer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from submgr.core import planner  # noqa: F401 - the procedures that it plans
from submgr.core.context import NodeContext
from submgr.core.controls import Controls
from submgr.core.events import Expired, GaveUp, Lost, Resend, Saved, Skip, Start
from submgr.core.procedures.base import Procedure, Row
from submgr.core.procedures.base import State as S
from submgr.core.registry import NotificationQuota, Registry
from submgr.core.timers import T_STORE


def procedures(base: type[Procedure] = Procedure) -> Iterator[type[Procedure]]:
    for kind in base.__subclasses__():
        if hasattr(kind, "TABLE") and kind.__module__.startswith("submgr."):
            yield kind
        yield from procedures(kind)


ALL = sorted(set(procedures()), key=lambda kind: kind.__name__)
ENDED = {S.DONE, S.FAILED}


def test_they_are_all_here() -> None:
    names = {kind.__name__ for kind in ALL}
    assert names == {
        "Admission",
        "Cleanup",
        "Delete",
        "Merge",
        "PolicyUpdate",
        "Resubscribe",
        "Routes",
        "Subscribe",
        "Withdrawal",
    }


@pytest.mark.parametrize("kind", ALL)
def test_file_class_and_name_are_one_word(kind: type[Procedure]) -> None:
    assert kind.NAME.replace(" ", "_") == kind.__module__.rpartition(".")[2]
    assert kind.NAME.title().replace(" ", "") == kind.__name__


@pytest.mark.parametrize("kind", ALL)
def test_a_waiting_state_has_a_timer_and_a_way_out_when_it_expires(kind: type[Procedure]) -> None:
    for state, row in kind.TABLE.items():
        if state is S.NEW:
            continue
        if state in ENDED:
            assert not row.to
            assert row.timer is None
            continue
        assert row.timer is not None, f"{kind.__name__} waits in {state} without a timer"
        assert Expired in row.to or {Resend, GaveUp} <= row.to.keys(), state


@pytest.mark.parametrize("kind", ALL)
def test_every_state_can_be_reached_and_left(kind: type[Procedure]) -> None:
    reached, fresh = {S.NEW}, {S.NEW}
    while fresh:
        fresh = {target for state in fresh for target in kind.TABLE[state].to.values() if target} - reached
        reached |= fresh
    assert reached == set(kind.TABLE)
    assert reached & ENDED
    for state in reached - ENDED:
        assert any(target not in (None, state) for target in kind.TABLE[state].to.values())


@pytest.mark.parametrize("kind", ALL)
def test_what_holds_the_node_lets_go_when_it_is_lost(kind: type[Procedure]) -> None:
    for state, row in kind.TABLE.items():
        if row.slot and state in (S.REQUESTED, S.DELETING):
            assert Lost in row.to, state


# --- the engine


@pytest.fixture
def context() -> NodeContext:
    return NodeContext("gnb", Registry(NotificationQuota(lambda: 10)), Controls(), connected=True)


class Example(Procedure):
    """Passes over every state that the test does not name as one with work."""

    NAME = "example"
    TABLE = {
        S.NEW: Row({Start: S.SAVING}),
        S.SAVING: Row({Saved: S.ROUTING, Expired: S.DONE, Skip: S.ROUTING}, T_STORE),
        S.ROUTING: Row({Saved: S.DONE, Expired: S.DONE, Skip: S.DONE}, T_STORE),
        S.DONE: Row({}),
    }

    def __init__(self, node: NodeContext, *work: S) -> None:
        super().__init__(node)
        self.work = work
        self.seen: list[str] = []

    def needs_saving(self) -> bool:
        return S.SAVING in self.work

    def enter_saving(self, now: float) -> None:
        self.seen.append("saving")

    def leave_saving(self, event: object) -> None:
        self.seen.append(f"{type(event).__name__} in saving")

    def needs_routing(self) -> bool:
        return S.ROUTING in self.work

    def enter_routing(self, now: float) -> None:
        self.seen.append("routing")

    def enter_done(self, now: float) -> None:
        self.seen.append("done")


def test_a_state_without_work_is_passed_over_without_a_timer(context: NodeContext) -> None:
    example = Example(context, S.ROUTING)
    example.start(0.0)
    assert example.state is S.ROUTING and example.seen == ["routing"]
    assert context.deadline == T_STORE.seconds and context.take_due(T_STORE.seconds) is example
    assert context.take_due(1e9) is None, "one timer, not two"


def test_all_states_without_work_end_it_at_once(context: NodeContext) -> None:
    example = Example(context)
    example.start(0.0)
    assert example.ended and example.seen == ["done"] and context.deadline is None


def test_what_an_event_brings_is_kept_before_the_next_state_is_entered(context: NodeContext) -> None:
    example = Example(context, S.SAVING, S.ROUTING)
    example.start(0.0)
    assert example.feed(Saved(example.step), 0.1)
    assert example.seen == ["saving", "Saved in saving", "routing"]


def test_an_event_that_the_row_does_not_list_is_refused(context: NodeContext) -> None:
    example = Example(context, S.SAVING)
    example.start(0.0)
    assert not example.feed(Lost("reset"), 0.1) and example.state is S.SAVING


@pytest.mark.parametrize(
    ("table", "methods", "why"),
    [
        ({S.NEW: Row({Start: S.DONE}), S.DONE: Row({})}, (), "nothing enters done"),
        ({S.NEW: Row({Start: S.DONE}), S.DONE: Row({})}, ("enter_done", "enter_routing"), "no such state"),
        (
            {S.NEW: Row({Start: S.SAVING}), S.SAVING: Row({Skip: S.DONE}), S.DONE: Row({})},
            ("enter_done", "enter_saving"),
            "needs_saving",
        ),
        (
            {S.NEW: Row({Start: S.SAVING}), S.SAVING: Row({Saved: S.DONE}), S.DONE: Row({})},
            ("enter_done", "enter_saving", "needs_saving"),
            "Skip",
        ),
        (
            {S.NEW: Row({Start: S.SAVING}), S.SAVING: Row({Saved: S.DONE}), S.DONE: Row({})},
            ("enter_done", "enter_saving"),
            "saving is left by a timer",
        ),
        (
            {S.NEW: Row({Start: S.DONE}), S.DONE: Row({}, T_STORE)},
            ("enter_done",),
            "done is left by a timer",
        ),
    ],
)
def test_a_table_that_its_methods_do_not_fit_is_no_class(table: object, methods: tuple[str, ...], why: str) -> None:
    with pytest.raises(TypeError, match=why):
        type("Wrong", (Procedure,), {"NAME": "wrong", "TABLE": table, **{name: lambda self: None for name in methods}})


def test_the_timers_of_steps_that_have_ended_do_not_pile_up_behind_one_that_is_waited_for(context: NodeContext) -> None:
    waiting = Example(context, S.SAVING)
    waiting.start(0.0)
    for _ in range(1000):
        example = Example(context, S.SAVING, S.ROUTING)
        example.start(0.1)
        example.feed(Saved(example.step), 0.1)
        example.feed(Saved(example.step), 0.1)
    assert len(context.timers) < 20 and context.awaited == {waiting.step: waiting}
    assert context.take_due(T_STORE.seconds) is waiting
    waiting.expire(T_STORE.seconds)
    assert waiting.ended and context.timers == [] and context.deadline is None
