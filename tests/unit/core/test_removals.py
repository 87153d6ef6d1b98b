# SPDX-License-Identifier: Apache-2.0
"""What is left of a deleted subscription: it is written down and tried again, and its id is not given out before."""

from __future__ import annotations

import pytest
from support.core.charts import leaving
from support.core.observing import finish
from support.core.playbook import (
    TIME,
    deleted,
    route_failed,
    routed,
    save_failed,
    saved,
)
from support.core.world import MEID, World, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.events import RouteFailureKind


def test_a_delete_that_never_left_is_tried_until_it_can() -> None:
    script = leaving()
    script.play(
        (10.0, e.NotSent(1, "no route"), []),
        (12.0, TIME, ["delete 1 again"]),
        (12.0, e.NotSent(1, "no route"), []),
        (14.0, TIME, ["DELETE route 1 a-rmr"]),
        (14.0, routed, ["save removal 1 delete"]),
        (14.0, saved, ["erase e2 1"]),
        (14.0, saved, ["erase rest r1"]),
        (24.0, TIME, ["delete 1 again"]),
        (24.0, e.NotSent(1, "no route"), []),
    )
    assert not script.node.idle
    script.step(26.0, TIME)
    due = script.node.deadline
    assert due == 46.0  # 10 s, then 20 s
    script.play((due, TIME, ["delete 1 again"]), (due, deleted(1), ["erase removal 1"]))
    assert script.node.idle


@pytest.mark.parametrize("kind", list(RouteFailureKind))
def test_a_route_that_cannot_be_removed_is_tried_again_and_pins_its_id(kind: RouteFailureKind) -> None:
    script = leaving()
    script.play(
        (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.2, route_failed(kind), ["save removal 1 a-rmr"]),
        (10.3, saved, ["erase e2 1"]),
        (10.4, saved, ["erase rest r1"]),
    )
    assert script.registry.ids.owner(1) == MEID
    script.play(
        (20.2, TIME, ["DELETE route 1 a-rmr"]),
        (20.2, route_failed(kind), []),
        (40.2, TIME, ["DELETE route 1 a-rmr"]),
        (40.3, routed, ["erase removal 1"]),
    )
    assert script.node.idle
    assert script.registry.ids.in_use() == 0


def test_the_id_is_not_free_before_the_record_is_gone() -> None:
    script = leaving()
    script.play(
        (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["erase e2 1"]),
    )
    step = script.writes[0]
    script.play((10.3, save_failed, ["erase rest r1"]))
    assert script.registry.ids.owner(1) == MEID
    assert not script.node.idle
    # the store goes on trying, and says so when it has
    script.play((60.0, e.Saved(step), []))
    assert script.registry.ids.in_use() == 0
    assert script.node.idle


def test_an_id_is_not_free_while_its_route_or_record_remains(world: World) -> None:
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    world.node_next()
    world.answer_next()
    world.route_next("unreachable")
    assert world.registry.ids.owner(1) == MEID
    while world.writes:
        world.write_next()
    assert world.registry.ids.owner(1) == MEID
    world.advance(10.1)
    world.route_next()
    assert world.registry.ids.owner(1) is None
    finish(world)


def test_what_is_left_over_is_written_down_before_the_record_goes() -> None:
    world = World()
    known = world.subscribed(request())
    world.delete(known)
    while not world.route_calls:
        world.write_next() if world.writes else world.node_next() if world.to_node else world.answer_next()
    world.route_next("refused")
    assert [type(write) for write in world.writes] == [c.SaveRemoval]
    world.write_next()
    assert [type(write) for write in world.writes] == [c.EraseE2]
    world.settle()
    world.check_quiet()
