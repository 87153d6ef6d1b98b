# SPDX-License-Identifier: Apache-2.0
"""The E2 connection breaks and comes back: what becomes of the established subscriptions (`onE2Loss`)."""

from __future__ import annotations

import random

import pytest
from support.core.charts import DOWN, DROP, LOST, NOTIFY, RESTORE, UP, established_under, told_of
from support.core.observing import finish, one_step
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    over_rmr,
    post,
    routed,
    save_failed,
    saved,
    sent_201,
)
from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.model import Detail

A, B = "service-ricxapp-a-http", "service-ricxapp-b-http"


# --- drop, notify


@pytest.mark.parametrize(
    ("controls", "told"), [(DROP, []), (NOTIFY, [f"tell r1/1 failed: {DOWN}"])], ids=["drop", "notify"]
)
def test_gone_without_a_word_to_the_node(controls: Controls, told: list[str]) -> None:
    script = established_under(controls)
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
    script = established_under(controls)
    script.step(1.0, LOST)
    script.step(1.1, UP)
    script.play((1.2, post(subscription_id="r1"), ["404"]))
    assert script.registry.meids == {}


def test_of_a_shared_one_each_holder_is_told_and_each_route_goes() -> None:
    script = established_under(NOTIFY)
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
    script = established_under(DROP)
    script.step(1.0, LOST)
    script.play((1.1, LOST, []), (1.2, e.NodeLost("under reset"), []))


@pytest.mark.parametrize("controls", [DROP, NOTIFY], ids=["drop", "notify"])
def test_told_that_it_is_up_when_it_was(controls: Controls) -> None:
    script = established_under(controls)
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
    script = established_under(DROP)
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


def test_flapping_a_thousand_times_under_load() -> None:
    world = World(Controls(on_e2_loss=OnE2Loss.RESTORE))
    rng = random.Random(7)
    for n in range(1000):
        if world.up:
            world.post(request(Detail(n, content(bytes([n % 7]))), host=rng.choice((A, B))))
        for _ in range(rng.randint(0, 8)):
            one_step(world, rng)
        if rng.random() < 0.5:
            world.lose()
        else:
            world.connect()
    world.connect()
    finish(world)
    for left in list(world.node.subscriptions.rest):
        world.delete(left)
    finish(world)
    assert world.node.idle


def test_a_drop_is_told_when_it_shall_be() -> None:
    assert told_of(e.NodeLost(""), Controls()) == []
    (line,) = told_of(e.NodeLost(""), Controls(tell_loss=True))
    assert "E2 interface down" in line


def test_a_node_that_came_back_has_a_moment_before_it_is_asked_anew() -> None:
    script = Script(Controls(on_e2_loss=OnE2Loss.RESTORE, restore_delay=0.5))
    script.subscribed()
    script.step(1.0, e.NodeLost(""))
    assert "subscribe 1" not in script.step(2.0, e.NodeConnected())
    script.play((2.5, TIME, ["subscribe 1"]))


def test_a_node_lost_again_within_the_moment_is_not_asked() -> None:
    script = Script(Controls(on_e2_loss=OnE2Loss.RESTORE, restore_delay=0.5))
    script.subscribed()
    script.step(1.0, e.NodeLost(""))
    script.step(2.0, e.NodeConnected())
    script.step(2.2, e.NodeLost(""))
    script.play((2.5, TIME, []))
