# SPDX-License-Identifier: Apache-2.0
"""Watches the workers and the notifier: journal, outcomes, tallies and log have what it sees."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from submgr.adapters.journal.entries import Ended, Facts, Kind, Severity, Unmet, kept
from submgr.adapters.journal.journal import Journal
from submgr.adapters.journal.lines import GOOD, ProcedureLines
from submgr.adapters.journal.outcomes import Outcomes
from submgr.adapters.journal.repeats import Repeats, and_more
from submgr.adapters.journal.tallies import Tallies
from submgr.adapters.observers import WatchCommand, WatchEvent
from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.errors import RefusedError
from submgr.core.model import SubscribeRequest
from submgr.e2ap import messages as m

_ANSWERED = (e.RouteFailureKind.REFUSED, e.RouteFailureKind.UNCONFIRMED)
_SUBSCRIBES = ("subscribe", "merge", "policy update", "resubscribe")


ALIKE = 200
"""Entries in a minute of failures of one procedure, outcome, E2 node and cause. Every outcome is kept all the same."""
REPEATED = 10
"""Entries in a minute of what somebody outside repeats at will."""


class JournalObserver:
    """Implements `submgr.adapters.observers.Watcher`. On the way of every subscription: it stores references and times,
    and makes neither words nor JSON. `clock`: seconds since 1970."""

    def __init__(
        self, journal: Journal, outcomes: Outcomes, tallies: Tallies, clock: Callable[[], float] = time.time
    ) -> None:
        self._journal = journal
        self._outcomes = outcomes
        self._tallies = tallies
        self._clock = clock
        self._lines = ProcedureLines()
        self.routing_trouble: str | None = None
        """Why the last call of the Routing Manager got no answer, in words; None when it got one."""
        self.by_event: Mapping[type, WatchEvent] = {
            e.Subscribe: self._posted,
            e.RouteDone: self._routed,
            e.RouteFailed: self._not_routed,
            m.SubscriptionResponse: self._answered,
            m.SubscriptionFailure: self._answered,
        }
        self.by_command: Mapping[type, WatchCommand] = {
            c.Accept: self._accepted,
            c.SaveE2: self._saves,
            c.EraseE2: self._erased,
            c.EraseRest: self._rest_erased,
            c.SendToE2: self._sent,
            c.Notify: self._told,
            c.Finished: self._finished,
            c.Ignored: self._ignored,
        }
        self._told_in: Sequence[c.Command] = ()
        """The last commands by which an xApp was told of a failure; there may be thousands of such in them."""
        self._unmet: Iterator[bool] = iter(())
        """For each failure in these commands that has not been seen yet: whether it is none of a procedure."""
        self._failures = Repeats(ALIKE)
        self._repeated = Repeats(REPEATED)

    # --- requests

    def _posted(self, meid: str, event: e.Subscribe, commands: Sequence[c.Command]) -> None:
        for command in commands:
            if isinstance(command, c.SaveRest) and command.step is not None:
                self._outcomes.posted(command.record.subscription_id, meid, event.request, self._clock())

    def _routed(self, meid: str, event: e.RouteDone, commands: Sequence[c.Command]) -> None:
        self.routing_trouble = None

    def _not_routed(self, meid: str, event: e.RouteFailed, commands: Sequence[c.Command]) -> None:
        self.routing_trouble = None if event.kind in _ANSWERED else event.message

    def _answered(
        self, meid: str, event: m.SubscriptionResponse | m.SubscriptionFailure, commands: Sequence[c.Command]
    ) -> None:
        trace = self._outcomes.by_instance(event.request_id.instance)
        if trace is not None and trace.outcome == "pending":
            trace.answered = self._clock()

    def refused(self, request: SubscribeRequest, error: RefusedError) -> None:
        """A valid POST was refused. One that is sent again and again has few entries."""
        host = request.endpoint.host
        left_out = self._repeated.due((host, request.meid, error.message), self._clock())
        if left_out is None:
            self._tallies.failed(request.meid, host, None, self._clock(), False)
            return
        words = f"a POST of {host} for {request.meid} was refused with {error.status}: {error.message}"
        facts = Facts(
            words=words + and_more(left_out),
            meid=request.meid,
            subscription_id=request.subscription_id or "",
            xapp=host,
            ran_function_id=request.ran_function_id,
            outcome="refused",
            cause=error.message,
        )
        self._fails(facts, request.meid, host)

    def odd(self, request: SubscribeRequest, words: str) -> None:
        """A POST was accepted that looks like a mistake."""
        left_out = self._repeated.due((request.endpoint.host, words), self._clock())
        if left_out is None:
            return
        facts = Facts(
            words=words + and_more(left_out),
            meid=request.meid,
            xapp=request.endpoint.host,
            ran_function_id=request.ran_function_id,
        )
        self._journal.add(Kind.SUBSCRIPTION, Severity.WARNING, facts)

    def _fails(self, happening: Facts | Unmet | Ended | None, meid: str, xapp: str, refused: bool = False) -> None:
        """Something failed. `happening` None: it is counted, and has no entry, since many like it have one."""
        entry = None
        if happening is not None:
            entry = self._journal.add(Kind.SUBSCRIPTION, Severity.WARNING, happening)
        self._tallies.failed(meid, xapp, entry, self._clock(), refused)

    # --- commands

    def _accepted(self, meid: str, command: c.Accept, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        self._outcomes.saved(command.subscription_id, self._clock())

    def _saves(self, meid: str, command: c.SaveE2, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        if command.step is not None:
            self._outcomes.started(command.record, self._clock())

    def _erased(self, meid: str, command: c.EraseE2, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        self._outcomes.forget(command.instance_id)

    def _rest_erased(
        self, meid: str, command: c.EraseRest, event: e.Event | None, commands: Sequence[c.Command]
    ) -> None:
        self._outcomes.withdrawn(command.subscription_id)

    def _sent(self, meid: str, command: c.SendToE2, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        if not isinstance(command.message, m.SubscriptionRequest):
            return
        trace = self._outcomes.by_instance(command.message.request_id.instance)
        if trace is None or trace.outcome != "pending":
            return
        now = self._clock()
        if type(event) is e.RouteDone:
            trace.route = now
        if not command.resend:
            trace.requested = now

    def _told(self, meid: str, command: c.Notify, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        failure, now = command.failure, self._clock()
        trace = self._outcomes.detail(command.subscription_id, command.xapp_event_instance_id)
        if trace is not None:
            if type(event) is e.RouteDone and not trace.route:
                trace.route = now
            trace.end(failure, command.instance_id, now)
            if failure is None:
                self._tallies.subscribed(meid, now - trace.posted, now)
        if failure is not None and self._is_unmet(commands):
            function_id = trace.ran_function_id if trace is not None else None
            self._lines.unmet(meid, command, function_id)
            left_out = self._failures.due((meid, failure.cause), now)
            happening = None if left_out is None else Unmet(meid, command, failure, function_id, left_out)
            self._fails(happening, meid, command.endpoint.host)

    def _is_unmet(self, commands: Sequence[c.Command]) -> bool:
        """Whether no procedure has had the next failure in these commands. Called once for each, in their order."""
        if commands is not self._told_in:
            self._told_in, self._unmet = commands, _without_procedure(commands)
        return next(self._unmet)

    def _finished(self, meid: str, command: c.Finished, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        self._lines.ended(meid, command)
        now = self._clock()
        if command.outcome not in GOOD:
            left_out = self._failures.due((meid, command.procedure, command.outcome, command.detail), now)
            told = None if left_out is None else Ended(meid, kept(command), left_out)
            refused = command.outcome is c.Outcome.REFUSED and command.procedure in _SUBSCRIBES
            self._fails(told, meid, command.about.xapp, refused)
            return
        self._journal.add(Kind.SUBSCRIPTION, Severity.INFO, Ended(meid, kept(command)))
        if command.procedure == "delete":
            self._tallies.deleted(now)
        elif command.about.xapp_event_instance_id is None and command.procedure in _SUBSCRIBES:  # over RMR
            self._tallies.subscribed(meid, command.seconds, now)

    def _ignored(self, meid: str, command: c.Ignored, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        """An xApp that subscribes over RMR is not answered while its node is down; nobody else would say so."""
        if command.kind is c.Odd.E2_DOWN:
            left_out = self._repeated.due((command.what, meid), self._clock())
            words = command.what + and_more(left_out or 0)
            self._fails(None if left_out is None else Facts(words, meid=meid, outcome="ignored"), meid, "")

    # --- notifications

    def notified(self, notification: c.Notify) -> None:
        """The xApp took a notification."""
        trace = self._outcomes.detail(notification.subscription_id, notification.xapp_event_instance_id)
        if trace is not None:
            trace.notified = self._clock()

    def undelivered(self, notification: c.Notify, error: str, given_up: bool) -> None:
        """The first try of a notification has failed and others follow, or it is given up."""
        number, endpoint = notification.xapp_event_instance_id, notification.endpoint
        left_out = self._repeated.due((endpoint.http, error, given_up), self._clock())
        if left_out is None:
            return
        what = "was given up" if given_up else "could not be delivered, it is tried again"
        words = f"the notification of {notification.subscription_id} (instance {number}) to {endpoint.http} {what}"
        facts = Facts(
            words=f"{words}: {error}{and_more(left_out)}",
            subscription_id=notification.subscription_id,
            instance_id=notification.instance_id,
            xapp=endpoint.host,
            xapp_event_instance_id=number,
            cause=error,
        )
        self._journal.add(Kind.NOTIFICATION, Severity.WARNING, facts)


def _without_procedure(commands: Sequence[c.Command]) -> Iterator[bool]:
    """For each failure that xApps are told of, in their order: whether it is none of a procedure. A procedure that has
    had it ends with the same commands, after the xApp was told, and before an xApp is told of the next failure."""
    told: c.Notify | None = None
    for command in commands:
        if isinstance(command, c.Notify) and command.failure is not None:
            if told is not None:
                yield True
            told = command
        elif told is not None and isinstance(command, c.Finished) and command.subscription_id == told.subscription_id:
            yield False
            told = None
    if told is not None:
        yield True
