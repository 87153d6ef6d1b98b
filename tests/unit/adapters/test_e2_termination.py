# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from typing import Any

import pytest

from submgr.adapters.e2_termination import E2Termination
from submgr.core import events as e
from submgr.e2ap import codec
from submgr.e2ap import messages as m
from submgr.rmr.message import Message, Status
from submgr.runtime.ports import MType


class Rmr:
    """The RMR layer, and who takes what arrives."""

    def __init__(self) -> None:
        self.replies: list[tuple[Message, int]] = []
        self.posted: list[tuple[str, Any]] = []

    def send(self, message: Message, failed: object = None) -> Status:
        return Status.OK

    def reply(self, request: Message, mtype: int, payload: bytes, failed: object = None, *, sub_id: int) -> Status:
        self.replies.append((request, mtype))
        return Status.OK

    def post(self, meid: str, event: e.Event) -> None:
        self.posted.append((meid, event))


@pytest.fixture
def rmr() -> Rmr:
    return Rmr()


@pytest.fixture
def e2_termination(rmr: Rmr) -> E2Termination:
    tokens = itertools.count(1)
    e2_termination = E2Termination(lambda: True, {5: "gnb_5"}.get, lambda: next(tokens))
    e2_termination.connect(rmr)
    e2_termination.open(rmr)  # type: ignore[arg-type]
    return e2_termination


def request(mtype: MType, message: m.Message, meid: str = "") -> Message:
    return Message(mtype, codec.encode(message), xid=b"x" * 32, meid=meid, src="xapp:4560")


@pytest.mark.parametrize(("meid", "instance", "node"), [("", 5, "gnb_5"), ("", 77, ""), ("gnb_1", 77, "gnb_1")])
def test_every_delete_request_is_worked_on_and_so_answered(
    rmr: Rmr, e2_termination: E2Termination, meid: str, instance: int, node: str
) -> None:
    e2_termination.received(request(MType.DELETE, m.SubscriptionDeleteRequest(m.RequestId(9, instance), 2), meid))
    ((posted, event),) = rmr.posted
    assert posted == node
    assert isinstance(event, e.UnsubscribeOverRmr)
    assert (event.requestor_id, event.instance_id) == (9, instance)


def test_of_a_request_only_what_its_answer_needs_is_kept(rmr: Rmr, e2_termination: E2Termination) -> None:
    """Some are never answered; thousands of them must not fill the memory."""
    action = m.Action(1, m.ActionType.REPORT, b"\1" * 50_000)
    received = request(MType.SUBSCRIBE, m.SubscriptionRequest(m.RequestId(9, 0), 2, b"\1", (action,)), "gnb_1")
    e2_termination.received(received)
    ((_, event),) = rmr.posted
    e2_termination.answer(event.token, MType.SUBSCRIBED, 1, b"answer")
    ((kept, mtype),) = rmr.replies
    assert mtype == MType.SUBSCRIBED
    assert (kept.xid, kept.meid, kept.src, kept.mtype) == (received.xid, "gnb_1", "xapp:4560", MType.SUBSCRIBE)
    assert kept.payload == b""


ANSWER = Message(MType.DELETED, codec.encode(m.SubscriptionDeleteResponse(m.RequestId(123, 5), 2)), meid="gnb_1")
_ACTION = m.Action(1, m.ActionType.REPORT, b"\1")
REQUEST = Message(
    MType.SUBSCRIBE,
    codec.encode(m.SubscriptionRequest(m.RequestId(9, 0), 2, b"\1", (_ACTION,))),
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
    """While the subscriptions are being restored, answers of E2 nodes are let in, but no requests of xApps."""
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
