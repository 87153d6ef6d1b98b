# SPDX-License-Identifier: Apache-2.0
"""The ports: protocols that the worker calls. No call blocks; each result comes back through its callback."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Protocol

from msgspec import Struct

from submgr.core.commands import Command, Notify, RouteChange
from submgr.core.events import Event, RouteFailureKind
from submgr.core.model import E2Record, Removal, RestRecord, RmrEndpoint


class WriteFailure(Struct, frozen=True):
    """The store did not write a record, in its own words. `timed_out`: unknown, the record may still be written."""

    message: str
    timed_out: bool


Written = Callable[[WriteFailure | None], None]
"""The port calls it once with the outcome of a write, from another greenlet; None: written. Erase: see `Records`."""


class Records(Protocol):
    """The store of records. It does the writes of one key in the order they were asked for.

    `done` None: the store retries the write in the background until it is done. An erase is always retried; its `done`
    is called with the failure of the first try, if it failed, and with None when the record is gone.
    """

    def save_rest(self, record: RestRecord, done: Written | None) -> None: ...
    def erase_rest(self, subscription_id: str, done: Written | None) -> None: ...
    def save_e2(self, record: E2Record, done: Written | None) -> None: ...
    def erase_e2(self, instance_id: int, done: Written | None) -> None: ...
    def save_removal(self, removal: Removal, done: Written | None) -> None: ...
    def erase_removal(self, meid: str, instance_id: int) -> None: ...
    def save_next_instance_id(self, mark: int) -> None: ...


class RouteFailure(Struct, frozen=True):
    """The Routing Manager did not do what it was asked, in its own words or ours."""

    kind: RouteFailureKind
    message: str


Routed = Callable[[RouteFailure | None], None]
"""The port calls it once with the outcome of a route call; None: done."""


class Routes(Protocol):
    """The Routing Manager. One call is one HTTP request, bounded in time; the port retries nothing. It makes the calls
    for one instance id in the order they were asked for."""

    def create(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None: ...
    def update(self, instance_id: int, endpoints: Sequence[RmrEndpoint], change: RouteChange, done: Routed) -> None: ...
    def delete(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None: ...


Trace = Callable[[], Mapping[str, str]]
"""Called while a port is called: the HTTP headers that pass on the trace of this call."""


class Notifier(Protocol):
    """Tells xApps how their subscriptions ended, with retries, in order for each REST subscription.

    The port calls `done` when the notification was delivered or given up, not when it was dropped.
    """

    def notify(self, notification: Notify, done: Callable[[], None]) -> None: ...
    def drop(self, subscription_id: str) -> None: ...


class MType(IntEnum):
    """RMR message types of the E2 subscription procedures."""

    SUBSCRIBE = 12010
    SUBSCRIBED = 12011
    SUBSCRIBE_FAILED = 12012
    DELETE = 12020
    DELETED = 12021
    DELETE_FAILED = 12022
    DELETE_REQUIRED = 12023


class E2Sender(Protocol):
    """The way to the E2 Termination, and back to RMR xApps. The port calls `failed(reason)` at once or later."""

    def send_to_node(
        self, meid: str, mtype: MType, instance_id: int, payload: bytes, failed: Callable[[str], None], wait: float
    ) -> None:
        """`wait`: seconds that a request may wait for the first route table after a start."""

    def answer(self, token: int, mtype: MType, instance_id: int, payload: bytes) -> None: ...


class Observer(Protocol):
    """Metrics and logs. They watch each event (None: a timer) and the commands performed for it, and steer nothing."""

    def saw(self, meid: str, event: Event | None, commands: Sequence[Command]) -> None: ...


class Clock(Protocol):
    """Monotonic seconds."""

    def __call__(self) -> float: ...
