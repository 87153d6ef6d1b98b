# SPDX-License-Identifier: Apache-2.0
"""Manager, application mobility and orchestrator on one HTTP server: `mec manager`, or a part of `submgr run`."""

from collections.abc import Mapping
from typing import Any

from flask import request
from prometheus_client import CollectorRegistry

from mec.ams.amsi.api import amsi_blueprint
from mec.ams.amsi.service import Mobility
from mec.ams.api import ams_blueprint
from mec.ams.service import Ams
from mec.ams.ue_addresses import Locator
from mec.ams.uses import Registry
from mec.common.log_masking import hide_identities
from mec.common.peer_client import Asker
from mec.common.probes import Counted, time_requests, watching_blueprint
from mec.common.problem_details import problem_app
from mec.common.settings import MecSettings, from_mapping
from mec.manager.api import manager_blueprint
from mec.manager.data_file import Data
from mec.manager.service import Users
from mec.meo.app import Orchestrator
from mec.meo.app import build as build_orchestrator
from submgr.platform.health import Health
from submgr.platform.http.app import ApiError, problem_errors
from submgr.platform.http.client import HttpClient
from submgr.platform.http.server import HttpServer
from submgr.platform.store.base import Store

_PROBES = ("/health/", "/ric/v1/", "/metrics")


class Mec:
    """The services of one MEC. The store is the caller's, who starts and stops it."""

    def __init__(
        self,
        settings: MecSettings,
        meo: Mapping[str, Any] | None,
        store: Store,
        registry: CollectorRegistry,
        health: Health,
    ) -> None:
        self._settings = settings
        self._client = HttpClient(user_agent="mec-manager")
        asker = Asker(self._client)
        uses = Registry(store, settings.mec_id)
        self.users = Users(settings, store, asker)
        self.ams = Ams(settings, uses, asker, self.users.apps_of)
        self.mobility = Mobility(settings, store, self._client, Locator(settings.controller_url, asker), uses)
        self.ams.watcher = self.mobility
        self._data = Data(settings.data_file, settings.mec_id, store, self.users, uses)
        self.orchestrator: Orchestrator = build_orchestrator(meo, store, registry, health)
        registry.register(self._figures())
        health.require("mec", lambda: None if self._loaded else "what is stored has not been read yet")
        app = problem_app("mec.manager")
        time_requests(app, registry)
        app.before_request(self._refuse_until_loaded)
        app.register_blueprint(manager_blueprint(self.users))
        app.register_blueprint(ams_blueprint(self.ams))
        app.register_blueprint(amsi_blueprint(self.mobility))
        for blueprint in self.orchestrator.blueprints:
            app.register_blueprint(blueprint)
        app.register_blueprint(watching_blueprint(health, registry))
        self._http = HttpServer("mec", settings.host, app, errors=problem_errors)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._http.address

    def start(self) -> None:
        """Listen. Raises ListenError, and ConfigError for a data file that cannot be used.

        A store that is away is waited for; requests get 503 meanwhile.
        """
        hide_identities(self._settings.log_identities)
        self._http.bind()
        self._data.start()
        self.mobility.start()
        self.orchestrator.start()
        self._http.start()

    def stop(self) -> None:
        """End; what is not finished is in the store."""
        self._http.stop(grace=1.0)
        self.orchestrator.stop()
        self.mobility.stop()
        self.ams.stop()
        self._data.stop()
        self._client.close()

    @property
    def _loaded(self) -> bool:
        return self._data.loaded and self.mobility.loaded

    def _refuse_until_loaded(self) -> None:
        if not self._loaded and not request.path.startswith(_PROBES):
            raise ApiError(503, "what is stored has not been read yet", headers={"Retry-After": "1"})

    def _figures(self) -> Counted:
        figures = Counted()
        figures.counter("mec_user_requests", "Requests for user data", "result", lambda: self.users.counts)
        figures.counter("mec_ams_events", "What application mobility did", "event", lambda: self.ams.counts)
        figures.counter("mec_amsi_notifications", "Notifications of MEC 021", "result", lambda: self.mobility.counts)
        figures.gauge("mec_users", "Users of this MEC", lambda: len(self.users))
        figures.gauge("mec_ams_uses", "Known uses of applications", lambda: len(self.ams.registry))
        figures.gauge("mec_ams_prefetches", "Prefetches not finished", lambda: self.ams.prefetching)
        figures.gauge("mec_amsi_waiting", "Notifications of MEC 021 not finished", lambda: self.mobility.waiting)
        figures.gauge("mec_data_file_refused", "Refused changes of the data file", lambda: self._data.refused)
        return figures


def build(
    settings: Mapping[str, Any] | None,
    store: Store,
    *,
    meo: Mapping[str, Any] | None = None,
    registry: CollectorRegistry | None = None,
    health: Health | None = None,
) -> Mec:
    """The services of a MEC out of the raw sections `mec` and `meo` of a configuration file.

    Without `health` and `registry` it has its own. Raises ConfigError with all mistakes.
    """
    return Mec(from_mapping(settings), meo, store, registry or CollectorRegistry(), health or Health())
