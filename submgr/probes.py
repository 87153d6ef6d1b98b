# SPDX-License-Identifier: Apache-2.0
"""Answers the health probes, and refuses requests while the process does not answer for the subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from submgr.adapters.records.loader import RecordLoader
from submgr.core.errors import RefusedError
from submgr.platform.health import Health
from submgr.platform.store.base import Store
from submgr.rest.use_cases import HealthReport
from submgr.rmr.service import Rmr
from submgr.runtime.ports import MType

if TYPE_CHECKING:
    from submgr.standby import Standby

TOLD_ROUTES = 3
"""Skipped route records whose text a readiness warning has."""
PROBES = (
    "/health/alive",
    "/health/ready",
    "/metrics",
    "/config",
    "/symptomdata",
    "/events",
    "/overview",
    "/overview/history",
    "/routes",
    "/openapi.yaml",
    "/openapi.json",
    "/docs",
)
"""Ends of the paths of platform requests that are answered before the subscriptions are restored."""
_APART = ("/console", "/docs/", "/ric/v1/mec/", "/ric/v1/meo/")
"""Beginnings of paths that have nothing to do with the subscriptions: files of web pages, MEC."""


class Probes:
    """Answers the health probes: is the process alive, is it ready for xApps?

    `restored` becomes True when the stored subscriptions are live again and xApps are let in. `stuck` names the
    workers that have been busy for too long. `standby`: its role, where the process has a standby or is one.
    """

    def __init__(
        self,
        health: Health,
        loader: RecordLoader,
        store: Store,
        rmr: Rmr,
        stuck: Callable[[], list[str]],
        standby: Standby | None = None,
    ) -> None:
        self.restored = False
        self._health = health
        self._loader = loader
        self._rmr = rmr
        self._stuck = stuck
        self._standby = standby
        health.require("restore", self.why_not)
        health.require("database", store.trouble)
        health.require("rmr", lambda: None if rmr.ready() else rmr.trouble)
        health.warn("routes", self.missing_routes)
        health.warn("skipped routes", lambda: rmr.skipped_routes().told(TOLD_ROUTES) or None)

    def alive(self) -> HealthReport:
        alive, reasons = self._health.alive()
        stuck = self._stuck()
        return HealthReport(alive and not stuck, [*reasons, *stuck])

    def ready(self) -> HealthReport:
        readiness = self._health.ready()
        return HealthReport(readiness.ready, readiness.reasons, readiness.warnings)

    def missing_routes(self) -> str | None:
        """The types of messages to the E2 Termination that have no route, in words; None when all have one.

        A standby sends nothing, and gets its routes when it takes over.
        """
        table = self._rmr.routes()
        if table is None or (self._standby is not None and not self.restored):
            return None
        missing = [str(mtype.value) for mtype in (MType.SUBSCRIBE, MType.DELETE) if table.lookup(mtype, -1) is None]
        return f"no route for {', '.join(missing)}" if missing else None

    def why_not(self) -> str | None:
        """Why this process does not answer for the subscriptions, in words; None when it does."""
        role = self._standby.why_not() if self._standby is not None else None
        return role or (None if self.restored else self._loader.why_not)

    def refuse_before_restored(self, path: str) -> None:
        """Refuses a platform request for `path`, unless it is a probe, until the subscriptions are restored.

        Before, the Routing Manager would take an empty list of subscriptions for the truth. Raises RefusedError 503.
        """
        why = self.why_not()
        told = path == "/" or path.startswith(_APART) or path.endswith(PROBES)
        if why is not None and not told:
            raise RefusedError(503, f"not ready: {why}")
