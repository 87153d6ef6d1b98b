# SPDX-License-Identifier: Apache-2.0
"""How an E2 node of the simulator takes requests."""

from __future__ import annotations

from submgr.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    NotAdmitted,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequest,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)
from submgr.simulators.nodes import NOT_SUPPORTED, UNKNOWN_REQUEST, E2Node, Held, Workload
from submgr.simulators.rules import E2Rule

ID = RequestId(123, 7)
WAIT = SubsequentAction(SubsequentActionType.WAIT, TimeToWait.W10MS)
ACTIONS = (Action(1, ActionType.REPORT, b"\5"), Action(2, ActionType.REPORT, None, WAIT))
REQUEST = SubscriptionRequest(ID, 2, b"\1", ACTIONS)
DELETE = SubscriptionDeleteRequest(ID, 2)


def test_subscribe_and_delete() -> None:
    node = E2Node("gnb1")
    assert node.subscribe(REQUEST, None) == SubscriptionResponse(ID, 2, (1, 2))
    assert node.subscriptions == {7: Held(123, 2, b"\1", ACTIONS)}
    assert node.delete(DELETE, None) == SubscriptionDeleteResponse(ID, 2)
    assert node.subscriptions == {}
    assert node.delete(DELETE, None) == SubscriptionDeleteFailure(ID, 2, UNKNOWN_REQUEST)
    assert node.handled == 3


def test_same_instance_again_replaces() -> None:
    node = E2Node("gnb1")
    node.subscribe(REQUEST, None)
    node.subscribe(SubscriptionRequest(ID, 2, b"\2", ACTIONS[:1]), None)
    assert node.subscriptions == {7: Held(123, 2, b"\2", ACTIONS[:1])}


def test_refusals_leave_things_as_they_were() -> None:
    node = E2Node("gnb1")
    rule = E2Rule(refuse="misc: om-intervention")
    assert node.subscribe(REQUEST, rule) == SubscriptionFailure(ID, 2, Cause(6, 2))
    assert node.subscriptions == {}
    by_list = E2Rule(refuse="misc: om-intervention", refuse_by_list=True)
    refused = tuple(NotAdmitted(number, Cause(5, 2, release=1)) for number in (1, 2))
    assert node.subscribe(REQUEST, by_list) == SubscriptionFailure(ID, 2, None, refused)
    node.subscribe(REQUEST, None)
    assert node.delete(DELETE, rule) == SubscriptionDeleteFailure(ID, 2, Cause(6, 2))
    assert list(node.subscriptions) == [7]


def test_partial_admission() -> None:
    node = E2Node("gnb1")
    expected = SubscriptionResponse(ID, 2, (1,), (NotAdmitted(2, NOT_SUPPORTED),))
    assert node.subscribe(REQUEST, E2Rule(not_admitted=(2,))) == expected
    assert node.subscriptions[7].actions == ACTIONS[:1]
    refusal = node.subscribe(REQUEST, E2Rule(not_admitted=(1, 2)))
    assert refusal == SubscriptionFailure(ID, 2, NOT_SUPPORTED)


def test_how_many_at_once_is_counted_by_instance() -> None:
    node = E2Node("gnb1")
    node.begin(1)
    node.begin(1)
    assert (len(node.running), node.max_running) == (1, 1)
    node.begin(2)
    node.end(1)
    node.end(2)
    assert (len(node.running), node.max_running) == (1, 2)
    node.lose_all()
    assert not node.running


def test_as_json() -> None:
    node = E2Node("gnb1")
    node.subscribe(REQUEST, None)
    assert node.as_json()["subscriptions"] == {
        "7": {
            "requestor": 123,
            "function": 2,
            "trigger": "01",
            "actions": [
                {"id": 1, "type": "report", "definition": "05", "subsequent": None},
                {
                    "id": 2,
                    "type": "report",
                    "definition": None,
                    "subsequent": {"type": "wait", "time_to_wait": "w10ms"},
                },
            ],
        }
    }


def test_the_workload_of_all_nodes() -> None:
    workload, one, two = Workload(), E2Node("gnb1"), E2Node("gnb2")
    for node, instance in ((one, 1), (one, 2), (two, 1)):
        workload.begin(node, instance)
    assert (workload.running, workload.max_running, workload.max_busy_nodes) == (3, 3, 2)
    workload.end(one, 1)
    workload.end(one, 2)
    workload.forget(two)
    workload.forget(two)
    assert (workload.running, len(two.running)) == (0, 0)
    workload.begin(one, 3)
    assert (workload.running, workload.max_running, workload.max_busy_nodes) == (1, 3, 2)
