# SPDX-License-Identifier: Apache-2.0
"""The ports of the workers with a span around each call, and an observer that hears how calls and procedures end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.trace import Span

from submgr.adapters.tracing.traces import Traces, fail
from submgr.core.commands import Command, Finished, Notify, RouteChange
from submgr.core.events import Event, Undecodable
from submgr.core.model import E2Record, Removal, RestRecord, RmrEndpoint
from submgr.e2ap import messages as m
from submgr.e2ap.causes import describe
from submgr.runtime.ports import (
    E2Sender,
    MType,
    Notifier,
    Observer,
    Records,
    Routed,
    RouteFailure,
    Routes,
    WriteFailure,
    Written,
)

_ANSWERS = (
    m.SubscriptionResponse,
    m.SubscriptionFailure,
    m.SubscriptionDeleteResponse,
    m.SubscriptionDeleteFailure,
)


class TracedRecords:
    """Implements `Records`: a span for each write that somebody waits for. `database`: redis, sqlite or memory."""

    def __init__(self, records: Records, traces: Traces, database: str) -> None:
        self._records = records
        self._traces = traces
        self._database = database

    def save_rest(self, record: RestRecord, done: Written | None) -> None:
        if record.delete_ongoing:
            self._traces.deletes(record.subscription_id, record.instances)
        if done is not None:
            parent = self._traces.request_of(record.subscription_id)
            facts = {"Meid": record.meid, "SubscriptionId": record.subscription_id}
            done = _ending(self._traces.call("store save", parent, self._facts("SET", facts)), done)
        self._records.save_rest(record, done)

    def erase_rest(self, subscription_id: str, done: Written | None) -> None:
        if done is not None:
            parent = self._traces.request_of(subscription_id)
            facts = self._facts("DEL", {"SubscriptionId": subscription_id})
            done = _ending(self._traces.call("store remove", parent, facts), done)
        self._records.erase_rest(subscription_id, done)

    def save_e2(self, record: E2Record, done: Written | None) -> None:
        if done is not None:
            parent = self._traces.record(record).context
            facts: dict[str, Any] = {"Meid": record.meid, "E2EventInstanceId": record.instance_id}
            done = _ending(self._traces.call("store save", parent, self._facts("SET", facts)), done)
        self._records.save_e2(record, done)

    def erase_e2(self, instance_id: int, done: Written | None) -> None:
        procedure = self._traces.open(instance_id)
        if done is not None and procedure is not None:
            facts = self._facts("DEL", {"E2EventInstanceId": instance_id})
            done = _ending(self._traces.call("store remove", procedure.context, facts), done)
        self._records.erase_e2(instance_id, done)

    def save_removal(self, removal: Removal, done: Written | None) -> None:
        self._records.save_removal(removal, done)

    def erase_removal(self, meid: str, instance_id: int) -> None:
        self._records.erase_removal(meid, instance_id)

    def save_next_instance_id(self, mark: int) -> None:
        self._records.save_next_instance_id(mark)

    def _facts(self, operation: str, facts: dict[str, Any]) -> dict[str, Any]:
        return {"db.system.name": self._database, "db.operation.name": operation, **facts}


class TracedRoutes:
    """Implements `Routes`: a span for each call, which the Routing Manager is told of."""

    def __init__(self, routes: Routes, traces: Traces, host: str, port: int) -> None:
        self._routes = routes
        self._traces = traces
        self._where = {"server.address": host, "server.port": port}

    def create(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None:
        span = self._span("route create", "POST", instance_id, (endpoint,))
        with self._traces.calling(span):
            self._routes.create(instance_id, endpoint, _routed(span, done))

    def update(self, instance_id: int, endpoints: Sequence[RmrEndpoint], change: RouteChange, done: Routed) -> None:
        span = self._span(f"route {change.value}", "PUT", instance_id, endpoints)
        with self._traces.calling(span):
            self._routes.update(instance_id, endpoints, change, _routed(span, done))

    def delete(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None:
        span = self._span("route delete", "DELETE", instance_id, (endpoint,))
        with self._traces.calling(span):
            self._routes.delete(instance_id, endpoint, _routed(span, done))

    def _span(self, name: str, method: str, instance_id: int, endpoints: Sequence[RmrEndpoint]) -> Span:
        facts: dict[str, Any] = {
            "http.request.method": method,
            **self._where,
            "E2EventInstanceId": instance_id,
            "submgr.endpoints": [str(endpoint) for endpoint in endpoints],
        }
        return self._traces.call(name, self._traces.procedure("", instance_id).context, facts)


class TracedNotifier:
    """Implements `Notifier`: a span for each notification with its tries, which the xApp is told of."""

    def __init__(self, notifier: Notifier, traces: Traces) -> None:
        self._notifier = notifier
        self._traces = traces

    def notify(self, notification: Notify, done: Callable[[], None]) -> None:
        with self._traces.calling(self._traces.notify(notification)):
            self._notifier.notify(notification, done)

    def drop(self, subscription_id: str) -> None:
        self._notifier.drop(subscription_id)
        self._traces.dropped(subscription_id)


class TracedSender:
    """Implements `E2Sender`: a span from the first send of a request to the answer of the E2 node."""

    def __init__(self, sender: E2Sender, traces: Traces) -> None:
        self._sender = sender
        self._traces = traces

    def send_to_node(
        self, meid: str, mtype: MType, instance_id: int, payload: bytes, failed: Callable[[str], None], wait: float
    ) -> None:
        name = "RIC Subscription" if mtype is MType.SUBSCRIBE else "RIC Subscription Delete"
        span = self._traces.asks(meid, instance_id, int(mtype), name)

        def not_sent(reason: str) -> None:
            span.add_event("not sent", {"reason": reason})
            failed(reason)

        self._sender.send_to_node(meid, mtype, instance_id, payload, not_sent, wait)

    def answer(self, token: int, mtype: MType, instance_id: int, payload: bytes) -> None:
        self._sender.answer(token, mtype, instance_id, payload)


class TracedObserver:
    """Implements `Observer`: ends the spans of requests to E2 nodes and of procedures."""

    def __init__(self, observer: Observer, traces: Traces) -> None:
        self._observer = observer
        self._traces = traces

    def saw(self, meid: str, event: Event | None, commands: Sequence[Command]) -> None:
        self._observer.saw(meid, event, commands)
        if isinstance(event, _ANSWERS):
            self._answered(event)
        elif isinstance(event, Undecodable):
            procedure = self._traces.open(event.instance_id)
            for span in procedure.asked.values() if procedure is not None else ():
                span.add_event("undecodable answer", {"error": event.message})
        for command in commands:
            if type(command) is Finished:
                self._traces.finished(meid, command)
        self._traces.performed()

    def _answered(
        self,
        event: (
            m.SubscriptionResponse | m.SubscriptionFailure | m.SubscriptionDeleteResponse | m.SubscriptionDeleteFailure
        ),
    ) -> None:
        subscribes = isinstance(event, m.SubscriptionResponse | m.SubscriptionFailure)
        asked = MType.SUBSCRIBE if subscribes else MType.DELETE
        span = self._traces.answered(event.request_id.instance, asked)
        if span is None:
            return
        if isinstance(event, m.SubscriptionResponse):
            span.set_attribute("submgr.admitted", list(event.admitted))
            if event.not_admitted:
                refused = [f"{each.action_id}: {describe(each.cause)}" for each in event.not_admitted]
                span.set_attribute("submgr.not_admitted", refused)
        elif isinstance(event, m.SubscriptionFailure | m.SubscriptionDeleteFailure):
            fail(span, describe(event.cause) if event.cause is not None else "refused without a cause")
        span.end()


def _ending(span: Span, done: Written) -> Written:
    def written(failure: WriteFailure | None) -> None:
        if failure is not None:
            fail(span, failure.message)
        span.end()
        done(failure)

    return written


def _routed(span: Span, done: Routed) -> Routed:
    def routed(failure: RouteFailure | None) -> None:
        if failure is not None:
            span.set_attribute("error.type", failure.kind.value)
            fail(span, failure.message)
        span.end()
        done(failure)

    return routed
