# SPDX-License-Identifier: Apache-2.0
"""The metrics of the controller, read at a scrape. None of them has an IMSI."""

from collections import Counter

from prometheus_client import CollectorRegistry

from mec.common.probes import CountedMetrics
from mec.controller.protocol.s1ap import Procedure
from mec.controller.service import Controller

_KNOWN = {code.value: code.name.lower() for code in Procedure}


def register_metrics(controller: Controller, registry: CollectorRegistry) -> None:
    """Registers the metrics of a controller."""
    identities = controller.identities
    metrics = CountedMetrics()
    metrics.counter("mec_controller_pdus", "S1AP PDUs", "procedure", lambda: _by_procedure(identities.pdus))
    metrics.counter("mec_controller_events", "What S1AP led to", "event", lambda: identities.ues.counts)
    metrics.counter("mec_controller_streams", "Connections", "event", lambda: controller.listener.counts)
    metrics.counter("mec_controller_pushes", "Deliveries", "outcome", lambda: controller.push.counts)
    metrics.gauge("mec_controller_connections", "Open connections", lambda: len(controller.listener))
    metrics.gauge("mec_controller_ues", "Known UEs", lambda: len(identities.ues))
    metrics.gauge("mec_controller_gutis", "Known temporary identities", lambda: len(identities.ues.gutis))
    metrics.gauge("mec_controller_pushes_waiting", "Deliveries not finished", lambda: controller.push.waiting)
    metrics.gauge("mec_controller_push_oldest_seconds", "Age of the oldest of them", controller.push.oldest)
    registry.register(metrics)


def _by_procedure(pdus: dict[tuple[int, int], int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_, code), number in list(pdus.items()):
        found[_KNOWN.get(code, "other")] += number
    return found
