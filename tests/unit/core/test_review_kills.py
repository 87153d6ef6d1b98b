# SPDX-License-Identifier: Apache-2.0
"""The end of the process between two particular steps."""

from __future__ import annotations

from world import World, content, request


def test_an_rmr_xapp_that_has_left_is_not_a_holder_again_without_its_route() -> None:
    world = World()
    world.subscribe_over_rmr(content(), requestor=2)
    world.settle()
    world.subscribed(request())
    world.unsubscribe_over_rmr(1, requestor=2)
    while not world.route_calls:
        world.write_next()
    world.route_next()
    world.writes.clear()
    world.kill()
    world.settle()
    world.check_quiet()
    assert len(world.routes[1]) == 1
