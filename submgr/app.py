# SPDX-License-Identifier: Apache-2.0
"""Composition root: builds the daemon from its settings, starts and stops it in order. No logic of the product."""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Mapping

import gevent
from flask import request
from gevent.event import Event
from prometheus_client import CollectorRegistry, ProcessCollector

from mec.app import Mec
from mec.app import build as build_mec
from mec.common.settings import from_mapping as mec_settings
from submgr.adapters.debug_records import DebugRecords
from submgr.adapters.e2_termination import E2Termination
from submgr.adapters.metrics.gauges import watch
from submgr.adapters.metrics.go_counters import GoCounters, exposition
from submgr.adapters.metrics.observer import WorkerObserver
from submgr.adapters.metrics.prometheus import Metrics
from submgr.adapters.notifier import XappNotifier
from submgr.adapters.records.loader import Restorer, StartFailed
from submgr.adapters.records.rest import e2_json
from submgr.adapters.records.store import SdlCounters, StoredRecords
from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.adapters.rnib.connection_state import LocalNodeState, NodeState, RnibNodeState
from submgr.adapters.rnib.messages import ConnectionState
from submgr.adapters.routing_manager import RoutingManager
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.errors import RefusedError
from submgr.core.model import E2Record
from submgr.core.registry import NotificationQuota, Registry
from submgr.platform.config.file import ConfigWatcher
from submgr.platform.health import Health
from submgr.platform.http.server import HttpServer, ListenError
from submgr.platform.logs import Logs
from submgr.platform.outbox import RetryPolicy
from submgr.platform.store.base import Store
from submgr.platform.store.memory import MemoryStore
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_client import SdlSettings
from submgr.platform.store.sqlite import SqliteStore
from submgr.rest.platform import platform_app
from submgr.rest.use_cases import DebugWrite, HealthReport, Operations
from submgr.rest.xapp import xapp_app
from submgr.rmr.service import Rmr, RmrSettings, build
from submgr.runtime.dispatcher import Dispatcher
from submgr.runtime.worker import Ports
from submgr.service import Replies, Service
from submgr.settings.model import LiveSettings, Settings

log = logging.getLogger(__name__)


DRAIN = 10.0
"""Seconds that running procedures have to end in when the daemon is stopped."""
HUB_WATCH = 0.02
"""Seconds between two looks whether the event loop turns; a stop that is shorter may be missed."""
DESCRIPTORS = 65536
PROBES = ("/health/alive", "/health/ready", "/metrics", "/config", "/symptomdata", "/openapi.yaml", "/console")
"""Platform requests that are answered before the subscriptions are restored."""


def controls_of(settings: Settings) -> Controls:
    c = settings.controls
    return Controls(
        subscribe_timeout=c.e2t_sub_req_timeout,
        subscribe_tries=c.e2t_max_sub_req_try_count,
        delete_timeout=c.e2t_sub_del_req_time,
        delete_tries=c.e2t_max_sub_del_req_try_count,
        requestor_id=c.ric_requestor_id,
        max_ongoing=c.max_ongoing_e2_procedures,
        on_e2_loss=OnE2Loss(c.on_e2_loss),
    )


class Daemon:
    """Made of everything; nothing happens before `start`.

    `local_nodes`: the state of the E2 nodes is told in the process (a stand-alone run) instead of read from R-NIB.
    """

    def __init__(
        self,
        live: LiveSettings,
        environment: Mapping[str, str],
        logs: Logs,
        watcher: ConfigWatcher | None = None,
        local_nodes: LocalNodeState | None = None,
    ) -> None:
        self.live = live
        self.exit_code: int | None = None
        self.ended = Event()
        self.logs = logs
        self._watcher = watcher
        settings = live.current
        self._prometheus = CollectorRegistry()
        ProcessCollector(registry=self._prometheus)
        self.counters = GoCounters(settings.metrics.namespace)
        self._prometheus.register(self.counters)
        self.metrics = Metrics(self._prometheus)
        self.health = Health(interval=HUB_WATCH)
        sdl = SdlCounters(self.counters.inc, self.metrics.sdl)
        self.store: Store = self._make_store(environment, sdl)
        self.records = StoredRecords(self.store)
        self.node_state: NodeState = local_nodes or self._make_node_state(environment)
        self.nodes = ConnectedNodes(self.node_state, lambda: self.live.current.controls.check_e2_state)
        self.registry = Registry(NotificationQuota(lambda: self.live.current.controls.notification_queue))
        self.routes = RoutingManager(
            settings.rtmgr.host,
            settings.rtmgr.port,
            settings.rtmgr.base_url,
            count=self.counters.inc,
            latency=self.metrics.rtmgr,
        )
        self.notifier = XappNotifier(
            self.registry.quota,
            lambda: RetryPolicy(self.live.current.subscription.retry_count, self.live.current.subscription.retry_delay),
            lambda notification, delivered, age: self.metrics.notification(delivered, age),
        )
        replies = Replies()
        link = E2Termination(lambda: live.current.controls.check_e2_ie_order, self.registry.ids.owner, replies.token)
        rmr_settings = RmrSettings(f"tcp:{settings.rmr.port}", settings.rmr.max_size, settings.rmr.transport)
        self.rmr: Rmr = build(rmr_settings, environment, link.received)
        observer = WorkerObserver(self.counters, self.metrics)
        ports = Ports(self.records, self.routes, self.notifier, link, replies.reply, observer, time.monotonic)
        self.restorer = Restorer(self.records, self.registry, self.node_state, self.nodes, live)
        self.dispatcher = Dispatcher(
            self.registry,
            ports,
            lambda: controls_of(self.live.current),
            self.nodes.is_connected,
            self.restorer.reload,
            self._broken,
            self.metrics.worker_failed,
        )
        link.connect(self.rmr)
        self._link = link
        self.node_state.on_change(self._link_changed)
        live.on_change(self._settings_changed)
        restart = lambda: self.end(1)  # noqa: E731
        self.service = Service(self.dispatcher, replies, self.nodes, DebugRecords(self.records), restart)
        self.xapp_http = HttpServer(
            "xapp", settings.subscription.listen, xapp_app(self.service, self.counters.inc, self.metrics.internal_error)
        )
        platform = platform_app(self.service, self._operations(), self.metrics.internal_error)
        platform.before_request(self._not_before_restored)
        self.platform_http = HttpServer("platform", settings.local.listen, platform)
        self.mec = self._make_mec()
        watch(self)
        self._restored = False
        self._starting: gevent.Greenlet[[], None] | None = None

    # --- parts

    def _make_store(self, environment: Mapping[str, str], observer: SdlCounters) -> Store:
        sdl = self.live.current.sdl
        if sdl.backend == "sqlite":
            return SqliteStore(sdl.path, observer=observer)
        if sdl.backend == "memory":
            return MemoryStore(observer=observer)
        return SdlStore(SdlSettings(environment), observer=observer)

    def _make_node_state(self, environment: Mapping[str, str]) -> NodeState:
        if self.live.current.sdl.backend == "redis":
            channel = SdlChannel(SdlSettings(environment, name="submgr-rnib"))
            return RnibNodeState(channel, count=self.counters.inc)
        return LocalNodeState(everything_up=True, count=self.counters.inc)

    def _make_mec(self) -> Mec | None:
        """The MEC services, when the configuration has them; their health is their own."""
        settings = self.live.current
        if not mec_settings(settings.mec).enabled:
            return None
        return build_mec(settings.mec, self.store, meo=settings.meo, registry=self._prometheus)

    def _operations(self) -> Operations:
        return Operations(
            alive=self._alive,
            ready=self._ready,
            metrics=lambda: exposition(self._prometheus),
            config=lambda: self.live.current.masked(),
            recent_log=self.logs.recent,
            debug_write=lambda: DebugWrite(self.live.current.debug.write, self.live.current.debug.token),
            record_json=_record_json,
        )

    # --- start and stop

    def start(self) -> None:
        """Raises ListenError, TransportError or StoreError for what an operator has to mend, each with one line.

        Probes are answered from the beginning (not ready); everything else is let in when all is restored.
        """
        _more_descriptors()
        self.health.start()
        self._require()
        self.xapp_http.bind()
        self.platform_http.bind()
        self.store.start()
        self.node_state.start()
        self.rmr.start()
        if self._watcher is not None:
            self._watcher.start()
        self.platform_http.start()
        if self.mec is not None:
            self.mec.start()
        self._starting = gevent.spawn(self._restore_and_listen)

    def _restore_and_listen(self) -> None:
        try:
            parts = self.restorer.restore()
            # what is restored may have something to ask of its E2 node at once
            self._link.open(self.dispatcher, answers_only=True)
            self.dispatcher.restore(parts)
            self._link.open(self.dispatcher)
            self.xapp_http.start()
        except (StartFailed, ListenError) as failed:
            log.error("%s", failed)
            self.end(1)
            return
        self._restored = True
        log.info("ready for xApps", extra={"e2_nodes": len(parts)})

    def stop(self) -> None:
        """Stop accepting, let running procedures end (at most DRAIN seconds), write what waits, close."""
        self.xapp_http.stop(grace=2.0)
        end = time.monotonic() + DRAIN
        while any(worker.node.procedures_running for worker in self.dispatcher.workers) and time.monotonic() < end:
            gevent.sleep(0.05)
        self.notifier.stop(grace=max(0.0, min(1.0, end - time.monotonic())))
        if self._starting is not None:
            self._starting.kill()
        self.dispatcher.stop()
        if self.mec is not None:
            self.mec.stop()
        self.platform_http.stop(grace=1.0)
        if self._watcher is not None:
            self._watcher.stop()
        self.rmr.stop()
        self.routes.stop()
        self.node_state.stop()
        self.records.stop()
        self.store.stop()
        self.health.stop()

    def end(self, code: int) -> None:
        """Ask for the end of the process; the first reason counts."""
        if self.exit_code is None:
            self.exit_code = code
        self.ended.set()

    def _broken(self, why: str) -> None:
        log.error("the process ends: %s", why)
        self.end(1)

    # --- what changes

    def _link_changed(self, meid: str, link: ConnectionState, again: bool) -> None:
        if self.live.current.controls.check_e2_state:
            self._tell_link(meid, link)

    def _tell_link(self, meid: str, link: ConnectionState) -> None:
        if link is ConnectionState.CONNECTED:
            self.dispatcher.connection_changed(meid, True)
        elif link is not ConnectionState.UNKNOWN:
            # a node that R-NIB does not list (any more) keeps what it has: a lost database is no lost connection
            self.dispatcher.connection_changed(
                meid, False, "under reset" if link is ConnectionState.UNDER_RESET else ""
            )

    def _settings_changed(self, old: Settings, new: Settings) -> None:
        self.logs.set_level(new.logger.level)
        self.dispatcher.apply_controls()
        if old.controls.check_e2_state != new.controls.check_e2_state:
            for worker in self.dispatcher.workers:
                link = self.nodes.state(worker.meid)
                if (link is ConnectionState.CONNECTED) is not worker.node.connected:
                    self._tell_link(worker.meid, link)

    # --- health

    def _require(self) -> None:
        self.health.require("restore", lambda: None if self._restored else self.restorer.why_not)
        self.health.require("database", lambda: None if self.store.reachable() else "the database does not answer")
        self.health.require("rmr", lambda: None if self.rmr.ready() else self.rmr.trouble)
        self.health.warn("routes", self.missing_routes)

    def missing_routes(self) -> str | None:
        """Which of the message types towards the E2 Termination have no route."""
        table = self.rmr.routes()
        if table is None:
            return None
        missing = [str(mtype) for mtype in (12010, 12020) if table.lookup(mtype, -1) is None]
        return f"no route for {', '.join(missing)}" if missing else None

    def _not_before_restored(self) -> None:
        """Before, the Routing Manager would take an empty list of subscriptions for the truth."""
        if not self._restored and not request.path.endswith(PROBES):
            raise RefusedError(503, f"not ready: {self.restorer.why_not}")

    def _alive(self) -> HealthReport:
        alive, reasons = self.health.alive()
        stuck = self.dispatcher.stuck()
        return HealthReport(alive and not stuck, [*reasons, *stuck])

    def _ready(self) -> HealthReport:
        readiness = self.health.ready()
        return HealthReport(readiness.ready, readiness.reasons, readiness.warnings)


def _record_json(record: E2Record) -> dict[str, object]:
    return dict(e2_json(record))


def _more_descriptors() -> None:
    """A thousand clients on each listener and a pool to each neighbour want more than the usual 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
