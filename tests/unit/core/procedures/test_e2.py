# SPDX-License-Identifier: Apache-2.0
"""Requests to the E2 node and its answers: sends, resends, what cannot be encoded or decoded, what nobody waits for."""

from __future__ import annotations

import pytest
from support.core.charts import TIMEOUT, asked
from support.core.observing import finish, outcomes
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete_refused,
    deleted,
    refused,
    saved,
    unencodable,
)
from support.core.world import World, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.errors import Source
from submgr.core.model import Directives
from submgr.e2ap import messages as m

ANSWERS: list[e.Event] = [
    m.SubscriptionResponse(m.RequestId(123, 9), 2, (1,)),
    m.SubscriptionFailure(m.RequestId(123, 9), 2, m.Cause(1, 0)),
    m.SubscriptionDeleteResponse(m.RequestId(123, 9), 2),
    m.SubscriptionDeleteFailure(m.RequestId(123, 9), 2, m.Cause(1, 0)),
]


def test_directives_give_the_timer_and_the_number_of_sends() -> None:
    script = asked(wanted=request(directives=Directives(1.5, 3, True)))
    script.play(
        (1.5, TIME, ["subscribe 1 again"]),
        (3.0, TIME, ["subscribe 1 again"]),
        (4.5, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]),
    )


def test_a_directive_that_is_absent_is_the_configured_one() -> None:
    script = asked(Script(Controls(0.5, 3)), request(directives=Directives(None, 1, True)))
    script.play((0.5, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]))


def test_a_send_that_did_not_leave_counts_and_is_named() -> None:
    """With no send on its way the node cannot have it: there is nothing to delete."""
    script = asked()
    reason = "no RMR route for 12010"
    script.play(
        (0.0, e.NotSent(1, reason), []),
        (2.0, TIME, ["subscribe 1 again"]),
        (2.0, e.NotSent(1, reason), []),
        (
            4.0,
            TIME,
            [f"tell r1/1 failed: {TIMEOUT} (not sent: {reason})", "save rest r1 (later)", "DELETE route 1 a-rmr"],
        ),
    )


def test_a_request_may_wait_for_a_route_as_long_as_its_timer_runs() -> None:
    controls = Controls(0.5, 3, delete_timeout=0.7, delete_tries=1)
    script = asked(Script(controls), request(directives=Directives(3.0, 1, True)))
    assert script.last_send is not None
    assert script.last_send.wait == 3.0
    script.step(3.0, TIME)
    assert (script.last_send.resend, script.last_send.wait) == (False, 0.7)
    script = asked(Script(controls))
    assert script.last_send is not None
    assert script.last_send.wait == 0.5


def test_one_send_that_left_is_undone_at_the_node() -> None:
    script = asked()
    script.play((2.0, TIME, ["subscribe 1 again"]), (2.0, e.NotSent(1, "no connection"), []))
    assert script.step(4.0, TIME)[-1] == "delete 1"


@pytest.mark.parametrize(("sends", "last"), [(1, "DELETE route 1 a-rmr"), (2, "delete 1")])
def test_a_request_that_cannot_be_encoded(sends: int, last: str) -> None:
    script = asked()
    for n in range(1, sends):
        script.step(2.0 * n, TIME)
    lines = script.step(2.0 * sends - 1.0, unencodable)
    assert lines == ["tell r1/1 failed: ASN1 17 actions, at most 16", "save rest r1 (later)", last]
    assert script.finished() == [("subscribe", "asn1")]


def test_an_answer_that_cannot_be_decoded_is_the_reason_if_no_other_comes() -> None:
    script = asked()
    script.play(
        (0.1, e.Undecodable(1, "ProtocolIE-ID 99 is no IE of this message"), ["ignored: undecodable"]),
        (2.0, TIME, ["subscribe 1 again"]),
        (
            4.0,
            TIME,
            [
                "tell r1/1 failed: ASN1 ProtocolIE-ID 99 is no IE of this message",
                "save rest r1 (later)",
                "delete 1",
            ],
        ),
    )


def test_an_answer_that_cannot_be_decoded_spoils_nothing_if_another_comes() -> None:
    script = asked()
    script.play(
        (0.1, e.Undecodable(0, "garbage"), ["ignored: undecodable"]),
        (0.2, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.3, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
    )


@pytest.mark.parametrize("answer", [deleted(1), delete_refused(1)], ids=lambda a: type(a).__name__)
def test_answers_to_another_question_are_ignored(answer: e.Event) -> None:
    script = asked()
    script.play((0.1, answer, ["ignored: unexpected"]), (0.2, admitted(1), ["save e2 1 completed r1/1?"]))


@pytest.mark.parametrize("answer", [admitted(9), refused(9), deleted(9), delete_refused(9)], ids=repr)
def test_answers_to_an_unknown_instance_are_ignored(answer: e.Event) -> None:
    script = asked()
    script.play((0.1, answer, ["ignored: unknown_instance"]), (0.2, admitted(1), ["save e2 1 completed r1/1?"]))


@pytest.mark.parametrize("answer", [admitted(1), refused(1), deleted(1), delete_refused(1)], ids=repr)
def test_answers_that_nobody_waits_for_are_ignored(answer: e.Event) -> None:
    script = Script()
    script.subscribed()
    script.play((1.0, answer, ["ignored: unexpected"]))
    assert list(script.node.subscriptions.e2) == [1]


def test_a_duplicate_answer_is_ignored() -> None:
    script = asked()
    script.play(
        (0.1, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.1, admitted(1), ["ignored: unexpected"]),
        (0.1, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
    )


# --- the same, with everything round the node


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: type(a).__name__)
def test_answers_nobody_waits_for_change_nothing(world: World, answer: e.Event) -> None:
    world.subscribed(request())
    before = world.node.subscriptions.e2[1].record()
    assert [type(x) for x in world.event(answer)] == [c.Ignored]
    known = type(answer)(m.RequestId(123, 1), *[getattr(answer, f) for f in answer.__struct_fields__[1:]])  # type: ignore[call-arg]
    assert [type(x) for x in world.event(known)] == [c.Ignored]
    assert world.node.subscriptions.e2[1].record() == before
    world.check_quiet()


def test_an_undecodable_answer_is_the_reason_when_no_other_comes(world: World) -> None:
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next()
    world.node_next("lose")
    world.event(e.Undecodable(1, "the codec's own words"))
    world.advance(4.1)
    (told,) = world.told
    assert told.failure is not None
    assert (told.failure.cause, told.failure.source) == ("the codec's own words", Source.ASN1)


def test_what_cannot_be_encoded(world: World) -> None:
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next()
    step = world.to_node.pop().step
    world.event(e.EncodeFailed(step, "too many actions"))
    assert outcomes(world) == [(1, 0, Source.ASN1)]
    finish(world)
