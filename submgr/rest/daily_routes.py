# SPDX-License-Identifier: Apache-2.0
"""What neighbours ask of the platform port all day: the probes, Prometheus, the Routing Manager at its start.

These routes are answered before Flask (`PlainRoutes`), and by Flask where something about a request is unusual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from submgr.platform.http.plain_answers import PlainAnswer, plain_json, plain_json_bytes
from submgr.platform.http.shared_answers import SharedAnswers
from submgr.rest.use_cases import HealthReport, Operations, Subscriptions
from submgr.rest.views import encode_e2_subscriptions, health_view

_BASE = "/ric/v1"


def daily_routes(subscriptions: Subscriptions, operations: Operations) -> Mapping[str, Callable[[], PlainAnswer]]:
    """The views of requests GET by their paths."""
    lists: SharedAnswers[bytes] = SharedAnswers()
    expositions: SharedAnswers[tuple[bytes, str]] = SharedAnswers()

    def metrics() -> PlainAnswer:
        text, content_type = expositions.get(operations.metrics)
        return PlainAnswer((text,), content_type=content_type)

    def listed() -> PlainAnswer:
        return plain_json_bytes(lists.get(lambda: encode_e2_subscriptions(subscriptions.listed())))

    return {
        f"{_BASE}/health/alive": lambda: _health(operations.alive()),
        f"{_BASE}/health/ready": lambda: _health(operations.ready()),
        f"{_BASE}/metrics": metrics,
        "/metrics": metrics,
        f"{_BASE}/subscriptions": listed,
    }


def _health(report: HealthReport) -> PlainAnswer:
    return plain_json(health_view(report), 200 if report.ok else 503)
