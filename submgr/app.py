# SPDX-License-Identifier: Apache-2.0
"""The composition root: builds the parts of the daemon from its settings and connects them. It holds no rules."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from mec.app import Mec
from mec.app import build as build_mec
from mec.common.settings import from_mapping as mec_settings
from mec.meo.settings import usable as meo_settings
from submgr.adapters.e2_termination import E2Termination
from submgr.adapters.metrics import gauges
from submgr.adapters.metrics.go_counters import exposition
from submgr.adapters.metrics.monitoring import Monitoring, monitoring_of
from submgr.adapters.metrics.observer import SdlObserver, WorkerObserver
from submgr.adapters.metrics.prometheus import Metrics
from submgr.adapters.notifier import XappNotifier
from submgr.adapters.records.e2 import e2_json
from submgr.adapters.records.loader import RecordLoader
from submgr.adapters.records.store import StoredRecords
from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.adapters.rnib.connection_state import LocalNodeState, NodeState
from submgr.adapters.rnib.rnib_nodes import RnibNodeState
from submgr.adapters.routing_manager import RoutingManager
from submgr.adapters.stored_routes import StoredRoutes
from submgr.adapters.xapp_names import LOOK_UP, UnresolvedNames
from submgr.backup import Backup
from submgr.core.commands import Notify
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.registry import NotificationQuota, Registry
from submgr.daemon import Daemon, Parts, Shutdown
from submgr.orphans import Deliveries, Orphans, OrphanSettings
from submgr.platform.config.file import ConfigError, Problem
from submgr.platform.config.tls import TlsSettings
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.health import Health
from submgr.platform.http.peer import require_certificate
from submgr.platform.http.server import HttpServer
from submgr.platform.lease.permit import MaySend, always
from submgr.platform.logs import Logs
from submgr.platform.names import strangers
from submgr.platform.outbound_rules import Outbound
from submgr.platform.outbox import RetryPolicy
from submgr.platform.secret_file import secret_file
from submgr.platform.store.base import Store
from submgr.platform.store.choice import make_store
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_client import SdlSettings
from submgr.platform.tls import TlsError, TlsFiles
from submgr.probes import Probes
from submgr.reconciler import Reconciler
from submgr.rest.errors import answer_only_if
from submgr.rest.platform import platform_app
from submgr.rest.use_cases import DebugWrite, Operations, XappOptions
from submgr.rest.xapp import xapp_app
from submgr.rmr.service import Rmr, RmrSettings
from submgr.rmr.service import build as build_rmr
from submgr.rmr.transport import TransportConfig
from submgr.runtime.dispatcher import Dispatcher
from submgr.runtime.worker import Ports
from submgr.service import Replies, Service
from submgr.settings.live import LiveSettings
from submgr.settings.model import Debug, Settings
from submgr.standby import Standby, make_standby

SERVICE_NAMES = tuple(f"service-ricplt-submgr-http{domain}" for domain in ("", ".ricplt", ".ricplt.svc.cluster.local"))
"""Under these a browser in the cluster may reach our pages. Nobody outside of it has them resolved to us."""
HUB_WATCH = 0.02
"""Seconds between two looks whether the event loop turns; a stop that is shorter may be missed."""


def build(
    live: LiveSettings,
    environment: Mapping[str, str],
    logs: Logs,
    watcher: ConfigWatcher | None = None,
    local_nodes: LocalNodeState | None = None,
) -> Daemon:
    """The daemon, not started. Raises ConfigError for mistakes in the MEC sections and the TLS files of the settings.

    `local_nodes`: who sets the state of the E2 nodes in the process (a stand-alone run), instead of R-NIB.
    """
    monitoring = monitoring_of(live.current.metrics.namespace)
    sdl, sdl_observer = live.current.sdl, SdlObserver(monitoring.counters.inc, monitoring.metrics.sdl)
    store = make_store(sdl.backend, sdl.path, environment, fenced=live.current.ha.enabled, observer=sdl_observer)
    records = StoredRecords(store)
    shutdown = Shutdown()
    standby = None
    if live.current.ha.enabled:
        counted = monitoring.metrics.taken_over
        standby = make_standby(live.current, environment, store, ended=shutdown.followed, counted=counted)
    may_send = standby.may_send if standby is not None else always
    node_state: NodeState = local_nodes or _make_node_state(live.current, environment, monitoring)
    nodes = ConnectedNodes(node_state, lambda: live.current.controls.check_e2_state)
    registry = Registry(NotificationQuota(lambda: live.current.controls.notification_queue))
    loader = RecordLoader(records, registry, node_state, nodes, lambda: live.current.controls)
    deliveries = Deliveries()
    outbound = _make_outbound(live)
    tls = live.current.tls
    https = _https_client(tls)
    notifier = _make_notifier(
        live, registry, monitoring.metrics, deliveries, outbound, https if tls.xapps else None, may_send
    )
    routing_manager = _make_routing_manager(live.current, monitoring, https if tls.rtmgr else None, may_send)
    replies = Replies()
    e2_termination = E2Termination(lambda: live.current.controls.check_e2_ie_order, registry.ids.owner, replies.token)
    rmr = _make_rmr(live.current, environment, e2_termination, may_send)
    routes = StoredRoutes(records.save_routes)
    rmr.on_pushed(routes.keep)
    observer = WorkerObserver(monitoring.counters, monitoring.metrics)
    ports = Ports(records, routing_manager, notifier, e2_termination, replies.reply, observer, time.monotonic)
    dispatcher = Dispatcher(
        registry,
        ports,
        lambda: controls_of(live.current),
        nodes.is_connected,
        loader.load_node,
        shutdown.broken,
        monitoring.metrics.worker_failed,
    )
    health = Health(interval=HUB_WATCH)
    probes = Probes(health, loader, store, rmr, dispatcher.stuck, standby)
    health.warn("E2 nodes", lambda: node_state.trouble() if live.current.controls.check_e2_state else None)
    service = Service(dispatcher, replies, nodes, records, lambda: shutdown.request(1))
    orphans = _make_orphans(live, dispatcher, deliveries, service)
    reconciler = Reconciler(
        dispatcher,
        records,
        routing_manager,
        interval=lambda: live.current.controls.reconcile,
        trouble=store.trouble,
        removes=lambda: loader.all_restored and not store.stats().shared,
        count=monitoring.metrics.reconciled,
    )
    backup = Backup(dispatcher, records)
    gauges.watch_nodes(monitoring.metrics, lambda: [worker.node for worker in dispatcher.workers])
    gauges.watch_rmr(monitoring.counters, rmr.stats)
    gauges.watch_parts(
        monitoring.metrics,
        connected_nodes=nodes,
        registry=registry,
        notifier=notifier,
        loader=loader,
        health=health,
        logs=logs,
        reload_refused=lambda: live.reload_refused,
        missing_routes=probes.missing_routes,
        orphans=orphans.count,
        skipped_routes=lambda: rmr.skipped_routes().count,
        outbound=outbound,
        store=store,
        active=lambda: probes.why_not() is None,
        lease_age=lambda: standby.age() if standby is not None else 0.0,
    )
    xapp_http = _make_xapp_http(live.current, service, monitoring, outbound, standby)
    platform_http = _make_platform_http(live, service, probes, logs, monitoring, orphans, reconciler, backup)
    health.warn("TLS", lambda: xapp_http.tls_trouble() or platform_http.tls_trouble() or https.trouble())
    mec = _make_mec(live, store, monitoring, outbound)
    outbound.own_ports = lambda: {xapp_http.port, platform_http.port, *rmr.ports, mec.port if mec is not None else 0}
    return Daemon(
        Parts(
            live=live,
            watcher=watcher,
            logs=logs,
            shutdown=shutdown,
            health=health,
            probes=probes,
            store=store,
            records=records,
            loader=loader,
            node_state=node_state,
            nodes=nodes,
            rmr=rmr,
            routes=routes,
            e2_termination=e2_termination,
            routing_manager=routing_manager,
            notifier=notifier,
            dispatcher=dispatcher,
            orphans=orphans,
            reconciler=reconciler,
            xapp_http=xapp_http,
            platform_http=platform_http,
            mec=mec,
            standby=standby,
        )
    )


def controls_of(settings: Settings) -> Controls:
    """The settings that the core works with."""
    c = settings.controls
    return Controls(
        subscribe_timeout=c.e2t_sub_req_timeout,
        subscribe_tries=c.e2t_max_sub_req_try_count,
        delete_timeout=c.e2t_sub_del_req_time,
        delete_tries=c.e2t_max_sub_del_req_try_count,
        requestor_id=c.ric_requestor_id,
        max_ongoing=c.max_ongoing_e2_procedures,
        on_e2_loss=OnE2Loss(c.on_e2_loss),
        restore_delay=c.restore_delay,
        merge=c.merge_subscriptions.default,
        merge_by_function=c.merge_subscriptions.by_function,
        silent_nodes=c.silent_nodes,
        tell_loss=c.tell_loss,
        unconfirmed_route_after=c.unconfirmed_routes,
        route_timeout=2 * settings.rtmgr.timeout,
    )


def _make_node_state(settings: Settings, environment: Mapping[str, str], monitoring: Monitoring) -> NodeState:
    if settings.sdl.backend == "redis":
        channel = SdlChannel(SdlSettings(environment, name="submgr-rnib"))
        return RnibNodeState(channel, count=monitoring.counters.inc)
    return LocalNodeState(everything_up=True, count=monitoring.counters.inc)


def _make_outbound(live: LiveSettings) -> Outbound:
    """The rules for addresses that peers chose. They follow the settings."""
    outbound = Outbound(live.current.outbound.rules())

    def changed(old: Settings, new: Settings) -> None:
        if new.outbound != old.outbound:
            outbound.rules = new.outbound.rules()

    live.on_change(changed)
    return outbound


def _make_notifier(
    live: LiveSettings,
    registry: Registry,
    metrics: Metrics,
    deliveries: Deliveries,
    outbound: Outbound,
    tls: TlsFiles | None,
    may_send: MaySend,
) -> XappNotifier:
    def ended(notification: Notify, delivered: bool, age: float, answered: bool) -> None:
        metrics.notification(delivered, age)
        deliveries.ended(notification, delivered, answered)

    return XappNotifier(
        registry.quota,
        lambda: RetryPolicy(live.current.subscription.retry_count, live.current.subscription.retry_delay),
        ended,
        outbound=outbound,
        tls=tls,
        may_send=may_send,
    )


def _make_orphans(live: LiveSettings, dispatcher: Dispatcher, deliveries: Deliveries, service: Service) -> Orphans:
    return Orphans(
        lambda: [worker.node for worker in dispatcher.workers],
        deliveries,
        UnresolvedNames(partial(strangers.resolves, timeout=LOOK_UP)),
        lambda: OrphanSettings(live.current.controls.orphan_after, live.current.controls.remove_orphans),
        service.remove_orphans,
    )


def _make_routing_manager(
    settings: Settings, monitoring: Monitoring, tls: TlsFiles | None, may_send: MaySend
) -> RoutingManager:
    return RoutingManager(
        settings.rtmgr.host,
        settings.rtmgr.port,
        settings.rtmgr.base_url,
        timeout=settings.rtmgr.timeout,
        count=monitoring.counters.inc,
        latency=monitoring.metrics.rtmgr,
        tls=tls,
        may_send=may_send,
    )


def _https_client(tls: TlsSettings) -> TlsFiles:
    """What calls over https are made with. Raises ConfigError when some are wanted and the files are of no use."""
    files = tls.client()
    if tls.rtmgr or tls.xapps:
        try:
            files.load()
        except TlsError as exc:
            raise ConfigError([Problem(None, "tls", str(exc))]) from exc
    return files


def _make_rmr(
    settings: Settings, environment: Mapping[str, str], e2_termination: E2Termination, may_send: MaySend
) -> Rmr:
    limits = TransportConfig(may_send=may_send)
    rmr_settings = RmrSettings(f"tcp:{settings.rmr.port}", settings.rmr.max_size, settings.rmr.transport, limits)
    rmr = build_rmr(rmr_settings, environment, e2_termination.received)
    e2_termination.connect(rmr)
    return rmr


def _make_xapp_http(
    settings: Settings, service: Service, monitoring: Monitoring, outbound: Outbound, standby: Standby | None
) -> HttpServer:
    metrics = monitoring.metrics
    options = XappOptions(
        settings.subscription.show_ids,
        settings.debug.strict_octets,
        metrics.folded_octets,
        outbound.refusal,
        _origins(settings),
        settings.tls.ownership,
    )
    app = xapp_app(service, monitoring.counters.inc, metrics.internal_error, options)
    if standby is not None:
        answer_only_if(app, standby.refuse)
    tls = settings.tls.server("xapp", required=True)
    return HttpServer("xapp", settings.subscription.listen, app, tls=tls)


def _make_platform_http(
    live: LiveSettings,
    service: Service,
    probes: Probes,
    logs: Logs,
    monitoring: Monitoring,
    orphans: Orphans,
    reconciler: Reconciler,
    backup: Backup,
) -> HttpServer:
    operations = Operations(
        alive=probes.alive,
        ready=probes.ready,
        metrics=lambda: exposition(monitoring.registry),
        config=lambda: live.current.masked(),
        recent_log=logs.recent,
        debug_write=lambda: DebugWrite(live.current.debug.write, _debug_token(live.current.debug)),
        record_json=e2_json,
        orphans=orphans.found,
        reconcile=reconciler.look,
        export=backup.export,
        import_=backup.import_,
    )
    app = platform_app(service, operations, monitoring.metrics.internal_error, _origins(live.current))
    app.before_request(probes.refuse_before_restored)
    tls = live.current.tls
    if tls.asks("platform"):
        require_certificate(app)
    return HttpServer("platform", live.current.local.listen, app, tls=tls.server("platform"))


def _debug_token(debug: Debug) -> str:
    """The token as it is now: that of a file may change at any time."""
    return secret_file(debug.token_file).text() if debug.token_file else debug.token


def _origins(settings: Settings) -> tuple[str, ...]:
    return (*SERVICE_NAMES, *settings.debug.origins)


def _make_mec(live: LiveSettings, store: Store, monitoring: Monitoring, outbound: Outbound) -> Mec | None:
    """The MEC services, when the configuration enables them. A changed section meo applies to them, or is refused."""
    settings = live.current
    if not mec_settings(settings.mec).enabled:
        return None
    mec = build_mec(
        settings.mec, store, meo=settings.meo, registry=monitoring.registry, outbound=outbound, tls=settings.tls
    )
    live.check_with(lambda new: meo_settings(new.meo))
    live.on_change(lambda old, new: mec.reconfigure(new.meo) if new.meo != old.meo else None)
    return mec
