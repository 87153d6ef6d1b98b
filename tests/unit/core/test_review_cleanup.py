# SPDX-License-Identifier: Apache-2.0
"""The delete that is sent once more to a node that never confirmed it."""

from __future__ import annotations

from support.core.world import World, request

from submgr.core import commands as c
from submgr.core.controls import Controls
from submgr.e2ap import messages as m


def unconfirmed() -> World:
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


def counted(world: World, what: c.Note) -> int:
    return sum(command.n for command in world.log if isinstance(command, c.Noted) and command.what is what)


def test_it_waits_for_the_next_connection_when_the_node_is_lost_before_its_turn() -> None:
    world = unconfirmed()
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
    world = unconfirmed()
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
    world = unconfirmed()
    world.controls = Controls(requestor_id=7)
    world.kill()
    world.settle()
    assert len(deletes(world)) == 3
    assert {request_id.requestor for request_id in deletes(world)} == {123}


def test_its_timer_is_counted_and_what_is_not_confirmed_is_known_after_a_restart() -> None:
    world = unconfirmed()
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
