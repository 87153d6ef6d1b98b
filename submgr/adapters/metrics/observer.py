# SPDX-License-Identifier: Apache-2.0
"""Observers: they turn the work of the workers and of the store into counters and histograms.

They watch and steer nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from submgr.adapters.metrics.go_counters import GoCounters
from submgr.adapters.metrics.prometheus import Metrics
from submgr.adapters.observers import WatchCommand, WatchEvent
from submgr.core import commands as c
from submgr.core import events as e
from submgr.e2ap import messages as m
from submgr.platform.sparse_log import Sparsely
from submgr.platform.store.base import FailureKind, Operation

log = logging.getLogger(__name__)

NOTES = {
    c.Note.DUPLICATE: "DuplicateE2SubReq",
    c.Note.MERGED: "MergedSubscriptions",
    c.Note.UNMERGED: "UnmergedSubscriptions",
    c.Note.SUBSCRIBE_TIMER: "SubReqTimerExpiry",
    c.Note.DELETE_TIMER: "SubDelReqTimerExpiry",
    c.Note.PARTIAL: "PartialSubRespFromE2",
    c.Note.ROUTE_UNCONFIRMED: "RouteDeleteFail",
}
EVENTS: dict[type, str] = {
    m.SubscriptionResponse: "SubRespFromE2",
    m.SubscriptionFailure: "SubFailFromE2",
    m.SubscriptionDeleteResponse: "SubDelRespFromE2",
    m.SubscriptionDeleteFailure: "SubDelFailFromE2",
    m.SubscriptionDeleteRequired: "SubDelRequiredFromE2",
    e.SubscribeOverRmr: "SubReqFromXapp",
    e.UnsubscribeOverRmr: "SubDelReqFromXapp",
}
RMR_ANSWERS: dict[type, str] = {
    m.SubscriptionResponse: "SubRespToXapp",
    m.SubscriptionFailure: "SubFailToXapp",
    m.SubscriptionDeleteResponse: "SubDelRespToXapp",
}


class WorkerObserver:
    """Implements `submgr.adapters.observers.Watcher`: feeds both sets of metrics.

    A message that an outsider can cause at will is logged once per kind and minute.
    """

    def __init__(self, counters: GoCounters, metrics: Metrics) -> None:
        self._count = counters.inc
        self._metrics = metrics
        self._sparsely = Sparsely(log)
        self.by_event: Mapping[type, WatchEvent] = dict.fromkeys(EVENTS, self._came)
        self.by_command: Mapping[type, WatchCommand] = {
            c.SendToE2: self._sent,
            c.Notify: self._notified,
            c.AnswerOverRmr: self._answered,
            c.Finished: self._finished,
            c.Ignored: self._ignored,
            c.Noted: self._noted,
        }

    def _came(self, meid: str, event: e.Event, commands: Sequence[c.Command]) -> None:
        self._count(EVENTS[type(event)])

    def _sent(self, meid: str, command: c.SendToE2, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        subscribe = isinstance(command.message, m.SubscriptionRequest)
        if subscribe:
            self._count("SubReReqToE2" if command.resend else "SubReqToE2")
        else:
            self._count("SubDelReReqToE2" if command.resend else "SubDelReqToE2")

    def _notified(self, meid: str, command: c.Notify, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        self._count("RestSubNotifToXapp" if command.failure is None else "RestSubFailNotifToXapp")

    def _answered(
        self, meid: str, command: c.AnswerOverRmr, event: e.Event | None, commands: Sequence[c.Command]
    ) -> None:
        self._count(RMR_ANSWERS[type(command.message)])

    def _noted(self, meid: str, command: c.Noted, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        if command.what is c.Note.UNCONFIRMED_DELETE:
            self._metrics.delete_unconfirmed()
        elif command.what is c.Note.CONFIRMED_LATE:
            self._metrics.delete_confirmed_late()
        else:
            self._count(NOTES[command.what], command.n)

    def _finished(self, meid: str, command: c.Finished, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        self._metrics.procedure(command.procedure, command.outcome.value, command.seconds)

    def _ignored(self, meid: str, command: c.Ignored, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        self._metrics.ignored(command.kind.value)
        self._sparsely.log(logging.WARNING, command.kind.value, f"ignored: {command.what}", meid=meid)


class SdlObserver:
    """Implements `submgr.platform.store.base.StoreObserver`: counts failed database operations and measures all."""

    NAMES: ClassVar[Mapping[FailureKind, str]] = {
        "write": "SDLWriteFailure",
        "read": "SDLReadFailure",
        "remove": "SDLRemoveFailure",
    }

    def __init__(self, count: Callable[[str], None], latency: Callable[[str, float], None]) -> None:
        self._count = count
        self._latency = latency

    def on_latency(self, operation: Operation, seconds: float) -> None:
        self._latency(operation, seconds)

    def on_failure(self, kind: FailureKind) -> None:
        self._count(self.NAMES[kind])
