# SPDX-License-Identifier: Apache-2.0
"""Builds the daemon's HTTP servers, the one for xApps and the one of the platform.

What is asked all day is answered before Flask, which is imported when something else is asked for the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from submgr.adapters.metrics.go_counters import exposition
from submgr.adapters.metrics.monitoring import Monitoring
from submgr.adapters.records.e2 import e2_json
from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.backup import LARGEST_IMPORT, Backup
from submgr.orphans import Orphans
from submgr.platform.http.connections import MAX_BODY, HttpLimits
from submgr.platform.http.late_app import LateApp
from submgr.platform.http.peer import may_ask
from submgr.platform.http.plain_answers import PlainRoutes, Wsgi
from submgr.platform.http.server import HttpServer
from submgr.platform.http.shortcut import AsWsgi
from submgr.platform.logs import Logs
from submgr.platform.outbound_rules import Outbound
from submgr.platform.secret_file import secret_file
from submgr.probes import Probes
from submgr.reconciler import Reconciler
from submgr.rest.daily_routes import daily_routes
from submgr.rest.edge import Edge
from submgr.rest.hot_routes import HotRoutes
from submgr.rest.use_cases import DebugWrite, Looks, Operations, XappOptions
from submgr.rest.xapp_requests import XappRequests
from submgr.service import Service
from submgr.settings.live import LiveSettings
from submgr.settings.model import Debug, Settings

if TYPE_CHECKING:
    from submgr.adapters.tracing.parts import Tracing
    from submgr.standby import Standby

SERVICE_NAMES = tuple(f"service-ricplt-submgr-http{domain}" for domain in ("", ".ricplt", ".ricplt.svc.cluster.local"))
"""Under these a browser in the cluster may reach our pages. Nobody outside of it has them resolved to us."""


def make_xapp_http(
    settings: Settings,
    service: Service,
    monitoring: Monitoring,
    outbound: Outbound,
    standby: Standby | None,
    tracing: Tracing | None,
) -> HttpServer:
    """The server of xApps. With a `standby` it answers only while this process is the active one."""
    metrics = monitoring.metrics
    options = XappOptions(
        settings.subscription.show_ids,
        settings.debug.strict_octets,
        metrics.folded_octets,
        outbound.refusal,
        _origins(settings),
        settings.tls.ownership,
        None if standby is None else standby.refuse,
    )
    count = monitoring.counters.inc
    requests = XappRequests(service, options)

    def make() -> Wsgi:
        from submgr.rest.xapp import xapp_app

        return xapp_app(service, count, metrics.internal_error, requests=requests)

    late = LateApp(make, "submgr.rest.xapp", internal_error=metrics.internal_error)
    hot, tls = HotRoutes(requests, count), settings.tls.server("xapp", required=True)
    if tracing is not None:
        return HttpServer("xapp", settings.subscription.listen, tracing.requests(AsWsgi(hot, late)), tls=tls)
    return HttpServer("xapp", settings.subscription.listen, late, shortcut=hot, tls=tls)


def make_platform_http(
    live: LiveSettings,
    service: Service,
    probes: Probes,
    logs: Logs,
    monitoring: Monitoring,
    orphans: Orphans,
    reconciler: Reconciler,
    backup: Backup,
    nodes: ConnectedNodes,
    looks: Looks,
    edge: Edge,
) -> HttpServer:
    """The server of operators: health, metrics, configuration, debugging, the console."""
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
        functions=nodes.functions,
        knows_node=service.known_node,
        edge=edge,
    )
    daily = daily_routes(service, operations)
    tls = live.current.tls
    certificates, origins = tls.asks("platform"), _origins(live.current)

    def make() -> Wsgi:
        from submgr.platform.http.certificates import require_certificate
        from submgr.rest.errors import answer_only_where
        from submgr.rest.platform import platform_app

        internal_error = monitoring.metrics.internal_error
        app = platform_app(service, operations, looks, internal_error, origins, daily)
        answer_only_where(app, probes.refuse_before_restored)
        if certificates:
            require_certificate(app)
        return app

    def may(environ: Mapping[str, Any]) -> bool:
        probes.refuse_before_restored(environ["PATH_INFO"])
        return not certificates or may_ask(environ)

    names = "submgr.rest.platform", "submgr.platform.http.certificates"
    late = LateApp(make, *names, internal_error=monitoring.metrics.internal_error)
    app = PlainRoutes(late, daily, may)
    limits = HttpLimits(large={"/ric/v1/import": LARGEST_IMPORT}, requests=LARGEST_IMPORT + 2 * MAX_BODY)
    return HttpServer("platform", live.current.local.listen, app, limits=limits, tls=tls.server("platform"))


def _debug_token(debug: Debug) -> str:
    """The token as it is now: that of a file may change at any time."""
    return secret_file(debug.token_file).text() if debug.token_file else debug.token


def _origins(settings: Settings) -> tuple[str, ...]:
    return (*SERVICE_NAMES, *settings.debug.origins)
