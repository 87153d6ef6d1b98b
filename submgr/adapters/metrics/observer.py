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
}
ANSWERS: dict[type, str] = {
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
    """Implements `submgr.runtime.ports.Observer`: feeds both sets of metrics.

    A message that an outsider can cause at will is logged once per kind and minute.
    """

    def __init__(self, counters: GoCounters, metrics: Metrics) -> None:
        self._count = counters.inc
        self._metrics = metrics
        self._sparsely = Sparsely(log)
        self._watch: dict[type, Callable[[str, c.Command], None]] = {
            c.SendToE2: self._sent,
            c.Notify: self._notified,
            c.AnswerOverRmr: self._answered,
            c.Finished: self._finished,
            c.Ignored: self._ignored,
            c.Noted: self._noted,
        }

    def saw(self, meid: str, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        name = ANSWERS.get(type(event))
        if name is not None:
            self._count(name)
        for command in commands:
            watch = self._watch.get(type(command))
            if watch is not None:
                watch(meid, command)

    def _sent(self, meid: str, command: c.Command) -> None:
        assert isinstance(command, c.SendToE2)
        subscribe = isinstance(command.message, m.SubscriptionRequest)
        if subscribe:
            self._count("SubReReqToE2" if command.resend else "SubReqToE2")
        else:
            self._count("SubDelReReqToE2" if command.resend else "SubDelReqToE2")

    def _notified(self, meid: str, command: c.Command) -> None:
        assert isinstance(command, c.Notify)
        self._count("RestSubNotifToXapp" if command.failure is None else "RestSubFailNotifToXapp")

    def _answered(self, meid: str, command: c.Command) -> None:
        assert isinstance(command, c.AnswerOverRmr)
        self._count(RMR_ANSWERS[type(command.message)])

    def _noted(self, meid: str, command: c.Command) -> None:
        assert isinstance(command, c.Noted)
        if command.what is c.Note.UNCONFIRMED_DELETE:
            self._metrics.delete_unconfirmed()
        elif command.what is c.Note.CONFIRMED_LATE:
            self._metrics.delete_confirmed_late()
        else:
            self._count(NOTES[command.what], command.n)

    def _finished(self, meid: str, command: c.Command) -> None:
        assert isinstance(command, c.Finished)
        self._metrics.procedure(command.procedure, command.outcome.value, command.seconds)

    def _ignored(self, meid: str, command: c.Command) -> None:
        assert isinstance(command, c.Ignored)
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
