# SPDX-License-Identifier: Apache-2.0
"""Gauges and counters whose values the parts of the daemon know anyway: read when a client asks for the metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from submgr.adapters.metrics.go_counters import GoCounters
from submgr.adapters.metrics.prometheus import Metrics
from submgr.adapters.notifier import XappNotifier
from submgr.adapters.records.loader import RecordLoader
from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.core.e2_subscription import Life
from submgr.core.node import Node
from submgr.core.registry import Registry
from submgr.platform.health import Health
from submgr.platform.logs import Logs
from submgr.platform.outbound_rules import Outbound
from submgr.platform.store.base import Store
from submgr.rmr.transport import Stats


def watch_nodes(metrics: Metrics, nodes: Callable[[], Iterable[Node]]) -> None:
    """The subscriptions and queues of all nodes that have a worker."""
    readers: dict[str, Callable[[], float]] = {
        "submgr_e2_subscriptions": lambda: sum(
            sub.life is Life.ESTABLISHED for node in nodes() for sub in node.subscriptions.e2.values()
        ),
        "submgr_rest_subscriptions": lambda: sum(len(node.subscriptions.rest) for node in nodes()),
        "submgr_lost_node_subscriptions": lambda: sum(
            sub.life is Life.ESTABLISHED
            for node in nodes()
            if not node.connected
            for sub in node.subscriptions.e2.values()
        ),
        "submgr_procedures_in_flight": lambda: sum(node.procedures_running for node in nodes()),
        "submgr_pending_route_removals": lambda: sum(
            len(removal.routes) for node in nodes() for removal in node.removals
        ),
    }
    for name, read in readers.items():
        metrics.read_from(name, read)
    metrics.read_queues_from(lambda: {node.meid: node.queue_depth for node in nodes()})


def watch_parts(
    metrics: Metrics,
    *,
    connected_nodes: ConnectedNodes,
    registry: Registry,
    notifier: XappNotifier,
    loader: RecordLoader,
    health: Health,
    logs: Logs,
    reload_refused: Callable[[], bool],
    missing_routes: Callable[[], str | None],
    orphans: Callable[[], int],
    skipped_routes: Callable[[], int],
    routes: Callable[[], float],
    ready: Callable[[], bool],
    restored: Callable[[], float],
    outbound: Outbound,
    store: Store,
    active: Callable[[], bool],
    lease_age: Callable[[], float],
    spans_dropped: Callable[[], float],
) -> None:
    """One or two values of each of the other parts."""
    readers: dict[str, Callable[[], float]] = {
        "submgr_connected_e2_nodes": lambda: len(connected_nodes.connected()),
        "submgr_instance_ids_in_use": lambda: registry.ids.in_use(),
        "submgr_notifications_waiting": lambda: notifier.waiting,
        "submgr_notification_oldest_seconds": notifier.oldest,
        "submgr_unreadable_records": lambda: loader.unreadable,
        "submgr_missing_routes": lambda: 0 if missing_routes() is None else 1,
        "submgr_orphaned_subscriptions": orphans,
        "submgr_rmr_routes_skipped": skipped_routes,
        "submgr_rmr_routes": routes,
        "submgr_ready": ready,
        "submgr_store_up": lambda: store.trouble() is None,
        "submgr_restore_progress": restored,
        "submgr_store_losses_total": lambda: store.stats().losses,
        "submgr_store_written_back_total": lambda: store.stats().written_back,
        "submgr_store_keys_to_write": lambda: store.stats().repairs_pending,
        "submgr_active": active,
        "submgr_lease_age_seconds": lease_age,
        "submgr_config_reload_refused": reload_refused,
        "submgr_hub_stall_longest_seconds": lambda: health.longest_stall,
        "submgr_log_lines_dropped": lambda: logs.dropped,
        "submgr_outbound_refused": lambda: outbound.refused,
        "submgr_trace_spans_dropped_total": spans_dropped,
    }
    for name, read in readers.items():
        metrics.read_from(name, read)


def route_records(size: tuple[int, int] | None, ready: bool) -> float:
    """The records of the route table in force; not a number when a table is in force that nobody here knows."""
    return float(sum(size)) if size is not None else math.nan if ready else 0.0


def watch_rmr(counters: GoCounters, stats: Callable[[], Stats]) -> None:
    """The counters of the RMR layer, under the names of the Go implementation."""
    readers: dict[str, Callable[[], float]] = {
        "RMR_Transmitted": lambda: stats().transmitted,
        "RMR_TransmitError": lambda: stats().transmit_error,
        "RMR_TransmitRetry": lambda: stats().transmit_retry,
        "RMR_Received": lambda: stats().received,
        "RMR_ReceiveError": lambda: sum(stats().receive_error.values()),
        "RMR_Enqueued": lambda: stats().enqueued,
        "RMR_Dropped": lambda: sum(stats().dropped.values()),
    }
    for name, read in readers.items():
        counters.read_from(name, read)
