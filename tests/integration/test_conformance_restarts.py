# SPDX-License-Identifier: Apache-2.0
"""The process ends in the middle of each procedure, by a kill or a stop, and starts again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.waiting import eventually


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[Neighbourhood, Daemon]]:
    with Neighbourhood() as around, Daemon(around) as daemon:
        yield around, daemon


@pytest.fixture
def around(_running: tuple[Neighbourhood, Daemon]) -> Iterator[Neighbourhood]:
    around, daemon = _running
    yield around
    around.e2term.rules.clear()
    around.rtmgr.rules.clear()
    around.xapp.rules.clear()
    for subscription_id in daemon.rests():
        daemon.unsubscribe(subscription_id)
    eventually(lambda: around.empty() and not daemon.rests())
    around.reset()


@pytest.fixture
def daemon(_running: tuple[Neighbourhood, Daemon]) -> Daemon:
    return _running[1]


def told(around: Neighbourhood, count: int = 1) -> list[dict[str, Any]]:
    assert around.xapp.wait(count), around.xapp.notifications
    return around.xapp.instances()


def told_of(around: Neighbourhood, subscription_id: str, count: int = 1) -> list[int]:
    """Instance ids that the notifications of one request tell; a kill can have one told twice."""
    eventually(lambda: len(set(map(_key, around.xapp.instances(subscription_id)))) >= count)
    return sorted({number for _, number in map(_key, around.xapp.instances(subscription_id))})


def _key(instance: dict[str, Any]) -> tuple[int, int]:
    return instance["XappEventInstanceId"], instance["E2EventInstanceId"]


def again(around: Neighbourhood, daemon: Daemon, how: str = "kill") -> None:
    """The end, and a start among neighbours that behave."""
    if how == "kill":
        daemon.kill()
    else:
        assert daemon.stop() == 0
    around.e2term.rules.clear()
    around.rtmgr.rules.clear()
    around.xapp.rules.clear()
    daemon.start()


def test_an_unanswered_subscribe_is_undone_silently(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(procedure="subscribe", silent="answer")
    daemon.subscribe(around.request())
    eventually(lambda: around.holds())
    again(around, daemon)
    eventually(around.empty)
    assert around.xapp.notifications == []
    assert len(daemon.rests()) == 1
    # the same request gets it completed, under the id it had
    assert daemon.subscribe(around.request()) in daemon.rests()
    assert told(around)[0]["E2EventInstanceId"] != 0


def test_a_subscribe_whose_route_was_being_made_is_undone(around: Neighbourhood, daemon: Daemon) -> None:
    around.rtmgr_does(hang=True, done=True)
    daemon.subscribe(around.request())
    eventually(lambda: around.rtmgr.routes)
    again(around, daemon)
    eventually(around.empty)
    assert around.e2term.received[12010] == 0


def test_an_answered_subscribe_is_told_after_the_start(around: Neighbourhood, daemon: Daemon) -> None:
    around.xapp_does(status=503)
    subscription_id = daemon.subscribe(around.request())
    eventually(lambda: around.xapp.notifications)
    assert around.xapp.delivered == []
    (number,) = around.holds()
    again(around, daemon)
    (instance,) = told(around)
    assert (instance["E2EventInstanceId"], instance["ErrorCause"]) == (number, "")
    assert around.xapp.delivered[0].body["SubscriptionId"] == subscription_id
    assert around.e2term.received == {12010: 1}


def test_what_was_told_is_not_told_again(around: Neighbourhood, daemon: Daemon) -> None:
    daemon.subscribe(around.request())
    told(around)
    again(around, daemon, "stop")
    again(around, daemon)
    daemon.subscribe(around.request("gnb_2"))
    assert len(told(around, 2)) == 2


def test_a_shared_subscription_over_several_restarts(around: Neighbourhood, daemon: Daemon) -> None:
    ids = []
    for xapp in range(3):
        wanted = around.request()
        wanted["ClientEndpoint"]["RMRPort"] = 4560 + xapp
        ids.append(daemon.subscribe(wanted))
        told_of(around, ids[-1])
        again(around, daemon, "stop" if xapp == 1 else "kill")
    (number,) = around.holds()
    assert around.e2term.received == {12010: 1}
    assert around.rtmgr.routes == {number: ["127.0.0.1:4560", "127.0.0.1:4561", "127.0.0.1:4562"]}
    assert daemon.rests().keys() == set(ids)
    for n, subscription_id in enumerate(ids[:2], 1):
        daemon.unsubscribe(subscription_id)
        eventually(lambda n=n: len(around.rtmgr.routes[number]) == 3 - n)
        again(around, daemon)
        assert around.holds() == {number}
    daemon.unsubscribe(ids[2])
    eventually(around.empty)


def test_a_merge_whose_route_was_being_made(around: Neighbourhood, daemon: Daemon) -> None:
    """After the start its holder has its route and is told; and both can be deleted."""
    first = daemon.subscribe(around.request())
    told(around)
    (number,) = around.holds()
    around.rtmgr_does(method="PUT", hang=True, done=False)
    joining = around.request()
    joining["ClientEndpoint"]["RMRPort"] = 4561
    second = daemon.subscribe(joining)
    eventually(lambda: any(event["method"] == "PUT" for event in around.rtmgr.log.entries(event="received")))
    again(around, daemon)
    told_of(around, second)
    eventually(lambda: around.rtmgr.routes == {number: ["127.0.0.1:4560", "127.0.0.1:4561"]})
    daemon.unsubscribe(first)
    eventually(lambda: around.rtmgr.routes == {number: ["127.0.0.1:4561"]})
    daemon.unsubscribe(second)
    eventually(around.empty)


def test_a_policy_whose_update_was_unanswered_is_never_deleted(around: Neighbourhood, daemon: Daemon) -> None:
    policy = around.request("gnb_1", detail(1, [1], "policy"))
    subscription_id = daemon.subscribe(policy)
    (instance,) = told(around)
    number = instance["E2EventInstanceId"]
    around.node_does(procedure="subscribe", silent="answer")
    changed = around.request("gnb_1", detail(1, [2], "policy"), SubscriptionId=subscription_id)
    assert daemon.subscribe(changed) == subscription_id
    eventually(lambda: around.e2term.nodes["gnb_1"].subscriptions[number].trigger == b"\2")
    again(around, daemon)
    assert around.holds() == {number}
    assert around.e2term.received[12020] == 0
    # the next update goes to the node under the same instance id
    assert daemon.subscribe(around.request("gnb_1", detail(1, [3], "policy"), SubscriptionId=subscription_id))
    eventually(lambda: around.e2term.nodes["gnb_1"].subscriptions[number].trigger == b"\3")
    assert set(told_of(around, subscription_id)) == {number}
    daemon.unsubscribe(subscription_id)
    eventually(around.empty)


def test_a_delete_that_was_running_goes_on(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request("gnb_1", *[detail(n, [n]) for n in range(5)]))
    told(around, 5)
    around.node_does(procedure="delete", delay=0.2)
    daemon.unsubscribe(subscription_id)
    eventually(lambda: len(around.holds()) < 5)
    again(around, daemon)
    eventually(lambda: around.empty() and not daemon.rests())
    assert daemon.post(around.request(SubscriptionId=subscription_id))[0] == 404


def test_a_route_of_a_restored_subscription_goes_with_it(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request())
    told(around)
    again(around, daemon)
    assert around.rtmgr.routes
    daemon.unsubscribe(subscription_id)
    eventually(lambda: around.rtmgr.routes == {})
    assert around.rtmgr.surprises == []


def test_instance_ids_are_not_given_out_twice_over_a_restart(around: Neighbourhood, daemon: Daemon) -> None:
    before = told_of(around, daemon.subscribe(around.request("gnb_1", *[detail(n, [n]) for n in range(6)])), 6)
    again(around, daemon)
    after = told_of(around, daemon.subscribe(around.request("gnb_2", *[detail(n, [n]) for n in range(6)])), 6)
    assert len({*before, *after}) == 12


def test_not_restored_when_configured_so() -> None:
    with Neighbourhood() as around, Daemon(around) as daemon:
        daemon.subscribe(around.request())
        told(around)
        daemon.kill()
        daemon.configure(controls={"e2tSubReqTimeout_ms": 300, "readSubsFromDb": "false"})
        daemon.start()
        assert daemon.listed() == [] and daemon.rests() == {}
        assert len(around.holds()) == 1
