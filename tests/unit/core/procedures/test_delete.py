# SPDX-License-Identifier: Apache-2.0
"""Delete: the DELETE is written down, then answered, then worked on: node, routes, record, one after the other."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.core.charts import leaving
from support.core.observing import finish, sent
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete,
    delete_refused,
    deleted,
    refused,
    routed,
    saved,
    unencodable,
)
from support.core.steps import counted_steps
from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.model import Detail
from submgr.e2ap import messages as m
from submgr.e2ap.messages import ActionType


def test_node_then_route_then_record() -> None:
    script = leaving()
    script.play(
        (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["erase e2 1"]),
        (10.3, saved, ["erase rest r1"]),
    )
    assert script.node.idle
    assert script.finished()[-1] == ("delete", "success")
    assert script.registry.ids.in_use() == 0
    assert script.registry.meids == {}


@pytest.mark.parametrize("answer", [deleted(1), delete_refused(1)], ids=["deleted", "refused"])
def test_either_answer_ends_it(answer: e.Event) -> None:
    """A node that refuses does not have it (user guide)."""
    script = leaving()
    script.play(
        (10.1, answer, ["DELETE route 1 a-rmr"]),
        (10.1, routed, ["erase e2 1"]),
        (10.1, saved, ["erase rest r1"]),
    )
    assert script.node.idle and not len(script.node.removals)


def test_the_second_send_is_answered() -> None:
    script = leaving()
    script.play(
        (12.0, TIME, ["delete 1 again"]),
        (12.1, deleted(1), ["DELETE route 1 a-rmr"]),
    )


def test_never_answered() -> None:
    script = leaving()
    script.play(
        (12.0, TIME, ["delete 1 again"]),
        (14.0, TIME, ["DELETE route 1 a-rmr"]),
        (14.0, routed, ["save removal 1 delete"]),
        (14.0, saved, ["erase e2 1"]),
        (14.0, saved, ["erase rest r1"]),
    )
    assert script.finished()[-1] == ("delete", "timeout")
    assert script.noted().count("delete never answered") == 1
    assert script.registry.ids.in_use() == 0
    # at its next connection it is told once more
    script.play(
        (20.0, e.NodeConnected(), ["delete 1 again"]),
        (20.1, deleted(1), ["erase removal 1"]),
    )
    assert script.node.idle


def test_the_timer_and_the_number_of_sends_are_the_configured_ones() -> None:
    script = leaving(Script(Controls(delete_timeout=0.5, delete_tries=3)))
    script.play(
        (10.5, TIME, ["delete 1 again"]),
        (11.0, TIME, ["delete 1 again"]),
        (11.5, TIME, ["DELETE route 1 a-rmr"]),
    )


def test_a_late_answer_to_the_subscribe_is_not_the_answer() -> None:
    script = leaving()
    script.play((10.1, admitted(1), []), (10.2, refused(1), []), (10.3, deleted(1), ["DELETE route 1 a-rmr"]))


def test_a_delete_that_cannot_be_encoded() -> None:
    script = leaving()
    script.play(
        (10.1, unencodable, ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["save removal 1 delete"]),
        (10.3, saved, ["erase e2 1"]),
        (10.4, saved, ["erase rest r1"]),
    )
    assert script.finished()[-1] == ("delete", "asn1")


@pytest.mark.parametrize("answer", [deleted(9), delete_refused(9)], ids=repr)
def test_answers_for_another_instance_are_ignored(answer: e.Event) -> None:
    script = leaving()
    script.play((10.1, answer, ["ignored: unknown_instance"]), (10.2, deleted(1), ["DELETE route 1 a-rmr"]))


def test_an_answer_that_cannot_be_decoded_is_ignored() -> None:
    script = leaving()
    script.play(
        (10.1, e.Undecodable(1, "garbage"), ["ignored: undecodable"]),
        (10.2, deleted(1), ["DELETE route 1 a-rmr"]),
    )


# --- the Routing Manager fails


def test_a_routing_manager_port_that_never_says_anything() -> None:
    script = leaving()
    script.play(
        (10.0, deleted(1), ["DELETE route 1 a-rmr"]),
        (14.0, TIME, ["save removal 1 a-rmr"]),
    )


# --- several, and in the middle of something


def test_several_e2_subscriptions_go_one_by_one() -> None:
    details = tuple(Detail(n, content(bytes([n]))) for n in (1, 2))
    script = Script()
    script.subscribed(request(*details))
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 2=2 deleted"]),
        (10.0, saved, ["204", "delete 1"]),
        (10.1, deleted(1), ["DELETE route 1 a-rmr", "delete 2"]),
        (10.2, deleted(2), ["DELETE route 2 a-rmr"]),
        (10.3, routed, ["erase e2 1"]),
        (10.3, routed, ["erase e2 2"]),
        (10.4, saved, []),
        (10.5, saved, ["erase rest r1"]),
    )
    assert script.node.idle


def test_lost_in_the_middle() -> None:
    script = leaving()
    script.play(
        (10.1, e.NodeLost(""), ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["erase e2 1"]),
        (10.3, saved, ["erase rest r1"]),
    )
    assert script.node.idle
    assert script.finished()[-1] == ("delete", "e2_down")


def test_at_a_node_that_is_down_no_message_is_sent() -> None:
    script = Script(Controls(on_e2_loss=OnE2Loss.RESTORE))
    script.subscribed()
    script.step(5.0, e.NodeLost(""))
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (10.0, saved, ["204", "DELETE route 1 a-rmr"]),
        (10.1, routed, ["erase e2 1"]),
        (10.2, saved, ["erase rest r1"]),
    )


def test_every_kind_of_subscription_goes_the_same_way() -> None:
    for kind in ActionType:
        script = Script()
        script.subscribed(replace(request(), details=(Detail(1, content(kind=kind)),)))
        script.play(
            (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
            (10.0, saved, ["204", "delete 1"]),
            (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
            (10.2, routed, ["erase e2 1"]),
            (10.3, saved, ["erase rest r1"]),
        )
        assert script.node.idle, kind
        assert sum(isinstance(x, c.EraseE2) for x in script.all) == 1


def test_a_plain_delete_feeds_and_arms_only_what_has_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Withdrawal: start, saved. Delete: start, answered by the node, route gone, record gone."""
    script = Script()
    script.subscribed()
    counts = counted_steps(monkeypatch)
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (10.0, saved, ["204", "delete 1"]),
        (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["erase e2 1"]),
        (10.3, saved, ["erase rest r1"]),
    )
    assert counts == {"feeds": 6, "timers": 4}


# --- the same, with everything round the node


@pytest.mark.parametrize("lost", [1, 2])
def test_deletes_are_sent_again(world: World, lost: int) -> None:
    """The second send is answered; or none is: ours is gone, the id waits, one more at the next connection."""
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    for _ in range(lost):
        world.node_next("lose")
        world.advance(2.1)
    world.settle()
    deletes = sent(world, m.SubscriptionDeleteRequest)
    assert [d.resend for d in deletes] == [False, True]
    if lost == 2:
        assert 1 in world.at_node and world.node.removals.get(1) is not None
        world.connect()
        finish(world)
        assert len(sent(world, m.SubscriptionDeleteRequest)) == 3
    assert not world.at_node and not world.node.subscriptions.e2


def test_a_delete_that_is_refused_ends_there(world: World) -> None:
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    world.at_node.clear()
    world.node_next("refuse")
    world.answer_next()
    finish(world)
    assert len(sent(world, m.SubscriptionDeleteRequest)) == 1


def test_a_delete_that_cannot_be_encoded_leaves_nothing_of_ours(world: World) -> None:
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    step = world.to_node.pop().step
    world.event(e.EncodeFailed(step, "no"))
    world.settle()
    assert not world.node.subscriptions.e2 and not world.routes and not world.store.rest


@pytest.mark.parametrize("policy", list(OnE2Loss))
def test_a_break_during_a_delete_ends_it(policy: OnE2Loss) -> None:
    world = World(Controls(on_e2_loss=policy))
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    world.lose()
    finish(world)
    assert not world.node.subscriptions.rest and not world.routes


def test_a_delete_at_a_silent_node_holds_up_nobody() -> None:
    script = Script(Controls(silent_nodes=("gnb_001_*",)))
    script.subscribed(request(Detail(1, content()), Detail(2, content(b"\x09"))))
    script.play(
        (1.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 2=2 deleted"]),
        (1.0, saved, ["204", "delete 1", "delete 2"]),
        (3.0, TIME, ["delete 1 again", "delete 2 again"]),
        (5.0, TIME, ["DELETE route 1 a-rmr", "DELETE route 2 a-rmr"]),
    )
