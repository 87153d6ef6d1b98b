# SPDX-License-Identifier: Apache-2.0
"""Which spans belong together, and that nothing is remembered without a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from submgr.adapters.tracing import traces as module
from submgr.adapters.tracing.ports import TracedNotifier, TracedObserver, TracedRecords, TracedSender
from submgr.adapters.tracing.traces import Traces
from submgr.core.commands import About, Command, Finished, Notify, Outcome
from submgr.core.errors import Failure, Source
from submgr.core.events import Event
from submgr.core.model import ClientEndpoint, Content, E2Record, Holder, RestHolder, RestRecord, RmrEndpoint
from submgr.e2ap.messages import Cause, RequestId, SubscriptionFailure, SubscriptionResponse
from submgr.runtime.ports import MType, WriteFailure

REST, MEID, NUMBER, ID = "rest-1", "gnb_1", 12345, 7
RMR = RmrEndpoint("xapp", 4560)
ENDPOINT = ClientEndpoint("xapp", 8080, 4560)
CONTENT = Content(2, b"\x08\x03\xe7", ())
RECORD = E2Record(ID, MEID, 123, NUMBER, CONTENT, (RMR,), (Holder(RestHolder(REST, NUMBER), RMR, False),), (RMR,))
ABOUT = About("xapp", NUMBER, 2, CONTENT)


class Ports:
    """Records, notifier and sender that keep what they were called with."""

    def __init__(self) -> None:
        self.writes: list[Callable[[WriteFailure | None], None]] = []
        self.failed: list[Callable[[str], None]] = []
        self.headers: list[dict[str, str]] = []
        self.traces: Traces

    def save_rest(self, record: RestRecord, done: Callable[[WriteFailure | None], None] | None) -> None:
        if done is not None:
            self.writes.append(done)

    def save_e2(self, record: E2Record, done: Callable[[WriteFailure | None], None] | None) -> None:
        if done is not None:
            self.writes.append(done)

    def notify(self, notification: Notify, done: Callable[[], None]) -> None:
        self.headers.append(self.traces.headers())

    def drop(self, subscription_id: str) -> None: ...

    def saw(self, meid: str, event: Event | None, commands: Sequence[Command]) -> None: ...

    def send_to_node(
        self, meid: str, mtype: MType, instance_id: int, payload: bytes, failed: Callable[[str], None], wait: float
    ) -> None:
        self.failed.append(failed)


class World:
    """Traces whose ended spans are kept, and the ports around fakes."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.described: list[tuple[str, Content]] = []
        self.traces = Traces(provider.get_tracer("test"), lambda span, meid, content: self._describe(meid, content))
        self.ports = Ports()
        self.ports.traces = self.traces
        self.records = TracedRecords(self.ports, self.traces, "redis")  # type: ignore[arg-type]
        self.notifier = TracedNotifier(self.ports, self.traces)
        self.sender = TracedSender(self.ports, self.traces)  # type: ignore[arg-type]
        self.observer = TracedObserver(self.ports, self.traces)

    def _describe(self, meid: str, content: Content) -> None:
        self.described.append((meid, content))

    def posted(self) -> None:
        with self.traces.request("POST", "/ric/v1/subscriptions", {}) as span:
            self.traces.requested(REST)
            span.end()

    def saved(self) -> None:
        self.records.save_e2(RECORD, lambda failure: None)

    def sent(self, mtype: MType = MType.SUBSCRIBE) -> None:
        self.sender.send_to_node(MEID, mtype, ID, b"", lambda reason: None, 0.0)

    def finished(self, outcome: Outcome = Outcome.SUCCESS, name: str = "subscribe", detail: str = "") -> Finished:
        return Finished(name, outcome, 0.5, ID, REST, detail, None, ABOUT)

    def span(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.exporter.get_finished_spans() if span.name == name]
        return found

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.exporter.get_finished_spans()]


@pytest.fixture
def world() -> World:
    return World()


def is_child(span: ReadableSpan, parent: ReadableSpan) -> bool:
    assert parent.context is not None
    return span.parent is not None and span.parent.span_id == parent.context.span_id


def test_a_subscription_from_its_request_to_its_notification(world: World) -> None:
    world.posted()
    world.saved()
    world.ports.writes.pop()(None)
    world.sent()
    world.observer.saw(MEID, SubscriptionResponse(RequestId(123, ID), 2, (1,)), ())
    told = Notify(REST, ENDPOINT, NUMBER, ID)
    world.notifier.notify(told, lambda: None)
    world.observer.saw(MEID, None, [told, world.finished()])
    world.traces.notified(told, True)
    procedure = world.span("subscribe")
    assert is_child(procedure, world.span("POST /ric/v1/subscriptions"))
    for name in ("store save", "RIC Subscription", "notification"):
        assert is_child(world.span(name), procedure), name
    assert world.described == [(MEID, CONTENT)]
    (headers,) = world.ports.headers
    context = world.span("notification").context
    assert context is not None
    assert headers["traceparent"].startswith(f"00-{context.trace_id:032x}-{context.span_id:016x}-")
    assert world.traces.headers() == {}


def test_what_failed_is_an_error_in_words(world: World) -> None:
    world.posted()
    world.saved()
    world.ports.writes.pop()(WriteFailure("the disk is full", False))
    world.sent()
    world.sent()
    world.ports.failed[-1]("no route")
    world.observer.saw(MEID, SubscriptionFailure(RequestId(123, ID), 2, Cause(1, 1)), ())
    told = Notify(REST, ENDPOINT, NUMBER, 0, Failure("refused", Source.E2NODE))
    world.notifier.notify(told, lambda: None)
    world.traces.undelivered(told, "connection refused")
    world.observer.saw(MEID, None, [world.finished(Outcome.REFUSED, detail="it does not like it")])
    world.traces.notified(told, False)
    assert world.span("store save").status.description == "the disk is full"
    asked = world.span("RIC Subscription")
    assert asked.status.description == "ricRequest: action-not-supported"
    assert [event.name for event in asked.events] == ["resend", "not sent"]
    assert world.span("subscribe").status.description == "it does not like it"
    notification = world.span("notification")
    assert notification.status.description == "given up" and [e.name for e in notification.events] == ["not delivered"]
    assert is_child(notification, world.span("subscribe"))
    assert notification.attributes is not None and notification.attributes["ErrorCause"] == "refused"


def test_a_delete_behind_the_end_of_a_procedure_belongs_to_the_next(world: World) -> None:
    """The commands of one event are performed before anybody hears that the procedure has ended."""
    world.saved()
    world.sent()
    world.observer.saw(MEID, None, ())
    world.sent(MType.DELETE)
    world.observer.saw(MEID, None, [world.finished(Outcome.TIMEOUT, detail="no answer")])
    assert "RIC Subscription Delete" not in world.names
    assert world.span("RIC Subscription").status.description == "no answer"
    world.observer.saw(MEID, None, [world.finished(Outcome.TIMEOUT, "undo", "nothing came")])
    assert world.span("RIC Subscription Delete").status.description == "nothing came"
    assert "undo" in world.names


def test_an_operators_request_is_no_part_of_what_the_xapp_began(world: World) -> None:
    world.posted()
    world.traces.requested(REST)
    world.saved()
    world.observer.saw(MEID, None, [world.finished(name="delete")])
    assert world.span("delete").parent is None


def test_a_procedure_without_a_call_has_a_span_as_long_as_it_was(world: World) -> None:
    world.posted()
    world.observer.saw(MEID, None, [world.finished(Outcome.DROPPED, detail="the node is gone")])
    span = world.span("subscribe")
    assert span.end_time is not None and span.start_time is not None
    assert 0.45e9 < span.end_time - span.start_time < 5e9
    assert is_child(span, world.span("POST /ric/v1/subscriptions"))


def test_withdrawn_notifications_end(world: World) -> None:
    told = Notify(REST, ENDPOINT, NUMBER, ID)
    world.notifier.notify(told, lambda: None)
    world.notifier.drop("another")
    assert world.names == []
    world.notifier.drop(REST)
    assert [event.name for event in world.span("notification").events] == ["dropped"]
    world.traces.notified(told, True)
    assert world.names == ["notification"]


def test_what_is_remembered_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    told = [Notify(f"rest-{n}", ENDPOINT, NUMBER, n) for n in range(1, 11)]
    for n, each in enumerate(told, 1):
        with world.traces.request("POST", "/ric/v1/subscriptions", {}) as span:
            world.traces.requested(f"rest-{n}")
            span.end()
        world.traces.procedure(MEID, n)
        world.notifier.notify(each, lambda: None)
    assert world.names.count("procedure") == world.names.count("notification") == 7
    kept = [value for value in vars(world.traces).values() if isinstance(value, OrderedDict)]
    assert len(kept) == 5 and max(map(len, kept)) == 3
