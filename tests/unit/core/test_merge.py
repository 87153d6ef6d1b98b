# SPDX-License-Identifier: Apache-2.0
"""Merge and unmerge: equal REPORT subscriptions of several holders are one at the node, until the last one leaves."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete,
    deleted,
    over_rmr,
    post,
    refused,
    route_failed,
    routed,
    save_failed,
    save_unknown,
    saved,
    sent_201,
)
from support.core.world import World, action, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.events import RouteFailureKind
from submgr.core.model import Content, Detail, Directives
from submgr.e2ap.messages import ActionType, SubsequentAction, SubsequentActionType, TimeToWait

B = "service-ricxapp-b-http"
TO_B = request(host=B)


def with_one() -> Script:
    """One established subscription of xApp a."""
    script = Script()
    assert script.subscribed() == "r1"
    return script


def merging(script: Script, wanted=TO_B, who: str = "r2") -> None:
    """Up to the record of the second holder, at 1 s."""
    script.play(
        (1.0, post(wanted), [f"save rest {who} ongoing"]),
        (1.0, saved, [f"201 {who}"]),
        (1.0, sent_201, [f"save e2 1 completed r1/1 {who}/1?"]),
    )


def test_a_second_xapp_joins_without_a_word_to_the_node() -> None:
    script = with_one()
    merging(script)
    script.play(
        (1.1, saved, ["PUT route 1 a-rmr b-rmr"]),
        (1.2, routed, ["tell r2/1 = 1", "save rest r2 1=1 (later)"]),
        (1.3, e.Notified("r2", 1, 1), ["save e2 1 completed r1/1 r2/1 (later)"]),
    )
    assert script.noted() == ["merged"]
    assert script.finished() == [("subscribe", "success"), ("merge", "success")]
    assert sum(isinstance(x, c.SendToE2) for x in script.all) == 1


def test_the_last_holder_takes_it_along() -> None:
    script = with_one()
    script.subscribed(TO_B, 1.0)
    script.play(
        (2.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (2.1, saved, ["204", "PUT route 1 b-rmr"]),
        (2.2, routed, ["save e2 1 completed r2/1 (later)", "erase rest r1"]),
        (3.0, delete("r2"), ["drop notifications r2", "save rest r2 1=1 deleted"]),
        (3.1, saved, ["204", "delete 1"]),
        (3.2, deleted(1), ["DELETE route 1 b-rmr"]),
        (3.3, routed, ["erase e2 1"]),
        (3.4, saved, ["erase rest r2"]),
    )
    assert script.node.idle
    assert script.noted() == ["merged", "unmerged"]


def test_two_on_one_endpoint_share_its_route_until_both_have_left() -> None:
    script = with_one()
    other = replace(request(), details=(Detail(2, content()),))
    script.play(
        (1.0, post(other), ["save rest r2 ongoing"]),
        (1.0, saved, ["201 r2"]),
        (1.0, sent_201, ["save e2 1 completed r1/1 r2/2?"]),
        (1.1, saved, ["tell r2/2 = 1", "save rest r2 2=1 (later)"]),
        (1.2, e.Notified("r2", 2, 1), ["save e2 1 completed r1/1 r2/2 (later)"]),
        (2.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (2.1, saved, ["204", "save e2 1 completed r2/2 (later)", "erase rest r1"]),
        (3.0, delete("r2"), ["drop notifications r2", "save rest r2 2=1 deleted"]),
        (3.1, saved, ["204", "delete 1"]),
        (3.2, deleted(1), ["DELETE route 1 a-rmr"]),
    )
    assert not any(isinstance(x, c.UpdateRoute) for x in script.all)


def test_two_details_of_one_request_with_one_content() -> None:
    script = Script()
    script.play(
        (0.0, post(request(Detail(1, content()), Detail(2, content()))), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (0.0, routed, ["subscribe 1"]),
        (0.1, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.2, saved, ["save rest r1 1=1 ongoing (later)", "tell r1/1 = 1", "save e2 1 completed r1/1? r1/2?"]),
        (0.3, saved, ["tell r1/2 = 1", "save rest r1 1=1 2=1 (later)"]),
    )


def test_the_order_of_actions_does_not_matter() -> None:
    script = Script()
    one, two = action(1), action(2, definition=b"\x07")
    script.subscribed(request(Detail(1, Content(2, b"\x01", (one, two)))))
    merging(script, replace(TO_B, details=(Detail(1, Content(2, b"\x01", (two, one))),)))


WAIT = SubsequentAction(SubsequentActionType.WAIT, TimeToWait.W10MS)
BASE = content()
OTHERS = {
    "trigger length": content(b"\x01\x02\x03"),
    "trigger contents": content(b"\x01\x03"),
    "number of actions": replace(BASE, actions=(action(1), action(2))),
    "action id": replace(BASE, actions=(action(2),)),
    "action type": content(kind=ActionType.INSERT),
    "definition length": replace(BASE, actions=(action(definition=b"\x05"),)),
    "definition contents": replace(BASE, actions=(action(definition=b"\x05\x07"),)),
    "no definition": replace(BASE, actions=(action(definition=None),)),
    "empty definition": replace(BASE, actions=(action(definition=b""),)),
    "subsequent action": replace(BASE, actions=(replace(action(), subsequent=WAIT),)),
    "RAN function": content(function=3),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_what_is_not_equal_is_not_merged(other: Content) -> None:
    script = with_one()
    script.play(
        (1.0, post(replace(TO_B, details=(Detail(1, other),))), ["save rest r2 ongoing"]),
        (1.0, saved, ["201 r2"]),
        (1.0, sent_201, ["save e2 2 uncompleted r2/1?"]),
    )


@pytest.mark.parametrize("kind", [ActionType.INSERT, ActionType.POLICY])
def test_only_reports_are_merged(kind: ActionType) -> None:
    script = Script()
    details = (Detail(1, content(kind=kind)),)
    script.subscribed(replace(request(), details=details))
    script.play(
        (1.0, post(replace(TO_B, details=details)), ["save rest r2 ongoing"]),
        (1.0, saved, ["201 r2"]),
        (1.0, sent_201, ["save e2 2 uncompleted r2/1?"]),
    )


def both_at_once() -> Script:
    """Two equal requests of two xApps, the first one being worked on; at 0 s."""
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, post(TO_B), ["save rest r2 ongoing"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (0.0, saved, ["201 r2"]),
        (0.0, sent_201, []),
        (0.0, routed, ["subscribe 1"]),
    )
    return script


def test_the_second_of_two_at_once_waits_and_then_merges() -> None:
    script = both_at_once()
    script.play(
        (0.1, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.2, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)", "save e2 1 completed r1/1? r2/1?"]),
        (0.3, saved, ["PUT route 1 a-rmr b-rmr"]),
        (0.4, routed, ["tell r2/1 = 1", "save rest r2 1=1 (later)"]),
    )


def test_at_once_and_the_node_refuses_the_first() -> None:
    script = both_at_once()
    lines = script.step(0.1, refused(1))
    assert lines[0].startswith("tell r1/1 failed: E2Node RICSubscriptionFailure.")
    script.play(
        (0.2, routed, ["erase e2 1"]),
        (0.3, saved, ["save e2 2 uncompleted r2/1?"]),
    )


def test_at_once_and_the_node_is_silent() -> None:
    """Both are asked for, one after the other, and both are told."""
    script = both_at_once()
    script.play((2.0, TIME, ["subscribe 1 again"]))
    lines = script.step(4.0, TIME)
    assert lines[0].startswith("tell r1/1 failed: SUBMGR E2-Timeout") and lines[-1] == "delete 1"
    script.play(
        (4.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (4.2, routed, ["erase e2 1"]),
        (4.3, saved, ["save e2 2 uncompleted r2/1?"]),
        (4.4, saved, ["POST route 2 b-rmr"]),
        (4.5, routed, ["subscribe 2"]),
        (6.5, TIME, ["subscribe 2 again"]),
    )
    lines = script.step(8.5, TIME)
    assert lines[0].startswith("tell r2/1 failed: SUBMGR E2-Timeout") and lines[-1] == "delete 2"


# --- routes


def test_joining_one_that_has_no_route_makes_the_first() -> None:
    script = Script()
    script.subscribed(request(directives=Directives(routing=False)))
    merging(script)
    script.play((1.1, saved, ["POST route 1 b-rmr"]), (1.2, routed, ["tell r2/1 = 1", "save rest r2 1=1 (later)"]))
    assert script.noted() == ["merged"]


def test_joining_without_wanting_a_route_changes_none() -> None:
    script = with_one()
    merging(script, replace(TO_B, directives=Directives(routing=False)))
    script.play((1.1, saved, ["tell r2/1 = 1", "save rest r2 1=1 (later)"]))


def test_the_last_that_wants_a_route_takes_it_along() -> None:
    script = with_one()
    script.subscribed(replace(TO_B, directives=Directives(routing=False)), 1.0)
    script.play(
        (2.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (2.1, saved, ["204", "DELETE route 1 a-rmr"]),
        (2.2, routed, ["save e2 1 completed r2/1 (later)", "erase rest r1"]),
    )


def test_one_holder_asks_again_and_wants_a_route_now() -> None:
    script = Script()
    script.subscribed(request(directives=Directives(routing=False)))
    script.play(
        (1.0, post(request(subscription_id="r1")), ["save rest r1 1=1 ongoing"]),
        (1.0, saved, ["201 r1"]),
        (1.0, sent_201, ["save e2 1 completed r1/1?"]),
        (1.1, saved, ["POST route 1 a-rmr"]),
        (1.2, routed, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
    )


ROUTE_FAILURES = [
    (RouteFailureKind.REFUSED, "RTMGR RTMGR route update failure: 503 no", False),
    (RouteFailureKind.UNREACHABLE, "RTMGR RTMGR route update failure: 503 no", False),
    (RouteFailureKind.BROKEN, "RTMGR RTMGR route update failure: 503 no", True),
    (RouteFailureKind.TIMEOUT, "RTMGR RTMGR-Timeout RTMGR route update timeout: 503 no", True),
]


@pytest.mark.parametrize(("kind", "words", "maybe"), ROUTE_FAILURES, ids=[k.value for k, _, _ in ROUTE_FAILURES])
def test_a_merge_whose_route_fails_leaves_the_first_holder_as_it_was(
    kind: RouteFailureKind, words: str, maybe: bool
) -> None:
    script = with_one()
    merging(script)
    script.play((1.1, saved, ["PUT route 1 a-rmr b-rmr"]))
    back = ["PUT route 1 a-rmr"] if maybe else []
    script.play(
        (
            1.2,
            route_failed(kind),
            [f"tell r2/1 failed: {words}", "save rest r2 (later)", "save e2 1 completed r1/1 (later)", *back],
        )
    )
    if maybe:
        script.play((1.3, routed, ["save e2 1 completed r1/1 (later)"]))
    assert script.node.subscriptions.e2[1].routes == script.node.subscriptions.e2[1].wanted_routes
    assert script.finished()[1] == ("merge", "route_failed")
    assert not any(isinstance(x, c.SendToE2) for x in script.commands)


def test_a_merge_whose_record_fails_changes_nothing() -> None:
    script = with_one()
    merging(script)
    script.play((1.1, save_failed, ["tell r2/1 failed: DBAAS MISCONF disk full", "save rest r2 (later)"]))
    assert len(script.node.subscriptions.e2[1].holders) == 1


def test_a_merge_whose_record_may_have_been_written_is_written_over() -> None:
    script = with_one()
    merging(script)
    script.play(
        (
            1.1,
            save_unknown,
            [
                "tell r2/1 failed: DBAAS DBAAS-Timeout database write timeout after 2 s",
                "save rest r2 (later)",
                "save e2 1 completed r1/1 (later)",
            ],
        )
    )


@pytest.mark.parametrize("step", ["saving", "routing"])
def test_a_merge_meets_a_lost_connection(step: str) -> None:
    script = with_one()
    merging(script)
    if step == "routing":
        script.step(1.1, saved)
    lines = script.step(1.2, e.NodeLost(""))
    assert lines[0] == "tell r2/1 failed: E2Node E2 interface down"


def test_an_unmerge_that_fails_is_tried_again() -> None:
    script = with_one()
    script.subscribed(TO_B, 1.0)
    script.play(
        (2.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (2.0, saved, ["204", "PUT route 1 b-rmr"]),
        (2.0, route_failed(), ["save e2 1 completed r2/1 (later)", "erase rest r1"]),
        (12.0, TIME, ["PUT route 1 b-rmr"]),
        (12.0, route_failed(), ["save e2 1 completed r2/1 (later)"]),
        (32.0, TIME, ["PUT route 1 b-rmr"]),
        (32.0, routed, ["save e2 1 completed r2/1 (later)"]),
    )
    assert script.node.deadline is None
    assert script.finished()[2:] == [("routes", "route_failed"), ("routes", "route_failed"), ("routes", "success")]


def test_a_pending_unmerge_ends_with_its_subscription() -> None:
    script = with_one()
    script.subscribed(TO_B, 1.0)
    script.step(2.0, delete("r1"))
    script.step(2.0, saved)
    script.play(
        (2.0, route_failed(), ["save e2 1 completed r2/1 (later)", "erase rest r1"]),
        (3.0, delete("r2"), ["drop notifications r2", "save rest r2 1=1 deleted"]),
        (3.0, saved, ["204", "delete 1"]),
        # the route of the first may still be there: both go
        (3.0, deleted(1), ["DELETE route 1 a-rmr"]),
        (3.0, routed, ["DELETE route 1 b-rmr"]),
        (3.0, routed, ["erase e2 1"]),
        (3.0, saved, ["erase rest r2"]),
        (12.0, TIME, []),
    )
    assert script.node.idle


# --- nothing waits but what must


def test_three_posts_while_a_route_update_is_slow() -> None:
    """A merge holds neither the node nor other contents; only what concerns the same subscription waits for it."""
    script = with_one()
    merging(script)
    third = replace(request(host="service-ricxapp-c-http"))
    other = replace(request(host=B), details=(Detail(5, content(b"\x77")),))
    again = replace(TO_B)
    script.play(
        (1.0, saved, ["PUT route 1 a-rmr b-rmr"]),
        # another content of the same xApp goes to the node at once
        (1.1, post(other), ["save rest r3 ongoing"]),
        (1.1, saved, ["201 r3"]),
        (1.1, sent_201, ["save e2 2 uncompleted r3/5?"]),
        # a third xApp with the same content is answered, and waits for the routes only
        (1.2, post(third), ["save rest r4 ongoing"]),
    )
    assert script.step(1.2, e.Saved(script.writes.pop())) == ["201 r4"]
    script.play(
        (1.2, sent_201, []),
        # the second xApp repeats itself
        (1.3, post(again), ["201 r2"]),
        (1.4, routed, ["tell r2/1 = 1", "save rest r2 1=1 (later)", "save e2 1 completed r1/1 r2/1? r4/1?"]),
    )


def test_a_merge_does_not_wait_for_the_node() -> None:
    """While the node is busy with another subscription, a merge goes on."""
    script = with_one()
    script.play(
        (1.0, post(replace(request(), details=(Detail(9, content(b"\x09")),))), ["save rest r2 ongoing"]),
        (1.0, saved, ["201 r2"]),
        (1.0, sent_201, ["save e2 2 uncompleted r2/9?"]),
        (1.0, saved, ["POST route 2 a-rmr"]),
        (1.0, routed, ["subscribe 2"]),
        (1.1, post(TO_B), ["save rest r3 ongoing"]),
        (1.1, saved, ["201 r3"]),
        (1.1, sent_201, ["save e2 1 completed r1/1 r3/1?"]),
        (1.2, saved, ["PUT route 1 a-rmr b-rmr"]),
        (1.3, routed, ["tell r3/1 = 1", "save rest r3 1=1 (later)"]),
    )


def test_an_xapp_over_rmr_joins_one_over_rest_and_outlives_it() -> None:
    script = with_one()
    script.play(
        (1.0, over_rmr(50), ["save e2 1 completed r1/1 rmr/7?"]),
        (1.1, saved, ["PUT route 1 a-rmr old-rmr"]),
        (1.2, routed, ["save e2 1 completed r1/1 rmr/7 (later)", "rmr answer 50 response 7/1"]),
        (2.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (2.1, saved, ["204", "PUT route 1 old-rmr"]),
        (2.2, routed, ["save e2 1 completed rmr/7 (later)", "erase rest r1"]),
    )


# --- two that fight


@pytest.mark.parametrize("seed", range(4))
def test_two_xapps_that_fight_leave_nothing_behind(seed: int) -> None:
    """One content; each subscribes and deletes as it likes, a thousand times in random order."""
    rng = random.Random(seed)
    world = World()
    ids: dict[str, list[str]] = {"a": [], "b": []}
    acts = [
        lambda: world.writes and world.write_next(),
        lambda: world.route_calls and world.route_next(),
        lambda: world.to_node and world.node_next(),
        lambda: world.from_node and world.answer_next(),
        lambda: world.notifications and world.notify_next(),
    ]
    for _ in range(1000):
        xapp = rng.choice("ab")
        if ids[xapp] and rng.random() < 0.5:
            world.delete(ids[xapp].pop(rng.randrange(len(ids[xapp]))))
        else:
            token = world.post(replace(request(host=f"service-ricxapp-{xapp}-http"), details=(Detail(1, content()),)))
            answer = world.answers.get(token)
            for _ in range(50):
                if answer is not None:
                    break
                world.write_next()
                answer = world.answers.get(token)
            assert isinstance(answer, c.Accept)
            if answer.subscription_id not in ids[xapp]:
                ids[xapp].append(answer.subscription_id)
        while world.to_answer:
            world.answered(world.to_answer[0])
        for _ in range(rng.randrange(8)):
            rng.choice(acts)()
    world.settle()
    world.check_quiet()
    holding = [i for xapp in ids.values() for i in xapp]
    assert sorted(holding) == sorted(world.node.subscriptions.rest)
    assert len(world.at_node) == (1 if holding else 0)
    for subscription_id in holding:
        world.delete(subscription_id)
    world.settle()
    world.check_quiet()
    assert not world.at_node and not world.routes and not world.store.rest and world.node.idle
