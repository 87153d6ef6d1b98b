# SPDX-License-Identifier: Apache-2.0
"""What the daemon knows anyway, read when somebody looks at the metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from submgr.core.e2_subscription import Life
from submgr.core.node import Node

if TYPE_CHECKING:
    from submgr.app import Daemon


def watch(daemon: Daemon) -> None:
    """Give the gauges and the RMR counters of the daemon their readers."""

    def nodes() -> Iterable[Node]:
        return [worker.node for worker in daemon.dispatcher.workers]

    readers: dict[str, Callable[[], float]] = {
        "submgr_e2_subscriptions": lambda: sum(
            sub.life is Life.ESTABLISHED for node in nodes() for sub in node.subscriptions.e2.values()
        ),
        "submgr_rest_subscriptions": lambda: sum(len(node.subscriptions.rest) for node in nodes()),
        "submgr_connected_e2_nodes": lambda: len(daemon.nodes.connected()),
        "submgr_lost_node_subscriptions": lambda: sum(
            sub.life is Life.ESTABLISHED
            for node in nodes()
            if not node.connected
            for sub in node.subscriptions.e2.values()
        ),
        "submgr_instance_ids_in_use": lambda: daemon.registry.ids.in_use(),
        "submgr_procedures_in_flight": lambda: sum(node.procedures_running for node in nodes()),
        "submgr_notifications_waiting": lambda: daemon.notifier.waiting,
        "submgr_notification_oldest_seconds": daemon.notifier.oldest,
        "submgr_pending_route_removals": lambda: sum(
            len(removal.routes) for node in nodes() for removal in node.removals
        ),
        "submgr_unreadable_records": lambda: daemon.restorer.unreadable,
        "submgr_missing_routes": lambda: 0 if daemon.missing_routes() is None else 1,
        "submgr_config_reload_refused": lambda: daemon.live.reload_refused,
        "submgr_hub_stall_longest_seconds": lambda: daemon.health.longest_stall,
        "submgr_log_lines_dropped": lambda: daemon.logs.dropped,
    }
    for name, read in readers.items():
        daemon.metrics.read_from(name, read)
    daemon.metrics.read_queues_from(lambda: {node.meid: node.queue_depth for node in nodes()})
    stats = daemon.rmr.stats
    rmr: dict[str, Callable[[], float]] = {
        "RMR_Transmitted": lambda: stats().transmitted,
        "RMR_TransmitError": lambda: stats().transmit_error,
        "RMR_TransmitRetry": lambda: stats().transmit_retry,
        "RMR_Received": lambda: stats().received,
        "RMR_ReceiveError": lambda: sum(stats().receive_error.values()),
        "RMR_Enqueued": lambda: stats().enqueued,
        "RMR_Dropped": lambda: sum(stats().dropped.values()),
    }
    for name, read in rmr.items():
        daemon.counters.read_from(name, read)
