# SPDX-License-Identifier: Apache-2.0
"""Procedures at the E2 node: how many at once, how often sent, what is undone, who shares what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
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
    for simulator in (around.e2term, around.rtmgr, around.xapp):
        simulator.rules.clear()
    for subscription_id in daemon.rests():
        daemon.unsubscribe(subscription_id)
    eventually(lambda: not daemon.rests() and around.empty(), 15.0)
    around.reset()


@pytest.fixture
def daemon(_running: tuple[Neighbourhood, Daemon]) -> Daemon:
    return _running[1]


def told(around: Neighbourhood, count: int = 1) -> list[dict[str, Any]]:
    assert around.xapp.wait(count), around.xapp.notifications
    return around.xapp.instances()


def directives(**values: Any) -> dict[str, Any]:
    return {"E2SubscriptionDirectives": {"RMRRoutingNeeded": True, **values}}


def other_endpoint(request: dict[str, Any], port: int = 4570) -> dict[str, Any]:
    request["ClientEndpoint"]["RMRPort"] = port
    return request


# --- how many at once


@pytest.mark.parametrize("most", [1, 4])
def test_procedures_at_a_node_at_once(most: int) -> None:
    """The E2 Termination counts them. With more than one, those that share something still follow each other."""
    with Neighbourhood() as around, Daemon(around, controls={"maxOngoingE2Procedures": most}) as daemon:
        around.node_does(delay=0.1)
        daemon.subscribe(around.request("gnb_1", *[detail(n, [n]) for n in range(12)]))
        instances = told(around, 12)
        assert all(i["ErrorCause"] == "" for i in instances)
        assert around.e2term.nodes["gnb_1"].max_running == most
        around.e2term.nodes["gnb_1"].max_running = 0
        same = [around.request("gnb_1", detail(100 + n, [99])) for n in range(3)]
        gevent.joinall([gevent.spawn(daemon.subscribe, request) for request in same], raise_error=True)
        merged = told(around, 15)[12:]
        assert len({i["E2EventInstanceId"] for i in merged}) == 1
        assert around.e2term.received[12010] == 13
        assert around.e2term.nodes["gnb_1"].max_running == 1


def test_a_slow_node_and_a_slow_route_hold_up_nobody_else(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(meid="gnb_1", procedure="subscribe", delay=0.25)
    daemon.subscribe(around.request("gnb_1", *[detail(n, [n]) for n in range(4)]))
    eventually(lambda: around.e2term.received[12010] == 1)
    daemon.subscribe(around.request("gnb_2", *[detail(n, [n]) for n in range(10, 20)]))
    order = [i["XappEventInstanceId"] for i in told(around, 14)]
    assert order.index(3) == 13, order
    assert [n for n in order if n < 10] == [0, 1, 2, 3]
    assert [n for n in order if n >= 10] == list(range(10, 20))


# --- how often, and what is undone


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_sends_are_retries_plus_one(around: Neighbourhood, daemon: Daemon, retries: int) -> None:
    around.node_does(procedure="subscribe", silent="request")
    daemon.subscribe(around.request("gnb_1", **directives(E2RetryCount=retries)))
    (instance,) = told(around)
    assert (instance["E2EventInstanceId"], instance["TimeoutType"]) == (0, "E2-Timeout")
    assert around.e2term.received[12010] == retries + 1
    eventually(lambda: around.e2term.received[12020] == 1 and not around.rtmgr.routes)


def test_the_timer_of_the_directives(around: Neighbourhood, daemon: Daemon) -> None:
    """An answer that comes after the configured timer, but before the one of the request."""
    around.node_does(procedure="subscribe", delay=0.7, count=1)
    daemon.subscribe(around.request("gnb_1", **directives(E2TimeoutTimerValue=2, E2RetryCount=0)))
    assert told(around)[0]["ErrorCause"] == ""
    assert around.e2term.received[12010] == 1


def test_a_refusal_of_a_resend_is_undone_too(around: Neighbourhood, daemon: Daemon) -> None:
    """The first send may have taken effect, and only its answer was lost."""
    around.node_does(procedure="subscribe", silent="answer", count=1)
    around.node_does(procedure="subscribe", refuse="ricRequest: duplicate-action", count=1)
    daemon.subscribe(around.request())
    (instance,) = told(around)
    assert instance["ErrorSource"] == "E2Node"
    eventually(around.empty)
    assert around.e2term.received[12020] == 1


def test_a_refusal_that_lists_its_actions(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(procedure="subscribe", refuse="ricRequest: action-not-supported", refuse_by_list=True)
    daemon.subscribe(around.request())
    (instance,) = told(around)
    assert instance["ErrorCause"].startswith("RICSubscriptionFailure. E2NodeCause: ")
    assert "action-not-supported" in instance["ErrorCause"]


def test_the_queue_waits_for_the_undo_and_the_id_is_not_given_out(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(procedure="subscribe", silent="answer", count=2)
    around.node_does(procedure="delete", delay=0.2)
    daemon.subscribe(around.request("gnb_1", detail(1, [1]), detail(2, [2])))
    first, second = told(around, 2)
    assert (first["XappEventInstanceId"], first["E2EventInstanceId"]) == (1, 0)
    assert second["E2EventInstanceId"]
    kinds = [entry["mtype"] for entry in around.e2term.log.entries(event="received")]
    assert kinds == [12010, 12010, 12020, 12010]
    assert around.e2term.nodes["gnb_1"].max_running == 1
    assert around.holds() == {second["E2EventInstanceId"]}


@pytest.mark.parametrize("answer", ["refused", "silent"])
def test_a_delete_always_ends(around: Neighbourhood, daemon: Daemon, answer: str) -> None:
    """Routes and records go whatever the node says to it."""
    subscription_id = daemon.subscribe(around.request())
    told(around)
    if answer == "silent":
        around.node_does(procedure="delete", silent="answer")
    else:
        around.node_does(procedure="delete", refuse="ricRequest: request-id-unknown")
    daemon.unsubscribe(subscription_id)
    eventually(lambda: not daemon.rests() and not around.rtmgr.routes and not daemon.listed())
    assert around.e2term.received[12020] == (2 if answer == "silent" else 1)
    around.e2term.nodes["gnb_1"].subscriptions.clear()


def test_a_policy_update_that_is_not_answered_keeps_the_policy(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(1, kind="policy")))
    (first,) = told(around)
    around.node_does(procedure="subscribe", silent="answer", count=2)
    again = around.request("gnb_1", detail(1, [77], kind="policy"), SubscriptionId=subscription_id)
    daemon.subscribe(again)
    _, second = told(around, 2)
    assert (second["E2EventInstanceId"], second["TimeoutType"]) == (0, "E2-Timeout")
    assert around.e2term.received[12020] == 0
    daemon.stop()
    daemon.start()
    number = first["E2EventInstanceId"]
    assert [item["SubscriptionId"] for item in daemon.listed()] == [number]
    daemon.subscribe(around.request("gnb_1", detail(2, [2])))
    told(around, 3)
    assert number in around.holds(), "what comes after it in the queue is done, and it was not deleted"
    assert around.e2term.nodes["gnb_1"].subscriptions[number].trigger == bytes([77])
    assert {entry["method"] for entry in around.rtmgr.log.entries(event="received")} == {"POST"}


def test_two_policies_of_one_request_are_two(around: Neighbourhood, daemon: Daemon) -> None:
    daemon.subscribe(around.request("gnb_1", detail(1, kind="policy"), detail(2, kind="policy")))
    assert len({i["E2EventInstanceId"] for i in told(around, 2)}) == 2


@pytest.mark.parametrize("how", ["hang", "close"])
def test_a_route_that_was_made_without_an_answer_is_removed(around: Neighbourhood, daemon: Daemon, how: str) -> None:
    around.rtmgr_does(method="POST", done=True, **{how: True})
    daemon.subscribe(around.request())
    (instance,) = told(around)
    assert (instance["E2EventInstanceId"], instance["ErrorSource"]) == (0, "RTMGR")
    assert instance.get("TimeoutType") == ("RTMGR-Timeout" if how == "hang" else None)
    eventually(lambda: around.rtmgr.log.entries(event="answered")[-1:] and not around.rtmgr.routes)
    methods = [entry["method"] for entry in around.rtmgr.log.entries(event="received")]
    assert (methods[0], methods[-1], set(methods)) == ("POST", "DELETE", {"POST", "DELETE"})
    assert around.e2term.received[12010] == 0


# --- who shares what


def test_two_equal_requests_at_once(around: Neighbourhood, daemon: Daemon) -> None:
    """Of two xApps: the second waits, then shares. Of one: both have the same id, and one procedure runs."""
    around.node_does(procedure="subscribe", delay=0.1)
    requests = [around.request(), other_endpoint(around.request()), around.request()]
    posts = [gevent.spawn(daemon.subscribe, request) for request in requests]
    gevent.joinall(posts, raise_error=True)
    first, second, third = (post.value for post in posts)
    assert first == third != second
    told(around, 2)
    assert around.e2term.received[12010] == 1
    (number,) = around.holds()
    assert around.rtmgr.routes == {number: ["127.0.0.1:4560", "127.0.0.1:4570"]}
    assert [(entry["method"]) for entry in around.rtmgr.log.entries(event="received")] == ["POST", "PUT"]


@pytest.mark.parametrize("change", ["function", "trigger", "definition", "action id", "insert", "policy"])
def test_only_equal_reports_are_shared(around: Neighbourhood, daemon: Daemon, change: str) -> None:
    kind = change if change in ("insert", "policy") else "report"
    daemon.subscribe(around.request("gnb_1", detail(1, kind=kind)))
    told(around)
    request = other_endpoint(around.request("gnb_1", detail(2, kind=kind)))
    (action,) = request["SubscriptionDetails"][0]["ActionToBeSetupList"]
    if change == "function":
        request["RANFunctionID"] = 3
    elif change == "trigger":
        request["SubscriptionDetails"][0]["EventTriggers"] = [1, 2, 4]
    elif change == "definition":
        action["ActionDefinition"] = [5, 7]
    elif change == "action id":
        action["ActionID"] = 9
    daemon.subscribe(request)
    assert len({i["E2EventInstanceId"] for i in told(around, 2)}) == 2
    assert around.e2term.received[12010] == 2


def test_the_order_of_actions_does_not_matter_to_sharing(around: Neighbourhood, daemon: Daemon) -> None:
    actions = [{"ActionID": n, "ActionType": "report", "ActionDefinition": [n]} for n in (1, 2)]
    one, two = detail(1), detail(2)
    one["ActionToBeSetupList"], two["ActionToBeSetupList"] = actions, actions[::-1]
    daemon.subscribe(around.request("gnb_1", one))
    told(around)
    daemon.subscribe(other_endpoint(around.request("gnb_1", two)))
    assert len({i["E2EventInstanceId"] for i in told(around, 2)}) == 1


def test_leaving_succeeds_although_its_route_cannot_be_changed(around: Neighbourhood, daemon: Daemon) -> None:
    """Refused or not answered: the other holder keeps everything; with it, the route that stayed too long goes."""
    stay, leave = [], []
    for n, rule in enumerate(({"status": 500}, {"hang": True})):
        stay.append(daemon.subscribe(around.request("gnb_1", detail(1, [n]))))
        number = told(around, 2 * n + 1)[-1]["E2EventInstanceId"]
        leave.append(daemon.subscribe(other_endpoint(around.request("gnb_1", detail(2, [n])))))
        assert told(around, 2 * n + 2)[-1]["E2EventInstanceId"] == number
        around.rtmgr_does(method="PUT", instance=number, count=1, **rule)
    held = around.holds()
    assert len(held) == 2
    before = daemon.metric("SUBMGR_RouteDeleteUpdateFail")
    for subscription_id in leave:
        daemon.unsubscribe(subscription_id)
    eventually(lambda: set(daemon.rests()) == set(stay))
    eventually(lambda: daemon.metric("SUBMGR_RouteDeleteUpdateFail") == before + 2)
    assert around.holds() == held
    assert around.e2term.received[12020] == 0
    for subscription_id in stay:
        daemon.unsubscribe(subscription_id)
    eventually(lambda: around.empty() and not daemon.listed())


def test_an_xapp_that_comes_back_finds_its_subscription(around: Neighbourhood, daemon: Daemon) -> None:
    """The same REPORT of the same endpoint under another XappEventInstanceId: told, without any traffic."""
    daemon.subscribe(around.request("gnb_1", detail(1)))
    (first,) = told(around)
    requests = len(around.rtmgr.log.entries(event="received"))
    daemon.subscribe(around.request("gnb_1", detail(2)))
    assert told(around, 2)[1]["E2EventInstanceId"] == first["E2EventInstanceId"]
    assert len(around.rtmgr.log.entries(event="received")) == requests
    assert around.e2term.received[12010] == 1


@pytest.mark.parametrize("older", [False, True], ids=["60/61", "50/51"])
def test_a_node_that_wants_a_shared_one_deleted(around: Neighbourhood, daemon: Daemon, older: bool) -> None:
    """Deleted at the node, one route DELETE per endpoint, and both REST subscriptions lose the instance."""
    ids = [daemon.subscribe(around.request())]
    told(around)
    ids.append(daemon.subscribe(other_endpoint(around.request("gnb_1", detail(2)))))
    told(around, 2)
    (number,) = around.holds()
    around.e2term.require_delete("gnb_1", [number, 4711], older_numbering=older)
    eventually(lambda: around.empty() and not daemon.listed())
    assert around.e2term.received[12020] == 1
    deletes = [e["endpoints"] for e in around.rtmgr.log.entries(event="received") if e["method"] == "DELETE"]
    assert sorted(deletes) == [["127.0.0.1:4560"], ["127.0.0.1:4570"]]
    shown = daemon.rests()
    assert [shown[subscription_id]["InstanceIds"] for subscription_id in ids] == [[], []]
    assert around.rtmgr.surprises == []
