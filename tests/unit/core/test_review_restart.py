# SPDX-License-Identifier: Apache-2.0
"""What a start makes of records that no orderly run leaves behind."""

from __future__ import annotations

from dataclasses import replace

from support.core.world import MEID, World, content, request

from submgr.core import commands as c
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.model import Detail, E2Record, Removal, RmrEndpoint
from submgr.e2ap import messages as m
from submgr.e2ap.messages import ActionType

ENDPOINT = RmrEndpoint("service-ricxapp-a-rmr.ricxapp", 4560)


def record(instance_id: int, **changes: object) -> E2Record:
    plain = E2Record(instance_id, MEID, 123, 1, content(), (ENDPOINT,), None, None, admitted=(1,))
    return replace(plain, **changes)  # type: ignore[arg-type]


def stored(*records: E2Record, removals: tuple[Removal, ...] = (), ongoing: int = 1) -> World:
    """A start with these records, all of which the node and the Routing Manager have."""
    world = World(Controls(max_ongoing=ongoing))
    world.store.e2 = {each.instance_id: each for each in records}
    world.store.removals = {each.instance_id: each for each in removals}
    world.at_node = {each.instance_id: each.content for each in records}
    world.routes = {each.instance_id: set(each.endpoints) for each in records if each.endpoints}
    world.kill()
    return world


def test_a_record_that_nobody_holds_is_undone_and_stops_nobody() -> None:
    nobody = record(1, endpoints=())
    emptied = record(2, holders=(), content=content(b"\x07"))
    kept = record(3, content=content(b"\x08"))
    world = stored(nobody, emptied, kept)
    world.settle()
    assert world.node.subscriptions.e2.keys() == world.at_node.keys() == world.store.e2.keys() == {3}


def test_a_removal_of_a_subscription_whose_record_is_still_there_is_not_worked_on_beside_it() -> None:
    """The end came between the writes of the two."""
    left = Removal(1, MEID, 2, (ENDPOINT,), node_delete=True)
    world = stored(record(1, admitted=None), removals=(left,), ongoing=2)
    assert len(world.to_node) == 1
    world.settle()
    world.check_quiet()
    assert not world.routes and not world.at_node


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


def test_a_subscription_that_waits_for_its_restore_gets_it_though_the_setting_has_changed_meanwhile() -> None:
    world = World(Controls(on_e2_loss=OnE2Loss.RESTORE))
    world.subscribed(request())
    world.lose()
    world.settle()
    world.node.controls = Controls(on_e2_loss=OnE2Loss.DROP)
    world.connect()
    world.settle()
    world.check_quiet()
    assert len(world.node.subscriptions.e2) == 1


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
