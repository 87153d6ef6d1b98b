# SPDX-License-Identifier: Apache-2.0
"""What the worker needs from outside, as Protocols. No call here may block: results come back through callbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from submgr.core.commands import Command, Notify, RouteChange
from submgr.core.events import Event, RouteFailureKind
from submgr.core.model import E2Record, Removal, RestRecord, RmrEndpoint


@dataclass(frozen=True, slots=True)
class WriteFailure:
    """A record was not written, in the store's own words; `timed_out`: it may still be."""

    message: str
    timed_out: bool


Written = Callable[[WriteFailure | None], None]
"""Called once with the outcome of a write, from another greenlet; for an erase see `Records`."""


class Records(Protocol):
    """The store of records. Writes of one key happen in the order they were asked for.

    `done` None: persistent, retried in the background until it is written. An erase is always persistent; its `done`
    is called with None when the record is gone, and with the failure of its first try.
    """

    def save_rest(self, record: RestRecord, done: Written | None) -> None: ...
    def erase_rest(self, subscription_id: str, done: Written | None) -> None: ...
    def save_e2(self, record: E2Record, done: Written | None) -> None: ...
    def erase_e2(self, instance_id: int, done: Written | None) -> None: ...
    def save_removal(self, removal: Removal, done: Written | None) -> None: ...
    def erase_removal(self, meid: str, instance_id: int) -> None: ...


@dataclass(frozen=True, slots=True)
class RouteFailure:
    kind: RouteFailureKind
    message: str


Routed = Callable[[RouteFailure | None], None]


class Routes(Protocol):
    """The Routing Manager. One call is one HTTP request, bounded in time; nothing is retried here. Calls for one
    instance id happen in the order they were asked for."""

    def create(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None: ...
    def update(self, instance_id: int, endpoints: Sequence[RmrEndpoint], change: RouteChange, done: Routed) -> None: ...
    def delete(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None: ...


class Notifier(Protocol):
    """Tells xApps how their subscriptions ended, in order per REST subscription, with retries.

    `done` is called when it was delivered or given up, not when it was dropped.
    """

    def notify(self, notification: Notify, done: Callable[[], None]) -> None: ...
    def drop(self, subscription_id: str) -> None: ...


class MType(IntEnum):
    """RMR message types of E2 subscriptions."""

    SUBSCRIBE = 12010
    SUBSCRIBED = 12011
    SUBSCRIBE_FAILED = 12012
    DELETE = 12020
    DELETED = 12021
    DELETE_FAILED = 12022
    DELETE_REQUIRED = 12023


class E2Sender(Protocol):
    """The way to the E2 Termination, and back to RMR xApps. `failed(reason)` may be called at once or later."""

    def send_to_node(
        self, meid: str, mtype: MType, instance_id: int, payload: bytes, failed: Callable[[str], None]
    ) -> None: ...
    def answer(self, token: int, mtype: MType, instance_id: int, payload: bytes) -> None: ...


class Observer(Protocol):
    """Metrics and logs watch each event (None: a timer) and what was done because of it; they steer nothing."""

    def saw(self, meid: str, event: Event | None, commands: Sequence[Command]) -> None: ...


class Clock(Protocol):
    """Monotonic seconds."""

    def __call__(self) -> float: ...
