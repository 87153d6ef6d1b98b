# SPDX-License-Identifier: Apache-2.0
"""Watches the workers and the notifier: journal, outcomes, tallies and log have what it sees."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from submgr.adapters.journal.entries import Ended, Facts, Kind, Severity, Unmet, kept
from submgr.adapters.journal.journal import Journal
from submgr.adapters.journal.lines import GOOD, ProcedureLines
from submgr.adapters.journal.outcomes import Outcomes
from submgr.adapters.journal.tallies import Tallies
from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.errors import RefusedError
from submgr.core.model import SubscribeRequest
from submgr.e2ap import messages as m
from submgr.runtime.ports import Observer

_ANSWERED = (e.RouteFailureKind.REFUSED, e.RouteFailureKind.UNCONFIRMED)
_SUBSCRIBES = ("subscribe", "merge", "policy update", "resubscribe")


class JournalObserver:
    """Implements `submgr.runtime.ports.Observer`. On the way of every subscription: it stores references and times, and
    makes neither words nor JSON. `clock`: seconds since 1970."""

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
        self._watch: dict[type, Callable[[str, e.Event | None, c.Command, float], None]] = {
            c.Accept: self._accepted,
            c.SaveE2: self._saves,
            c.EraseE2: self._erased,
            c.EraseRest: self._rest_erased,
            c.SendToE2: self._sent,
            c.Finished: self._finished,
        }

    def saw(self, meid: str, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        now = self._clock()
        kind = type(event)
        if kind is e.Subscribe:
            self._posted(meid, event, commands, now)
        elif kind is m.SubscriptionResponse or kind is m.SubscriptionFailure:
            trace = self._outcomes.by_instance(event.request_id.instance)  # type: ignore[union-attr]
            if trace is not None and trace.outcome == "pending":
                trace.answered = now
        elif kind is e.RouteDone:
            self.routing_trouble = None
        elif kind is e.RouteFailed:
            answered = event.kind in _ANSWERED  # type: ignore[union-attr]
            self.routing_trouble = None if answered else event.message  # type: ignore[union-attr]
        watch, unmet = self._watch, None
        for command in commands:
            what = type(command)
            if what is c.Notify:
                unmet = self._told(meid, kind is e.RouteDone, command, now, unmet)
                continue
            if what is c.Finished and unmet is not None and command.subscription_id == unmet.subscription_id:  # type: ignore[union-attr]
                unmet = None
            look = watch.get(what)
            if look is not None:
                look(meid, event, command, now)
        if unmet is not None:
            self._not_met(meid, unmet, now)

    # --- requests

    def _posted(self, meid: str, event: e.Event | None, commands: Sequence[c.Command], now: float) -> None:
        assert isinstance(event, e.Subscribe)
        for command in commands:
            if isinstance(command, c.SaveRest) and command.step is not None:
                self._outcomes.posted(command.record.subscription_id, meid, event.request, now)

    def refused(self, request: SubscribeRequest, error: RefusedError) -> None:
        """A valid POST was refused."""
        host = request.endpoint.host
        words = f"a POST of {host} for {request.meid} was refused with {error.status}: {error.message}"
        self._fails(
            Facts(
                words=words,
                meid=request.meid,
                subscription_id=request.subscription_id or "",
                xapp=host,
                ran_function_id=request.ran_function_id,
                outcome="refused",
                cause=error.message,
            ),
            request.meid,
            host,
        )

    def odd(self, request: SubscribeRequest, words: str) -> None:
        """A POST was accepted that looks like a mistake."""
        facts = Facts(
            words=words,
            meid=request.meid,
            xapp=request.endpoint.host,
            ran_function_id=request.ran_function_id,
        )
        self._journal.add(Kind.SUBSCRIPTION, Severity.WARNING, facts)

    def _fails(self, facts: Facts | Unmet | Ended, meid: str, xapp: str, refused: bool = False) -> None:
        entry = self._journal.add(Kind.SUBSCRIPTION, Severity.WARNING, facts)
        self._tallies.failed(meid, xapp, entry, entry.time, refused)

    # --- commands

    def _accepted(self, meid: str, event: e.Event | None, command: c.Command, now: float) -> None:
        assert isinstance(command, c.Accept)
        self._outcomes.saved(command.subscription_id, now)

    def _saves(self, meid: str, event: e.Event | None, command: c.Command, now: float) -> None:
        assert isinstance(command, c.SaveE2)
        if command.step is not None:
            self._outcomes.started(command.record, now)

    def _erased(self, meid: str, event: e.Event | None, command: c.Command, now: float) -> None:
        assert isinstance(command, c.EraseE2)
        self._outcomes.forget(command.instance_id)

    def _rest_erased(self, meid: str, event: e.Event | None, command: c.Command, now: float) -> None:
        assert isinstance(command, c.EraseRest)
        self._outcomes.withdrawn(command.subscription_id)

    def _sent(self, meid: str, event: e.Event | None, command: c.Command, now: float) -> None:
        assert isinstance(command, c.SendToE2)
        if not isinstance(command.message, m.SubscriptionRequest):
            return
        trace = self._outcomes.by_instance(command.message.request_id.instance)
        if trace is None or trace.outcome != "pending":
            return
        if type(event) is e.RouteDone:
            trace.route = now
        if command.resend:
            trace.resent += 1
        else:
            trace.requested = now

    def _told(
        self, meid: str, routed: bool, command: c.Command, now: float, before: c.Notify | None
    ) -> c.Notify | None:
        """Returns the notification if it tells of a failure for which a procedure may be named yet."""
        assert isinstance(command, c.Notify)
        trace = self._outcomes.detail(command.subscription_id, command.xapp_event_instance_id)
        if trace is not None:
            if routed and not trace.route:
                trace.route = now
            trace.end(command.failure, command.instance_id, now)
        if before is not None:
            self._not_met(meid, before, now)
        return command if command.failure is not None else None

    def _not_met(self, meid: str, told: c.Notify, now: float) -> None:
        assert told.failure is not None
        trace = self._outcomes.detail(told.subscription_id, told.xapp_event_instance_id)
        function_id = trace.ran_function_id if trace is not None else None
        self._lines.unmet(meid, told, function_id)
        self._fails(Unmet(meid, told, told.failure, function_id), meid, told.endpoint.host)

    def _finished(self, meid: str, event: e.Event | None, command: c.Command, now: float) -> None:
        assert isinstance(command, c.Finished)
        self._lines.ended(meid, command)
        told = Ended(meid, kept(command))
        if command.outcome not in GOOD:
            refused = command.outcome is c.Outcome.REFUSED and command.procedure in _SUBSCRIBES
            self._fails(told, meid, command.about.xapp, refused)
            return
        self._journal.add(Kind.SUBSCRIPTION, Severity.INFO, told)
        if command.procedure in _SUBSCRIBES:
            number = command.about.xapp_event_instance_id
            trace = self._outcomes.detail(command.subscription_id, number) if number is not None else None
            seconds = trace.seconds if trace is not None else None
            self._tallies.subscribed(meid, command.seconds if seconds is None else seconds, now)
        elif command.procedure == "delete":
            self._tallies.deleted(now)

    # --- notifications

    def notified(self, notification: c.Notify) -> None:
        """The xApp took a notification."""
        trace = self._outcomes.detail(notification.subscription_id, notification.xapp_event_instance_id)
        if trace is not None:
            trace.notified = self._clock()

    def undelivered(self, notification: c.Notify, error: str, given_up: bool) -> None:
        """The first try of a notification has failed and others follow, or it is given up."""
        number, endpoint = notification.xapp_event_instance_id, notification.endpoint
        what = "was given up" if given_up else "could not be delivered, it is tried again"
        words = f"the notification of {notification.subscription_id} (instance {number}) to {endpoint.http} {what}"
        facts = Facts(
            words=f"{words}: {error}",
            subscription_id=notification.subscription_id,
            instance_id=notification.instance_id,
            xapp=endpoint.host,
            xapp_event_instance_id=number,
            cause=error,
        )
        self._journal.add(Kind.NOTIFICATION, Severity.WARNING, facts)


class Observers:
    """Several `submgr.runtime.ports.Observer` as one."""

    def __init__(self, *observers: Observer) -> None:
        self._saw = [observer.saw for observer in observers]

    def saw(self, meid: str, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        for saw in self._saw:
            saw(meid, event, commands)
