# SPDX-License-Identifier: Apache-2.0
"""What is let in while the subscriptions are being restored: answers of E2 nodes, but no requests of xApps."""

from __future__ import annotations

from submgr.adapters.e2_termination import E2Termination
from submgr.core import events as e
from submgr.e2ap import codec
from submgr.e2ap import messages as m
from submgr.rmr.message import Message
from submgr.runtime.ports import MType

ANSWER = Message(MType.DELETED, codec.encode(m.SubscriptionDeleteResponse(m.RequestId(123, 5), 2)), meid="gnb_1")
ACTION = m.Action(1, m.ActionType.REPORT, b"\1")
REQUEST = Message(
    MType.SUBSCRIBE,
    codec.encode(m.SubscriptionRequest(m.RequestId(9, 0), 2, b"\1", (ACTION,))),
    xid=b"x" * 32,
    meid="gnb_1",
    src="xapp:4560",
)


class Inbound:
    def __init__(self) -> None:
        self.came: list[type] = []

    def post(self, meid: str, event: e.Event) -> None:
        self.came.append(type(event))

    def answered(self, meid: str, event: e.Event, instance_id: int) -> None:
        self.came.append(type(event))

    def undecodable(self, meid: str, instance_id: int, message: str) -> None:
        raise AssertionError(message)


def test_answers_first_then_requests() -> None:
    inbound = Inbound()
    e2_termination = E2Termination(lambda: True, lambda instance_id: None, lambda: 1)
    for message in (ANSWER, REQUEST):
        e2_termination.received(message)
    assert inbound.came == []
    e2_termination.open(inbound, answers_only=True)
    for message in (ANSWER, REQUEST):
        e2_termination.received(message)
    assert inbound.came == [m.SubscriptionDeleteResponse]
    e2_termination.open(inbound)
    for message in (ANSWER, REQUEST):
        e2_termination.received(message)
    assert inbound.came[1:] == [m.SubscriptionDeleteResponse, e.SubscribeOverRmr]
