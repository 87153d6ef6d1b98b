# SPDX-License-Identifier: Apache-2.0
"""The health and metrics routes of every MEC program."""

import time
from collections.abc import Callable, Iterable, Mapping

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from submgr.platform import supervised
from submgr.platform.health import Health
from submgr.platform.http.app import json_response
from submgr.platform.http.shared_answers import SharedAnswers
from submgr.platform.printable import IN_LABELS, escaped

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)

PREFIXES = ("", "/ric/v1")
"""The routes exist with and without the prefix that the platform's other services have."""


def probes_blueprint(health: Health, registry: CollectorRegistry) -> Blueprint:
    """`/health/alive`, `/health/ready` and `/metrics`."""
    blueprint = Blueprint("probes", __name__)
    expositions: SharedAnswers[bytes] = SharedAnswers()

    def alive() -> Response:
        fine, reasons = health.alive()
        return json_response({"status": "alive" if fine else "stuck", "reasons": reasons}, 200 if fine else 503)

    def ready() -> Response:
        found = health.ready()
        body = {
            "status": "ready" if found.ready else "not ready",
            "reasons": found.reasons,
            "warnings": found.warnings,
        }
        return json_response(body, 200 if found.ready else 503)

    def metrics() -> Response:
        encoder, content_type = choose_encoder("")
        return Response(expositions.get(lambda: _exposition(encoder(registry))), content_type=content_type)

    for prefix in PREFIXES:
        for path, view in (("/health/alive", alive), ("/health/ready", ready), ("/metrics", metrics)):
            blueprint.add_url_rule(prefix + path, prefix + path, view, methods=["GET"])
    return blueprint


def _exposition(text: bytes) -> bytes:
    return escaped(text.decode(), IN_LABELS).encode()


def time_requests(app: Flask, registry: CollectorRegistry) -> None:
    """Measures every request of an application, by its route and status; never by IMSI or any other content."""
    seconds = Histogram(
        "mec_http_request_seconds",
        "From a request to the head of its answer",
        ["route", "status"],
        buckets=_BUCKETS,
        registry=registry,
    )

    def begin() -> None:
        g.begun = time.perf_counter()

    def end(answer: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "none"
        seconds.labels(route, str(answer.status_code)).observe(time.perf_counter() - g.begun)
        return answer

    app.before_request(begin)
    app.after_request(end)


class CountedMetrics(Collector):
    """Metrics that read numbers of the program when a scrape comes. The failures of background loops are among them."""

    def __init__(self) -> None:
        self._counters: list[tuple[str, str, str, Callable[[], Mapping[str, float]]]] = []
        self._gauges: list[tuple[str, str, Callable[[], float]]] = []
        self.counter("mec_background_failures", "Failed steps of background loops", "loop", lambda: supervised.failures)

    def counter(self, name: str, text: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Adds a counter with one label. `read` gives the number of each label value."""
        self._counters.append((name, text, label, read))

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Adds a gauge without labels."""
        self._gauges.append((name, text, read))

    def collect(self) -> Iterable[Metric]:
        for name, text, label, read in self._counters:
            family = CounterMetricFamily(name, text, labels=[label])
            for value, number in sorted(read().items()):
                family.add_metric([value], number)
            yield family
        for name, text, read_one in self._gauges:
            yield GaugeMetricFamily(name, text, value=read_one())
