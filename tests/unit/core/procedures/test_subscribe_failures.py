# SPDX-License-Identifier: Apache-2.0
"""Subscribe procedure: the Routing Manager, the database, the pool of ids or the E2 connection fails it."""

from __future__ import annotations

import pytest
from support.core.charts import asked, undone
from support.core.observing import finish, outcomes, sent
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    deleted,
    post,
    route_failed,
    routed,
    save_failed,
    save_unknown,
    saved,
    sent_201,
)
from support.core.world import MEID, World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.errors import Source, TimeoutType
from submgr.core.failures import NO_INSTANCE_ID
from submgr.core.model import Detail
from submgr.e2ap import messages as m

ROUTE_FAILURES = [
    (route_failed(message="503 overloaded"), "RTMGR RTMGR route create failure: 503 overloaded", False),
    (
        route_failed(e.RouteFailureKind.UNREACHABLE, "connection refused"),
        "RTMGR RTMGR route create failure: connection refused",
        False,
    ),
    (
        route_failed(e.RouteFailureKind.BROKEN, "connection closed"),
        "RTMGR RTMGR route create failure: connection closed",
        True,
    ),
    (
        route_failed(e.RouteFailureKind.TIMEOUT, "no answer in 2 s"),
        "RTMGR RTMGR-Timeout RTMGR route create timeout: no answer in 2 s",
        True,
    ),
]


@pytest.mark.parametrize(("event", "words", "maybe"), ROUTE_FAILURES, ids=["refused", "unreachable", "broken", "late"])
def test_no_route(event, words: str, maybe: bool) -> None:
    """The node is never asked; a route that may have been made all the same is removed."""
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
    )
    undo = "DELETE route 1 a-rmr" if maybe else "erase e2 1"
    script.play((1.0, event, [f"tell r1/1 failed: {words}", "save rest r1 (later)", undo]))
    if maybe:
        script.play((1.1, routed, ["erase e2 1"]))
    script.play((1.2, saved, []))
    undone(script, 1.2)
    assert script.finished() == [("subscribe", "route_failed"), ("undo", "success")]


def test_a_routing_manager_port_that_never_says_anything() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (
            4.0,
            TIME,
            [
                "tell r1/1 failed: RTMGR RTMGR-Timeout RTMGR route create timeout: no answer",
                "save rest r1 (later)",
                "DELETE route 1 a-rmr",
            ],
        ),
        (4.1, routed, []),  # the answer to the POST, too late
        (4.2, routed, ["erase e2 1"]),
        (4.3, saved, []),
    )
    undone(script, 4.3)


def test_nothing_is_sent_when_saving_fails() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.1, save_failed, ["tell r1/1 failed: DBAAS MISCONF disk full", "save rest r1 (later)"]),
    )
    undone(script, 0.1)
    assert not any(isinstance(x, c.SendToE2 | c.CreateRoute) for x in script.all)


def test_a_write_whose_outcome_is_unknown_is_erased_before_the_id_is_free() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (
            2.0,
            save_unknown,
            [
                "tell r1/1 failed: DBAAS DBAAS-Timeout database write timeout after 2 s",
                "save rest r1 (later)",
                "erase e2 1",
            ],
        ),
    )
    assert script.registry.ids.owner(1) == MEID
    script.play((3.0, saved, []))
    undone(script, 3.0)


def test_a_store_port_that_never_says_anything() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
    )
    lines = script.step(4.0, TIME)
    assert lines[0] == "tell r1/1 failed: DBAAS DBAAS-Timeout database write timeout: no answer"
    assert lines[-1] == "erase e2 1"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (save_failed, "DBAAS MISCONF disk full"),
        (save_unknown, "DBAAS DBAAS-Timeout database write timeout after 2 s"),
    ],
    ids=["failed", "unknown"],
)
def test_what_cannot_be_kept_is_undone_everywhere(how, words: str) -> None:
    script = asked()
    script.play(
        (0.1, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.2, how, [f"tell r1/1 failed: {words}", "save rest r1 (later)", "save e2 1 uncompleted r1/1?"]),
        (0.3, saved, ["delete 1"]),
        (0.4, deleted(1), ["DELETE route 1 a-rmr"]),
        (0.5, routed, ["erase e2 1"]),
        (0.6, saved, []),
    )
    undone(script, 0.6)


def test_no_instance_id_left() -> None:
    script = Script()
    for _ in range(65534):
        script.registry.ids.allocate("another")
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (
            0.0,
            sent_201,
            ["tell r1/1 failed: SUBMGR no free E2 instance id: all 65534 are in use", "save rest r1 (later)"],
        ),
    )


def test_lost_while_saving() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
    )
    lines = script.step(0.1, e.NodeLost("under reset"))
    assert lines[0] == "tell r1/1 failed: E2Node E2 interface down: under reset"
    assert "erase e2 1" in lines


@pytest.mark.parametrize("reason", ["", "under reset"])
def test_lost_while_the_node_is_asked(reason: str) -> None:
    """A node that is gone needs no delete; what it has it forgets."""
    script = asked()
    words = "E2 interface down" + (f": {reason}" if reason else "")
    lines = script.step(1.0, e.NodeLost(reason))
    assert lines[:2] == [f"tell r1/1 failed: E2Node {words}", "save rest r1 (later)"]
    assert not any(line.startswith(("delete", "subscribe")) for line in lines)
    assert script.finished()[0] == ("subscribe", "e2_down")


def test_lost_before_the_completed_record_is_written() -> None:
    script = asked()
    script.step(0.1, admitted(1))
    lines = script.step(0.2, e.NodeLost(""))
    assert lines[0] == "tell r1/1 failed: E2Node E2 interface down"
    assert not any(isinstance(x, c.SendToE2) for x in script.commands)


# --- the same, with everything round the node


@pytest.mark.parametrize("how", ["refused", "timeout", "unreachable", "broken"])
def test_route_create_that_fails_leaves_nothing(world: World, how: str) -> None:
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next(how)
    assert outcomes(world) == [(1, 0, Source.RTMGR)]
    timeout = world.told[0].failure.timeout  # type: ignore[union-attr]
    assert timeout == (TimeoutType.RTMGR if how == "timeout" else None)
    finish(world)
    assert not world.routes and not world.node.subscriptions.e2 and not sent(world, m.SubscriptionRequest)


def test_no_id_left_is_told() -> None:
    world = World()
    world.registry.ids._fresh = 65534
    world.subscribed(request(Detail(1, content(b"\1")), Detail(2, content(b"\2"))))
    assert sorted(outcomes(world), key=str) == [(1, 65534, None), (2, 0, Source.SUBMGR)]
    finish(world)


def test_without_a_free_id_each_detail_is_told_so_and_the_next_one_that_is_freed_is_used() -> None:
    world = World()
    known = world.subscribed(request())
    while world.registry.ids.allocate("another") is not None:
        pass
    world.subscribed(request(*(Detail(n, content(bytes([n]))) for n in (7, 8)), host="b-http"))
    failed = [note for note in world.told if note.failure is not None]
    assert [note.failure for note in failed] == [NO_INSTANCE_ID, NO_INSTANCE_ID]
    assert not world.node.procedures_running and world.registry.quota.total() == 0
    shared = world.subscribed(request(host="c-http"))
    assert world.told[-1].instance_id == 1, "a merge needs none"
    for subscription_id in (known, shared):
        world.delete(subscription_id)
        world.settle()
    world.subscribed(request(Detail(9, content(b"\x09")), host="d-http"))
    assert world.told[-1].instance_id == 1
