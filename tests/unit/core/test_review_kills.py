# SPDX-License-Identifier: Apache-2.0
"""The end of the process between two particular steps."""

from __future__ import annotations

from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core.model import Directives


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


def test_a_route_that_may_not_be_there_is_made_however_often_the_process_ends_before() -> None:
    world = World()
    world.subscribed(request())
    world.subscribe_over_rmr(content(), requestor=2)
    world.write_next()
    for _ in range(3):
        world.kill()
        while world.writes:
            world.write_next()
        world.route_calls.clear()
    world.kill()
    world.settle()
    world.check_quiet()
    assert len(world.routes[1]) == 2


def test_the_first_route_of_a_shared_subscription_is_created_after_a_restart() -> None:
    """The Routing Manager need not know the instance id: a changed list would be refused."""
    world = World()
    world.subscribed(request(directives=Directives(routing=False)))
    world.subscribe_over_rmr(content(), requestor=2)
    world.write_next()
    world.route_calls.clear()
    world.kill()
    assert [type(call) for call in world.route_calls] == [c.CreateRoute]
    world.route_next("unreachable")
    world.settle()
    world.check_quiet()
    assert len(world.routes[1]) == 1


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
