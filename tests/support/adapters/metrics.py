# SPDX-License-Identifier: Apache-2.0
"""Metrics as a test reads them, and some that have counted."""

from prometheus_client import CollectorRegistry

from submgr.adapters.metrics.go_counters import exposition
from submgr.adapters.metrics.prometheus import Metrics


def text_of(registry: CollectorRegistry) -> str:
    body, content_type = exposition(registry)
    assert content_type.startswith("text/plain; version=0.0.4")
    return body.decode()


def busy(registry: CollectorRegistry) -> Metrics:
    metrics = Metrics(registry)
    metrics.procedure("subscribe", "success", 0.02)
    metrics.notification(True, 0.1)
    metrics.notification(False, 50)
    metrics.sdl("set", 0.001)
    metrics.rtmgr("POST", 0.003)
    metrics.ignored("unknown_instance")
    metrics.worker_failed()
    metrics.internal_error()
    metrics.delete_unconfirmed()
    metrics.delete_unconfirmed()
    metrics.delete_confirmed_late()
    metrics.read_from("submgr_e2_subscriptions", lambda: 17)
    metrics.read_queues_from(lambda: {'gnb "1"\n': 4, "gnb_2": 0})
    return metrics
