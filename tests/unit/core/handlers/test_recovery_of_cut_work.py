# SPDX-License-Identifier: Apache-2.0
"""A start after work was cut by the end of the process: it is undone, goes on, or is set right."""

from __future__ import annotations

from msgspec.structs import replace
from support.core.playbook import deleted, post, routed, saved
from support.core.records import A, B, e2_record, held, rest_record, start
from support.core.world import MEID, World, content, request

from submgr.core import commands as c
from submgr.core.controls import Controls
from submgr.core.model import Detail, Directives, E2Record, Removal, RmrEndpoint
from submgr.e2ap.messages import ActionType

ENDPOINT = RmrEndpoint("service-ricxapp-a-rmr.ricxapp", 4560)


def unheld(instance_id: int, **changes: object) -> E2Record:
    plain = E2Record(instance_id, MEID, 123, 1, content(), (ENDPOINT,), None, None, admitted=(1,))
    return replace(plain, **changes)  # type: ignore[arg-type]


def started_with(*records: E2Record, removals: tuple[Removal, ...] = (), ongoing: int = 1) -> World:
    """A start with these records, all of which the node and the Routing Manager have."""
    world = World(Controls(max_ongoing=ongoing))
    world.store.e2 = {each.instance_id: each for each in records}
    world.store.removals = {each.instance_id: each for each in removals}
    world.at_node = {each.instance_id: each.content for each in records}
    world.routes = {each.instance_id: set(each.endpoints) for each in records if each.endpoints}
    world.kill()
    return world


def test_an_uncompleted_one_is_undone_silently() -> None:
    record = e2_record(held(notified=False), admitted=None, routes=())
    script, lines = start([record], [rest_record(instances=(), request_ongoing=True)])
    assert "delete 1" in lines and not any(line.startswith("tell") for line in lines)
    script.play(
        # the route may have been made although the record does not say so
        (0.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (0.2, routed, ["erase e2 1"]),
        (0.3, saved, []),
    )
    assert list(script.node.subscriptions.rest) == ["r1"] and not script.node.subscriptions.rest["r1"].ongoing
    assert not any(isinstance(x, c.Notify) for x in script.all)


def test_an_uncompleted_one_of_a_node_that_is_down() -> None:
    record = e2_record(held(notified=False), admitted=None)
    script, lines = start([record], [rest_record()], connected=False)
    assert "DELETE route 1 a-rmr" in lines and "delete 1" not in lines
    script.play((0.1, routed, ["erase e2 1"]), (0.2, saved, []))


def test_an_update_that_was_cut_never_deletes_its_policy() -> None:
    record = e2_record(what=content(kind=ActionType.POLICY), policy_update=True)
    script, lines = start([record], [rest_record()])
    assert lines == []
    assert script.node.subscriptions.e2[1].policy_update


def test_an_update_cut_in_the_other_implementation_whose_record_lost_its_answer() -> None:
    record = e2_record(what=content(kind=ActionType.POLICY), policy_update=True, admitted=None, holders=None)
    script, lines = start([record], [rest_record()])
    assert "delete 1" not in lines
    assert script.node.subscriptions.e2[1].admitted == ()


def test_an_accepted_delete_goes_on() -> None:
    script, lines = start([e2_record()], [rest_record(delete_ongoing=True)])
    assert lines == ["delete 1"]
    script.play(
        (0.1, post(subscription_id="r1"), ["404"]),
        (0.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (0.3, routed, ["erase e2 1"]),
        (0.4, saved, ["erase rest r1"]),
    )
    assert script.node.idle and script.registry.meids == {}


def test_an_accepted_delete_of_which_nothing_else_is_left() -> None:
    script, lines = start([], [rest_record(instances=(), delete_ongoing=True)])
    assert lines == ["erase rest r1"]
    assert script.node.idle


def test_an_accepted_delete_of_one_of_two_holders() -> None:
    records = [rest_record("r1", delete_ongoing=True), rest_record("r2", B)]
    script, lines = start([e2_record(held("r1"), held("r2", B))], records)
    assert lines == ["PUT route 1 b-rmr"]
    script.play((0.1, routed, ["save e2 1 completed r2/1 (later)", "erase rest r1"]))


def test_a_record_whose_rest_subscription_is_gone_is_undone() -> None:
    """The end came between the two namespaces."""
    script, lines = start([e2_record()], [])
    assert lines == ["delete 1"]
    script.play(
        (0.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (0.2, routed, ["erase e2 1"]),
        (0.3, saved, []),
    )
    assert script.node.idle


def test_a_record_one_of_whose_holders_is_gone_loses_it() -> None:
    script, lines = start([e2_record(held("gone", B), held("r1"))], [rest_record()])
    assert lines == ["save e2 1 completed r1/1 (later)", "PUT route 1 a-rmr"]
    script.play((0.1, routed, ["save e2 1 completed r1/1 (later)"]))


def test_a_record_whose_rest_record_cannot_be_read_is_kept() -> None:
    script, lines = start([e2_record()], [], spared=frozenset({"r1"}))
    assert lines == []
    assert list(script.node.subscriptions.e2) == [1]


def test_the_map_of_a_rest_record_is_rebuilt_from_the_e2_records() -> None:
    records = [e2_record(), e2_record(held("r1", xei=5), instance=7, what=content(b"\x09"))]
    script, lines = start(records, [rest_record(instances=((9, 9),), request_ongoing=True)])
    assert lines == ["save rest r1 1=1 5=7 (later)"]
    assert script.node.subscriptions.rest["r1"].instances == {1: 1, 5: 7}


def test_a_route_that_was_not_made_or_removed_before_the_end_is_set_right() -> None:
    records = [e2_record(held("r1"), held("r2", B), routes=(A,))]
    _, lines = start(records, [rest_record(), rest_record("r2", B)])
    assert lines == ["PUT route 1 a-rmr b-rmr"]


def test_a_route_that_nobody_wants_any_more() -> None:
    _, lines = start([e2_record(held(routed=False), routes=(A,))], [rest_record()])
    assert lines == ["DELETE route 1 a-rmr"]


# --- with everything round the node


def test_a_record_that_nobody_holds_is_undone_and_stops_nobody() -> None:
    nobody = unheld(1, endpoints=())
    emptied = unheld(2, holders=(), content=content(b"\x07"))
    kept = unheld(3, content=content(b"\x08"))
    world = started_with(nobody, emptied, kept)
    world.settle()
    assert world.node.subscriptions.e2.keys() == world.at_node.keys() == world.store.e2.keys() == {3}


def test_a_removal_of_a_subscription_whose_record_is_still_there_is_not_worked_on_beside_it() -> None:
    """The end came between the writes of the two."""
    left = Removal(1, MEID, 2, (ENDPOINT,), node_delete=True)
    world = started_with(unheld(1, admitted=None), removals=(left,), ongoing=2)
    assert len(world.to_node) == 1
    world.settle()
    world.check_quiet()
    assert not world.routes and not world.at_node


def test_the_outcome_of_a_policy_update_that_was_not_delivered_yet_is_told_at_the_start() -> None:
    world = World()
    known = world.subscribed(request(Detail(1, content(kind=ActionType.POLICY))))
    token = world.post(request(Detail(1, content(b"\x09", ActionType.POLICY)), subscription_id=known))
    while not world.notifications:
        if world.writes:
            world.write_next()
        elif world.to_answer:
            world.answered(token)
        elif world.to_node:
            world.node_next()
        else:
            world.answer_next()
    world.kill()
    assert [(note.subscription_id, note.failure) for note in world.notifications] == [(known, None)]
    world.settle()
    world.check_quiet()
    world.kill()
    assert not world.notifications


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
