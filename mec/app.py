# SPDX-License-Identifier: Apache-2.0
"""Runs manager, application mobility and orchestrator on one HTTP server: `mec manager`, and a part of `submgr run`."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from prometheus_client import CollectorRegistry

from mec.ams.amsi.api import amsi_blueprint
from mec.ams.api import ams_blueprint
from mec.common.documents import port_document
from mec.common.forwarding import Forwarder
from mec.common.log_masking import mask_identities
from mec.common.peer_client import PeerClient
from mec.common.probes import CountedMetrics, probes_blueprint, time_requests
from mec.common.problem_details import problem_app
from mec.common.replica import Replica
from mec.common.settings import MecSettings, from_mapping
from mec.manager.api import manager_blueprint
from mec.manager.data_file import DataFileLoader
from mec.manager.page_files import page_blueprint
from mec.meo.app import Orchestrator
from mec.meo.app import build as build_orchestrator
from mec.meo.settings import usable as meo_settings
from mec.overview import mec_overview, orchestrator_overview
from mec.parts import parts_of
from submgr.platform.config.tls import TlsSettings
from submgr.platform.health import Health
from submgr.platform.http.api_pages import add_api_pages
from submgr.platform.http.app import ApiError
from submgr.platform.http.callbacks import refuse_callbacks
from submgr.platform.http.certificates import require_certificate
from submgr.platform.http.client import HttpClient
from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.error_formats import problem_errors
from submgr.platform.http.server import HttpServer
from submgr.platform.lease.permit import always
from submgr.platform.outbound_rules import Outbound
from submgr.platform.store.base import Store

DOCUMENT = port_document("mec.manager", "mec.ams", "mec.ams.amsi", "mec.meo", "mec.meo.lcmp")
_PARTS = {"Orchestrator": "/meo/v1/openapi.json", "Device applications": "/dev_app/v1/openapi.json"}
_PROBES = ("/health/", "/ric/v1/", "/metrics", "/openapi.", "/docs", "/page/")
_OF_THE_ACTIVE = ("/meo/", "/dev_app/")
"""What only the active one of several replicas answers: the others pass it on."""
_LIMITS = HttpLimits(answers=128 * 1024 * 1024)
"""Room for a dozen application states of 10 MB that are on their way."""


class Mec:
    """The services of one MEC.

    `store`: of a process alone, which the caller starts and stops; or what this process has as one of several replicas.
    `outbound`: the rules for the addresses of applications, subscribers and platforms; None allows all.
    """

    def __init__(
        self,
        settings: MecSettings,
        meo: Mapping[str, Any] | None,
        store: Store | Replica,
        registry: CollectorRegistry,
        health: Health,
        outbound: Outbound | None = None,
        tls: TlsSettings | None = None,
    ) -> None:
        outbound = outbound or Outbound()
        self._settings = settings
        self._somebody_acted = False
        self._replica = replica = store if isinstance(store, Replica) else None
        records = store.store if isinstance(store, Replica) else store
        tls = tls or TlsSettings()
        self._client = HttpClient(user_agent="mec-manager", tls=tls.client())
        self._outward = HttpClient(user_agent="mec-manager", outbound=outbound, tls=tls.client())
        self._peers = PeerClient(self._client)
        self._parts = parts = parts_of(settings, store, self._peers, self._outward)
        self.users, self.ams, self.mobility = parts.users, parts.ams, parts.mobility
        self._data = DataFileLoader(settings.data_file, parts.users.known, parts.uses, looks=replica is not None)
        may_send = replica.role.acting if replica is not None else always
        self.orchestrator: Orchestrator = build_orchestrator(meo, records, registry, health, outbound, tls, may_send)
        registry.register(self._counted_metrics(outbound))
        health.warn("TLS", lambda: self._http.tls_trouble())
        health.warn("database", records.trouble)
        health.require("mec", lambda: None if self._loaded else "what is stored has not been read yet")
        app = self.app = problem_app("mec.manager", origins=settings.origins)
        time_requests(app, registry)
        app.before_request(refuse_callbacks)
        if replica is not None:
            self._neighbours = HttpClient(
                user_agent="mec-manager", connections=256, tls=tls.client(), certified=settings.replica_name
            )
            scheme = "https" if tls.has("mec") else "http"
            role, late = replica.role, self.orchestrator.lateness
            forwarder = Forwarder(self._neighbours, scheme, role.elsewhere, role.why_not, late)
            app.before_request(lambda: self._pass_on(forwarder, replica))
            health.require("meo", lambda: self._nobody_yet(replica))
            health.warn("meo", lambda: self.orchestrator.why_not_ready() if replica.role.acting() else None)
        app.before_request(self._refuse_until_loaded)
        app.register_blueprint(manager_blueprint(self.users))
        app.register_blueprint(ams_blueprint(self.ams))
        app.register_blueprint(amsi_blueprint(self.mobility, outbound))
        for blueprint in self.orchestrator.blueprints:
            app.register_blueprint(blueprint)
        app.register_blueprint(probes_blueprint(health, registry))
        add_api_pages(app, "MEC", DOCUMENT, _PARTS)
        app.register_blueprint(page_blueprint())
        if tls.asks("mec"):
            require_certificate(app)
        self._http = HttpServer("mec", settings.host, app, limits=_LIMITS, errors=problem_errors, tls=tls.server("mec"))

    @property
    def address(self) -> tuple[str, int]:
        """The address and port it listens on."""
        return self._http.address

    @property
    def port(self) -> int:
        """The port it listens on, 0 before the start."""
        return self._http.port

    def overview(self) -> dict[str, Any]:
        """What operators see of this MEC at a glance. Asks the controller, and waits for it for 2 s at the most."""
        listens = "{}:{}".format(*self.address)
        return mec_overview(self._settings, listens, self._parts, self._peers)

    def orchestrator_overview(self) -> dict[str, Any]:
        """What operators see of the orchestrator at a glance."""
        role = self._replica.role if self._replica is not None else None
        return orchestrator_overview(self.orchestrator, role.why_not() if role is not None else None)

    def start(self) -> None:
        """Listens. Raises ListenError, and ConfigError for a data file that cannot be used.

        While the store is away the services wait for it, and requests get 503.
        """
        mask_identities(self._settings.log_identities)
        self._http.bind()
        if self._replica is not None:
            self._replica.start()
        self._data.start()
        self.mobility.start()
        if self._replica is None:
            self.orchestrator.start()
        else:
            self._replica.role.start(self._become_active)
        self._http.start()

    def reconfigure(self, meo: Mapping[str, Any] | None) -> None:
        """Applies a changed section meo. Raises ConfigError with all mistakes, and changes nothing then."""
        self.orchestrator.reconfigure(meo_settings(meo))

    def stop(self) -> None:
        """Ends the services. Unfinished work is in the store."""
        self.orchestrator.end_streams()
        self._http.stop(grace=1.0)
        self.orchestrator.stop()
        self.mobility.stop()
        self.ams.stop()
        self._data.stop()
        if self._replica is not None:
            self._replica.stop()
            self._neighbours.close()
        self._client.close()
        self._outward.close()

    def _become_active(self) -> None:
        self.orchestrator.start()
        self._parts.wake()

    @staticmethod
    def _pass_on(forwarder: Forwarder, replica: Replica) -> Response | None:
        if not request.path.startswith(_OF_THE_ACTIVE) or replica.role.acting():
            return None
        return forwarder.pass_on()

    def _nobody_yet(self, replica: Replica) -> str | None:
        """Why a replica that has just started is not ready: nobody is known to be active. Later it stays ready when the
        active one goes, for what it does itself."""
        role = replica.role
        self._somebody_acted = self._somebody_acted or role.acting() or role.elsewhere() is not None
        return None if self._somebody_acted else f"nobody orchestrates yet: {role.why_not()}"

    @property
    def _loaded(self) -> bool:
        return self._data.loaded and self.mobility.loaded

    def _refuse_until_loaded(self) -> None:
        if not self._loaded and request.path != "/" and not request.path.startswith(_PROBES):
            raise ApiError(503, "what is stored has not been read yet", headers={"Retry-After": "1"})

    def _counted_metrics(self, outbound: Outbound) -> CountedMetrics:
        metrics = CountedMetrics()
        metrics.counter("mec_user_requests", "Requests for user data", "result", lambda: self.users.counts)
        metrics.counter("mec_ams_events", "What application mobility did", "event", lambda: self.ams.counts)
        metrics.counter("mec_amsi_notifications", "Notifications of MEC 021", "result", lambda: self.mobility.counts)
        for (name, text), read in self._parts.gauges.items():
            metrics.gauge(name, text, read)
        if (replica := self._replica) is not None:
            metrics.gauge("mec_active", "Whether this replica is the active one", lambda: float(replica.role.acting()))
        metrics.gauge("mec_ams_prefetches", "Prefetches not finished", lambda: self.ams.prefetching)
        metrics.gauge("mec_amsi_waiting", "Notifications of MEC 021 not finished", lambda: self.mobility.waiting)
        metrics.gauge("mec_data_file_refused", "Refused changes of the data file", lambda: self._data.refused)
        metrics.gauge(
            "mec_outbound_refused", "Connections that the rules of outbound refused", lambda: outbound.refused
        )
        metrics.gauge(
            "mec_data_file_skipped", "Entries of a changed data file that were left out", lambda: self._data.skipped
        )
        return metrics


def build(
    settings: Mapping[str, Any] | None,
    store: Store | Replica,
    *,
    meo: Mapping[str, Any] | None = None,
    registry: CollectorRegistry | None = None,
    health: Health | None = None,
    outbound: Outbound | None = None,
    tls: TlsSettings | None = None,
) -> Mec:
    """The services of a MEC, out of the raw sections `mec` and `meo` of a configuration file.

    Without `registry` and `health` it makes its own. Raises ConfigError with all mistakes.
    """
    registry, health = registry or CollectorRegistry(), health or Health()
    return Mec(from_mapping(settings), meo, store, registry, health, outbound, tls)
