# SPDX-License-Identifier: Apache-2.0
"""POLICY: the same SubscriptionId and XappEventInstanceId update the subscription under its own instance id."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.core.observing import finish, outcomes, route_commands
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete,
    deleted,
    post,
    refused,
    routed,
    save_failed,
    save_unknown,
    saved,
    sent_201,
    unencodable,
)
from support.core.world import World, action, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.model import Content, Detail
from submgr.e2ap.messages import ActionType

OLD = content(kind=ActionType.POLICY)
NEW = content(b"\x0a", ActionType.POLICY)
TIMEOUT = "SUBMGR E2-Timeout E2 RICSubscriptionResponse timeout"


def policy(what=OLD, subscription_id: str | None = None):
    return request(Detail(1, what), subscription_id=subscription_id)


def updating() -> Script:
    """Up to the record of the update, at 10 s."""
    script = Script()
    script.subscribed(policy())
    script.play(
        (10.0, post(policy(NEW, "r1")), ["save rest r1 1=1 ongoing"]),
        (10.0, saved, ["201 r1"]),
        (10.0, sent_201, ["save e2 1 completed updating r1/1"]),
    )
    assert script.commands[-1].record.content == NEW
    return script


def holds(script: Script, what, updating: bool = False) -> None:
    sub = script.node.subscriptions.e2[1]
    assert (sub.content, sub.key, sub.policy_update) == (what, what.key(), updating)
    last = [x.record for x in script.all if isinstance(x, c.SaveE2)][-1]
    assert (last.content, last.completed, last.policy_update) == (what, True, updating)


POLICY = content(kind=ActionType.POLICY)


def test_update() -> None:
    """To the node with the same instance id; no route changes."""
    script = updating()
    script.play(
        (10.1, saved, ["subscribe 1"]),
        (10.2, admitted(1), ["save e2 1 completed r1/1?"]),
        (10.3, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
        (10.4, e.Notified("r1", 1, 1), ["save e2 1 completed r1/1 (later)"]),
    )
    assert script.last_send.message.event_trigger == b"\x0a"
    assert script.last_send.resend is False
    holds(script, NEW)
    assert script.finished()[-1] == ("policy update", "success")
    assert sum(isinstance(x, c.CreateRoute | c.UpdateRoute) for x in script.all) == 1


def test_the_same_content_goes_to_the_node_again() -> None:
    script = Script()
    script.subscribed(policy())
    script.play(
        (10.0, post(policy()), ["save rest r1 1=1 ongoing"]),
        (10.0, saved, ["201 r1"]),
        (10.0, sent_201, ["save e2 1 completed updating r1/1"]),
        (10.1, saved, ["subscribe 1"]),
    )


def test_refused_the_old_content_stays() -> None:
    script = updating()
    script.step(10.1, saved)
    lines = script.step(10.2, refused(1))
    assert lines[0] == "save e2 1 completed r1/1 (later)"
    assert lines[1].startswith("tell r1/1 failed: E2Node RICSubscriptionFailure.")
    assert lines[2:] == ["save rest r1 1=1 (later)"]
    holds(script, OLD)


def test_refused_then_deleted() -> None:
    script = updating()
    script.step(10.1, saved)
    script.step(10.2, refused(1))
    script.play(
        (11.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (11.0, saved, ["204", "delete 1"]),
        (11.0, deleted(1), ["DELETE route 1 a-rmr"]),
        (11.0, routed, ["erase e2 1"]),
        (11.0, saved, ["erase rest r1"]),
    )
    assert script.node.idle


def test_unanswered_the_new_content_stays_marked() -> None:
    script = updating()
    script.play(
        (10.1, saved, ["subscribe 1"]),
        (12.1, TIME, ["subscribe 1 again"]),
        (
            14.1,
            TIME,
            [
                "save e2 1 completed updating r1/1 (later)",
                f"tell r1/1 failed: {TIMEOUT}",
                "save rest r1 1=1 (later)",
            ],
        ),
    )
    holds(script, NEW, updating=True)
    assert list(script.node.subscriptions.e2) == [1]
    # no delete undoes it
    assert script.node.deadline is None


def test_unanswered_then_deleted() -> None:
    script = updating()
    script.step(10.1, saved)
    script.step(12.1, TIME)
    script.step(14.1, TIME)
    script.play(
        (15.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (15.0, saved, ["204", "delete 1"]),
        (15.0, deleted(1), ["DELETE route 1 a-rmr"]),
    )


def test_an_update_that_never_left_is_taken_back() -> None:
    script = updating()
    script.step(10.1, saved)
    script.step(10.1, e.NotSent(1, "no route"))
    script.step(12.1, TIME)
    script.step(12.1, e.NotSent(1, "no route"))
    script.step(14.1, TIME)
    holds(script, OLD)


def test_an_update_that_cannot_be_encoded_is_taken_back() -> None:
    script = updating()
    script.play((10.1, saved, ["subscribe 1"]))
    lines = script.step(10.2, unencodable)
    assert lines[1] == "tell r1/1 failed: ASN1 17 actions, at most 16"
    holds(script, OLD)


@pytest.mark.parametrize("how", [save_failed, save_unknown], ids=["failed", "unknown"])
def test_nothing_is_sent_when_saving_fails(how) -> None:
    script = updating()
    lines = script.step(10.1, how)
    assert lines[0] == "save e2 1 completed r1/1 (later)"
    assert lines[1].startswith("tell r1/1 failed: DBAAS")
    holds(script, OLD)
    assert sum(isinstance(x, c.SendToE2) for x in script.all) == 1


def test_answered_but_not_saved() -> None:
    """The node has the new content, so we have it too; the write is made up for."""
    script = updating()
    script.step(10.1, saved)
    script.step(10.2, admitted(1))
    lines = script.step(10.3, save_failed)
    assert lines[0] == "save e2 1 completed r1/1 (later)"
    assert lines[1].startswith("tell r1/1 failed: DBAAS")
    holds(script, NEW)


def test_lost_in_the_middle_ends_the_update() -> None:
    script = updating()
    script.step(10.1, saved)
    lines = script.step(10.2, e.NodeLost(""))
    assert "tell r1/1 failed: E2Node E2 interface down" in lines


def test_a_late_answer_to_an_update_is_ignored() -> None:
    script = updating()
    script.step(10.1, saved)
    script.step(12.1, TIME)
    script.step(14.1, TIME)
    script.play((15.0, admitted(1), ["ignored: unexpected"]))
    holds(script, NEW, updating=True)


def test_two_policies_of_one_request_are_two_subscriptions() -> None:
    script = Script()
    script.subscribed(request(Detail(1, OLD), Detail(2, OLD)))
    assert list(script.node.subscriptions.e2) == [1, 2]
    assert script.node.subscriptions.rest["r1"].instances == {1: 1, 2: 2}


def test_updates_of_one_wait_for_each_other_in_order() -> None:
    """Two XappEventInstanceIds, updated in one request: one after the other at the node."""
    script = Script()
    script.subscribed(request(Detail(1, OLD), Detail(2, OLD)))
    both = request(Detail(1, NEW), Detail(2, NEW), subscription_id="r1")
    script.play(
        (10.0, post(both), ["save rest r1 1=1 2=2 ongoing"]),
        (10.0, saved, ["201 r1"]),
        (10.0, sent_201, ["save e2 1 completed updating r1/1"]),
        (10.1, saved, ["subscribe 1"]),
        (10.2, admitted(1), ["save e2 1 completed r1/1?", "save e2 2 completed updating r1/2"]),
        (10.3, saved, ["tell r1/1 = 1"]),
    )


def test_an_update_may_change_the_number_of_actions() -> None:
    script = Script()
    script.subscribed(policy())
    more = replace(NEW, actions=tuple(action(n, ActionType.POLICY) for n in range(1, 17)))
    script.play(
        (10.0, post(policy(more, "r1")), ["save rest r1 1=1 ongoing"]),
        (10.0, saved, ["201 r1"]),
        (10.0, sent_201, ["save e2 1 completed updating r1/1"]),
    )


def test_a_policy_does_not_become_a_report() -> None:
    script = Script()
    script.subscribed(policy())
    script.play((10.0, post(policy(content(b"\x0b"), "r1")), ["400"]))


def test_another_update_while_one_is_on_its_way_is_409() -> None:
    script = updating()
    script.play((10.1, post(policy(content(b"\x0c", ActionType.POLICY), "r1")), ["409"]))


# --- with everything round the node


def test_policy_updates(world: World) -> None:
    """Answered: new content. Refused: old content. Unanswered: new content, marked. Never deleted."""
    subscription_id = world.subscribed(request(Detail(1, POLICY)))

    def update(trigger: bytes) -> Content:
        wanted = content(trigger, ActionType.POLICY)
        token = world.post(request(Detail(1, wanted), subscription_id=subscription_id))
        world.write_next()
        world.answered(token)
        world.write_next()
        return wanted

    second = update(b"\2")
    assert world.store.e2[1].policy_update
    finish(world)
    assert world.node.subscriptions.e2[1].content == second
    assert not world.store.e2[1].policy_update
    update(b"\3")
    world.node_next("refuse")
    world.answer_next()
    finish(world)
    assert world.store.e2[1].content == second
    fourth = update(b"\4")
    world.node_next("mute")
    world.advance(2.1)
    world.node_next("mute")
    world.advance(2.1)
    world.settle()
    assert (world.store.e2[1].content, world.store.e2[1].policy_update) == (fourth, True)
    assert [number for _, number, _ in outcomes(world)] == [1, 1, 0, 0]
    assert route_commands(world) == ["CreateRoute"]
    world.delete(subscription_id)
    finish(world)
    assert not world.at_node


def test_a_restart_in_the_middle_of_a_policy_update_keeps_it(world: World) -> None:
    subscription_id = world.subscribed(request(Detail(1, POLICY)))
    wanted = content(b"\2", ActionType.POLICY)
    token = world.post(request(Detail(1, wanted), subscription_id=subscription_id))
    world.write_next()
    world.answered(token)
    world.write_next()
    world.kill()
    world.settle()
    assert list(world.node.subscriptions.e2) == [1]
    assert world.at_node.keys() == {1}
