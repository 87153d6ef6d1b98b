# SPDX-License-Identifier: Apache-2.0
"""The E2 connection breaks and comes back: what becomes of the established subscriptions (`onE2Loss`)."""

from __future__ import annotations

import random

import pytest
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete,
    deleted,
    over_rmr,
    post,
    refused,
    routed,
    save_failed,
    saved,
    sent_201,
    unencodable,
)
from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.model import Detail

DROP, NOTIFY, RESTORE = (Controls(on_e2_loss=policy) for policy in OnE2Loss)
LOST = e.NodeLost("")
UP = e.NodeConnected()
DOWN = "E2Node E2 interface down"


def established(controls: Controls) -> Script:
    script = Script(controls)
    script.subscribed()
    return script


# --- drop, notify


@pytest.mark.parametrize(
    ("controls", "told"), [(DROP, []), (NOTIFY, [f"tell r1/1 failed: {DOWN}"])], ids=["drop", "notify"]
)
def test_gone_without_a_word_to_the_node(controls: Controls, told: list[str]) -> None:
    script = established(controls)
    lines = script.step(1.0, LOST)
    assert lines == [*told, "save rest r1 1=1 deleted (later)", "save e2 1 uncompleted r1/1"]
    script.play(
        (1.0, saved, ["DELETE route 1 a-rmr"]),
        (1.1, routed, ["erase e2 1"]),
        (1.2, saved, ["erase rest r1"]),
    )
    assert script.node.idle
    assert script.registry.ids.in_use() == 0
    assert sum(isinstance(x, c.SendToE2) for x in script.all) == 1


@pytest.mark.parametrize("controls", [DROP, NOTIFY], ids=["drop", "notify"])
def test_the_old_id_is_not_known_any_more(controls: Controls) -> None:
    script = established(controls)
    script.step(1.0, LOST)
    script.step(1.1, UP)
    script.play((1.2, post(subscription_id="r1"), ["404"]))
    assert script.registry.meids == {}


def test_of_a_shared_one_each_holder_is_told_and_each_route_goes() -> None:
    script = established(NOTIFY)
    script.subscribed(request(host="service-ricxapp-b-http"))
    lines = script.step(1.0, LOST)
    assert [line for line in lines if line.startswith("tell")] == [
        f"tell r1/1 failed: {DOWN}",
        f"tell r2/1 failed: {DOWN}",
    ]
    script.play(
        (1.0, saved, ["DELETE route 1 a-rmr"]),
        (1.1, routed, ["DELETE route 1 b-rmr"]),
        (1.2, routed, ["erase e2 1"]),
    )


def test_what_waits_is_told_and_does_not_start() -> None:
    details = tuple(Detail(n, content(bytes([n]))) for n in (1, 2, 3))
    script = Script(DROP)
    script.step(0.0, post(request(*details)))
    script.step(0.0, saved)
    script.play((0.0, sent_201, ["save e2 1 uncompleted r1/1?"]))
    lines = script.step(0.1, e.NodeLost("under reset"))
    assert [line for line in lines if line.startswith("tell")] == [
        f"tell r1/{n} failed: {DOWN}: under reset" for n in (1, 2, 3)
    ]


@pytest.mark.parametrize("controls", [DROP, NOTIFY, RESTORE], ids=["drop", "notify", "restore"])
def test_a_request_answered_201_while_it_is_down_is_told(controls: Controls) -> None:
    script = Script(controls)
    script.step(0.0, post())
    script.step(0.0, saved)
    script.step(0.1, e.NodeLost("under reset"))
    lines = script.step(0.2, sent_201)
    assert lines[0] == f"tell r1/1 failed: {DOWN}: under reset"


def test_told_twice_that_it_is_down() -> None:
    script = established(DROP)
    script.step(1.0, LOST)
    script.play((1.1, LOST, []), (1.2, e.NodeLost("under reset"), []))


@pytest.mark.parametrize("controls", [DROP, NOTIFY], ids=["drop", "notify"])
def test_told_that_it_is_up_when_it_was(controls: Controls) -> None:
    script = established(controls)
    script.play((1.0, UP, []))
    assert list(script.node.subscriptions.e2) == [1]


def test_an_xapp_over_rmr_is_gone_too() -> None:
    script = Script(DROP)
    script.play(
        (0.0, over_rmr(50), ["save e2 1 uncompleted rmr/7?"]),
        (0.0, saved, ["POST route 1 old-rmr"]),
        (0.0, routed, ["subscribe 1"]),
        (0.0, admitted(1), ["save e2 1 completed rmr/7?"]),
    )
    script.step(0.0, saved)
    script.play(
        (1.0, LOST, ["save e2 1 uncompleted rmr/7"]),
        (1.0, saved, ["DELETE route 1 old-rmr"]),
        (1.1, routed, ["erase e2 1"]),
        (1.2, saved, []),
    )
    assert script.node.idle


def test_a_subscription_after_the_break() -> None:
    script = established(DROP)
    script.step(1.0, LOST)
    script.step(1.0, saved)
    script.step(1.0, routed)
    script.step(1.0, saved)
    script.step(2.0, UP)
    script.play(
        (3.0, post(), ["save rest r2 ongoing"]),
        (3.0, saved, ["201 r2"]),
        (3.0, sent_201, ["save e2 2 uncompleted r2/1?"]),
    )


# --- restore


def broken() -> Script:
    script = established(RESTORE)
    script.play((1.0, LOST, ["save e2 1 completed to restore r1/1 (later)"]))
    return script


def test_restored_with_its_own_id_and_nobody_hears() -> None:
    script = broken()
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (2.1, admitted(1), ["save e2 1 completed r1/1 (later)"]),
    )
    assert script.last_send.message.request_id.instance == 1
    assert script.last_send.resend is False
    assert script.finished()[-1] == ("resubscribe", "success")
    assert list(script.node.subscriptions.rest) == ["r1"]


def test_several_are_restored_one_at_a_time() -> None:
    script = established(RESTORE)
    script.subscribed(request(Detail(1, content(b"\x09"))))
    script.step(1.0, LOST)
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (2.1, admitted(1), ["save e2 1 completed r1/1 (later)", "subscribe 2"]),
        (2.2, admitted(2), ["save e2 2 completed r2/1 (later)"]),
    )


def test_a_flap_that_nobody_saw_is_restored_too() -> None:
    script = established(RESTORE)
    script.play((2.0, UP, ["save e2 1 completed to restore r1/1 (later)", "subscribe 1"]))


def test_the_second_send_of_a_restore() -> None:
    script = broken()
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (4.0, TIME, ["subscribe 1 again"]),
        (4.1, admitted(1), ["save e2 1 completed r1/1 (later)"]),
    )


@pytest.mark.parametrize("how", ["refused", "silent", "unencodable"])
def test_a_restore_that_fails_is_told_and_torn_down(how: str) -> None:
    script = broken()
    script.step(2.0, UP)
    if how == "refused":
        lines = script.step(2.1, refused(1))
        words = "E2Node RICSubscriptionFailure. E2NodeCause: "
    elif how == "silent":
        script.step(4.0, TIME)
        lines = script.step(6.0, TIME)
        words = "SUBMGR E2-Timeout E2 RICSubscriptionResponse timeout"
    else:
        lines = script.step(2.1, unencodable)
        words = "ASN1 17 actions, at most 16"
    assert lines[0].startswith(f"tell r1/1 failed: {words}")
    assert lines[1:] == ["save rest r1 (later)", "save e2 1 uncompleted to restore r1/1"]
    script.play(
        (6.0, saved, ["delete 1"]),
        (6.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (6.2, routed, ["erase e2 1"]),
        (6.3, saved, []),
    )
    # the REST subscription stays until its DELETE
    assert list(script.node.subscriptions.rest) == ["r1"] and not script.node.subscriptions.e2


def test_lost_again_during_the_restore() -> None:
    script = broken()
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (2.1, LOST, []),
        (3.0, UP, ["subscribe 1"]),
        (3.1, admitted(1), ["save e2 1 completed r1/1 (later)"]),
    )
    assert not any(isinstance(x, c.Notify) and x.failure for x in script.all)


def test_a_delete_while_it_is_away() -> None:
    script = broken()
    script.play(
        (1.5, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (1.5, saved, ["204", "DELETE route 1 a-rmr"]),
        (1.6, routed, ["erase e2 1"]),
        (1.7, saved, ["erase rest r1"]),
        (2.0, UP, []),
    )
    assert script.node.idle


def test_a_delete_when_it_is_back_but_not_yet_restored() -> None:
    """Not subscribed anew for nothing."""
    script = established(RESTORE)
    script.subscribed(request(Detail(1, content(b"\x09"))))
    script.step(1.0, LOST)
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (2.1, delete("r2"), ["drop notifications r2", "save rest r2 1=2 deleted"]),
        (2.2, saved, ["204"]),
        (2.3, admitted(1), ["save e2 1 completed r1/1 (later)", "delete 2"]),
    )


def test_a_new_holder_joins_while_it_waits_for_its_restore() -> None:
    script = established(RESTORE)
    script.subscribed(request(Detail(1, content(b"\x09"))))
    script.step(1.0, LOST)
    script.step(2.0, UP)
    other = request(Detail(1, content(b"\x09")), host="service-ricxapp-b-http")
    script.play(
        (2.1, post(other), ["save rest r3 ongoing"]),
        (2.1, saved, ["201 r3"]),
        (2.1, sent_201, []),
        (2.2, admitted(1), ["save e2 1 completed r1/1 (later)", "subscribe 2"]),
        (2.3, admitted(2), ["save e2 2 completed r2/1 (later)", "save e2 2 completed r2/1 r3/1?"]),
    )


def test_the_setting_in_force_at_the_loss_decides() -> None:
    script = broken()
    script.node.controls = DROP
    script.play((2.0, UP, ["subscribe 1"]), (2.1, admitted(1), ["save e2 1 completed r1/1 (later)"]))


# --- what was not confirmed


def unconfirmed() -> Script:
    """A delete that the node never answered, at 14 s."""
    script = established(DROP)
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


# --- flapping


@pytest.mark.parametrize("policy", list(OnE2Loss))
def test_a_node_that_flaps_a_thousand_times_under_load(policy: OnE2Loss) -> None:
    rng = random.Random(policy.value)
    world = World(Controls(on_e2_loss=policy))
    acts = [
        lambda: world.writes and world.write_next(),
        lambda: world.route_calls and world.route_next(),
        lambda: world.to_node and world.node_next(),
        lambda: world.from_node and world.answer_next(),
        lambda: world.notifications and world.notify_next(),
        lambda: world.to_answer and world.answered(world.to_answer[0]),
    ]
    for n in range(1000):
        if world.up:
            detail = Detail(rng.randint(1, 2), content(bytes([n % 7])))
            world.post(request(detail, host=f"service-ricxapp-{rng.choice('ab')}-http"))
            if world.node.subscriptions.rest and rng.random() < 0.3:
                world.delete(rng.choice(list(world.node.subscriptions.rest)))
            for _ in range(rng.randrange(20)):
                rng.choice(acts)()
            world.lose()
        for _ in range(rng.randrange(10)):
            rng.choice(acts)()
        world.connect()
    world.settle()
    world.check_quiet()
    for subscription_id in list(world.node.subscriptions.rest):
        world.delete(subscription_id)
    world.settle()
    world.check_quiet()
    assert not world.at_node and not world.routes and not world.store.rest and world.node.idle


def test_a_write_that_fails_while_it_is_down() -> None:
    script = Script(DROP)
    script.step(0.0, post())
    script.step(0.1, LOST)
    script.play((0.2, save_failed, ["503", "erase rest r1"]))
    assert script.node.idle
