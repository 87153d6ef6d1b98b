# SPDX-License-Identifier: Apache-2.0
"""Metrics as prometheus_client has them, with names that begin with `submgr_`. They watch and never steer.

A value that a part of the daemon knows anyway (how many subscriptions there are) is read from that part when a client
asks for the metrics. An event is counted when it happens.
"""

import platform
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.metrics import Counter, Gauge
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from submgr.adapters.metrics.histogram import Histogram
from submgr.platform import supervised
from submgr.platform.version import version

_PROCEDURE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
_CALL_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)
_STALL_BUCKETS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)
_AGE_BUCKETS = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)

GAUGES: Mapping[str, str] = {
    "submgr_e2_subscriptions": "E2 subscriptions that E2 nodes have confirmed",
    "submgr_rest_subscriptions": "REST subscriptions",
    "submgr_connected_e2_nodes": "E2 nodes that are connected",
    "submgr_lost_node_subscriptions": "E2 subscriptions of E2 nodes that are not connected",
    "submgr_instance_ids_in_use": "E2 instance ids that are not free, of the 65534 there are",
    "submgr_procedures_in_flight": "Subscribe and delete procedures under way at E2 nodes",
    "submgr_notifications_waiting": "Notifications that are not delivered yet",
    "submgr_notification_oldest_seconds": "Age of the oldest notification that is not delivered yet",
    "submgr_pending_route_removals": "Routes that could not be removed yet",
    "submgr_store_losses_total": "Times that the database came back without writes that it had acknowledged",
    "submgr_store_written_back_total": "Keys that were written to the database again after it had lost writes",
    "submgr_store_keys_to_write": "Keys of the database that do not have the value yet that they shall hold",
    "submgr_unreadable_records": "Records of the database that could not be read and were left where they are",
    "submgr_orphaned_subscriptions": "Subscriptions whose xApp is gone",
    "submgr_missing_routes": "Message types xApps use over RMR (12010, 12020) for which there is no route",
    "submgr_rmr_routes_skipped": "Records of the RMR route table in force that cannot be read, wholly or in part",
    "submgr_rmr_routes": "Records of the RMR route table in force; NaN with librmr, which keeps its own",
    "submgr_ready": "1 while the process is ready, 0 while health/ready answers 503",
    "submgr_store_up": "1 while records can be saved in the database, else 0",
    "submgr_restore_progress": "The part of the stored subscriptions that is restored, from 0 to 1",
    "submgr_active": "1 while this process is the one that acts, 0 while it is a standby or not ready",
    "submgr_lease_age_seconds": "Time since the lease of the active process was renewed; 0 without a lease",
    "submgr_config_reload_refused": "1 while the configuration file has a content that was refused, else 0",
    "submgr_hub_stall_longest_seconds": "The longest time in which the event loop did not turn",
    "submgr_log_lines_dropped": "Log lines that were dropped because nobody read them",
    "submgr_trace_spans_dropped_total": "Spans of traces that found no room, or that the collector did not take",
    "submgr_outbound_refused": "Connections to addresses of peers that the rules of outbound refused",
}
"""Metrics whose values are read when a client asks, see `Metrics.read_from`. Those with `_total` only grow."""


RECONCILED = ("e2_record", "rest_record", "removal_record", "route")
"""What a difference can be about. All are there from the start: a counter that begins at 1 shows no increase."""


class Metrics:
    """The metrics, registered in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauges = _Gauges()
        registry.register(self._gauges)
        self._procedures = Histogram(
            "submgr_procedure_duration_seconds",
            "Duration of procedures from their start to their end",
            ["kind", "outcome"],
            buckets=_PROCEDURE_BUCKETS,
            registry=registry,
        )
        self._notification_age = Histogram(
            "submgr_notification_age_seconds",
            "Age of notifications when they were delivered or given up",
            ["outcome"],
            buckets=_AGE_BUCKETS,
            registry=registry,
        )
        self._sdl = Histogram(
            "submgr_sdl_duration_seconds",
            "Duration of database operations",
            ["operation"],
            buckets=_CALL_BUCKETS,
            registry=registry,
        )
        self._rtmgr = Histogram(
            "submgr_rtmgr_duration_seconds",
            "Duration of requests to the Routing Manager",
            ["method"],
            buckets=_CALL_BUCKETS,
            registry=registry,
        )
        self._given_up = Counter(
            "submgr_notifications_given_up_total", "Notifications given up after their last try", registry=registry
        )
        self._ignored = Counter(
            "submgr_ignored_messages_total",
            "Messages that fitted nothing (unknown, repeated, undecodable) and changed nothing",
            ["kind"],
            registry=registry,
        )
        self._folded_octets = Counter(
            "submgr_folded_octets_total",
            "Numbers in requests that were no octets, and of which the low octet was taken",
            registry=registry,
        )
        self._reconciled = Counter(
            "submgr_reconciled_total",
            "Differences between what is known here and the database or the Routing Manager that were repaired",
            ["what"],
            registry=registry,
        )
        for what in RECONCILED:
            self._reconciled.labels(what)
        self._stalls = Histogram(
            "submgr_loop_stall_seconds",
            "How long the event loop did not turn, looked at fifty times a second",
            buckets=_STALL_BUCKETS,
            registry=registry,
        )
        self._take_overs = Counter(
            "submgr_take_overs_total", "How often this process has become the active one", registry=registry
        )
        self._worker_failures = Counter(
            "submgr_worker_failures_total", "Workers that ended by a bug and were restarted", registry=registry
        )
        self._internal_errors = Counter(
            "submgr_internal_errors_total", "Requests answered by a 500, each of which is a bug", registry=registry
        )
        self._unconfirmed = Gauge(
            "submgr_unconfirmed_deletes",
            "E2 subscriptions removed here whose deletion the E2 node has not confirmed",
            registry=registry,
        )
        info = Gauge(
            "submgr_build_info", "The running version, in its labels", ["version", "python"], registry=registry
        )
        info.labels(version(), platform.python_version()).set(1)

    def read_from(self, name: str, read: Callable[[], float]) -> None:
        """Takes the value of `name` from `read()` when a client asks. KeyError: it is not in `GAUGES`."""
        self._gauges.read_from(name, read)

    def read_queues_from(self, read: Callable[[], Mapping[str, int]]) -> None:
        """Takes the values of `submgr_node_queue_depth` from `read()`: Meid to the number of waiting procedures."""
        self._gauges.queues = read

    def read_refusals_from(self, read: Callable[[], Mapping[str, int]]) -> None:
        """Takes the values of `submgr_node_refusals_in_a_row` from `read()`, by Meid."""
        self._gauges.refusals = read

    def procedure(self, kind: str, outcome: str, seconds: float) -> None:
        """A procedure has ended, after `seconds`."""
        self._procedures.observe((kind, outcome), seconds)

    def notification(self, delivered: bool, age: float) -> None:
        """A notification was delivered or given up, `age` seconds after it was due."""
        self._notification_age.observe(("delivered" if delivered else "given_up",), age)
        if not delivered:
            self._given_up.inc()

    def sdl(self, operation: str, seconds: float) -> None:
        """The database has answered an operation, after `seconds`."""
        self._sdl.observe((operation,), seconds)

    def rtmgr(self, method: str, seconds: float) -> None:
        """The Routing Manager has answered a request, after `seconds`."""
        self._rtmgr.observe((method,), seconds)

    def ignored(self, kind: str) -> None:
        """A message fitted nothing and was ignored; `kind` says why."""
        self._ignored.labels(kind).inc()

    def folded_octets(self, numbers: int) -> None:
        """A request had so many numbers that are no octets."""
        self._folded_octets.inc(numbers)

    def reconciled(self, what: str) -> None:
        """A difference was repaired; `what` is one of RECONCILED."""
        self._reconciled.labels(what).inc()

    def taken_over(self) -> None:
        """This process has taken the lease."""
        self._take_overs.inc()

    def worker_failed(self) -> None:
        """A worker has crashed."""
        self._worker_failures.inc()

    def stalled(self, seconds: float) -> None:
        """The event loop did not turn for so long, beyond what it was meant to rest."""
        self._stalls.observe((), seconds)

    def internal_error(self) -> None:
        """A REST request was answered with 500."""
        self._internal_errors.inc()

    def delete_unconfirmed(self) -> None:
        """An E2 node has answered none of the sends of a delete."""
        self._unconfirmed.inc()

    def delete_confirmed_late(self) -> None:
        """An E2 node has answered a delete that counted as unconfirmed before."""
        self._unconfirmed.dec()


class _Gauges(Collector):
    def __init__(self) -> None:
        self._read: dict[str, Callable[[], float]] = {}
        self.queues: Callable[[], Mapping[str, int]] = dict
        self.refusals: Callable[[], Mapping[str, int]] = dict

    def read_from(self, name: str, read: Callable[[], float]) -> None:
        if name not in GAUGES:
            raise KeyError(name)
        self._read[name] = read

    def collect(self) -> Iterable[Metric]:
        for name, explanation in GAUGES.items():
            read = self._read.get(name)
            family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            yield family(name, explanation, value=read() if read is not None else 0)
        depth = GaugeMetricFamily(
            "submgr_node_queue_depth", "Procedures that wait for their turn at an E2 node", labels=["meid"]
        )
        for meid, waiting in self.queues().items():
            depth.add_metric([meid], waiting)
        yield depth
        refusals = GaugeMetricFamily(
            "submgr_node_refusals_in_a_row",
            "Subscribes that an E2 node refused since it granted one; 0 after ten minutes without another",
            labels=["meid"],
        )
        for meid, times in self.refusals().items():
            refusals.add_metric([meid], times)
        yield refusals
        failed = CounterMetricFamily(
            "submgr_background_failures", "Failed steps of background loops, each of which is a bug", labels=["loop"]
        )
        for loop, times in supervised.failures.items():
            failed.add_metric([loop], times)
        yield failed
