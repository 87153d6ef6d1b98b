# SPDX-License-Identifier: Apache-2.0
"""Runs manager, application mobility and orchestrator on one HTTP server: `mec manager`, and a part of `submgr run`."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

import click
from flask import request
from prometheus_client import CollectorRegistry

from mec.ams.amsi.api import amsi_blueprint
from mec.ams.amsi.service import Mobility
from mec.ams.api import ams_blueprint
from mec.ams.service import Ams
from mec.ams.ue_addresses import UeAddresses
from mec.ams.uses import Uses
from mec.common.documents import port_document
from mec.common.log_masking import mask_identities
from mec.common.peer_client import PeerClient
from mec.common.probes import CountedMetrics, probes_blueprint, time_requests
from mec.common.problem_details import problem_app
from mec.common.program import complain, configured, environment, listen_option, run, store_of, url_option
from mec.common.settings import MecConfig, MecSettings, from_mapping, load, needs_restart
from mec.manager.api import manager_blueprint
from mec.manager.data_file import DataFileLoader
from mec.manager.service import Users
from mec.meo.app import Orchestrator
from mec.meo.app import build as build_orchestrator
from mec.meo.settings import usable as meo_settings
from submgr.platform.config.file import ConfigError
from submgr.platform.config.tls import TlsSettings
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.health import Health
from submgr.platform.http.api_pages import add_api_pages
from submgr.platform.http.app import ApiError, problem_errors
from submgr.platform.http.callbacks import refuse_callbacks
from submgr.platform.http.client import HttpClient
from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.peer import require_certificate
from submgr.platform.http.server import HttpServer
from submgr.platform.outbound_rules import Outbound
from submgr.platform.store.base import Store

log = logging.getLogger(__name__)

DOCUMENT = port_document("mec.manager", "mec.ams", "mec.ams.amsi", "mec.meo", "mec.meo.lcmp")
_PARTS = {"Orchestrator": "/meo/v1/openapi.json", "Device applications": "/dev_app/v1/openapi.json"}
_PROBES = ("/health/", "/ric/v1/", "/metrics", "/openapi.", "/docs")
_LIMITS = HttpLimits(answers=128 * 1024 * 1024)
"""Room for a dozen application states of 10 MB that are on their way."""


class Mec:
    """The services of one MEC. The caller starts and stops the store.

    `outbound`: the rules for the addresses of applications, subscribers and platforms; None allows all.
    """

    def __init__(
        self,
        settings: MecSettings,
        meo: Mapping[str, Any] | None,
        store: Store,
        registry: CollectorRegistry,
        health: Health,
        outbound: Outbound | None = None,
        tls: TlsSettings | None = None,
    ) -> None:
        outbound = outbound or Outbound()
        self._settings = settings
        tls = tls or TlsSettings()
        self._client = HttpClient(user_agent="mec-manager", tls=tls.client())
        self._outward = HttpClient(user_agent="mec-manager", outbound=outbound, tls=tls.client())
        peers = PeerClient(self._client)
        uses = Uses(store, settings.mec_id)
        self.users = Users(settings, store, peers)
        self.ams = Ams(settings, uses, peers, PeerClient(self._outward), self.users.apps_of)
        self.mobility = Mobility(settings, store, self._outward, UeAddresses(settings.controller_url, peers), uses)
        self.ams.observer = self.mobility
        self._data = DataFileLoader(settings.data_file, settings.mec_id, store, self.users, uses)
        self.orchestrator: Orchestrator = build_orchestrator(meo, store, registry, health, outbound, tls)
        registry.register(self._counted_metrics(outbound))
        health.warn("TLS", lambda: self._http.tls_trouble())
        health.warn("database", store.trouble)
        health.require("mec", lambda: None if self._loaded else "what is stored has not been read yet")
        app = self.app = problem_app("mec.manager", origins=settings.origins)
        time_requests(app, registry)
        app.before_request(refuse_callbacks)
        app.before_request(self._refuse_until_loaded)
        app.register_blueprint(manager_blueprint(self.users))
        app.register_blueprint(ams_blueprint(self.ams))
        app.register_blueprint(amsi_blueprint(self.mobility, outbound))
        for blueprint in self.orchestrator.blueprints:
            app.register_blueprint(blueprint)
        app.register_blueprint(probes_blueprint(health, registry))
        add_api_pages(app, "MEC", DOCUMENT, _PARTS)
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

    def start(self) -> None:
        """Listens. Raises ListenError, and ConfigError for a data file that cannot be used.

        While the store is away the services wait for it, and requests get 503.
        """
        mask_identities(self._settings.log_identities)
        self._http.bind()
        self._data.start()
        self.mobility.start()
        self.orchestrator.start()
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
        self._client.close()
        self._outward.close()

    @property
    def _loaded(self) -> bool:
        return self._data.loaded and self.mobility.loaded

    def _refuse_until_loaded(self) -> None:
        if not self._loaded and not request.path.startswith(_PROBES):
            raise ApiError(503, "what is stored has not been read yet", headers={"Retry-After": "1"})

    def _counted_metrics(self, outbound: Outbound) -> CountedMetrics:
        metrics = CountedMetrics()
        metrics.counter("mec_user_requests", "Requests for user data", "result", lambda: self.users.counts)
        metrics.counter("mec_ams_events", "What application mobility did", "event", lambda: self.ams.counts)
        metrics.counter("mec_amsi_notifications", "Notifications of MEC 021", "result", lambda: self.mobility.counts)
        metrics.gauge("mec_users", "Users of this MEC", lambda: len(self.users))
        metrics.gauge("mec_ams_uses", "Known uses of applications", lambda: len(self.ams.uses))
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
    store: Store,
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
    return Mec(from_mapping(settings), meo, store, registry or CollectorRegistry(), health or Health(), outbound, tls)


@click.command()
@click.option("-f", "--file", "path", help="Configuration file: the sections mec, meo, sdl, logger, tls.")
@click.option("--host", callback=lambda ctx, param, value: value and listen_option(ctx, param, value),
              help='Where to listen; as mec.host, ":8000".')  # fmt: skip
@click.option("-n", "--network", type=click.Choice(["home", "foreign"]), help="As mec.network.")
@click.option("--mec-id", type=int, help="As mec.mecId.")
@click.option("--home-mec-id", type=int, help="As mec.homeMecId.")
@click.option("--proxy-url", callback=url_option, help="As mec.proxyUrl.")
@click.option("--controller-url", callback=url_option, help="As mec.controllerUrl.")
@click.option("--app-url", "app_urls", multiple=True, metavar="ID=URL", help="As an entry of mec.appUrls.")
@click.option("--data-file", help="As mec.dataFile.")
def manager(
    path: str | None,
    host: str | None,
    network: str | None,
    mec_id: int | None,
    home_mec_id: int | None,
    proxy_url: str | None,
    controller_url: str | None,
    app_urls: tuple[str, ...],
    data_file: str | None,
) -> None:
    """Run the manager, application mobility and the orchestrator of a MEC.

    Options win over the configuration file.
    """
    urls = dict(each.partition("=")[::2] for each in app_urls)
    options: dict[str, Any] = {
        "mec.host": host,
        "mec.network": network,
        "mec.mecId": mec_id,
        "mec.homeMecId": home_mec_id,
        "mec.proxyUrl": proxy_url,
        "mec.controllerUrl": controller_url,
        "mec.appUrls": urls or None,
        "mec.dataFile": data_file,
    }
    overrides = {name: value for name, value in options.items() if value is not None}
    config = configured(path, overrides)
    try:
        program = ManagerProgram(config, environment(), path, overrides)
    except ConfigError as failed:
        complain(failed)
        sys.exit(1)
    run("mec manager", config, program)


class ManagerProgram:
    """`mec manager`: the services of a MEC with their store, and a watch on the configuration file. Raises ConfigError.

    `path`: the file that `config` was read from, `overrides` what the command line says beside it.
    """

    def __init__(
        self,
        config: MecConfig,
        environ: Mapping[str, str],
        path: str | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        self._config = config
        self._overrides = overrides
        self._health = Health()
        self._store = store_of(config, environ, f"manager-{config.mec.network}")
        self.outbound = Outbound(config.outbound.rules())
        self.mec = Mec(
            config.mec, config.meo, self._store, CollectorRegistry(), self._health, self.outbound, config.tls
        )
        self.outbound.own_ports = lambda: {self.mec.port}
        self._watcher = ConfigWatcher(path, config.content, self.reload) if path is not None else None

    def start(self) -> None:
        """Raises ListenError, StoreError, ConfigError."""
        self._store.start()
        self._health.start()
        self.mec.start()
        if self._watcher is not None:
            self._watcher.start()

    def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        self.mec.stop()
        self._health.stop()
        self._store.stop()

    def reload(self, content: str) -> None:
        """Applies the sections meo and outbound of a changed file.

        A content with a mistake is logged and changes nothing.
        """
        try:
            new = load(content, self._overrides)
            self.mec.reconfigure(new.meo)
        except ConfigError as exc:
            problems = [str(problem) for problem in exc.problems]
            log.error("configuration refused, the old values stay", extra={"problems": problems})
            return
        self.outbound.rules = new.outbound.rules()
        if waiting := needs_restart(self._config, new):
            log.warning("configuration changes that need a restart", extra={"settings": waiting})

    def facts(self) -> Mapping[str, Any]:
        return {"HTTP on": "{}:{}".format(*self.mec.address)}
