# SPDX-License-Identifier: Apache-2.0
"""Subscribe procedure: save, route, ask, save, tell; and how each step can fail."""

from __future__ import annotations

import pytest
from support.core.charts import TIMEOUT, asked, undone
from support.core.observing import counted, finish, outcomes, sent
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    admitted_partly,
    delete_refused,
    deleted,
    post,
    refused,
    routed,
    saved,
    sent_201,
)
from support.core.steps import counted_steps
from support.core.world import MEID, World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.errors import Source
from submgr.core.model import Detail, Directives
from submgr.e2ap import messages as m
from submgr.e2ap.messages import ActionType

POLICY = content(kind=ActionType.POLICY)


def test_success() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.1, saved, ["201 r1"]),
        (0.2, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.3, saved, ["POST route 1 a-rmr"]),
        (0.4, routed, ["subscribe 1"]),
        (0.5, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.6, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
        (0.7, e.Notified("r1", 1, 1), ["save e2 1 completed r1/1 (later)"]),
    )
    assert script.finished() == [("subscribe", "success")]
    assert script.node.deadline is None


def test_a_plain_subscription_feeds_and_arms_only_what_has_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Admission: start, saved, 201 sent. Subscribe: start, saved, routed, answered by the node, saved."""
    counts = counted_steps(monkeypatch)
    script = Script()
    script.subscribed()
    assert counts == {"feeds": 8, "timers": 6}


def test_what_is_sent() -> None:
    script = asked(Script(Controls(requestor_id=77)))
    assert script.last_send.message == m.SubscriptionRequest(
        m.RequestId(77, 1), 2, content().event_trigger, content().actions
    )


def test_the_record_is_written_before_the_request_leaves() -> None:
    script = Script()
    script.subscribed()
    kinds = [type(command) for command in script.all]
    assert kinds.index(c.SaveE2) < kinds.index(c.CreateRoute) < kinds.index(c.SendToE2)
    written = next(x for x in script.all if isinstance(x, c.SaveE2)).record
    assert written.admitted is None and written.meid == MEID and written.content == content()


@pytest.mark.parametrize(
    "wanted",
    [
        request(directives=Directives(routing=False)),
        request(directives=Directives(routing=False), rmr_port=0),
    ],
    ids=["not wanted", "no RMR port"],
)
def test_without_a_route(wanted) -> None:
    script = Script()
    script.play(
        (0.0, post(wanted), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["subscribe 1"]),
        (0.0, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.0, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
        (1.0, e.Unsubscribe(9, "r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (1.0, saved, ["204", "delete 1"]),
        (1.0, deleted(1), ["erase e2 1"]),
        (1.0, saved, ["erase rest r1"]),
    )
    assert script.node.idle


def test_partial_admission_is_a_success() -> None:
    script = asked()
    script.play(
        (0.1, admitted_partly(1), ["save e2 1 completed r1/1?"]),
        (0.1, saved, ["tell r1/1 = 1 partly", "save rest r1 1=1 (later)"]),
    )
    assert script.finished() == [("subscribe", "partial")]
    assert script.noted() == ["partial admission"]


# --- the node refuses, or is silent


def test_refused() -> None:
    script = asked()
    cause = "E2Node RICSubscriptionFailure. E2NodeCause: "
    (line, *rest) = script.step(0.1, refused(1))
    assert line.startswith(f"tell r1/1 failed: {cause}") and len(line) > len(f"tell r1/1 failed: {cause}")
    assert rest == ["save rest r1 (later)", "DELETE route 1 a-rmr"]
    script.play((0.2, routed, ["erase e2 1"]), (0.3, saved, []))
    undone(script, 0.3)
    assert script.finished() == [("subscribe", "refused"), ("undo", "success")]


def test_a_refusal_of_a_resend_is_undone_at_the_node() -> None:
    """The first send may have been taken and only its answer lost."""
    script = asked()
    script.play((2.0, TIME, ["subscribe 1 again"]))
    (line, *rest) = script.step(2.1, refused(1))
    assert line.startswith("tell r1/1 failed: E2Node RICSubscriptionFailure.")
    assert rest == ["save rest r1 (later)", "delete 1"]
    script.play(
        (2.2, delete_refused(1), ["DELETE route 1 a-rmr"]),
        (2.3, routed, ["erase e2 1"]),
        (2.4, saved, []),
    )
    undone(script, 2.4)


def test_the_second_send_is_answered() -> None:
    script = asked()
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (2.1, admitted(1), ["save e2 1 completed r1/1?"]),
        (2.2, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
    )
    assert script.noted() == ["subscribe timer expired"]


def test_silence_is_told_at_once_and_then_undone() -> None:
    script = asked()
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (4.0, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]),
        (6.0, TIME, ["delete 1 again"]),
        (6.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (6.2, routed, ["erase e2 1"]),
        (6.3, saved, []),
    )
    undone(script, 6.3)
    assert script.finished() == [("subscribe", "timeout"), ("undo", "success")]
    assert script.noted() == ["subscribe timer expired"] * 2 + ["delete timer expired"]


def test_no_answer_at_all() -> None:
    """The delete is not answered either: what is left is written down, and the id is not to be trusted."""
    script = asked()
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (4.0, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]),
        (6.0, TIME, ["delete 1 again"]),
        (8.0, TIME, ["DELETE route 1 a-rmr"]),
        (8.1, routed, ["save removal 1 delete"]),
        (8.2, saved, ["erase e2 1"]),
        (8.3, saved, []),
    )
    assert "delete never answered" in script.noted()
    assert [script.registry.ids.allocate(MEID) for _ in range(3)] == [2, 3, 4]


def test_the_late_answer_is_not_taken_for_the_answer_to_the_delete() -> None:
    script = asked()
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (4.0, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]),
        (4.1, admitted(1), []),
        (4.1, refused(1), []),
        (4.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (4.3, admitted(1), ["ignored: unexpected"]),
        (4.4, routed, ["erase e2 1"]),
        (4.5, saved, []),
        (4.6, admitted(1), ["ignored: unknown_instance"]),
    )
    undone(script, 4.6)


# --- the same, with everything round the node


def test_refusal_of_a_resend_is_undone_at_the_node(world: World) -> None:
    """The first send may have been taken and only its answer lost."""
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next()
    world.node_next("mute")
    world.advance(2.1)
    world.node_next("refuse")
    world.answer_next()
    finish(world)
    assert outcomes(world) == [(1, 0, Source.E2NODE)]
    assert len(sent(world, m.SubscriptionDeleteRequest)) == 1
    assert not world.at_node


@pytest.mark.parametrize("number", [2, 19])
def test_policies_in_one_request_are_subscriptions_of_their_own(world: World, number: int) -> None:
    world.subscribed(request(*[Detail(n, POLICY) for n in range(number)]))
    assert len(world.at_node) == number
    finish(world)


def test_nineteen_reports_and_inserts_in_one_request(world: World) -> None:
    kinds = (ActionType.REPORT, ActionType.INSERT)
    world.subscribed(request(*[Detail(n, content(bytes([n]), kinds[n % 2])) for n in range(19)]))
    assert len(world.at_node) == 19
    finish(world)


def test_a_partial_admission_is_counted_once_when_it_arrives() -> None:
    world = World()
    token = world.post(request(host="a-http"))
    world.write_next()
    world.answered(token)
    world.write_next()
    world.route_next()
    world.node_next(partial=True)
    world.answer_next()
    assert counted(world, c.Note.PARTIAL) == 1
    world.settle()
    world.subscribed(request(host="b-http"))
    world.subscribed(request(host="b-http"))
    assert counted(world, c.Note.PARTIAL) == 1
