# SPDX-License-Identifier: Apache-2.0
"""A monitor is told of a platform that cannot be relieved."""

from collections.abc import Iterator

import pytest
from support.mec.meo_world import World, admit_on, rounds, world_with_rounds


@pytest.fixture
def world() -> Iterator[World]:
    yield from world_with_rounds()


def test_overload_without_a_target_is_told_once_per_platform_and_when_it_is_over(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    world.inventory.tell("p2", key=0.0)
    for _ in range(3):
        assert rounds(world) == []
    world.finish()
    (alert,) = world.told["http://monitor/"]
    assert (alert["alert"], alert["platform"]) == ("overload", "p1")
    assert alert["reasons"] == {"p1": "the origin", "p2": "key availability 0 is under 0.1"}
    assert world.meo.metrics.overloads._value.get() == 3
    assert world.where(context) == "p1"
    world.inventory.tell("p2", key=1.0)
    assert rounds(world) == [(context.id, "p1", "p2")]
    world.finish()
    assert [told["alert"] for told in world.told["http://monitor/"]] == ["overload", "overload ended"]
