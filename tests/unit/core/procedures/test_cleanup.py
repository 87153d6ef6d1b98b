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
    route_failed,
    routed,
    saved,
    sent_201,
)
from support.core.world import MEID, World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.events import RouteFailureKind
from submgr.core.model import Detail, Removal
from submgr.core.registry import LAST
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


def test_at_a_silent_node_it_holds_up_nobody() -> None:
    """Else each delete that was never answered would hold the queue after each return of the node."""
    script = Script(Controls(silent_nodes=("gnb_001_*",)))
    for instance_id in (1, 2):
        script.registry.ids.claim(instance_id, MEID)
    removals = tuple(Removal(instance_id, MEID, 2, (), node_delete=True) for instance_id in (1, 2))
    script.play(
        (0.0, e.Restored((), (), removals, True), ["delete 1 again", "delete 2 again"]),
        (0.5, post(), ["save rest r1 ongoing"]),
        (0.5, saved, ["201 r1"]),
        (0.5, sent_201, ["save e2 3 uncompleted r1/1?"]),
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


NOTHING_REMOVED = route_failed(RouteFailureKind.UNCONFIRMED, "204 No Content: nothing was removed")


def test_a_removal_that_removed_nothing_is_repeated_and_pins_the_id() -> None:
    script = Script()
    script.subscribed()
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (10.0, saved, ["204", "delete 1"]),
        (10.0, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.0, NOTHING_REMOVED, ["save removal 1 a-rmr"]),
        (10.0, saved, ["erase e2 1"]),
        (10.0, saved, ["erase rest r1"]),
    )
    assert script.registry.ids.owner(1) is not None
    script.play(
        (20.0, TIME, ["DELETE route 1 a-rmr"]),
        (20.0, NOTHING_REMOVED, []),
        (40.0, TIME, ["DELETE route 1 a-rmr"]),
        (40.0, routed, ["erase removal 1"]),
    )
    assert script.registry.ids.owner(1) is None


def give_up(script: Script, kind: RouteFailureKind, until: float) -> None:
    script.subscribed()
    script.step(10.0, delete("r1"))
    script.step(10.0, saved)
    script.step(10.0, deleted(1))
    script.step(10.0, route_failed(kind))
    script.step(10.0, saved)
    script.step(10.0, saved)
    now = script.node.deadline
    while now is not None and now < until:
        script.step(now, TIME)
        script.step(now, route_failed(kind))
        now = script.node.deadline


def test_after_a_day_the_id_goes_to_the_very_end_and_its_route_is_made_exact() -> None:
    script = Script()
    give_up(script, RouteFailureKind.UNCONFIRMED, 200_000.0)
    assert script.node.deadline is None and not len(script.node.removals)
    assert "route removal given up unconfirmed" in script.noted()
    script.registry.ids.go_on_at(LAST)
    assert script.registry.ids.allocate("x") == LAST
    others = {script.registry.ids.allocate("x") for _ in range(LAST - 2)}
    assert 1 not in others and None not in others
    script.play(
        (200_000.0, post(), ["save rest r2 ongoing"]),
        (200_000.0, saved, ["201 r2"]),
        (200_000.0, sent_201, ["save e2 1 uncompleted r2/1?"]),
        (200_000.0, saved, ["PUT route 1 a-rmr"]),
        (200_000.0, routed, ["subscribe 1"]),
    )


def test_a_removal_that_is_refused_is_never_given_up() -> None:
    script = Script()
    give_up(script, RouteFailureKind.REFUSED, 200_000.0)
    assert len(script.node.removals) == 1 and script.registry.ids.owner(1) is not None


def test_a_cleanup_whose_delete_did_not_leave_is_no_success() -> None:
    script = Script()
    script.subscribed()
    script.step(10.0, delete("r1"))
    script.step(10.0, saved)
    script.step(10.0, e.NotSent(1, "no route"))
    script.step(12.0, TIME)
    script.step(12.0, e.NotSent(1, "no route"))
    script.step(14.0, TIME)
    script.step(14.0, routed)
    script.step(14.0, saved)
    script.step(14.0, saved)
    script.step(24.0, TIME)
    script.step(24.0, e.NotSent(1, "no route"))
    script.step(26.0, TIME)
    assert script.finished()[-1] == ("cleanup", "failed")
