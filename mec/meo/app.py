# SPDX-License-Identifier: Apache-2.0
"""Builds the orchestrator out of settings and a store, and starts and stops its parts."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint
from prometheus_client import CollectorRegistry

from mec.meo.api import admin_blueprint
from mec.meo.deployments import REMOVAL_POLICY
from mec.meo.drivers.base import Driver
from mec.meo.drivers.registry import drivers as all_drivers
from mec.meo.driving import DRIVER_TIMEOUT
from mec.meo.errors import MeoError
from mec.meo.lcmp.api import lcmp_blueprint
from mec.meo.metrics import MeoMetrics
from mec.meo.notifications import CALLBACK_POLICY, Notifier
from mec.meo.optimiser import Optimiser
from mec.meo.overload import Overload
from mec.meo.period import Period
from mec.meo.qkd import QkdPoller
from mec.meo.recovery import recover
from mec.meo.service import Meo
from mec.meo.settings import RESTART, MeoSettings, usable
from submgr.platform import audit
from submgr.platform.config.schema import changed
from submgr.platform.config.tls import TlsSettings
from submgr.platform.health import Health
from submgr.platform.http.client import HttpClient
from submgr.platform.lease.permit import MaySend, always
from submgr.platform.outbound_rules import Outbound
from submgr.platform.outbox import RetryPolicy
from submgr.platform.store.base import Store
from submgr.platform.store.loading import Loader

log = logging.getLogger(__name__)

STUCK_AFTER = 300.0
"""Seconds that a round may take before the process counts as stuck; one migration takes 10 s at most."""


class Orchestrator:
    """The parts of the orchestrator. The caller starts and stops the store.

    The blueprints belong on an application whose errors are problem details (`mec.common.problem_details.problem_app`).
    """

    def __init__(
        self,
        settings: MeoSettings,
        store: Store,
        registry: CollectorRegistry,
        health: Health | None = None,
        drivers: Mapping[str, Driver] | None = None,
        client: HttpClient | None = None,
        callback_policy: RetryPolicy = CALLBACK_POLICY,
        removal_policy: RetryPolicy = REMOVAL_POLICY,
        driver_timeout: float = DRIVER_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        outbound: Outbound | None = None,
    ) -> None:
        self._store = store
        self._outbound = outbound or Outbound()
        self._client = client or HttpClient(user_agent="meo", outbound=self._outbound)
        metrics = MeoMetrics(registry)
        self.meo = Meo(
            settings,
            store,
            drivers or all_drivers(self._client, self._outbound),
            metrics,
            removal_policy=removal_policy,
            driver_timeout=driver_timeout,
            clock=clock,
            wall=wall,
        )
        self.notifier = Notifier(self._client, self.meo.context_changes, metrics, self.meo.events, callback_policy)
        heartbeat = health.heartbeat("meo optimisation", STUCK_AFTER) if health is not None else None
        overload = Overload(metrics, self._tell_monitor, self.meo.events, wall)
        self.optimiser = Optimiser(self.meo, self.notifier, overload, heartbeat)
        self._poller = QkdPoller(
            lambda: self.meo.state.platforms.values(),
            self._tell_key,
            Period(lambda: self.meo.settings.period),
            metrics,
            self._outbound,
        )
        self._loader = Loader(self._recover, log, "orchestrator waits for the store")
        if health is not None:
            health.require("meo", self.why_not_ready)

    @property
    def blueprints(self) -> tuple[Blueprint, ...]:
        """The routes `/meo/v1` and `/dev_app/v1`. Each call makes new blueprints."""
        refusal = self._outbound.url_refusal
        return admin_blueprint(self.meo, self.optimiser, refusal), lcmp_blueprint(self.meo, refusal)

    def start(self) -> None:
        """Reads the store and begins. While the store is away it waits in the background, and requests get 503."""
        self.optimiser.start()
        self._loader.start()

    def lateness(self) -> float:
        """By how many seconds an answer may come later than 3 s, since a context waits for its deployment."""
        return max(self.meo.settings.ready_timeout - DRIVER_TIMEOUT, 0.0)

    def end_streams(self) -> None:
        """Ends the answers of those who follow the events: the process is stopping."""
        self.meo.events.close()

    def stop(self) -> None:
        """Ends at once. Unfinished work is in the store."""
        self.end_streams()
        self._loader.stop()
        self._poller.stop()
        self.optimiser.stop()
        self.notifier.stop()
        self.meo.deployments.stop()
        self._client.close()

    def reconfigure(self, settings: MeoSettings) -> None:
        """Applies changed settings, all but those in `mec.meo.settings.RESTART`. A changed period begins anew."""
        names = changed(self.meo.settings, settings)
        waiting = [f"meo.{name}" for name in names if name in RESTART]
        self.meo.settings = settings
        if "period" in names:
            self.optimiser.period.renew()
            self._poller.period.renew()
        if waiting:
            log.warning("configuration changes that need a restart", extra={"settings": waiting})
        applied = [f"meo.{name}" for name in names if name not in RESTART]
        if names:
            audit.changed("orchestrator reconfigured", peer="configuration file", outcome="applied", changed=applied)

    def why_not_ready(self) -> str | None:
        """Why the orchestrator is not ready, or None."""
        if not self.meo.inventory.ready:
            return "what is stored has not been read yet"
        return self.optimiser.why_not_running()

    def _recover(self) -> None:
        recover(self.meo, self._store, self.optimiser, self.notifier)
        self._poller.start()

    def _tell_key(self, platform: str, value: float) -> None:
        try:
            self.meo.inventory.tell(platform, key=value)
        except MeoError:
            log.debug("key availability of a platform that is gone", extra={"platform": platform})

    def _tell_monitor(self, body: dict[str, Any]) -> None:
        if self.meo.settings.overload_webhook:
            self.notifier.tell_monitor(self.meo.settings.overload_webhook, body)


def build(
    settings: Mapping[str, Any] | None,
    store: Store,
    registry: CollectorRegistry,
    health: Health,
    outbound: Outbound,
    tls: TlsSettings,
    may_send: MaySend = always,
) -> Orchestrator:
    """An orchestrator out of the raw `meo` section of a configuration file. Raises ConfigError with all mistakes.

    `may_send`: whether this process is the one that acts, of several replicas.
    """
    client = HttpClient(user_agent="meo", outbound=outbound, tls=tls.client(), may_send=may_send)
    return Orchestrator(usable(settings), store, registry, health, client=client, outbound=outbound)
