# SPDX-License-Identifier: Apache-2.0
"""All metrics of the process together: those of the Go implementation, the modern ones, those of the process."""

from __future__ import annotations

from msgspec import Struct
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import CollectorRegistry

from submgr.adapters.metrics.go_counters import GoCounters
from submgr.adapters.metrics.prometheus import Metrics


class Monitoring(Struct, frozen=True):
    """Both sets of metrics, and the registry that holds them."""

    registry: CollectorRegistry
    counters: GoCounters
    metrics: Metrics


def monitoring_of(namespace: str) -> Monitoring:
    """Fresh metrics. `namespace`: see `GoCounters`."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    counters = GoCounters(namespace)
    registry.register(counters)
    return Monitoring(registry, counters, Metrics(registry))
