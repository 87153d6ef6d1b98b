# SPDX-License-Identifier: Apache-2.0
"""The thing the product exists for, over real HTTP, real RMR frames and real E2AP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from support.processes.daemon import NODES, Daemon, Neighbourhood, detail
from support.waiting import eventually


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[Neighbourhood, Daemon]]:
    with Neighbourhood() as around, Daemon(around) as daemon:
        yield around, daemon


@pytest.fixture
def around(_running: tuple[Neighbourhood, Daemon]) -> Iterator[Neighbourhood]:
    around, daemon = _running
    yield around
    for subscription_id in daemon.rests():
        daemon.unsubscribe(subscription_id)
    around.e2term.rules.clear()
    around.rtmgr.rules.clear()
    eventually(lambda: not daemon.rests() and around.empty())
    around.reset()


@pytest.fixture
def daemon(_running: tuple[Neighbourhood, Daemon]) -> Daemon:
    return _running[1]


def told(around: Neighbourhood, count: int) -> list[dict[str, Any]]:
    assert around.xapp.wait(count), around.xapp.notifications
    return around.xapp.instances()


def test_subscribed_notified_and_deleted(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(12345, [1, 2, 3, 4])))
    (instance,) = told(around, 1)
    number = instance["E2EventInstanceId"]
    assert instance == {"XappEventInstanceId": 12345, "E2EventInstanceId": number, "ErrorCause": ""}
    held = around.e2term.nodes["gnb_1"].subscriptions[number]
    assert (held.requestor, held.function, held.trigger) == (123, 2, bytes([1, 2, 3, 4]))
    assert around.rtmgr.routes == {number: ["127.0.0.1:4560"]}
    (listed,) = daemon.listed()
    assert listed == {
        "SubscriptionId": number,
        "Meid": "gnb_1",
        "ClientEndpoint": ["127.0.0.1:4560"],
        "SubscriptionInstances": [{"XappEventInstanceId": 12345, "E2EventInstanceId": number, "ErrorCause": ""}],
        "RestSubscriptionIds": [subscription_id],
    }
    daemon.unsubscribe(subscription_id)
    eventually(lambda: around.empty() and daemon.listed() == [] and not daemon.rests())


@pytest.mark.parametrize("kind", ["report", "insert", "policy"])
def test_every_action_type(around: Neighbourhood, daemon: Daemon, kind: str) -> None:
    daemon.subscribe(around.request("gnb_2", detail(1, kind=kind)))
    (instance,) = told(around, 1)
    (action,) = around.e2term.nodes["gnb_2"].subscriptions[instance["E2EventInstanceId"]].actions
    assert action.action_type.name.lower() == kind


def test_several_details_and_actions(around: Neighbourhood, daemon: Daemon) -> None:
    several = detail(1)
    several["ActionToBeSetupList"] = [
        {"ActionID": n, "ActionType": "report", "ActionDefinition": [n]} for n in range(16)
    ]
    daemon.subscribe(around.request("gnb_1", several, detail(2, [9]), detail(3, kind="policy")))
    instances = told(around, 3)
    assert [i["XappEventInstanceId"] for i in instances] == [1, 2, 3]
    assert len(around.e2term.nodes["gnb_1"].subscriptions[instances[0]["E2EventInstanceId"]].actions) == 16


def test_fifty_to_each_of_three_nodes(around: Neighbourhood, daemon: Daemon) -> None:
    """One procedure at a time per node, all nodes in parallel: the E2 Termination's own count proves it."""
    around.node_does(delay=0.005)
    requests = [around.request(meid, detail(n, [n, 7])) for n in range(50) for meid in NODES]
    gevent.joinall([gevent.spawn(daemon.subscribe, request) for request in requests], raise_error=True)
    instances = told(around, 150)
    assert all(i["ErrorCause"] == "" for i in instances)
    assert len({i["E2EventInstanceId"] for i in instances}) == 150
    assert {node.max_running for node in around.e2term.nodes.values()} == {1}
    assert around.e2term.workload.max_busy_nodes == 3
    assert around.rtmgr.surprises == []


def test_silence_is_told_at_once_and_undone(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(procedure="subscribe", silent="answer", count=2)
    around.node_does(procedure="delete", silent="request", count=1)
    daemon.subscribe(around.request())
    (instance,) = told(around, 1)
    assert instance["E2EventInstanceId"] == 0
    assert (instance["ErrorSource"], instance["TimeoutType"]) == ("SUBMGR", "E2-Timeout")
    assert instance["ErrorCause"].startswith("E2 RICSubscriptionResponse timeout")
    assert around.holds(), "told before it is undone"
    eventually(around.empty)


def test_second_send_is_answered(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(procedure="subscribe", silent="request", count=1)
    daemon.subscribe(around.request())
    (instance,) = told(around, 1)
    assert instance["ErrorCause"] == ""


def test_a_late_answer_is_not_taken_for_the_answer_to_the_delete(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(procedure="subscribe", delay=0.75, count=2)
    around.node_does(procedure="delete", delay=0.5)
    daemon.subscribe(around.request())
    (instance,) = told(around, 1)
    assert instance["TimeoutType"] == "E2-Timeout"
    eventually(around.empty)
    assert daemon.listed() == []


def test_refusal(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(procedure="subscribe", refuse="ricRequest: action-not-supported")
    daemon.subscribe(around.request())
    (instance,) = told(around, 1)
    assert instance["E2EventInstanceId"] == 0
    assert instance["ErrorCause"] == "RICSubscriptionFailure. E2NodeCause: ricRequest: action-not-supported"
    assert instance["ErrorSource"] == "E2Node"
    assert "TimeoutType" not in instance
    eventually(around.empty)
    assert around.e2term.received[12020] == 0


def test_partial_admission(around: Neighbourhood, daemon: Daemon) -> None:
    two = detail(1)
    two["ActionToBeSetupList"] = [{"ActionID": n, "ActionType": "report", "ActionDefinition": [n]} for n in (1, 2)]
    around.node_does(not_admitted=(2,))
    daemon.subscribe(around.request("gnb_1", two))
    (instance,) = told(around, 1)
    assert instance["E2EventInstanceId"] != 0
    assert "2" in instance["ErrorCause"]
    assert instance["ErrorSource"] == "E2Node"


@pytest.mark.parametrize(
    "rule",
    [
        {"payload": "00ff00ff", "count": 1},
        {"answer_meid": "gnb_2", "count": 1},
        {"answer_instance": 4711, "count": 1},
        {"unordered": True, "count": 1},
    ],
    ids=["garbage", "other Meid", "unknown instance", "out of order"],
)
def test_a_strange_answer_is_dropped_and_the_next_one_taken(
    around: Neighbourhood, daemon: Daemon, rule: dict[str, Any]
) -> None:
    before = daemon.metric("submgr_ignored_messages_total")
    around.node_does(procedure="subscribe", **rule)
    daemon.subscribe(around.request())
    (instance,) = told(around, 1)
    assert instance["ErrorCause"] == ""
    assert daemon.metric("submgr_ignored_messages_total") > before


def test_only_garbage_is_told_in_the_codecs_words(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(procedure="subscribe", payload="00ff00ff")
    daemon.subscribe(around.request())
    (instance,) = told(around, 1)
    assert (instance["E2EventInstanceId"], instance["ErrorSource"]) == (0, "ASN1")
    assert instance["ErrorCause"]


@pytest.mark.parametrize("rule", [{"answer_meid": ""}, {"mtype": 12012}, {"copies": 3}], ids=str)
def test_answers_are_matched_by_instance_and_kind(around: Neighbourhood, daemon: Daemon, rule: dict[str, Any]) -> None:
    around.node_does(**rule)
    subscription_id = daemon.subscribe(around.request())
    (instance,) = told(around, 1)
    assert instance["ErrorCause"] == ""
    daemon.unsubscribe(subscription_id)
    eventually(around.empty)


def test_delete_failure_under_the_type_of_a_subscribe_failure(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request())
    told(around, 1)
    around.node_does(procedure="delete", refuse="ricRequest: request-id-unknown", mtype=12012)
    daemon.unsubscribe(subscription_id)
    eventually(lambda: not around.rtmgr.routes and not daemon.rests())
    assert around.e2term.received[12020] == 1
    around.e2term.nodes["gnb_1"].subscriptions.clear()


def test_too_many_actions_cannot_be_encoded(around: Neighbourhood, daemon: Daemon) -> None:
    many = detail(1)
    many["ActionToBeSetupList"] = [{"ActionID": n, "ActionType": "report"} for n in range(17)]
    daemon.subscribe(around.request("gnb_1", many))
    (instance,) = told(around, 1)
    assert (instance["E2EventInstanceId"], instance["ErrorSource"]) == (0, "ASN1")
    eventually(around.empty)


NAMES = (
    *("zero", "w1ms", "w2ms", "w5ms", "w10ms", "w20ms", "w30ms", "w40ms", "w50ms"),
    *("w100ms", "w200ms", "w500ms", "w1s", "w2s", "w5s", "w10s", "w20s", "w60s"),
)


def test_time_to_wait_reaches_the_node_under_its_own_name(around: Neighbourhood, daemon: Daemon) -> None:
    details = [
        detail(n, [n], SubsequentAction={"SubsequentActionType": "wait", "TimeToWait": name})
        for n, name in enumerate(NAMES)
    ]
    daemon.subscribe(around.request("gnb_1", *details))
    instances = {i["XappEventInstanceId"]: i["E2EventInstanceId"] for i in told(around, len(NAMES))}
    for n, name in enumerate(NAMES):
        (action,) = around.e2term.nodes["gnb_1"].subscriptions[instances[n]].actions
        assert action.subsequent is not None
        assert action.subsequent.time_to_wait.name.lower() == ("w1ms" if name == "zero" else name)


def test_the_notification_never_overtakes_the_answer(around: Neighbourhood, daemon: Daemon) -> None:
    for n in range(100):
        before = len(around.xapp.notifications)
        subscription_id = daemon.subscribe(around.request("gnb_3", detail(n, [n])))
        seen = [item.body["SubscriptionId"] for item in around.xapp.notifications[:before]]
        assert subscription_id not in seen
    told(around, 100)


def test_rmr_port_is_not_needed_without_a_route(around: Neighbourhood, daemon: Daemon) -> None:
    wanted = around.request(E2SubscriptionDirectives={"E2TimeoutTimerValue": 2, "E2RetryCount": 0})
    del wanted["ClientEndpoint"]["RMRPort"]
    daemon.subscribe(wanted)
    told(around, 1)
    assert around.rtmgr.routes == {}
    assert daemon.listed()[0]["ClientEndpoint"] == []


def test_merge_ownership_and_unmerge(around: Neighbourhood, daemon: Daemon) -> None:
    """Two ids on one endpoint and a third xApp: deleting one leaves the others; the last one deletes at the node."""
    first = daemon.subscribe(around.request("gnb_1", detail(1)))
    told(around, 1)
    second = daemon.subscribe(around.request("gnb_1", detail(2)))
    other = around.request("gnb_1", detail(3))
    other["ClientEndpoint"]["RMRPort"] = 4570
    third = daemon.subscribe(other)
    instances = told(around, 3)
    assert len({i["E2EventInstanceId"] for i in instances}) == 1
    number = instances[0]["E2EventInstanceId"]
    assert around.rtmgr.routes == {number: ["127.0.0.1:4560", "127.0.0.1:4570"]}
    assert around.e2term.received[12010] == 1
    daemon.unsubscribe(first)
    eventually(lambda: first not in daemon.rests())
    assert around.rtmgr.routes == {number: ["127.0.0.1:4560", "127.0.0.1:4570"]}
    daemon.unsubscribe(second)
    eventually(lambda: around.rtmgr.routes == {number: ["127.0.0.1:4570"]})
    assert around.e2term.received[12020] == 0
    daemon.unsubscribe(third)
    eventually(around.empty)
    assert around.e2term.received[12020] == 1
    assert around.rtmgr.surprises == []


def test_the_same_request_again(around: Neighbourhood, daemon: Daemon) -> None:
    """During: same id, nothing happens. After: told again without E2 traffic. Other content with the id: 409, 400."""
    around.node_does(procedure="subscribe", delay=0.2, count=1)
    wanted = around.request()
    subscription_id = daemon.subscribe(wanted)
    assert daemon.subscribe(wanted) == subscription_id
    other = around.request("gnb_1", detail(1, [42]), SubscriptionId=subscription_id)
    assert daemon.post(other)[0] == 409
    told(around, 1)
    assert daemon.subscribe(wanted) == subscription_id
    assert daemon.subscribe({**wanted, "SubscriptionId": subscription_id}) == subscription_id
    told(around, 3)
    assert around.e2term.received[12010] == 1
    status, answer = daemon.post(other)
    assert status == 400
    assert answer["errors"][0]["field"] == "SubscriptionDetails[0]"
    assert daemon.post({**wanted, "SubscriptionId": "not-known"})[0] == 404


def test_policy_update_keeps_the_instance(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(1, kind="policy")))
    (instance,) = told(around, 1)
    number = instance["E2EventInstanceId"]
    again = around.request("gnb_1", detail(1, [77], kind="policy"), SubscriptionId=subscription_id)
    daemon.subscribe(again)
    told(around, 2)
    assert around.e2term.nodes["gnb_1"].subscriptions[number].trigger == bytes([77])
    around.node_does(procedure="subscribe", refuse="misc: unspecified", count=1)
    daemon.subscribe({**again, "SubscriptionDetails": [detail(1, [78], kind="policy")]})
    instances = told(around, 3)
    assert instances[2]["ErrorSource"] == "E2Node"
    assert around.holds() == {number}
    assert [i["SubscriptionId"] for i in daemon.listed()] == [number]


def test_delete_during_subscribe(around: Neighbourhood, daemon: Daemon) -> None:
    """The running detail ends and is told, what has not started is dropped, nothing is left behind."""
    around.node_does(procedure="subscribe", delay=0.3, count=1)
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(1, [1]), detail(2, [2]), detail(3, [3])))
    eventually(lambda: around.e2term.received[12010])
    daemon.unsubscribe(subscription_id)
    daemon.unsubscribe(subscription_id)
    told(around, 1)
    eventually(lambda: around.empty() and not daemon.rests())
    assert [i["XappEventInstanceId"] for i in around.xapp.instances()] == [1]
    assert daemon.post({**around.request(), "SubscriptionId": subscription_id})[0] == 404


def test_three_requests_while_a_merge_is_slow(around: Neighbourhood, daemon: Daemon) -> None:
    """Where the Go implementation stops for ever: nothing waits but what must."""
    daemon.subscribe(around.request("gnb_1", detail(1)))
    told(around, 1)
    around.rtmgr_does(method="PUT", delay=0.4)
    slow = around.request("gnb_1", detail(2))
    slow["ClientEndpoint"]["RMRPort"] = 4570
    daemon.subscribe(slow)
    for n in (3, 4, 5):
        daemon.subscribe(around.request("gnb_1", detail(n, [n])))
    instances = told(around, 5)
    order = [i["XappEventInstanceId"] for i in instances]
    assert order.index(2) == 4, order


def test_delete_required(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(1, [1]), detail(2, [2])))
    numbers = [i["E2EventInstanceId"] for i in told(around, 2)]
    around.e2term.require_delete("gnb_1", [numbers[0], 999])
    eventually(lambda: around.holds() == {numbers[1]} and set(around.rtmgr.routes) == {numbers[1]})
    eventually(lambda: daemon.rests()[subscription_id]["InstanceIds"] == [numbers[1]])


def test_errors_of_a_body_all_at_once(around: Neighbourhood, daemon: Daemon) -> None:
    wanted = around.request("", detail(70000, [1, "300"]), detail(1, kind="control"))
    wanted["ClientEndpoint"] = {"Host": "", "HTTPPort": 0}
    status, answer = daemon.post(wanted)
    assert (status, answer["code"]) == (400, 400)
    fields = {error["field"] for error in answer["errors"]}
    assert {
        "Meid",
        "ClientEndpoint.Host",
        "ClientEndpoint.HTTPPort",
        "SubscriptionDetails[0].XappEventInstanceId",
        "SubscriptionDetails[0].EventTriggers[1]",
        "SubscriptionDetails[1].ActionToBeSetupList[0].ActionType",
    } <= fields


def test_counters_and_one_line_per_procedure(around: Neighbourhood, daemon: Daemon) -> None:
    before = {name: daemon.metric(f"SUBMGR_{name}") for name in ("SubReqToE2", "SubRespFromE2", "RestSubReqFromXapp")}
    subscription_id = daemon.subscribe(around.request())
    told(around, 1)
    for name, value in before.items():
        assert daemon.metric(f"SUBMGR_{name}") == value + 1, name
    (line,) = daemon.logged(f'"subscription_id":"{subscription_id}"')
    assert (line["meid"], line["outcome"]) == ("gnb_1", "success")
    assert line["ms"] > 0
