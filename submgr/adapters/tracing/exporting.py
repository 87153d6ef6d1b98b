# SPDX-License-Identifier: Apache-2.0
"""Sends ended spans to the collector: a bounded queue, and one greenlet that nobody waits for."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

import gevent
from gevent.event import Event
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Span

from submgr.core.model import Content
from submgr.platform.sparse_log import Outage
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import Budget

_log = logging.getLogger(__name__)

MOST_WAITING = 4096
"""Spans that wait for the collector: some hundred subscriptions. Later ones are dropped, and counted."""
AT_ONCE = 64
"""Spans of one request: a few milliseconds of work to encode."""
GATHER = 0.5
"""Seconds that spans wait for more of their kind."""
TIMEOUT = 5.0
"""Seconds that the exporter gives the collector for one request, with its own repetitions."""
FLUSH = 1.0
"""Seconds that the last spans have at a stop."""

LONGEST_WORDS = 4096

Words = Callable[[str, Content], str]
"""Called with a Meid and what is subscribed there; says it in words."""


class QueuedSpans(SpanProcessor):
    """Keeps ended spans until `exporter` has taken them. `words`: see `describe`."""

    def __init__(self, exporter: SpanExporter, words: Words, where: str, timeout: float = TIMEOUT) -> None:
        self.dropped = 0
        """Spans that found no room, or that the collector did not take."""
        self._exporter = exporter
        self._words = words
        self._where = where
        self._timeout = timeout
        self._waiting: deque[ReadableSpan] = deque()
        self._contents: dict[int, tuple[str, Content]] = {}
        self._some = Event()
        self._outage = Outage(_log)
        self._loop = SupervisedLoop("traces", self._step)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        """Sends what waits, for `FLUSH` seconds at most."""
        self._loop.stop()
        with gevent.Timeout(FLUSH, False):
            while self._waiting:
                self._send()
        self._exporter.shutdown()

    def describe(self, span: Span, meid: str, content: Content) -> None:
        """Has the attribute `Contents` say what is subscribed. It is decoded when the span is sent."""
        if len(self._contents) < MOST_WAITING:
            self._contents[span.get_span_context().span_id] = meid, content

    def on_end(self, span: ReadableSpan) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._lose([span])
            return
        self._waiting.append(span)
        self._some.set()

    def _step(self) -> None:
        self._some.wait()
        if len(self._waiting) < AT_ONCE:
            gevent.sleep(GATHER)
        self._some.clear()
        while self._waiting:
            self._send()

    def _send(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        budget = Budget()
        described = []
        for span in batch:
            described.append(self._in_words(span))
            budget.spend()
        began = time.monotonic()
        result: SpanExportResult | None = None
        # the exporter bounds each read of an answer, but not how many there are
        with gevent.Timeout(2 * self._timeout, False):
            result = self._exporter.export(described)
        if result is SpanExportResult.SUCCESS:
            self._outage.over("traces: the collector takes spans again")
            return
        self._lose(batch)
        seconds = time.monotonic() - began
        self._outage.goes_on(
            f"traces: the collector at {self._where} does not take spans; they are dropped and counted", seconds=seconds
        )

    def _lose(self, spans: list[ReadableSpan]) -> None:
        self.dropped += len(spans)
        for span in spans:
            if span.context is not None:
                self._contents.pop(span.context.span_id, None)

    def _in_words(self, span: ReadableSpan) -> ReadableSpan:
        asked = self._contents.pop(span.context.span_id, None) if span.context is not None else None
        if asked is None:
            return span
        return ReadableSpan(
            span.name,
            span.context,
            span.parent,
            span.resource,
            {**(span.attributes or {}), "Contents": self._words(*asked)[:LONGEST_WORDS]},
            span.events,
            span.links,
            span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
