# SPDX-License-Identifier: Apache-2.0
"""The delete that is sent once more to a node that never confirmed it."""

from __future__ import annotations

from support.core.charts import DROP, LOST, UP, established_under
from support.core.observing import counted
from support.core.playbook import (
    TIME,
    Script,
    delete,
    deleted,
    post,
    routed,
    saved,
    sent_201,
)
from support.core.world import MEID, World, content, request

from submgr.core import commands as c
from submgr.core.controls import Controls
from submgr.core.model import Detail, Removal
from submgr.e2ap import messages as m


def unconfirmed() -> Script:
    """A delete that the node never answered, at 14 s."""
    script = established_under(DROP)
    script.step(10.0, delete("r1"))
    script.step(10.0, saved)
    script.step(12.0, TIME)
    script.step(14.0, TIME)
    script.step(14.0, routed)
    script.step(14.0, saved)
    script.step(14.0, saved)
    removal = script.node.removals.get(1)
    assert removal is not None and removal.node_delete
    return script


def never_answered() -> World:
    """A subscription was deleted, and the node has not answered any of the sends."""
    world = World()
    world.delete(world.subscribed(request()))
    while world.node.subscriptions.e2:
        if world.writes:
            world.write_next()
        elif world.route_calls:
            world.route_next()
        elif world.to_node:
            world.node_next("lose")
        else:
            world.advance(0.5)
    world.settle()
    return world


def deletes(world: World) -> list[m.RequestId]:
    sent = [command.message for command in world.log if isinstance(command, c.SendToE2)]
    return [message.request_id for message in sent if isinstance(message, m.SubscriptionDeleteRequest)]


def test_the_delete_is_sent_once_more_when_it_is_back() -> None:
    script = unconfirmed()
    script.play(
        (20.0, LOST, []),
        (21.0, UP, ["delete 1 again"]),
        (23.0, TIME, ["erase removal 1"]),
    )
    assert script.node.idle


def test_lost_again_before_it_is_answered() -> None:
    script = unconfirmed()
    script.play(
        (21.0, UP, ["delete 1 again"]),
        (21.1, LOST, []),
        (22.0, UP, ["delete 1 again"]),
        (22.1, deleted(1), ["erase removal 1"]),
    )


def test_its_id_is_used_again_only_when_no_other_is_left() -> None:
    """And then the late delete is not sent any more: it would hit the new one."""
    script = unconfirmed()
    ids = script.registry.ids
    for _ in range(65533):
        assert ids.allocate("another") != 1
    script.play(
        (15.0, post(), ["save rest r2 ongoing"]),
        (15.0, saved, ["201 r2"]),
        (15.0, sent_201, ["erase removal 1", "save e2 1 uncompleted r2/1?"]),
        (15.1, UP, []),
    )


# --- with everything round the node


def test_it_waits_for_the_next_connection_when_the_node_is_lost_before_its_turn() -> None:
    world = never_answered()
    world.connect()
    world.post(request())
    assert len(deletes(world)) == 3
    world.lose()
    world.settle()
    assert world.store.removals
    world.connect()
    world.settle()
    assert len(deletes(world)) == 4
    assert not world.store.removals


def test_it_waits_for_the_next_connection_when_the_node_is_lost_while_others_have_the_slot() -> None:
    world = never_answered()
    token = world.post(request())
    while world.writes:
        world.write_next()
    world.answered(token)
    while not world.to_node:
        world.write_next() if world.writes else world.route_next()
    world.connect()
    assert len(deletes(world)) == 2, "its turn has not come"
    world.lose()
    world.settle()
    assert world.store.removals
    world.connect()
    world.settle()
    assert len(deletes(world)) == 3


def test_it_carries_the_request_id_of_the_subscription_whatever_the_setting_is_by_now() -> None:
    world = never_answered()
    world.controls = Controls(requestor_id=7)
    world.kill()
    world.settle()
    assert len(deletes(world)) == 3
    assert {request_id.requestor for request_id in deletes(world)} == {123}


def test_its_timer_is_counted_and_what_is_not_confirmed_is_known_after_a_restart() -> None:
    world = never_answered()
    assert counted(world, c.Note.DELETE_TIMER) == 2
    assert counted(world, c.Note.UNCONFIRMED_DELETE) == 1
    world.log.clear()
    world.up = False
    world.kill()
    assert counted(world, c.Note.UNCONFIRMED_DELETE) == 1
    world.connect()
    world.node_next("lose")
    world.advance(2.0)
    assert counted(world, c.Note.DELETE_TIMER) == 1
    assert counted(world, c.Note.CONFIRMED_LATE) == 0


def test_an_unconfirmed_delete_keeps_its_id_out_of_use_over_a_restart() -> None:
    world = World()
    world.store.removals = {1: Removal(1, MEID, 2, (), node_delete=True)}
    world.up = False
    world.kill()
    world.connect()
    world.subscribed(request(Detail(1, content())))
    world.settle()
    assert world.node.subscriptions.e2.keys() == {2}
    sent = [
        command.message.request_id.instance
        for command in world.log
        if isinstance(command, c.SendToE2) and isinstance(command.message, m.SubscriptionDeleteRequest)
    ]
    assert sent == [1]
