# SPDX-License-Identifier: Apache-2.0
"""Several xApps ask for, or leave, one content at the same time."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace
from support.core.charts import TO_B, XAPP_B, merging, with_one
from support.core.observing import finish, one_step, outcomes, route_commands, sent
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    deleted,
    post,
    refused,
    routed,
    saved,
    sent_201,
)
from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.errors import Source
from submgr.core.model import Detail
from submgr.e2ap import messages as m

A, B = "service-ricxapp-a-http", "service-ricxapp-b-http"


def both_at_once() -> Script:
    """Two equal requests of two xApps, the first one being worked on; at 0 s."""
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, post(TO_B), ["save rest r2 ongoing"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (0.0, saved, ["201 r2"]),
        (0.0, sent_201, []),
        (0.0, routed, ["subscribe 1"]),
    )
    return script


def test_the_second_of_two_at_once_waits_and_then_merges() -> None:
    script = both_at_once()
    script.play(
        (0.1, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.2, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)", "save e2 1 completed r1/1? r2/1?"]),
        (0.3, saved, ["PUT route 1 a-rmr b-rmr"]),
        (0.4, routed, ["tell r2/1 = 1", "save rest r2 1=1 (later)"]),
    )


def test_at_once_and_the_node_refuses_the_first() -> None:
    script = both_at_once()
    lines = script.step(0.1, refused(1))
    assert lines[0].startswith("tell r1/1 failed: E2Node RICSubscriptionFailure.")
    script.play(
        (0.2, routed, ["erase e2 1"]),
        (0.3, saved, ["save e2 2 uncompleted r2/1?"]),
    )


def test_at_once_and_the_node_is_silent() -> None:
    """Both are asked for, one after the other, and both are told."""
    script = both_at_once()
    script.play((2.0, TIME, ["subscribe 1 again"]))
    lines = script.step(4.0, TIME)
    assert lines[0].startswith("tell r1/1 failed: SUBMGR E2-Timeout") and lines[-1] == "delete 1"
    script.play(
        (4.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (4.2, routed, ["erase e2 1"]),
        (4.3, saved, ["save e2 2 uncompleted r2/1?"]),
        (4.4, saved, ["POST route 2 b-rmr"]),
        (4.5, routed, ["subscribe 2"]),
        (6.5, TIME, ["subscribe 2 again"]),
    )
    lines = script.step(8.5, TIME)
    assert lines[0].startswith("tell r2/1 failed: SUBMGR E2-Timeout") and lines[-1] == "delete 2"


def test_three_posts_while_a_route_update_is_slow() -> None:
    """A merge holds neither the node nor other contents; only what concerns the same subscription waits for it."""
    script = with_one()
    merging(script)
    third = replace(request(host="service-ricxapp-c-http"))
    other = replace(request(host=XAPP_B), details=(Detail(5, content(b"\x77")),))
    again = replace(TO_B)
    script.play(
        (1.0, saved, ["PUT route 1 a-rmr b-rmr"]),
        # another content of the same xApp goes to the node at once
        (1.1, post(other), ["save rest r3 ongoing"]),
        (1.1, saved, ["201 r3"]),
        (1.1, sent_201, ["save e2 2 uncompleted r3/5?"]),
        # a third xApp with the same content is answered, and waits for the routes only
        (1.2, post(third), ["save rest r4 ongoing"]),
    )
    assert script.step(1.2, e.Saved(script.writes.pop())) == ["201 r4"]
    script.play(
        (1.2, sent_201, []),
        # the second xApp repeats itself
        (1.3, post(again), ["201 r2"]),
        (1.4, routed, ["tell r2/1 = 1", "save rest r2 1=1 (later)", "save e2 1 completed r1/1 r2/1? r4/1?"]),
    )


def test_a_merge_does_not_wait_for_the_node() -> None:
    """While the node is busy with another subscription, a merge goes on."""
    script = with_one()
    script.play(
        (1.0, post(replace(request(), details=(Detail(9, content(b"\x09")),))), ["save rest r2 ongoing"]),
        (1.0, saved, ["201 r2"]),
        (1.0, sent_201, ["save e2 2 uncompleted r2/9?"]),
        (1.0, saved, ["POST route 2 a-rmr"]),
        (1.0, routed, ["subscribe 2"]),
        (1.1, post(TO_B), ["save rest r3 ongoing"]),
        (1.1, saved, ["201 r3"]),
        (1.1, sent_201, ["save e2 1 completed r1/1 r3/1?"]),
        (1.2, saved, ["PUT route 1 a-rmr b-rmr"]),
        (1.3, routed, ["tell r3/1 = 1", "save rest r3 1=1 (later)"]),
    )


@pytest.mark.parametrize("seed", range(4))
def test_two_xapps_that_fight_leave_nothing_behind(seed: int) -> None:
    """One content; each subscribes and deletes as it likes, a thousand times in random order."""
    rng = random.Random(seed)
    world = World()
    ids: dict[str, list[str]] = {"a": [], "b": []}
    acts = [
        lambda: world.writes and world.write_next(),
        lambda: world.route_calls and world.route_next(),
        lambda: world.to_node and world.node_next(),
        lambda: world.from_node and world.answer_next(),
        lambda: world.notifications and world.notify_next(),
    ]
    for _ in range(1000):
        xapp = rng.choice("ab")
        if ids[xapp] and rng.random() < 0.5:
            world.delete(ids[xapp].pop(rng.randrange(len(ids[xapp]))))
        else:
            token = world.post(replace(request(host=f"service-ricxapp-{xapp}-http"), details=(Detail(1, content()),)))
            answer = world.answers.get(token)
            for _ in range(50):
                if answer is not None:
                    break
                world.write_next()
                answer = world.answers.get(token)
            assert isinstance(answer, c.Accept)
            if answer.subscription_id not in ids[xapp]:
                ids[xapp].append(answer.subscription_id)
        while world.to_answer:
            world.answered(world.to_answer[0])
        for _ in range(rng.randrange(8)):
            rng.choice(acts)()
    world.settle()
    world.check_quiet()
    holding = [i for xapp in ids.values() for i in xapp]
    assert sorted(holding) == sorted(world.node.subscriptions.rest)
    assert len(world.at_node) == (1 if holding else 0)
    for subscription_id in holding:
        world.delete(subscription_id)
    world.settle()
    world.check_quiet()
    assert not world.at_node and not world.routes and not world.store.rest and world.node.idle


def test_two_xapps_at_once_are_one_subscription(world: World) -> None:
    for host in (A, B):
        world.post(request(host=host))
    world.settle()
    assert [number for _, number, _ in outcomes(world)] == [1, 1]
    assert len(sent(world, m.SubscriptionRequest)) == 1
    assert route_commands(world) == ["CreateRoute", "UpdateRoute"]
    world.check_quiet()


@pytest.mark.parametrize("silent", [False, True])
def test_two_xapps_at_once_when_the_node_says_no_or_nothing(world: World, silent: bool) -> None:
    """The second does not inherit the failure of the first: it asks for itself."""
    for host in (A, B):
        world.post(request(host=host))
    world.write_next()
    world.write_next()
    world.answered(1)
    world.answered(2)
    world.write_next()
    world.route_next()
    if silent:
        world.node_next("lose")
        world.advance(2.1)
        world.node_next("lose")
        world.advance(2.1)
        assert outcomes(world) == [(1, 0, Source.SUBMGR)]
    else:
        world.node_next("refuse")
        world.answer_next()
        assert outcomes(world) == [(1, 0, Source.E2NODE)]
    world.settle()
    assert [source for _, _, source in outcomes(world)][1:] == [None]
    world.check_quiet()


def test_two_that_fight_over_one_content(world: World) -> None:
    """One deletes while the other subscribes, a thousand times in random order."""
    rng = random.Random(4)
    ids: dict[str, str] = {}
    for _ in range(1000):
        host = rng.choice((A, B))
        if host in ids and rng.random() < 0.5:
            world.delete(ids.pop(host))
        else:
            token = world.post(request(host=host))
            while token not in world.answers:
                world.write_next()
            answer = world.answers[token]
            assert isinstance(answer, c.Accept), answer
            ids[host] = answer.subscription_id
        for _ in range(rng.randint(0, 6)):
            one_step(world, rng)
    finish(world)
    assert set(world.node.subscriptions.rest) == set(ids.values())
    for left in list(world.node.subscriptions.rest):
        world.delete(left)
    finish(world)
    assert not world.at_node and not world.routes and not world.store.rest and not world.store.e2


def test_three_requests_while_a_merge_waits_for_its_route(world: World) -> None:
    world.subscribed(request(host=A))
    world.post(request(host=B))
    for n in (3, 4, 5):
        world.post(request(Detail(n, content(bytes([n]))), host=A))
    while world.writes or world.to_answer:
        if world.to_answer:
            world.answered(world.to_answer[0])
        else:
            world.write_next()
    slow = next(i for i, call in enumerate(world.route_calls) if isinstance(call, c.UpdateRoute))
    waiting = world.route_calls.pop(slow)
    for _ in range(3):
        while world.writes:
            world.write_next()
        world.route_next()
        world.node_next()
        world.answer_next()
    while world.writes:
        world.write_next()
    assert {xei for xei, number, _ in outcomes(world) if number} == {1, 3, 4, 5}
    world.route_calls.append(waiting)
    finish(world)
