# SPDX-License-Identifier: Apache-2.0
"""The composition root: builds the parts of the daemon from its settings and connects them. It holds no rules."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from mec.common.settings import from_mapping as mec_settings
from submgr.adapters.e2_termination import E2Termination
from submgr.adapters.journal.conditions import Conditions
from submgr.adapters.journal.parts import make_journal
from submgr.adapters.metrics import gauges
from submgr.adapters.metrics.monitoring import Monitoring, monitoring_of
from submgr.adapters.metrics.observer import SdlObserver, WorkerObserver
from submgr.adapters.observers import Observers
from submgr.adapters.records.loader import RecordLoader
from submgr.adapters.records.progress import RestoreProgress
from submgr.adapters.records.store import StoredRecords
from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.adapters.rnib.connection_state import LocalNodeState, NodeState
from submgr.adapters.rnib.function_check import FunctionCheck
from submgr.adapters.stored_routes import StoredRoutes
from submgr.adapters.xapp_names import LOOK_UP, UnresolvedNames
from submgr.backup import Backup
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.registry import NotificationQuota, Registry
from submgr.daemon import Daemon, Parts
from submgr.neighbours import (
    make_https_client,
    make_node_state,
    make_notifier,
    make_outbound,
    make_rmr,
    make_routing_manager,
    make_tracing,
    traced,
)
from submgr.orphans import Deliveries, Orphans, OrphanSettings
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.health import Health
from submgr.platform.lease.permit import always
from submgr.platform.logs import Logs
from submgr.platform.names import strangers
from submgr.platform.outbound_rules import Outbound
from submgr.platform.shutdown import Shutdown
from submgr.platform.store.base import Store
from submgr.platform.store.choice import make_store
from submgr.probes import Probes
from submgr.reconciler import Reconciler
from submgr.rest.contents import Contents
from submgr.rest.edge import Edge
from submgr.runtime.dispatcher import Dispatcher
from submgr.runtime.replies import Replies
from submgr.runtime.worker import Ports
from submgr.servers import make_platform_http, make_xapp_http
from submgr.service import Service
from submgr.settings.live import LiveSettings
from submgr.settings.model import Settings
from submgr.status import make_looks

if TYPE_CHECKING:
    from mec.app import Mec

HUB_WATCH = 0.02
"""Seconds between two looks whether the event loop turns; a stop that is shorter may be missed."""


def build(
    live: LiveSettings,
    environment: Mapping[str, str],
    logs: Logs,
    watcher: ConfigWatcher | None = None,
    local_nodes: LocalNodeState | None = None,
    edge: Edge | None = None,
) -> Daemon:
    """The daemon, not started. Raises ConfigError for mistakes in the MEC sections and the TLS files of the settings.

    `local_nodes`: who sets the state of the E2 nodes in the process (a stand-alone run), instead of R-NIB.
    `edge`: shows MEC services of the process, to which those of the daemon are added.
    """
    monitoring = monitoring_of(live.current.metrics.namespace)
    sdl, sdl_observer = live.current.sdl, SdlObserver(monitoring.counters.inc, monitoring.metrics.sdl)
    store = make_store(sdl.backend, sdl.path, environment, fenced=live.current.ha.enabled, observer=sdl_observer)
    records = StoredRecords(store)
    shutdown = Shutdown()
    journalling = make_journal(monitoring.metrics)
    edge = edge or Edge()
    standby = None
    if live.current.ha.enabled:
        # imported here: most daemons run alone
        from submgr.standby import make_standby

        standby = make_standby(
            live.current,
            environment,
            store,
            ended=lambda why: shutdown.followed(journalling.followed(why)),
            counted=journalling.taken_over,
        )
    may_send = standby.may_send if standby is not None else always
    node_state: NodeState = local_nodes or make_node_state(live.current, environment, monitoring)
    nodes = ConnectedNodes(node_state, lambda: live.current.controls.check_e2_state)
    registry = Registry(NotificationQuota(lambda: live.current.controls.notification_queue))
    loader = RecordLoader(records, registry, node_state, nodes, lambda: live.current.controls)
    deliveries = Deliveries()
    outbound = make_outbound(live)
    tls = live.current.tls
    https = make_https_client(tls)
    tracing = make_tracing(live.current, environment, Contents(nodes.functions).words)
    traces = tracing.traces if tracing is not None else None
    notifier = make_notifier(
        live,
        registry,
        monitoring.metrics,
        deliveries,
        outbound,
        https if tls.xapps else None,
        may_send,
        journalling.observer,
        traces,
    )
    routing_manager = make_routing_manager(live.current, monitoring, https if tls.rtmgr else None, may_send, traces)
    replies = Replies()
    e2_termination = E2Termination(lambda: live.current.controls.check_e2_ie_order, registry.ids.owner, replies.token)
    rmr = make_rmr(live.current, environment, e2_termination, may_send)
    routes = StoredRoutes(records.save_routes)
    rmr.on_pushed(routes.keep)
    observers = Observers(WorkerObserver(monitoring.counters, monitoring.metrics), journalling.observer)
    ports = Ports(records, routing_manager, notifier, e2_termination, replies.reply, observers, time.monotonic)
    if tracing is not None:
        ports = traced(ports, tracing, live.current)
    dispatcher = Dispatcher(
        registry,
        ports,
        lambda: controls_of(live.current),
        nodes.is_connected,
        loader.load_node,
        shutdown.broken,
        journalling.crashed,
    )
    progress = RestoreProgress(lambda: [worker.node for worker in dispatcher.workers])
    health = Health(interval=HUB_WATCH, stalled=monitoring.metrics.stalled)
    probes = Probes(health, loader, store, rmr, dispatcher.stuck, standby)
    health.warn("E2 nodes", lambda: node_state.trouble() if live.current.controls.check_e2_state else None)
    check_function = FunctionCheck(
        nodes.functions, lambda: live.current.controls.check_ran_function, journalling.observer.odd
    )
    service = Service(
        dispatcher,
        replies,
        nodes,
        records,
        lambda: shutdown.request(1),
        check_function,
        journalling.observer.refused,
        traces.requested if traces is not None else None,
    )
    orphans = _make_orphans(live, dispatcher, deliveries, service)
    reconciler = Reconciler(
        dispatcher,
        records,
        routing_manager,
        interval=lambda: live.current.controls.reconcile,
        trouble=store.trouble,
        removes=lambda: loader.all_restored and not store.stats().shared,
        tell=journalling.repaired,
    )
    gauges.watch_nodes(monitoring.metrics, lambda: [worker.node for worker in dispatcher.workers])
    monitoring.metrics.read_refusals_from(lambda: journalling.refusals(each.meid for each in dispatcher.workers))
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
        routes=lambda: gauges.route_records(rmr.size(), rmr.ready()),
        ready=lambda: probes.ready().ok,
        restored=progress.part,
        outbound=outbound,
        store=store,
        active=lambda: probes.why_not() is None,
        lease_age=lambda: standby.age() if standby is not None else 0.0,
        spans_dropped=lambda: tracing.dropped if tracing is not None else 0,
    )
    xapp_http = make_xapp_http(live.current, service, monitoring, outbound, standby, tracing)
    looks = make_looks(
        live.current,
        environment,
        store,
        rmr,
        probes,
        health,
        journalling,
        observers,
        dispatcher,
        nodes,
        node_state,
        notifier,
    )
    platform_http = make_platform_http(
        live, service, probes, logs, monitoring, orphans, reconciler, Backup(dispatcher, records), nodes, looks, edge
    )
    health.warn("TLS", lambda: xapp_http.tls_trouble() or platform_http.tls_trouble() or https.trouble())
    live.on_refused(journalling.refused)
    mec = _make_mec(live, environment, store, monitoring, outbound, shutdown)
    if mec is not None:
        edge.mecs.append(mec.overview)
        edge.orchestrators.append(mec.orchestrator_overview)
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
            progress=progress,
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
            tracing=tracing,
            journalling=journalling,
            conditions=Conditions(journalling.journal, health.troubles, store.stats, rmr.size),
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


def _make_orphans(live: LiveSettings, dispatcher: Dispatcher, deliveries: Deliveries, service: Service) -> Orphans:
    return Orphans(
        lambda: [worker.node for worker in dispatcher.workers],
        deliveries,
        UnresolvedNames(partial(strangers.resolves, timeout=LOOK_UP)),
        lambda: OrphanSettings(live.current.controls.orphan_after, live.current.controls.remove_orphans),
        service.remove_orphans,
    )


def _make_mec(
    live: LiveSettings,
    environment: Mapping[str, str],
    store: Store,
    monitoring: Monitoring,
    outbound: Outbound,
    shutdown: Shutdown,
) -> Mec | None:
    """The MEC services, when the configuration enables them. A changed section meo applies to them, or is refused."""
    settings = live.current
    if not (of_mec := mec_settings(settings.mec)).enabled:
        return None
    # imported here: they take as long to load as all the rest, and most daemons run without them
    from mec.app import build as build_mec
    from mec.common.replica import make_replica
    from mec.meo.settings import usable as meo_settings

    mec = build_mec(
        settings.mec,
        make_replica(of_mec, settings.sdl.backend, environment, shutdown.followed) or store,
        meo=settings.meo,
        registry=monitoring.registry,
        outbound=outbound,
        tls=settings.tls,
    )
    live.check_with(lambda new: meo_settings(new.meo))
    live.on_change(lambda old, new: mec.reconfigure(new.meo) if new.meo != old.meo else None)
    return mec
