# SPDX-License-Identifier: Apache-2.0
"""A bug in one node's work ends that worker and nothing else: it is made anew from what is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import gevent
import pytest

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.model import ClientEndpoint, Content, Detail, E2Record, RestRecord, SubscribeRequest
from submgr.core.places import Places
from submgr.core.recovery import by_node
from submgr.core.registry import Registry
from submgr.dispatcher import Dispatcher
from submgr.e2ap import codec
from submgr.e2ap.messages import (
    Action,
    ActionType,
    SubscriptionDeleteRequest,
    SubscriptionDeleteResponse,
    SubscriptionRequest,
    SubscriptionResponse,
)
from submgr.ports import MType
from submgr.worker import Ports


class Outside:
    """Everything round the workers: a store that answers, routes that are made, a node that agrees.

    `faulty`: towards this Meid the way out raises what no port may raise, so many times.
    """

    def __init__(self) -> None:
        self.rest: dict[str, RestRecord] = {}
        self.e2: dict[int, E2Record] = {}
        self.told: list[c.Notify] = []
        self.replies: list[Any] = []
        self.faulty: dict[str, int] = {}
        self.broken: list[str] = []
        self.crashes = 0
        self.registry = Registry(Places(lambda: 100))
        ports = Ports(self, self, self, self, self.replies.append, self, time.monotonic)  # type: ignore[arg-type]
        self.dispatcher = Dispatcher(
            self.registry,
            ports,
            Controls,
            lambda meid: True,
            self._reload,
            self.broken.append,
            self._crashed,
        )

    def _crashed(self) -> None:
        self.crashes += 1

    def _reload(self, meid: str) -> e.Restored:
        parts = by_node(self.e2.values(), self.rest.values(), (), lambda meid: True)
        return parts.get(meid) or e.Restored((), (), (), True)

    # records

    def save_rest(self, record: RestRecord, done: Callable[[object], None] | None) -> None:
        self.rest[record.subscription_id] = record
        if done is not None:
            done(None)

    def erase_rest(self, subscription_id: str, done: Callable[[object], None] | None) -> None:
        self.rest.pop(subscription_id, None)

    def save_e2(self, record: E2Record, done: Callable[[object], None] | None) -> None:
        self.e2[record.instance_id] = record
        if done is not None:
            done(None)

    def erase_e2(self, instance_id: int, done: Callable[[object], None] | None) -> None:
        self.e2.pop(instance_id, None)
        if done is not None:
            done(None)

    def save_removal(self, removal: object, done: Callable[[object], None] | None) -> None:
        if done is not None:
            done(None)

    def erase_removal(self, meid: str, instance_id: int) -> None: ...

    # routes

    def create(self, instance_id: int, endpoint: object, done: Callable[[object], None]) -> None:
        done(None)

    def update(self, instance_id: int, endpoints: object, change: object, done: Callable[[object], None]) -> None:
        done(None)

    def delete(self, instance_id: int, endpoint: object, done: Callable[[object], None]) -> None:
        done(None)

    # the node

    def send_to_node(self, meid: str, mtype: MType, instance_id: int, payload: bytes, failed: object) -> None:
        if self.faulty.get(meid, 0) > 0:
            self.faulty[meid] -= 1
            raise ZeroDivisionError("a bug")
        message = codec.decode(payload)
        assert isinstance(message, SubscriptionRequest | SubscriptionDeleteRequest)
        function = message.ran_function_id
        answer: e.Event = SubscriptionDeleteResponse(message.request_id, function)
        if isinstance(message, SubscriptionRequest):
            ids = tuple(action.action_id for action in message.actions)
            answer = SubscriptionResponse(message.request_id, function, ids)
        self.dispatcher.answered(meid, answer, instance_id)

    # xApps, and who watches

    def notify(self, notification: c.Notify, done: Callable[[], None]) -> None:
        self.told.append(notification)
        done()

    def drop(self, subscription_id: str) -> None: ...
    def saw(self, meid: str, event: object, commands: Sequence[c.Command]) -> None: ...

    def post(self, meid: str, name: str, *details: Detail) -> None:
        token = len(self.replies) + 1
        request = SubscribeRequest(ClientEndpoint("xapp-http", 8080, 4560), meid, 2, details)
        self.dispatcher.post(meid, e.Subscribe(token, request, name, "2026-01-01 00:00:00.000"))
        turns()
        assert isinstance(self.replies[-1], c.Accept), self.replies
        self.dispatcher.post(meid, e.Answered(token))
        turns()


def turns() -> None:
    for _ in range(50):
        gevent.sleep(0)


def report(xei: int) -> Detail:
    return Detail(xei, Content(2, bytes([xei]), (Action(1, ActionType.REPORT, b"\1"),)))


@pytest.fixture
def outside() -> Outside:
    return Outside()


def test_the_node_is_recovered_and_the_others_never_notice(outside: Outside) -> None:
    outside.post("gnb_1", "kept", report(1))
    outside.post("gnb_2", "other", report(1))
    outside.faulty["gnb_1"] = 1
    others = outside.dispatcher.node("gnb_2")
    outside.post("gnb_1", "cut", report(2), report(3), report(4))
    assert outside.crashes == 1
    assert outside.dispatcher.node("gnb_2") is others
    node = outside.dispatcher.node("gnb_1")
    assert node is not None
    assert [rest for rest in node.rests if node.rests[rest].instances] == ["kept"]
    failed = [n for n in outside.told if n.failure is not None]
    assert {n.xapp_event_instance_id for n in failed} == {2, 3, 4}
    assert {n.failure.source.value for n in failed if n.failure} == {"SUBMGR"}
    outside.post("gnb_1", "after", report(5))
    assert outside.told[-1].failure is None
    assert outside.broken == []


def test_an_id_of_the_lost_worker_is_free_or_held(outside: Outside) -> None:
    outside.post("gnb_1", "kept", report(1))
    outside.faulty["gnb_1"] = 1
    outside.post("gnb_1", "cut", report(2))
    turns()
    node = outside.dispatcher.node("gnb_1")
    assert node is not None
    assert outside.registry.ids.in_use() == len(node.subs)


def test_five_in_a_minute_end_the_process(outside: Outside) -> None:
    for n in range(1, 6):
        outside.faulty["gnb_1"] = 1
        outside.post("gnb_1", f"cut {n}", report(n))
        if n < 5:
            assert outside.broken == []
    assert len(outside.broken) == 1
