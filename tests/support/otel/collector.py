# SPDX-License-Identifier: Apache-2.0
"""A small collector of traces: OTLP over HTTP, decoded with the official protobuf."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.pywsgi import WSGIServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from support.waiting import eventually


@dataclass(frozen=True, slots=True)
class Received:
    """A span as it came. `error`: the words of its status, None for one that went well."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    seconds: float
    attributes: dict[str, Any]
    events: tuple[str, ...]
    error: str | None


class Collector:
    """Runs on a port of its own during `with Collector() as collector:`. `hangs`: it takes requests and answers none.

    `status`: what it answers. `paths`, `requests`: the paths of the requests, and how many came.
    """

    def __init__(self, *, hangs: bool = False, status: str = "200 OK") -> None:
        self.hangs = hangs
        self.status = status
        self.spans: list[Received] = []
        self.resources: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self._server = WSGIServer(("127.0.0.1", 0), self._take, log=None)

    def __enter__(self) -> Collector:
        assert threading.current_thread() is threading.main_thread()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(timeout=0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def trace(self, count: int) -> list[Received]:
        """The spans, when there are at least so many."""
        eventually(lambda: len(self.spans) >= count, what=lambda: str([span.name for span in self.spans]))
        return self.spans

    def named(self, name: str) -> Received:
        """The one span of this name, when it has come."""
        eventually(
            lambda: [span for span in self.spans if span.name == name],
            what=lambda: f"{name}: {[span.name for span in self.spans]}",
        )
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def _take(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.paths.append(environ["PATH_INFO"])
        body = environ["wsgi.input"].read()
        if self.hangs:
            gevent.sleep(600)
        if self.status.startswith("200"):
            self._read(body)
        start_response(self.status, [("Content-Type", "application/x-protobuf")])
        return [ExportTraceServiceResponse().SerializeToString()]

    def _read(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(_attributes(resource.resource.attributes))
            for scope in resource.scope_spans:
                self.spans += [_received(span) for span in scope.spans]


def _received(span: Any) -> Received:
    return Received(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.kind,
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        _attributes(span.attributes),
        tuple(event.name for event in span.events),
        span.status.message if span.status.code == 2 else None,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None
