# SPDX-License-Identifier: Apache-2.0
"""Devices are told where their contexts went."""

from collections.abc import Iterator

import pytest
from support.mec.meo_world import World, admit_on, rounds, world_with_rounds


@pytest.fixture
def world() -> Iterator[World]:
    yield from world_with_rounds()


def test_the_device_is_told_the_new_address(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    world.callback_faults = 2
    rounds(world)
    world.finish()
    (message,) = world.told[context.id]
    assert message.pop("appInstanceId")
    assert message == {
        "notificationType": "AddressChangeNotification",
        "contextId": context.id,
        "referenceURI": "http://p2/",
    }
    (move,) = world.meo.state.contexts[context.id].moves
    assert (move.origin, move.target, move.told) == ("p1", "p2", "delivered")


def test_a_move_without_a_callback_is_recorded(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1", callback=None)
    world.inventory.tell("p1", load=0.9)
    rounds(world)
    world.finish()
    (move,) = world.meo.state.contexts[context.id].moves
    assert (move.reason, move.told) == ("load 0.9 is over 0.8", "no callback")
    assert world.told == {}
    assert world.records("meo_contexts")[context.id]["moves"][0]["told"] == "no callback"


def test_a_callback_that_is_dead_is_given_up(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    world.callback_faults = 100
    rounds(world)
    world.finish()
    assert world.meo.state.contexts[context.id].moves[0].told == "failed"
    assert list(world.records("meo_contexts")) == [context.id]
