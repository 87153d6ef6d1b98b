# SPDX-License-Identifier: Apache-2.0
"""The routes of a shared subscription follow its holders: those that join, leave, or never wanted one."""

from __future__ import annotations

from msgspec.structs import replace
from support.core.charts import TO_B, merging, with_one
from support.core.observing import finish, route_commands
from support.core.playbook import (
    TIME,
    Script,
    delete,
    deleted,
    post,
    route_failed,
    routed,
    saved,
    sent_201,
)
from support.core.world import World, request

from submgr.core.model import Directives, RmrEndpoint

A, B = "service-ricxapp-a-http", "service-ricxapp-b-http"


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


# --- with everything round the node


def test_update_refused_at_unmerge_is_done_later(world: World) -> None:
    first = world.subscribed(request(host=A))
    world.subscribed(request(host=B))
    world.delete(first)
    world.write_next()
    world.route_next("refused")
    assert first not in world.node.subscriptions.rest, "the xApp's request never fails by it"
    finish(world)
    assert route_commands(world).count("UpdateRoute") == 3
    assert world.routes == {1: {RmrEndpoint("service-ricxapp-b-rmr", 4560)}}


def test_an_endpoint_whose_route_may_have_gone_gets_it_anew_when_it_joins_again() -> None:
    world = World()
    first = world.subscribed(request(host="a-http"))
    world.subscribed(request(host="b-http"))
    world.delete(first)
    while not world.route_calls:
        world.write_next()
    world.route_next("timeout", applied=True)
    world.subscribed(request(host="a-http"))
    world.check_quiet()
    assert len(world.routes[1]) == 2
