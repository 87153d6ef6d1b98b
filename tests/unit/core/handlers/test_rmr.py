# SPDX-License-Identifier: Apache-2.0
"""xApps that subscribe over RMR: same registry, merges and queue; answered with their own ids and transaction."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.core.observing import counted, sent
from support.core.playbook import (
    CAUSE,
    TIME,
    XAPP,
    Script,
    admitted,
    admitted_partly,
    delete_over_rmr,
    delete_refused,
    deleted,
    over_rmr,
    refused,
    route_failed,
    routed,
    save_failed,
    saved,
    unencodable,
)
from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.model import RmrEndpoint
from submgr.core.requesters import UNSPECIFIED
from submgr.e2ap import messages as m
from submgr.e2ap.messages import ActionType


def answers(script: Script) -> list[object]:
    return [x.message for x in script.all if isinstance(x, c.AnswerOverRmr)]


def asked(script: Script | None = None) -> Script:
    script = script or Script()
    script.play(
        (0.0, over_rmr(1), ["save e2 1 uncompleted rmr/7?"]),
        (0.0, saved, ["POST route 1 old-rmr"]),
        (0.0, routed, ["subscribe 1"]),
    )
    return script


def established() -> Script:
    script = asked()
    script.play(
        (0.1, admitted(1), ["save e2 1 completed rmr/7?"]),
        (0.2, saved, ["save e2 1 completed rmr/7 (later)", "rmr answer 1 response 7/1"]),
    )
    return script


def test_success() -> None:
    script = established()
    assert answers(script) == [m.SubscriptionResponse(m.RequestId(7, 1), 2, (1,), ())]
    assert script.node.deadline is None


def test_partial_admission_is_passed_on() -> None:
    script = asked()
    script.step(0.1, admitted_partly(1))
    script.step(0.2, saved)
    assert answers(script) == [m.SubscriptionResponse(m.RequestId(7, 1), 2, (1,), (m.NotAdmitted(2, CAUSE),))]


def test_a_refusal_is_passed_on_with_its_cause() -> None:
    script = asked()
    script.play((0.1, refused(1), ["rmr answer 1 failure 7/0", "DELETE route 1 old-rmr"]))
    assert answers(script) == [m.SubscriptionFailure(m.RequestId(7, 0), 2, CAUSE)]


def test_silence_is_not_answered() -> None:
    script = asked()
    script.play((2.0, TIME, ["subscribe 1 again"]), (4.0, TIME, ["delete 1"]))
    assert answers(script) == []


@pytest.mark.parametrize("what", ["route", "store", "encoding", "no id"])
def test_what_fails_on_our_side_is_a_failure_without_a_reason_of_the_node(what: str) -> None:
    script = Script()
    if what == "no id":
        for _ in range(65534):
            script.registry.ids.allocate("another")
    script.step(0.0, over_rmr(1))
    if what == "store":
        script.step(0.0, save_failed)
    elif what != "no id":
        script.step(0.0, saved)
        script.step(0.0, route_failed() if what == "route" else routed)
        if what == "encoding":
            script.step(0.0, unencodable)
    assert answers(script) == [m.SubscriptionFailure(m.RequestId(7, 0), 2, UNSPECIFIED)]


def test_deleted() -> None:
    script = established()
    script.play(
        (1.0, delete_over_rmr(2, 1), ["save e2 1 uncompleted rmr/7"]),
        (1.0, saved, ["delete 1"]),
        (1.1, deleted(1), ["DELETE route 1 old-rmr"]),
        (1.2, routed, ["erase e2 1"]),
        (1.3, saved, ["rmr answer 2 deleteresponse 7/1"]),
    )
    assert answers(script)[-1] == m.SubscriptionDeleteResponse(m.RequestId(7, 1), 2)
    assert script.node.idle


@pytest.mark.parametrize("how", ["refused", "silent", "down"])
def test_a_delete_is_always_answered_with_a_response(how: str) -> None:
    script = established()
    script.step(1.0, delete_over_rmr(2, 1))
    script.step(1.0, saved)
    now = 1.1
    if how == "refused":
        script.step(now, delete_refused(1))
    elif how == "down":
        script.step(now, e.NodeLost(""))
    else:
        script.step(3.0, TIME)
        now = 5.0
        script.step(now, TIME)
    script.step(now, routed)
    while script.writes:
        script.step(now, saved)
    assert answers(script)[-1] == m.SubscriptionDeleteResponse(m.RequestId(7, 1), 2)
    assert not any(isinstance(x, m.SubscriptionDeleteFailure) for x in answers(script))


@pytest.mark.parametrize(
    "event",
    [
        delete_over_rmr(2, 99),
        delete_over_rmr(2, 1, requestor=8),
        replace(delete_over_rmr(2, 1), source=RmrEndpoint("another", 4560)),
    ],
    ids=["unknown", "another requestor", "another xApp"],
)
def test_a_delete_of_what_it_does_not_hold_is_answered_and_touches_nothing(event: e.UnsubscribeOverRmr) -> None:
    script = established()
    lines = script.step(1.0, event)
    assert lines == [f"rmr answer 2 deleteresponse {event.requestor_id}/{event.instance_id}"]
    assert list(script.node.subscriptions.e2) == [1]


# --- sent again


def test_the_same_transaction_during_the_first_is_dropped() -> None:
    script = asked()
    script.play((0.1, over_rmr(2), ["ignored: retransmission"]))
    script.play((0.2, admitted(1), ["save e2 1 completed rmr/7?"]))
    script.step(0.2, saved)
    assert len(answers(script)) == 1


def test_the_same_transaction_afterwards_is_answered_again() -> None:
    script = established()
    script.step(1.0, over_rmr(2))
    while script.writes:
        script.step(1.0, saved)
    assert [x.request_id.instance for x in answers(script)] == [1, 1]
    assert sum(isinstance(x, c.SendToE2) for x in script.all) == 1


def test_the_same_content_with_another_transaction_joins() -> None:
    script = asked()
    script.play(
        (0.1, over_rmr(2, xid=b"other"), []),
        (0.2, admitted(1), ["save e2 1 completed rmr/7?"]),
    )
    script.step(0.3, saved)
    while script.writes:
        script.step(0.3, saved)
    assert [x.request_id.instance for x in answers(script)] == [1, 1]


def test_without_a_transaction_id_nothing_is_taken_for_a_repetition() -> None:
    script = Script()
    script.step(0.0, over_rmr(1, xid=b"\0" * 32))
    assert script.step(0.0, over_rmr(2, content(b"\x09"), xid=b"\0" * 32)) == []
    assert script.ignored() == []
    assert script.node.queue_depth == 2


def test_the_same_transaction_of_another_xapp_is_another() -> None:
    script = asked()
    event = replace(over_rmr(2, content(b"\x09")), source=RmrEndpoint("service-ricxapp-two-rmr", 4560))
    script.step(0.1, event)
    assert script.ignored() == []


def test_a_delete_sent_again_during_and_after() -> None:
    script = established()
    script.play(
        (1.0, delete_over_rmr(2, 1), ["save e2 1 uncompleted rmr/7"]),
        (1.0, delete_over_rmr(3, 1), ["ignored: retransmission"]),
        (1.0, saved, ["delete 1"]),
        (1.1, deleted(1), ["DELETE route 1 old-rmr"]),
        (1.2, routed, ["erase e2 1"]),
        (1.3, saved, ["rmr answer 2 deleteresponse 7/1"]),
        (1.4, delete_over_rmr(4, 1), ["rmr answer 4 deleteresponse 7/1"]),
    )


def test_a_delete_with_another_transaction_during_the_first_is_answered_too() -> None:
    script = established()
    script.step(1.0, delete_over_rmr(2, 1))
    script.step(1.0, delete_over_rmr(3, 1, xid=b"other"))
    script.step(1.0, saved)
    script.step(1.1, deleted(1))
    script.step(1.2, routed)
    while script.writes:
        script.step(1.3, saved)
    tokens = [x.token for x in script.all if isinstance(x, c.AnswerOverRmr)]
    assert sorted(tokens) == [1, 2, 3]
    assert script.node.idle


# --- several, shared


def test_a_node_that_is_down_is_not_answered() -> None:
    script = Script(connected=False)
    script.play((0.0, over_rmr(1), ["ignored: e2_down"]))
    assert script.node.idle


def test_one_requestor_may_hold_several() -> None:
    script = established()
    script.play(
        (1.0, over_rmr(2, content(b"\x09"), xid=b"x3"), ["save e2 2 uncompleted rmr/7?"]),
        (1.0, saved, ["POST route 2 old-rmr"]),
        (1.0, routed, ["subscribe 2"]),
        (1.1, admitted(2), ["save e2 2 completed rmr/7?"]),
        (1.2, saved, ["save e2 2 completed rmr/7 (later)", "rmr answer 2 response 7/2"]),
        (2.0, delete_over_rmr(3, 1), ["save e2 1 uncompleted rmr/7"]),
        (2.0, saved, ["delete 1"]),
    )
    assert script.node.subscriptions.e2[2].holders


@pytest.mark.parametrize("kind", [ActionType.INSERT, ActionType.POLICY])
def test_only_reports_are_shared(kind: ActionType) -> None:
    script = Script()
    script.step(0.0, over_rmr(1, content(kind=kind)))
    script.step(0.0, over_rmr(2, content(kind=kind), requestor=8, xid=b"x3"))
    script.step(0.0, saved)
    script.step(0.0, routed)
    script.step(0.0, admitted(1))
    script.step(0.0, saved)
    assert list(script.node.subscriptions.e2) == [1, 2]


def test_one_over_rest_joins_one_over_rmr() -> None:
    script = established()
    script.subscribed(request(), 1.0)
    assert list(script.node.subscriptions.e2) == [1]
    script.play(
        (2.0, delete_over_rmr(9, 1), ["save e2 1 completed r1/1"]),
        (2.1, saved, ["PUT route 1 a-rmr"]),
        (2.2, routed, ["save e2 1 completed r1/1 (later)", "rmr answer 9 deleteresponse 7/1"]),
    )
    assert XAPP not in script.node.subscriptions.e2[1].wanted_routes


# --- the same, with everything round the node


def test_rmr_subscribe_retransmitted_during_the_first_is_dropped(world: World) -> None:
    world.subscribe_over_rmr(content(), xid=b"one")
    world.subscribe_over_rmr(content(), xid=b"one")
    world.settle()
    assert len(world.rmr_answers) == 1
    assert any(isinstance(x, c.Ignored) and x.kind is c.Odd.RETRANSMISSION for x in world.log)


def test_rmr_same_content_with_another_transaction_is_answered_with_the_same_instance(world: World) -> None:
    world.subscribe_over_rmr(content(), xid=b"one")
    world.subscribe_over_rmr(content(), xid=b"two")
    world.settle()
    assert [answer.message.request_id for answer in world.rmr_answers] == [m.RequestId(7, 1)] * 2
    assert len(sent(world, m.SubscriptionRequest)) == 1


def test_rmr_delete_resent_during_and_after(world: World) -> None:
    world.subscribe_over_rmr(content())
    world.settle()
    world.rmr_answers.clear()
    world.unsubscribe_over_rmr(1, xid=b"one")
    world.unsubscribe_over_rmr(1, xid=b"one")
    world.settle()
    world.unsubscribe_over_rmr(1, xid=b"two")
    world.settle()
    assert [type(a.message) for a in world.rmr_answers] == [m.SubscriptionDeleteResponse] * 2
    assert world.node.idle


def test_rmr_silence_of_the_node_is_not_answered_a_refusal_is(world: World) -> None:
    world.subscribe_over_rmr(content())
    world.write_next()
    world.route_next()
    world.advance(5.0)
    world.settle()
    assert world.rmr_answers == []
    world.subscribe_over_rmr(content())
    world.write_next()
    world.route_next()
    world.node_next("refuse")
    world.answer_next()
    world.settle()
    (answer,) = world.rmr_answers
    assert isinstance(answer.message, m.SubscriptionFailure)
    assert answer.message.cause == m.Cause(1, 5)


def test_rmr_request_for_a_node_that_is_down_is_not_answered(world: World) -> None:
    world.lose()
    world.subscribe_over_rmr(content())
    assert world.rmr_answers == [] and world.node.queue_depth == 0


def test_a_partial_admission_for_an_rmr_xapp_is_counted_too() -> None:
    world = World()
    world.subscribe_over_rmr(content())
    world.write_next()
    world.route_next()
    world.node_next(partial=True)
    world.answer_next()
    assert counted(world, c.Note.PARTIAL) == 1
