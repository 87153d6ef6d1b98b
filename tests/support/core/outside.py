# SPDX-License-Identifier: Apache-2.0
"""Everything round the workers, in the process and without delay: ports that behave, or are told not to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.handlers.recovery import by_node
from submgr.core.model import ClientEndpoint, Content, Detail, E2Record, RestRecord, SubscribeRequest
from submgr.core.registry import NotificationQuota, Registry
from submgr.e2ap import codec
from submgr.e2ap.messages import (
    Action,
    ActionType,
    SubscriptionDeleteRequest,
    SubscriptionDeleteResponse,
    SubscriptionRequest,
    SubscriptionResponse,
)
from submgr.platform.turns import turn
from submgr.runtime.dispatcher import Dispatcher
from submgr.runtime.ports import MType, RouteFailure, WriteFailure
from submgr.runtime.worker import Ports

Failed = Callable[[str], None]


class Outside:
    """Everything round the workers: a store that answers, routes that are made, a node that agrees.

    `faulty`: towards this Meid the way out raises what no port may raise, so many times. `silent`: its node says
    nothing. `hung`: the store takes writes and answers nothing. `now`: where the clock stands, None for the real one.
    """

    def __init__(self) -> None:
        self.rest: dict[str, RestRecord] = {}
        self.e2: dict[int, E2Record] = {}
        self.told: list[c.Notify] = []
        self.replies: list[Any] = []
        self.tokens = 0
        self.faulty: dict[str, int] = {}
        self.silent: set[str] = set()
        self.hung = False
        self.write_fails: WriteFailure | None = None
        """What the store says to the writes of E2 records."""
        self.route_fails: RouteFailure | None = None
        self.not_sent: str | None = None
        """Why nothing leaves for a node."""
        self.now: float | None = None
        self.broken: list[str] = []
        self.crashes = 0
        self.seen: list[tuple[str, e.Event | None, tuple[c.Command, ...]]] = []
        self.sent: list[tuple[str, MType, int]] = []
        self.answers: list[tuple[int, MType, int, bytes]] = []
        self.dropped: list[str] = []
        self.down: set[str] = set()
        self.controls = Controls()
        self.registry = Registry(NotificationQuota(lambda: 2000))
        self.ports = Ports(self, self, self, self, self.reply, self, self.clock)  # type: ignore[arg-type]
        self.reply_to: Callable[[Any], None] | None = None
        self.dispatcher = Dispatcher(
            self.registry,
            self.ports,
            lambda: self.controls,
            lambda meid: meid not in self.down,
            self._reload,
            self.broken.append,
            self._crashed,
        )

    def clock(self) -> float:
        return time.monotonic() if self.now is None else self.now

    def advance(self, seconds: float) -> None:
        """The clock, which stands at `now`, goes on, and every worker looks at it."""
        assert self.now is not None
        self.now += seconds
        for worker in self.dispatcher.workers:
            worker.post(e.Answered(0))
        turns()

    def reply(self, reply: Any) -> None:
        self.replies.append(reply)
        if self.reply_to is not None:
            self.reply_to(reply)

    def _crashed(self, meid: str) -> None:
        self.crashes += 1

    def _reload(self, meid: str) -> e.Restored:
        parts = by_node(self.e2.values(), self.rest.values(), (), lambda meid: meid not in self.down)
        return parts.get(meid) or e.Restored((), (), (), True)

    # records

    def save_rest(self, record: RestRecord, done: Callable[[object], None] | None) -> None:
        if self.hung:
            return
        self.rest[record.subscription_id] = record
        if done is not None:
            done(None)

    def erase_rest(self, subscription_id: str, done: Callable[[object], None] | None) -> None:
        self.rest.pop(subscription_id, None)

    def save_e2(self, record: E2Record, done: Callable[[object], None] | None) -> None:
        if self.write_fails is None:
            self.e2[record.instance_id] = record
        if done is not None:
            done(self.write_fails)

    def erase_e2(self, instance_id: int, done: Callable[[object], None] | None) -> None:
        self.e2.pop(instance_id, None)
        if done is not None:
            done(None)

    def save_removal(self, removal: object, done: Callable[[object], None] | None) -> None:
        if done is not None:
            done(None)

    def erase_removal(self, meid: str, instance_id: int) -> None: ...

    def save_next_instance_id(self, mark: int) -> None: ...

    # routes

    def create(self, instance_id: int, endpoint: object, done: Callable[[object], None]) -> None:
        done(self.route_fails)

    def update(self, instance_id: int, endpoints: object, change: object, done: Callable[[object], None]) -> None:
        done(None)

    def delete(self, instance_id: int, endpoint: object, done: Callable[[object], None]) -> None:
        done(None)

    # the node

    def send_to_node(
        self, meid: str, mtype: MType, instance_id: int, payload: bytes, failed: Failed, wait: float
    ) -> None:
        if self.faulty.get(meid, 0) > 0:
            self.faulty[meid] -= 1
            raise ZeroDivisionError("a bug")
        self.sent.append((meid, mtype, instance_id))
        if self.not_sent is not None:
            failed(self.not_sent)
        if self.not_sent is not None or meid in self.silent:
            return
        message = codec.decode(payload)
        assert isinstance(message, SubscriptionRequest | SubscriptionDeleteRequest)
        function = message.ran_function_id
        answer: e.Event = SubscriptionDeleteResponse(message.request_id, function)
        if isinstance(message, SubscriptionRequest):
            ids = tuple(action.action_id for action in message.actions)
            answer = SubscriptionResponse(message.request_id, function, ids)
        self.dispatcher.answered(meid, answer, instance_id)

    def answer(self, token: int, mtype: MType, instance_id: int, payload: bytes) -> None:
        self.answers.append((token, mtype, instance_id, payload))

    # xApps, and who watches

    def notify(self, notification: c.Notify, done: Callable[[], None]) -> None:
        self.told.append(notification)
        self.registry.quota.release(notification.endpoint.http)
        done()

    def drop(self, subscription_id: str) -> None:
        self.dropped.append(subscription_id)

    def saw(self, meid: str, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        self.seen.append((meid, event, tuple(commands)))

    def request(self, meid: str, *details: Detail) -> SubscribeRequest:
        return SubscribeRequest(ClientEndpoint("xapp-http", 8080, 4560), meid, 2, details)

    def post(self, meid: str, name: str, *details: Detail, answered: bool = True) -> int:
        """A POST that is accepted, and unless told otherwise answered; its token."""
        self.tokens += 1
        token = self.tokens
        event = e.Subscribe(token, self.request(meid, *details), name, "2026-01-01 00:00:00.000")
        self.dispatcher.post(meid, event)
        turns()
        assert isinstance(self.replies[-1], c.Accept), self.replies
        if answered:
            self.dispatcher.post(meid, e.Answered(token))
            turns()
        return token


def turns() -> None:
    for _ in range(50):
        turn()


def report(xei: int) -> Detail:
    return Detail(xei, Content(2, bytes([xei]), (Action(1, ActionType.REPORT, b"\1"),)))
