# SPDX-License-Identifier: Apache-2.0
"""E2 nodes that come and go in R-NIB: who is refused, what ends, what is left, for each `onE2Loss`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.processes.daemon import NODES, Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.simulators.nodes import NodeState
from submgr.simulators.rnib import CHANNEL, NAMES, node_key, nodeb_info

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

SEEN_WITHIN = 1.0
"""Seconds from an event of R-NIB to its effect."""
SLACK = 1.0
"""For a busy machine."""


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with RedisServer(durable=True) as redis, Neighbourhood(redis) as around:
        yield around


def _daemon(around: Neighbourhood, policy: str) -> Iterator[Daemon]:
    around.reset()
    with Daemon(around, controls={"onE2Loss": policy}) as daemon:
        yield daemon
        around.e2term.rules.clear()
        connect_all(around, daemon)
        for subscription_id in daemon.rests():
            daemon.unsubscribe(subscription_id)
        eventually(lambda: not daemon.rests() and around.empty() and daemon.clean())


@pytest.fixture
def daemon(around: Neighbourhood) -> Iterator[Daemon]:
    """With the default, `drop`."""
    yield from _daemon(around, "drop")


@pytest.fixture
def notifying(around: Neighbourhood) -> Iterator[Daemon]:
    yield from _daemon(around, "notify")


@pytest.fixture
def restoring(around: Neighbourhood) -> Iterator[Daemon]:
    yield from _daemon(around, "restore")


def connect_all(around: Neighbourhood, daemon: Daemon) -> None:
    for name in NODES:
        around.e2term.connect(name)
    eventually(lambda: set(NODES) <= set(connected(daemon)))


def connected(daemon: Daemon) -> list[str]:
    """Of those that every test begins with."""
    return [name for name in daemon.platform("GET", "get_all_e2nodes")[1] if name in NODES]


def seen(condition: Callable[[], object]) -> bool:
    return bool(eventually(condition, SEEN_WITHIN + SLACK))


def publish(around: Neighbourhood, payload: bytes | str) -> None:
    assert around.redis is not None
    around.redis.command("PUBLISH", CHANNEL, payload)


def record(around: Neighbourhood, name: str, state: NodeState) -> None:
    """What R-NIB has of a node, without an event."""
    assert around.redis is not None
    around.redis.command("SET", node_key(name), nodeb_info(name, state))


def subscribed(around: Neighbourhood, daemon: Daemon, *details: dict[str, Any]) -> tuple[str, int]:
    """SubscriptionId and the instance id of the first detail, at gnb_1."""
    before = len(around.xapp.instances())
    subscription_id = daemon.subscribe(around.request("gnb_1", *details))
    assert around.xapp.wait(before + max(1, len(details)))
    return subscription_id, around.xapp.instances()[before]["E2EventInstanceId"]


# --- who is refused


def test_a_node_that_is_not_there_is_refused_with_those_that_are(around: Neighbourhood, daemon: Daemon) -> None:
    before = daemon.metric("SUBMGR_RestReqRejDueE2Down")
    status, answer = daemon.post(around.request("gnb_9"))
    assert (status, answer["code"]) == (503, 503)
    assert "gnb_9" in answer["message"]
    assert all(name in answer["message"] for name in NODES), answer
    assert daemon.metric("SUBMGR_RestReqRejDueE2Down") == before + 1
    around.e2term.disconnect("gnb_2")
    assert seen(lambda: connected(daemon) == ["gnb_1", "gnb_3"])
    status, answer = daemon.post(around.request("gnb_2"))
    assert (status, "not connected" in answer["message"]) == (503, True), answer
    assert "gnb_1, gnb_3" in answer["message"]
    around.e2term.reset_node("gnb_1")
    assert seen(lambda: connected(daemon) == ["gnb_3"])
    status, answer = daemon.post(around.request("gnb_1"))
    assert (status, "under reset" in answer["message"]) == (503, True), answer
    around.e2term.connect("gnb_1")
    assert seen(lambda: daemon.post(around.request("gnb_1"))[0] == 201)
    assert around.e2term.received[12010] <= 1


def test_several_events_in_one_message_and_some_that_tell_nothing(around: Neighbourhood, daemon: Daemon) -> None:
    for payload in ("gnb_3_CONNECTED_SETUP_FAILED", "gnb_3", "_DISCONNECTED", "", b"\xff\xfe___\x00", "gnb_3_GONE"):
        publish(around, payload)
    record(around, "gnb_1", NodeState.DISCONNECTED)
    record(around, "gnb_2", NodeState.UNDER_RESET)
    down, reset = (daemon.metric(f"SUBMGR_E2StateChangedTo{state}") for state in ("Down", "UnderReset"))
    publish(around, "gnb_1_DISCONNECTED___gnb_2_UNDER_RESET___gnb_3_NONSENSE")
    assert seen(lambda: connected(daemon) == ["gnb_3"])
    assert daemon.metric("SUBMGR_E2StateChangedToDown") == down + 1
    assert daemon.metric("SUBMGR_E2StateChangedToUnderReset") == reset + 1


def test_a_change_missed_while_the_subscription_was_cut_is_seen(around: Neighbourhood, daemon: Daemon) -> None:
    """No event comes of it: only reading everything again after the reconnect can find it."""
    assert around.redis is not None
    record(around, "gnb_2", NodeState.DISCONNECTED)
    around.redis.command("CLIENT", "KILL", "TYPE", "pubsub")
    eventually(lambda: connected(daemon) == ["gnb_1", "gnb_3"], 10.0)
    around.redis.restart()
    eventually(lambda: daemon.is_ready() and connected(daemon) == ["gnb_1", "gnb_3"])
    assert around.rnib is not None
    around.rnib.stop()
    around.rnib.start()

    def told() -> bool:
        around.e2term.connect("gnb_2")
        return seen(lambda: "gnb_2" in connected(daemon))

    eventually(told, what="events are heard again")


def test_garbage_in_rnib_hurts_nobody(around: Neighbourhood) -> None:
    assert around.redis is not None
    garbage = [b"\xff" * 40, b"\x0a\x7fshort", b"\x08\x01", b""]
    around.reset()
    around.redis.command("SADD", NAMES, *garbage)
    around.redis.command("SET", node_key("gnb_2"), b"\x0a\xff\xff\xff\xff\x7f")
    try:
        with Daemon(around) as daemon:
            assert connected(daemon) == ["gnb_1", "gnb_3"]
            assert daemon.post(around.request("gnb_2"))[0] == 503
            subscription_id, _ = subscribed(around, daemon)
            daemon.unsubscribe(subscription_id)
            eventually(lambda: around.empty() and daemon.clean())
            around.e2term.connect("gnb_2")
            assert seen(lambda: "gnb_2" in connected(daemon))
    finally:
        around.redis.command("SREM", NAMES, *garbage)
        around.e2term.connect("gnb_2")


def test_every_node_counts_as_up_when_nobody_checks(around: Neighbourhood) -> None:
    around.reset()
    with Daemon(around, controls={"checkE2State": "false"}) as daemon:
        around.e2term.connect("gnb_5")
        record(around, "gnb_5", NodeState.DISCONNECTED)
        publish(around, "gnb_5_DISCONNECTED")
        subscription_id = daemon.subscribe(around.request("gnb_5"))
        assert around.xapp.wait(1)
        assert around.xapp.instances()[0]["ErrorCause"] == ""
        daemon.unsubscribe(subscription_id)
        eventually(lambda: around.empty() and daemon.clean())


# --- what ends, and what is left


@pytest.mark.parametrize("state", [NodeState.DISCONNECTED, NodeState.UNDER_RESET], ids=lambda state: state.value)
def test_a_running_procedure_ends(around: Neighbourhood, daemon: Daemon, state: NodeState) -> None:
    """Also those that wait behind it; told within a second of the event, long before any timer."""
    around.node_does(silent="answer")
    wanted = around.request("gnb_1", detail(1, [1]), detail(2, [2]))
    wanted["E2SubscriptionDirectives"] = {"E2TimeoutTimerValue": 10, "RMRRoutingNeeded": True}
    daemon.subscribe(wanted)
    eventually(lambda: around.e2term.received[12010] == 1)
    begin = time.monotonic()
    if state is NodeState.DISCONNECTED:
        around.e2term.disconnect("gnb_1")
    else:
        around.e2term.reset_node("gnb_1")
    assert around.xapp.wait(2)
    assert time.monotonic() - begin < SEEN_WITHIN + SLACK
    for told in around.xapp.instances():
        assert told["E2EventInstanceId"] == 0
        assert told["ErrorSource"] == "E2Node"
        assert told["ErrorCause"].startswith("E2 interface down")
        assert "TimeoutType" not in told
    eventually(lambda: not around.rtmgr.routes and not daemon.stored()["submgr_e2SubsDb"])
    assert around.e2term.received[12020] == 0


def test_dropped(around: Neighbourhood, daemon: Daemon) -> None:
    """Routes and records go, no E2 message, nobody is told; the id is not known any more."""
    subscription_id, _ = subscribed(around, daemon, detail(1), detail(2, [2]))
    other = daemon.subscribe(around.request("gnb_2", detail(3, [3])))
    assert around.xapp.wait(3)
    around.e2term.disconnect("gnb_1")
    assert seen(lambda: set(daemon.rests()) == {other})
    eventually(lambda: len(around.rtmgr.routes) == 1 and len(daemon.stored()["submgr_e2SubsDb"]) == 1)
    assert set(daemon.stored()["submgr_restSubsDb"]) == {other}
    around.e2term.connect("gnb_1")
    assert seen(lambda: "gnb_1" in connected(daemon))
    assert daemon.post({**around.request(), "SubscriptionId": subscription_id})[0] == 404
    assert daemon.xapp("DELETE", f"/{subscription_id}")[0] == 204
    assert len(around.xapp.notifications) == 3
    assert around.e2term.received[12020] == 0
    assert around.holds("gnb_2")
    assert around.rtmgr.surprises == []


def test_dropped_and_told(around: Neighbourhood, notifying: Daemon) -> None:
    """Each holder of a merged one is told, under its own ids."""
    first, number = subscribed(around, notifying, detail(1))
    second, same = subscribed(around, notifying, detail(2))
    assert number == same
    around.e2term.disconnect("gnb_1")
    assert around.xapp.wait(4)
    told = [item.body for item in around.xapp.notifications[2:]]
    assert {(body["SubscriptionId"], body["SubscriptionInstances"][0]["XappEventInstanceId"]) for body in told} == {
        (first, 1),
        (second, 2),
    }
    for body in told:
        (instance,) = body["SubscriptionInstances"]
        assert (instance["E2EventInstanceId"], instance["ErrorSource"]) == (0, "E2Node")
        assert instance["ErrorCause"] == "E2 interface down"
    eventually(lambda: not notifying.rests() and not around.rtmgr.routes and notifying.clean())
    assert around.e2term.received[12020] == 0


def test_restored(around: Neighbourhood, restoring: Daemon) -> None:
    """The same instance id, routes and records stay, holders hear nothing; a DELETE meanwhile just removes it."""
    kept, number = subscribed(around, restoring, detail(1))
    left, other = subscribed(around, restoring, detail(2, [2]))
    requests = len(around.rtmgr.log.entries(event="received"))
    around.e2term.disconnect("gnb_1")
    assert seen(lambda: "gnb_1" not in connected(restoring))
    assert restoring.post(around.request("gnb_1", detail(3, [3])))[0] == 503
    assert set(around.rtmgr.routes) == {number, other}
    assert set(restoring.stored()["submgr_e2SubsDb"]) == {str(number), str(other)}
    restoring.unsubscribe(left)
    eventually(lambda: set(around.rtmgr.routes) == {number})
    around.e2term.connect("gnb_1")
    eventually(lambda: around.holds() == {number})
    assert around.e2term.nodes["gnb_1"].subscriptions[number].trigger == bytes([1, 2, 3])
    eventually(lambda: not restoring.stored()["submgr_e2SubsDb"][str(number)].get("RestorePending"))
    assert len(around.xapp.notifications) == 2
    assert around.e2term.received[12020] == 0
    changes = around.rtmgr.log.entries(event="received")[requests:]
    assert [(entry["method"], entry["instance"]) for entry in changes] == [("DELETE", other)]
    restoring.unsubscribe(kept)
    eventually(lambda: around.empty() and restoring.clean())


def test_a_restore_that_fails_is_told(around: Neighbourhood, restoring: Daemon) -> None:
    subscription_id, number = subscribed(around, restoring, detail(1))
    around.e2term.disconnect("gnb_1")
    assert seen(lambda: "gnb_1" not in connected(restoring))
    around.node_does(procedure="subscribe", refuse="ricRequest: function-resource-limit")
    around.e2term.connect("gnb_1")
    assert around.xapp.wait(2)
    body = around.xapp.notifications[1].body
    assert body["SubscriptionId"] == subscription_id
    (instance,) = body["SubscriptionInstances"]
    assert (instance["XappEventInstanceId"], instance["E2EventInstanceId"]) == (1, 0)
    assert instance["ErrorSource"] == "E2Node"
    assert instance["ErrorCause"].startswith("RICSubscriptionFailure. E2NodeCause: ricRequest")
    eventually(lambda: number not in around.rtmgr.routes and not restoring.stored()["submgr_e2SubsDb"])


def test_a_restart_while_the_node_is_away_restores_too(around: Neighbourhood, restoring: Daemon) -> None:
    _, number = subscribed(around, restoring, detail(1))
    around.e2term.disconnect("gnb_1")
    eventually(lambda: restoring.stored()["submgr_e2SubsDb"][str(number)].get("RestorePending"))
    restoring.kill()
    restoring.start()
    assert set(restoring.stored()["submgr_e2SubsDb"]) == {str(number)}
    assert number in around.rtmgr.routes
    around.e2term.connect("gnb_1")
    eventually(lambda: around.holds() == {number})
    assert len(around.xapp.notifications) == 1


def test_an_unconfirmed_delete_is_sent_again_when_the_node_is_back(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id, number = subscribed(around, daemon, detail(1))
    around.node_does(procedure="delete", silent="request", count=2)
    daemon.unsubscribe(subscription_id)
    eventually(lambda: daemon.metric("submgr_unconfirmed_deletes") == 1)
    assert around.holds() == {number}
    publish(around, "gnb_1_CONNECTED")
    eventually(lambda: not around.holds())
    assert around.e2term.received[12020] == 3
