# SPDX-License-Identifier: Apache-2.0
"""The metrics of the orchestrator. They watch and steer nothing."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)


class MeoMetrics:
    """The metrics, registered in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.admissions = Counter(
            "meo_admissions", "Requests for an application context", ["result"], registry=registry
        )
        self.ended = Counter("meo_contexts_ended", "Application contexts ended", ["why"], registry=registry)
        self.migrations = Counter("meo_migrations", "Migrations of contexts", ["why", "result"], registry=registry)
        self.overloads = Counter("meo_overloads", "Rounds that could not relieve a platform", registry=registry)
        self.rounds = Counter("meo_rounds", "Rounds of the periodic optimisation", registry=registry)
        self.driver_calls = Counter(
            "meo_driver_calls", "Deployments and removals asked of drivers", ["operation", "result"], registry=registry
        )
        self.notifications = Counter(
            "meo_notices", "Notifications of device applications and monitors", ["kind", "result"], registry=registry
        )
        self.qkd_polls = Counter("meo_qkd_polls", "Polls of key management entities", ["result"], registry=registry)
        self.unreadable = Gauge("meo_unreadable_records", "Stored records that could not be read", registry=registry)
        self.admission_seconds = Histogram(
            "meo_admission_seconds", "From a request for a context to its answer", buckets=_SECONDS, registry=registry
        )
        self.driver_seconds = Histogram(
            "meo_driver_seconds", "Of one deployment or removal", ["operation"], buckets=_SECONDS, registry=registry
        )
        self._contexts = Gauge("meo_contexts", "Application contexts", registry=registry)
        self._platforms = Gauge("meo_platforms", "Platforms", registry=registry)
        self._waiting = Gauge("meo_removals_waiting", "Removals of applications not yet done", registry=registry)

    def set_gauges(
        self, contexts: Callable[[], int], platforms: Callable[[], int], removals_waiting: Callable[[], int]
    ) -> None:
        """Sets what the gauges read at a scrape."""
        self._contexts.set_function(contexts)
        self._platforms.set_function(platforms)
        self._waiting.set_function(removals_waiting)
