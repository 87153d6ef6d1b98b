# SPDX-License-Identifier: Apache-2.0
"""The E2 node, or an operator, wants subscriptions deleted."""

from __future__ import annotations

import pytest
from support.core.charts import leaving, told_of
from support.core.observing import finish
from support.core.playbook import (
    Script,
    admitted,
    delete_required,
    deleted,
    post,
    routed,
    save_failed,
    saved,
    sent_201,
)
from support.core.world import World, content, request

from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.model import Detail
from submgr.e2ap.messages import Cause

A, B = "service-ricxapp-a-http", "service-ricxapp-b-http"


@pytest.mark.parametrize("event", [delete_required(1), e.Revoke((1,))], ids=["delete required", "operator"])
def test_revoked(event: e.Event) -> None:
    """The REST subscription stays and loses that instance. The record is marked first, so that a restart goes on."""
    script = Script()
    script.subscribed()
    script.play(
        (5.0, event, ["save rest r1 (later)", "save e2 1 uncompleted r1/1"]),
        (5.1, saved, ["delete 1"]),
        (5.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (5.3, routed, ["erase e2 1"]),
        (5.4, saved, []),
    )
    assert list(script.node.subscriptions.rest) == ["r1"] and script.node.subscriptions.rest["r1"].instances == {}
    assert script.registry.ids.in_use() == 0


def test_delete_required_of_several_some_unknown() -> None:
    script = Script()
    script.subscribed(request(Detail(1, content()), Detail(2, content(b"\x09"))))
    lines = script.step(5.0, delete_required(1, 77, 2))
    assert lines == ["ignored: unknown_instance", "save rest r1 2=2 (later)", "save e2 1 uncompleted r1/1"]
    script.play(
        (5.1, saved, ["delete 1"]),
        (5.2, deleted(1), ["DELETE route 1 a-rmr", "save rest r1 (later)", "save e2 2 uncompleted r1/2"]),
    )


def test_delete_required_of_what_is_being_deleted() -> None:
    script = leaving()
    script.play(
        (10.1, delete_required(1), []),
        (10.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.3, routed, ["erase e2 1"]),
        (10.4, saved, ["erase rest r1"]),
    )
    assert script.node.idle


def test_delete_required_of_what_is_being_subscribed() -> None:
    """It waits for the subscribe to end."""
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (0.0, routed, ["subscribe 1"]),
        (0.1, delete_required(1), []),
        (0.2, admitted(1), ["save e2 1 completed r1/1?"]),
        (
            0.3,
            saved,
            [
                "tell r1/1 = 1",
                "save rest r1 1=1 (later)",
                "save rest r1 (later)",
                "save e2 1 uncompleted r1/1?",
            ],
        ),
        (0.4, saved, ["delete 1"]),
    )


def test_delete_required_of_a_shared_one_takes_all_routes() -> None:
    script = Script()
    script.subscribed()
    script.subscribed(request(host="service-ricxapp-b-http"))
    script.play(
        (5.0, delete_required(1), ["save rest r1 (later)", "save rest r2 (later)", "save e2 1 uncompleted r1/1 r2/1"]),
        (5.1, saved, ["delete 1"]),
        (5.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (5.3, routed, ["DELETE route 1 b-rmr"]),
        (5.4, routed, ["erase e2 1"]),
        (5.5, saved, []),
    )


def test_a_mark_that_cannot_be_written_holds_nothing_up() -> None:
    script = Script()
    script.subscribed()
    script.step(5.0, delete_required(1))
    script.play((5.1, save_failed, ["save e2 1 uncompleted r1/1 (later)", "delete 1"]))


def test_delete_required_for_one_several_unknown_and_one_being_deleted(world: World) -> None:
    details = [Detail(n, content(bytes([n]))) for n in range(1, 5)]
    subscription_id = world.subscribed(request(*details))
    other = world.subscribed(request(Detail(9, content(b"\x09")), host=B))
    world.delete(other)
    world.delete_required([1, 2, 5, 77])
    finish(world)
    assert set(world.node.subscriptions.rest[subscription_id].instances.values()) == {3, 4}
    assert set(world.at_node) == {3, 4}


def test_an_xapp_is_told_that_the_node_required_the_delete_when_it_shall_be() -> None:
    script = Script(Controls(tell_loss=True))
    script.subscribed()
    lines = script.step(1.0, delete_required(1))
    cause = "RICSubscriptionDeleteRequired. E2NodeCause: ricRequest: function-resource-limit"
    assert lines[0] == f"tell r1/1 failed: E2Node {cause}"


def test_an_operators_revocation_and_the_default_tell_nobody() -> None:
    assert told_of(delete_required(1), Controls()) == []
    assert told_of(e.Revoke((1,)), Controls(tell_loss=True)) == []
    assert len(told_of(e.Revoke((1,), Cause(1, 5)), Controls(tell_loss=True))) == 1
