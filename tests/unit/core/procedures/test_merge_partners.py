# SPDX-License-Identifier: Apache-2.0
"""Which subscriptions are merged: REPORTs of equal content, whatever the order of their actions."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.core.charts import TO_B, merging, with_one
from support.core.observing import finish
from support.core.playbook import (
    Script,
    post,
    saved,
    sent_201,
)
from support.core.world import World, action, content, request

from submgr.core.controls import Controls
from submgr.core.model import Content, Detail
from submgr.e2ap import messages as m
from submgr.e2ap.messages import ActionType, SubsequentAction, SubsequentActionType, TimeToWait

WAIT = SubsequentAction(SubsequentActionType.WAIT, TimeToWait.W10MS)
BASE = content()
OTHERS = {
    "trigger length": content(b"\x01\x02\x03"),
    "trigger contents": content(b"\x01\x03"),
    "number of actions": replace(BASE, actions=(action(1), action(2))),
    "action id": replace(BASE, actions=(action(2),)),
    "action type": content(kind=ActionType.INSERT),
    "definition length": replace(BASE, actions=(action(definition=b"\x05"),)),
    "definition contents": replace(BASE, actions=(action(definition=b"\x05\x07"),)),
    "no definition": replace(BASE, actions=(action(definition=None),)),
    "empty definition": replace(BASE, actions=(action(definition=b""),)),
    "subsequent action": replace(BASE, actions=(replace(action(), subsequent=WAIT),)),
    "RAN function": content(function=3),
}
A, B = "service-ricxapp-a-http", "service-ricxapp-b-http"
INSERT = content(kind=ActionType.INSERT)


TWO_ACTIONS = Content(2, b"\1\2", (action(1), action(2)))
DIFFERENT = {
    "other trigger length": Content(2, b"\1\2\3", (action(1), action(2))),
    "other number of actions": Content(2, b"\1\2", (action(1),)),
    "other action id": Content(2, b"\1\2", (action(1), action(3))),
    "other action type": Content(2, b"\1\2", (action(1, ActionType.INSERT), action(2, ActionType.INSERT))),
    "policy": Content(2, b"\1\2", (action(1, ActionType.POLICY), action(2, ActionType.POLICY))),
    "other definition length": Content(2, b"\1\2", (action(1, definition=b"\5"), action(2))),
    "other definition": Content(2, b"\1\2", (action(1, definition=b"\5\7"), action(2))),
    "no definition": Content(2, b"\1\2", (m.Action(1, ActionType.REPORT), action(2))),
    "other subsequent action": Content(
        2,
        b"\1\2",
        (
            m.Action(1, ActionType.REPORT, b"\5\6", m.SubsequentAction(m.SubsequentActionType.WAIT, m.TimeToWait.W1S)),
            action(2),
        ),
    ),
    "other RAN function": Content(3, b"\1\2", (action(1), action(2))),
}


def test_the_order_of_actions_does_not_matter() -> None:
    script = Script()
    one, two = action(1), action(2, definition=b"\x07")
    script.subscribed(request(Detail(1, Content(2, b"\x01", (one, two)))))
    merging(script, replace(TO_B, details=(Detail(1, Content(2, b"\x01", (two, one))),)))


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_what_is_not_equal_is_not_merged(other: Content) -> None:
    script = with_one()
    script.play(
        (1.0, post(replace(TO_B, details=(Detail(1, other),))), ["save rest r2 ongoing"]),
        (1.0, saved, ["201 r2"]),
        (1.0, sent_201, ["save e2 2 uncompleted r2/1?"]),
    )


@pytest.mark.parametrize("kind", [ActionType.INSERT, ActionType.POLICY])
def test_only_reports_are_merged(kind: ActionType) -> None:
    script = Script()
    details = (Detail(1, content(kind=kind)),)
    script.subscribed(replace(request(), details=details))
    script.play(
        (1.0, post(replace(TO_B, details=details)), ["save rest r2 ongoing"]),
        (1.0, saved, ["201 r2"]),
        (1.0, sent_201, ["save e2 2 uncompleted r2/1?"]),
    )


# --- the same, with everything round the node


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_what_differs_is_not_merged(world: World, other: Content) -> None:
    world.subscribed(request(Detail(1, TWO_ACTIONS), host=A))
    world.subscribed(request(Detail(1, other), host=B))
    assert len(world.at_node) == 2
    finish(world)


def test_two_actions_in_another_order_are_merged(world: World) -> None:
    world.subscribed(request(Detail(1, TWO_ACTIONS), host=A))
    world.subscribed(request(Detail(1, Content(2, b"\1\2", (action(2), action(1)))), host=B))
    assert len(world.at_node) == 1
    finish(world)


def test_an_insert_is_not_merged_by_endpoint(world: World) -> None:
    world.subscribed(request(Detail(1, INSERT)))
    world.subscribed(request(Detail(2, INSERT)))
    assert len(world.at_node) == 2
    finish(world)


def test_equal_contents_are_not_merged_when_that_is_off() -> None:
    world = World(Controls(merge=False))
    world.subscribed(request())
    world.subscribed(request(host="service-ricxapp-b-http"))
    assert len(world.node.subscriptions.e2) == 2
    world.check_quiet()


def test_the_same_xapp_asking_again_still_shares_its_own() -> None:
    world = World(Controls(merge=False))
    world.subscribed(request())
    world.subscribed(request(http_port=9999))
    assert len(world.node.subscriptions.e2) == 1
    world.check_quiet()


def test_merging_can_be_off_for_one_ran_function() -> None:
    world = World(Controls(merge_by_function={2: False}))
    for function in (2, 3):
        for host in ("service-ricxapp-a-http", "service-ricxapp-b-http"):
            world.subscribed(request(Detail(1, content(function=function)), host=host))
    assert sorted(sub.content.ran_function_id for sub in world.node.subscriptions.e2.values()) == [2, 2, 3]
    world.check_quiet()
