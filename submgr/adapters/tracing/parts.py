# SPDX-License-Identifier: Apache-2.0
"""Traces with the official SDK of OpenTelemetry, which is not imported unless they are wanted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from socket import gethostname
from typing import Any
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from submgr.adapters.tracing.exporting import TIMEOUT, QueuedSpans, Words
from submgr.adapters.tracing.ports import TracedNotifier, TracedObserver, TracedRecords, TracedRoutes, TracedSender
from submgr.adapters.tracing.traces import Traces, fail
from submgr.runtime.ports import E2Sender, Notifier, Observer, Records, Routes

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

_PATH = "/v1/traces"
"""Where collectors take traces (OTLP/HTTP), unless the endpoint has a path of its own."""
_LONGEST = 1024
"""Characters of an attribute: paths, hosts and error texts are strangers'."""
_TRACED = {"POST": "/subscriptions", "DELETE": "/subscriptions/"}


class Tracing:
    """The spans of this process, and the way to the collector at `endpoint`.

    `ratio`: the part of the traces that begin here which is recorded; a trace that comes with a request is recorded if
    its sender records it. Nothing happens before `start`.
    """

    def __init__(self, endpoint: str, ratio: float, service: str, version: str, instance: str, words: Words) -> None:
        url = endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + _PATH
        # its own lines come with every batch that fails, and with headers of strangers; ours say it once in a while
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        session = requests.Session()
        session.trust_env = False  # else the environment and a file are read for every batch
        exporter = OTLPSpanExporter(
            endpoint=url, timeout=TIMEOUT, compression=Compression.NoCompression, session=session
        )
        self._queue = QueuedSpans(exporter, words, url)
        resource = Resource.create(
            {
                "service.name": service,
                "service.version": version,
                "service.instance.id": instance or gethostname(),
            }
        )
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            resource=resource,
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_attribute_length=_LONGEST),
        )
        self._provider.add_span_processor(self._queue)
        self.traces = Traces(self._provider.get_tracer("submgr", version), self._queue.describe)

    @property
    def dropped(self) -> int:
        """Spans that found no room, or that the collector did not take."""
        return self._queue.dropped

    def start(self) -> None:
        self._queue.start()

    def stop(self) -> None:
        """Sends what waits, for a second at most."""
        self._queue.stop()

    # --- what is traced

    def records(self, records: Records, database: str) -> Records:
        """The store with a span for each write."""
        return TracedRecords(records, self.traces, database)

    def routes(self, routes: Routes, host: str, port: int) -> Routes:
        """The Routing Manager with a span for each call."""
        return TracedRoutes(routes, self.traces, host, port)

    def notifier(self, notifier: Notifier) -> Notifier:
        """The notifier with a span for each notification."""
        return TracedNotifier(notifier, self.traces)

    def sender(self, sender: E2Sender) -> E2Sender:
        """The way to E2 nodes with a span for each request."""
        return TracedSender(sender, self.traces)

    def observer(self, observer: Observer) -> Observer:
        """Those who watch, and the spans that end by what they see."""
        return TracedObserver(observer, self.traces)

    def requests(self, app: Wsgi) -> Wsgi:
        """The xApp interface with a span for each request to subscribe or to unsubscribe."""

        def traced(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            if not _is_traced(method, path):
                return app(environ, start_response)
            facts = {"url.scheme": environ["wsgi.url_scheme"], "client.address": environ.get("REMOTE_ADDR", "")}
            with self.traces.request(method, path, _context_of(environ), facts) as span:

                def answered(status: str, *rest: Any) -> Any:
                    code = int(status[:3])
                    span.set_attribute("http.response.status_code", code)
                    if code >= 500:
                        fail(span, status)
                    return start_response(status, *rest)

                try:
                    return app(environ, answered)
                finally:
                    span.end()

        return traced


def _is_traced(method: str, path: str) -> bool:
    if method == "POST":
        return path.rstrip("/") in ("", "/ric/v1") or path.rstrip("/").endswith(_TRACED["POST"])
    return method == "DELETE" and _TRACED["DELETE"] in path


def _context_of(environ: Mapping[str, Any]) -> dict[str, str]:
    names = {"HTTP_TRACEPARENT": "traceparent", "HTTP_TRACESTATE": "tracestate"}
    return {name: environ[variable] for variable, name in names.items() if variable in environ}
