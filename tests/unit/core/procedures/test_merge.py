# SPDX-License-Identifier: Apache-2.0
"""Merge and unmerge: equal REPORT subscriptions of several holders are one at the node, until the last one leaves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.core.charts import TO_B, merging, with_one
from support.core.observing import counted, finish, outcomes, route_commands, sent
from support.core.playbook import (
    Script,
    admitted,
    delete,
    deleted,
    over_rmr,
    post,
    route_failed,
    routed,
    save_failed,
    save_unknown,
    saved,
    sent_201,
)
from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.events import RouteFailureKind
from submgr.core.model import Detail, Directives
from submgr.e2ap import messages as m


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


# --- routes


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


# --- over RMR


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


# --- the same, with everything round the node


def test_the_same_endpoint_again_needs_no_route_and_no_e2(world: World) -> None:
    world.subscribed(request(Detail(1, content())))
    world.log.clear()
    world.subscribed(request(Detail(2, content())))
    assert route_commands(world) == [] and sent(world, m.SubscriptionRequest) == []
    assert outcomes(world)[-1] == (2, 1, None)
    finish(world)


# --- what is counted


def test_merged_and_unmerged_are_counted_once_per_endpoint_that_joins_or_leaves_whatever_its_route() -> None:
    world = World()
    world.subscribed(request(host="a-http"))
    routed = world.subscribed(request(host="b-http"))
    unrouted = world.subscribed(request(host="c-http", directives=Directives(routing=False)))
    assert counted(world, c.Note.MERGED) == 2
    again = world.subscribed(request(host="b-http", http_port=8081))
    assert counted(world, c.Note.MERGED) == 2, "the same endpoint asks once more: nothing is merged"
    world.delete(again)
    world.settle()
    assert counted(world, c.Note.UNMERGED) == 0
    world.delete(unrouted)
    world.settle()
    assert counted(world, c.Note.UNMERGED) == 1
    world.delete(routed)
    while not world.route_calls:
        world.write_next()
    world.route_next("refused")
    world.settle()
    assert counted(world, c.Note.UNMERGED) == 2


def test_a_merge_that_fails_is_none() -> None:
    world = World()
    world.subscribed(request(host="a-http"))
    token = world.post(request(host="b-http"))
    world.write_next()
    world.answered(token)
    world.write_next()
    world.route_next("refused")
    world.settle()
    assert counted(world, c.Note.MERGED) == counted(world, c.Note.UNMERGED) == 0
