# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from submgr.adapters.e2_termination import E2Termination
from submgr.adapters.held_requests import HELD_REQUESTS, HeldRequests
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

        self.routes: set[str] = set()
        self.awaiting = False
        self.sent: list[tuple[int, str, int]] = []
        self.changed: Callable[[], None] = lambda: None

    def send(self, message: Message, failed: object = None) -> Status:
        if self.awaiting and not self.leads(message):
            return Status.NOENDPT
        self.sent.append((message.mtype, message.meid, message.sub_id))
        return Status.OK

    def awaits_routes(self) -> bool:
        return self.awaiting

    def leads(self, message: Message) -> bool:
        return message.meid in self.routes

    def on_routes(self, changed: Callable[[], None]) -> None:
        self.changed = changed

    def table(self, *meids: str, awaiting: bool = True) -> None:
        """A new table with routes to these nodes."""
        self.routes, self.awaiting = set(meids), awaiting
        self.changed()

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


def test_what_answers_have_to_carry_back_is_bounded(
    rmr: Rmr, e2_termination: E2Termination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trace data may be as long as a frame: of what is not answered, the oldest is forgotten."""
    monkeypatch.setattr("submgr.adapters.e2_termination.KEPT_BYTES", 2500)
    plain = request(MType.SUBSCRIBE, m.SubscriptionRequest(m.RequestId(9, 0), 2, b"\1", (_ACTION,)), "gnb_1")
    for _ in range(3):
        e2_termination.received(replace(plain, trace=bytes(1000)))
    for _, event in rmr.posted:
        e2_termination.answer(event.token, MType.SUBSCRIBED, 1, b"answer")
    assert len(rmr.replies) == 2
    e2_termination.received(replace(plain, trace=bytes(2000)))
    e2_termination.answer(rmr.posted[-1][1].token, MType.SUBSCRIBED, 1, b"answer")
    assert len(rmr.replies) == 3, "what has been answered does not count"


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


# --- before the first full route table


@dataclass
class Clock:
    """Timers that run out when they are told to."""

    timers: list[Timer] = field(default_factory=list)

    def later(self, seconds: float, call: Callable[..., None], argument: object) -> Timer:
        self.timers.append(Timer(seconds, lambda: call(argument)))
        return self.timers[-1]

    def run_out(self) -> None:
        for timer in self.timers:
            if not timer.killed:
                timer.call()


@dataclass
class Timer:
    seconds: float
    call: Callable[[], None]
    killed: bool = False

    def kill(self, *, block: bool) -> None:
        assert not block
        self.killed = True


@dataclass
class Early:
    """An E2 Termination that nobody has a route to yet."""

    rmr: Rmr
    clock: Clock
    port: E2Termination
    failed: list[str] = field(default_factory=list)

    def send(self, instance: int = 1, wait: float = 2.0, mtype: MType = MType.SUBSCRIBE, meid: str = "gnb_1") -> None:
        self.port.send_to_node(meid, mtype, instance, b"pdu", self.failed.append, wait)


@pytest.fixture
def early(rmr: Rmr) -> Early:
    clock = Clock()
    port = E2Termination(lambda: True, {}.get, lambda: 1, HeldRequests(clock.later))  # type: ignore[arg-type]
    port.connect(rmr)
    rmr.awaiting = True
    return Early(rmr, clock, port)


def test_a_request_waits_for_a_route_and_leaves_when_it_comes(early: Early) -> None:
    early.send(1)
    early.send(2, mtype=MType.DELETE)
    early.send(3, meid="gnb_2")
    early.rmr.table()
    assert (early.rmr.sent, early.failed) == ([], [])
    early.rmr.table("gnb_1")
    assert early.rmr.sent == [(MType.SUBSCRIBE, "gnb_1", 1), (MType.DELETE, "gnb_1", 2)]
    early.rmr.table("gnb_1", "gnb_2", awaiting=False)
    assert early.rmr.sent[2:] == [(MType.SUBSCRIBE, "gnb_2", 3)]
    early.clock.run_out()
    assert (len(early.rmr.sent), early.failed) == (3, [])


def test_a_request_without_a_route_is_told_before_its_timer_runs_out(early: Early) -> None:
    early.send(1, wait=2.0)
    early.send(2, wait=0.3)
    assert [round(timer.seconds, 3) for timer in early.clock.timers] == [1.9, 0.27]
    early.clock.run_out()
    why = "no RMR route for 12010 to gnb_1, and no complete route table since the start"
    assert early.failed == [why, why]
    early.rmr.table("gnb_1")
    assert early.rmr.sent == []


def test_a_resend_takes_the_place_of_the_request_that_still_waits(early: Early) -> None:
    early.send(1)
    early.send(1, mtype=MType.DELETE)
    early.rmr.table("gnb_1")
    assert (early.rmr.sent, early.failed) == ([(MType.DELETE, "gnb_1", 1)], [])


def test_with_a_route_or_after_the_full_table_nothing_waits(early: Early) -> None:
    early.rmr.table("gnb_1")
    early.send(1)
    assert early.rmr.sent == [(MType.SUBSCRIBE, "gnb_1", 1)]
    early.rmr.send = lambda message, failed=None: Status.NOENDPT  # type: ignore[method-assign,assignment]
    early.rmr.table(awaiting=False)
    early.send(2)
    assert early.failed == ["no RMR route for 12010 to gnb_1"]
    assert len(early.clock.timers) == 0


def test_the_requests_of_a_lost_node_are_forgotten(early: Early) -> None:
    early.send(1)
    early.send(2, meid="gnb_2")
    early.port.node_lost("gnb_1")
    early.rmr.table("gnb_1", "gnb_2")
    assert (early.rmr.sent, early.failed) == ([(MType.SUBSCRIBE, "gnb_2", 2)], [])


def test_so_many_may_wait_and_no_more(early: Early) -> None:
    for instance in range(HELD_REQUESTS):
        early.send(instance)
    assert early.failed == []
    early.send(HELD_REQUESTS)
    assert len(early.failed) == 1
