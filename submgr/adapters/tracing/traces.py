# SPDX-License-Identifier: Apache-2.0
"""Which spans are open, and what belongs to which: requests of xApps, procedures, and the calls that they make.

The core knows nothing of this. A procedure belongs to the last request for its REST subscription, and a call to the
open procedure of its E2 subscription. Everything that is remembered is bounded; what is forgotten begins a new trace.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from msgspec import Struct, field
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from submgr.core.commands import Finished, Notify, Outcome
from submgr.core.model import Content, E2Record, RestHolder

MOST = 10_000
"""Of each kind that is remembered."""
LONGEST_HEADER = 1024
"""Characters of a `traceparent` or `tracestate` that are looked at."""

Attributes = Mapping[str, AttributeValue]
Describe = Callable[[Span, str, Content], None]
"""Called with the span of a procedure, the Meid, and what is subscribed."""
K = TypeVar("K")
V = TypeVar("V")

_GOOD = (Outcome.SUCCESS, Outcome.PARTIAL)
_propagator = TraceContextTextMapPropagator()


class Procedure(Struct):
    """An open procedure at an E2 subscription. `context`: what its calls belong to. `asked`: its requests to the E2
    node that are not answered yet, by RMR type; `just_asked`: those of the batch of commands that is performed now."""

    span: Span
    context: Context
    detail: tuple[str, int] | None
    asked: dict[int, Span] = field(default_factory=dict)
    just_asked: set[int] = field(default_factory=set)


class Traces:
    """Opens and ends spans. `describe`: see `Describe`."""

    def __init__(self, tracer: Tracer, describe: Describe) -> None:
        self._tracer = tracer
        self._describe = describe
        self._requests: OrderedDict[str, Context] = OrderedDict()
        self._details: OrderedDict[int, tuple[str, int]] = OrderedDict()
        self._procedures: OrderedDict[int, Procedure] = OrderedDict()
        self._by_detail: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._notifications: OrderedDict[int, tuple[Notify, Span]] = OrderedDict()
        self._calling: Context | None = None
        self._just_asked: list[int] = []

    # --- requests of xApps

    @contextmanager
    def request(
        self, method: str, path: str, headers: Mapping[str, str], facts: Attributes | None = None
    ) -> Iterator[Span]:
        """Goes around a request. What it leads to belongs to its span, and that to the trace in its `headers`.

        A header that is no trace context is ignored. The caller ends the span. `facts`: further attributes.
        """
        carrier = {name: value for name, value in headers.items() if len(value) <= LONGEST_HEADER}
        route = "/ric/v1/subscriptions" + ("/{subscriptionId}" if method == "DELETE" else "")
        attributes = {
            "http.request.method": method,
            "http.route": route,
            "url.path": path,
            **(facts or {}),
        }
        parent = _propagator.extract(carrier, context=Context())
        span = self._tracer.start_span(f"{method} {route}", parent, SpanKind.SERVER, attributes)
        token = attach(set_span_in_context(span, parent))
        try:
            yield span
        finally:
            detach(token)

    def requested(self, subscription_id: str) -> None:
        """The request that is being handled is about this REST subscription."""
        span = get_current_span()
        if not span.get_span_context().is_valid:
            self._requests.pop(subscription_id, None)  # an operator's: no part of what the xApp began
            return
        span.set_attribute("SubscriptionId", subscription_id)
        _remember(self._requests, subscription_id, set_span_in_context(span))

    def deletes(self, subscription_id: str, instances: tuple[tuple[int, int], ...]) -> None:
        """A DELETE has been saved. `instances`: (XappEventInstanceId, instance id) of what is left now."""
        for xapp_event_instance_id, instance_id in instances:
            _remember(self._details, instance_id, (subscription_id, xapp_event_instance_id))

    # --- procedures

    def record(self, record: E2Record) -> Procedure:
        """The open procedure at the E2 subscription of a record; it begins now, if there is none."""
        procedure = self._procedures.get(record.instance_id)
        if procedure is None:
            for holder in sorted(record.holders or (), key=lambda holder: not holder.notified):
                if isinstance(holder.key, RestHolder):
                    detail = holder.key.subscription_id, holder.key.xapp_event_instance_id
                    _remember(self._details, record.instance_id, detail)
            procedure = self.procedure(record.meid, record.instance_id)
            procedure.span.set_attribute("RANFunctionID", record.content.ran_function_id)
            if procedure.span.is_recording():
                self._describe(procedure.span, record.meid, record.content)
        return procedure

    def procedure(self, meid: str, instance_id: int) -> Procedure:
        """The open procedure at an E2 subscription; it begins now, if there is none."""
        procedure = self._procedures.get(instance_id)
        if procedure is None:
            detail = self._details.get(instance_id)
            attributes: dict[str, AttributeValue] = {"E2EventInstanceId": instance_id}
            if meid:
                attributes["Meid"] = meid
            if detail is not None:
                attributes |= {"SubscriptionId": detail[0], "XappEventInstanceId": detail[1]}
                _remember(self._by_detail, detail, instance_id)
            span = self._tracer.start_span("procedure", self._request_of(detail), attributes=attributes)
            procedure = Procedure(span, set_span_in_context(span), detail)
            forgotten = _remember(self._procedures, instance_id, procedure)
            if forgotten is not None:
                forgotten.span.end()
        return procedure

    def open(self, instance_id: int) -> Procedure | None:
        """The open procedure at an E2 subscription, if there is one."""
        return self._procedures.get(instance_id)

    def finished(self, meid: str, command: Finished) -> None:
        """A procedure has ended."""
        procedure = self._procedures.pop(command.instance_id, None)
        about = command.about
        detail = None
        if command.subscription_id and about.xapp_event_instance_id is not None:
            detail = command.subscription_id, about.xapp_event_instance_id
        if procedure is None:
            parent = self._requests.get(command.subscription_id)
            if parent is None:
                parent = self._request_of(self._details.get(command.instance_id))
            began = time.time_ns() - int(command.seconds * 1e9)
            span = self._tracer.start_span("procedure", parent, start_time=began)
        else:
            span = procedure.span
            self._by_detail.pop(procedure.detail or ("", 0), None)
            self._end_requests(meid, command, procedure)
        span.update_name(command.procedure)
        for name, value in (
            ("Meid", meid),
            ("E2EventInstanceId", command.instance_id),
            ("SubscriptionId", command.subscription_id),
            ("XappEventInstanceId", detail[1] if detail else None),
            ("RANFunctionID", about.ran_function_id),
            ("submgr.procedure", command.procedure),
            ("submgr.outcome", command.outcome.value),
        ):
            if value:
                span.set_attribute(name, value)
        if procedure is None and about.content is not None and span.is_recording():
            self._describe(span, meid, about.content)
        if command.outcome not in _GOOD:
            fail(span, command.detail or command.outcome.value)
        span.end()

    def _end_requests(self, meid: str, command: Finished, procedure: Procedure) -> None:
        """What was asked of the E2 node behind the end of a procedure belongs to the next one, which undoes it."""
        for mtype, asked in procedure.asked.items():
            if mtype in procedure.just_asked:
                self.procedure(meid, command.instance_id).asked[mtype] = asked
            else:
                fail(asked, command.detail or "no answer")
                asked.end()

    def performed(self) -> None:
        """A batch of commands has been performed, and looked at."""
        for instance_id in self._just_asked:
            procedure = self._procedures.get(instance_id)
            if procedure is not None:
                procedure.just_asked.clear()
        self._just_asked.clear()

    # --- calls

    def asks(self, meid: str, instance_id: int, mtype: int, name: str) -> Span:
        """A request is sent to the E2 node, once more if its span is open."""
        procedure = self.procedure(meid, instance_id)
        span = procedure.asked.get(mtype)
        if span is not None:
            span.add_event("resend")
            return span
        facts: dict[str, AttributeValue] = {"Meid": meid, "E2EventInstanceId": instance_id, "submgr.rmr_type": mtype}
        span = procedure.asked[mtype] = self.call(name, procedure.context, facts)
        procedure.just_asked.add(mtype)
        self._just_asked.append(instance_id)
        return span

    def answered(self, instance_id: int, mtype: int) -> Span | None:
        """The span of the request of this type that the E2 node has answered; the caller ends it."""
        procedure = self._procedures.get(instance_id)
        return procedure.asked.pop(mtype, None) if procedure is not None else None

    def call(self, name: str, parent: Context, attributes: Attributes, kind: SpanKind = SpanKind.CLIENT) -> Span:
        """The span of a call that begins now."""
        return self._tracer.start_span(name, parent, kind, attributes)

    def request_of(self, subscription_id: str) -> Context:
        """What belongs to the last request for a REST subscription; an empty context when it is not remembered."""
        return self._requests.get(subscription_id, Context())

    @contextmanager
    def calling(self, span: Span) -> Iterator[None]:
        """Goes around a port's call, which does not block: `headers` are of this span."""
        self._calling = set_span_in_context(span)
        try:
            yield
        finally:
            self._calling = None

    def headers(self) -> dict[str, str]:
        """The HTTP headers that pass on the trace of the call that is being made; none outside of one."""
        carrier: dict[str, str] = {}
        if self._calling is not None:
            _propagator.inject(carrier, self._calling)
        return carrier

    # --- notifications

    def notify(self, notification: Notify) -> Span:
        """A notification begins."""
        detail = notification.subscription_id, notification.xapp_event_instance_id
        procedure = self._procedures.get(notification.instance_id or self._by_detail.get(detail, 0))
        parent = procedure.context if procedure is not None else self.request_of(notification.subscription_id)
        attributes: dict[str, AttributeValue] = {
            "http.request.method": "POST",
            "server.address": notification.endpoint.host,
            "server.port": notification.endpoint.http_port,
            "SubscriptionId": notification.subscription_id,
            "XappEventInstanceId": notification.xapp_event_instance_id,
            "E2EventInstanceId": notification.instance_id,
        }
        if notification.failure is not None:
            attributes |= {"ErrorCause": notification.failure.cause, "ErrorSource": str(notification.failure.source)}
        span = self.call("notification", parent, attributes)
        forgotten = _remember(self._notifications, id(notification), (notification, span))
        if forgotten is not None:
            forgotten[1].end()
        return span

    def notified(self, notification: Notify, delivered: bool) -> None:
        """A notification was delivered, or given up."""
        _, span = self._notifications.pop(id(notification), (None, None))
        if span is not None:
            if not delivered:
                fail(span, "given up")
            span.end()

    def undelivered(self, notification: Notify, error: str) -> None:
        """A try of a notification has failed."""
        _, span = self._notifications.get(id(notification), (None, None))
        if span is not None:
            span.add_event("not delivered", {"error": error})

    def dropped(self, subscription_id: str) -> None:
        """What waits for an xApp that has withdrawn its subscription is dropped."""
        gone = [key for key, (each, _) in self._notifications.items() if each.subscription_id == subscription_id]
        for key in gone:
            _, span = self._notifications.pop(key)
            span.add_event("dropped")
            span.end()

    def _request_of(self, detail: tuple[str, int] | None) -> Context:
        return self.request_of(detail[0]) if detail is not None else Context()


def fail(span: Span, why: str) -> None:
    """The span shows an error."""
    span.set_status(Status(StatusCode.ERROR, why))


def _remember(known: OrderedDict[K, V], key: K, value: V) -> V | None:
    """Returns what is forgotten for it."""
    known[key] = value
    known.move_to_end(key)
    return known.popitem(last=False)[1] if len(known) > MOST else None
