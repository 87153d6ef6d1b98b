# SPDX-License-Identifier: Apache-2.0
"""How an E2 node of the simulator takes requests, and what leaves for its answers."""

from __future__ import annotations

import pytest

from submgr.e2ap import codec
from submgr.e2ap.codec import DecodeError
from submgr.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    NotAdmitted,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequest,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
    SubscriptionToRemove,
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)
from submgr.simulators.e2_answers import delete_required, outgoing
from submgr.simulators.nodes import NOT_SUPPORTED, UNKNOWN_REQUEST, E2Node, Held
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
    refused = tuple(NotAdmitted(number, Cause(6, 2)) for number in (1, 2))
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


@pytest.mark.parametrize(
    ("answer", "mtype"),
    [
        (SubscriptionResponse(ID, 2, (1,)), 12011),
        (SubscriptionFailure(ID, 2, Cause(1, 1)), 12012),
        (SubscriptionDeleteResponse(ID, 2), 12021),
        (SubscriptionDeleteFailure(ID, 2, Cause(1, 1)), 12022),
    ],
)
def test_answers_leave_under_their_type(
    answer: SubscriptionResponse | SubscriptionFailure | SubscriptionDeleteResponse | SubscriptionDeleteFailure,
    mtype: int,
) -> None:
    for rule in (None, E2Rule()):
        (message,) = outgoing(answer, rule)
        assert (message.delay, message.mtype, message.meid) == (0, mtype, None)
        assert codec.decode(message.payload) == answer
    (wrong,) = outgoing(answer, E2Rule(mtype=12012, answer_meid=""))
    assert (wrong.mtype, wrong.meid) == (12012, "")
    (other,) = outgoing(answer, E2Rule(answer_instance=9))
    decoded = codec.decode(other.payload)
    assert not isinstance(decoded, SubscriptionDeleteRequired) and decoded.request_id == RequestId(123, 9)
    (unordered,) = outgoing(answer, E2Rule(unordered=True))
    assert codec.decode(unordered.payload, strict_order=False) == answer
    with pytest.raises(DecodeError, match="out of order"):
        codec.decode(unordered.payload)
    (garbage,) = outgoing(answer, E2Rule(payload="00ff"))
    assert garbage.payload == b"\x00\xff"


def test_unordered_long_pdu() -> None:
    answer = SubscriptionResponse(ID, 2, tuple(range(16)), tuple(NotAdmitted(9, Cause(1, 1)) for _ in range(16)))
    (message,) = outgoing(answer, E2Rule(unordered=True))
    assert message.payload[3] & 0x80
    assert codec.decode(message.payload, strict_order=False) == answer


def test_copies_and_their_delays() -> None:
    messages = outgoing(SubscriptionResponse(ID, 2, (1,)), E2Rule(delay=1, copies=3, copy_delay=0.5))
    assert [message.delay for message in messages] == [1, 1.5, 2]
    assert len({message.payload for message in messages}) == 1


@pytest.mark.parametrize("older", [False, True])
def test_delete_required(older: bool) -> None:
    payload = delete_required(((ID, 2), (RequestId(123, 8), 3)), Cause(6, 3), older)
    assert payload[7:9] == (b"\x00\x32" if older else b"\x00\x3c")
    assert codec.decode(payload) == SubscriptionDeleteRequired(
        (SubscriptionToRemove(ID, 2, Cause(6, 3)), SubscriptionToRemove(RequestId(123, 8), 3, Cause(6, 3)))
    )
