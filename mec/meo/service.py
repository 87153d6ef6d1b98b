# SPDX-License-Identifier: Apache-2.0
"""The use cases of contexts, from admission to end.

Everything is in memory and in the store, which no other process writes. A request waits for the store, and for a driver
when something must be deployed, but never longer than its time allows.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from mec.meo.app_matching import find
from mec.meo.context_changes import ContextChanges
from mec.meo.credentials import with_credentials
from mec.meo.demand import Demand
from mec.meo.deployment_states import DeploymentStates
from mec.meo.deployments import REMOVAL_POLICY, DeployFailed, Deployments
from mec.meo.drivers.base import Driver
from mec.meo.driving import DRIVER_TIMEOUT, Driving
from mec.meo.errors import Rejected, Unavailable, Unknown
from mec.meo.events import Events, Kind, Severity, some_reasons
from mec.meo.inventory import Inventory
from mec.meo.metrics import MeoMetrics
from mec.meo.model import App, Context, Pair, Platform, Wish
from mec.meo.placement import Choice, Rejection, place, shortcomings, why_not
from mec.meo.settings import MeoSettings
from mec.meo.state import MeoState
from submgr.platform.outbox import RetryPolicy
from submgr.platform.store.base import Store, StoreError
from submgr.platform.turns import in_turns

log = logging.getLogger(__name__)

ADMISSION_TIME = 2.5
"""Seconds in which a context is admitted or rejected: every request is answered within 3 s, unless the setting
readyTimeout is longer."""
_BESIDE_READINESS = 0.5
"""Seconds for the rest of an admission that waits for as long as readyTimeout."""


class Meo:
    """Admits, updates and ends contexts. The other parts of the orchestrator use its state, clocks and settings."""

    def __init__(
        self,
        settings: MeoSettings,
        store: Store,
        drivers: Mapping[str, Driver],
        metrics: MeoMetrics,
        *,
        removal_policy: RetryPolicy = REMOVAL_POLICY,
        driver_timeout: float = DRIVER_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.state = MeoState()
        self.metrics = metrics
        self.clock = clock
        self.wall = wall
        self.rng = Random(settings.seed)
        self.events = Events(wall)
        self._drivers = drivers
        self.inventory = Inventory(self.state, store, clock, wall, self.events)
        driving = Driving(self.state, self.driver_of, self.with_credentials, metrics, driver_timeout, clock)
        self.deployment_states = DeploymentStates(
            store,
            driving,
            lambda deployment_id: self.settings.status_url(deployment_id),
            lambda: self.settings.ready_timeout,
            self.events,
            clock,
            wall,
        )
        self.deployments = Deployments(
            self.state, store, driving, self.deployment_states, self.inventory.sweep, removal_policy, clock
        )
        self.inventory.deployments = self.deployments
        self.context_changes = ContextChanges(self.state, store, self.deployments)
        metrics.set_gauges(
            lambda: len(self.state.contexts),
            lambda: len(self.state.platforms),
            lambda: self.deployments.removals_waiting,
        )

    def driver_of(self, platform: Platform) -> Driver | None:
        """The driver of a platform; None when there is none for its type."""
        name = self.settings.driver_of(platform.type)
        return self._drivers.get(name) if name else None

    def with_credentials(self, platform: Platform) -> Platform:
        """The platform as its driver sees it, see `credentials.with_credentials`. Raises DriverError."""
        return with_credentials(platform, self.settings.credentials_dir)

    def demand(self, app: App | None, wanted: Mapping[str, Any] | None = None) -> Demand | None:
        """What a context of an application asks for beside load and keys; None: nothing. `wanted`: its appLocation."""
        if not wanted and not self.state.limited and (app is None or "appLocation" not in app.info.extra):
            return None
        margin = self.settings.rules.latency_margin
        return Demand(app, wanted, self.state.platforms, self.state.occupancy, margin)

    def place(
        self,
        app: App,
        wanted: Mapping[str, Any] | None = None,
        without: Mapping[str, str] | None = None,
        rng: Random | None = None,
    ) -> Choice | Rejection:
        """Draws a platform for a context with the appLocation `wanted`, and does nothing else."""
        demand = self.demand(app, wanted)
        if demand is not None and demand.costly:
            self._judge_all(app, demand)
        rules, now, rng = self.settings.rules, self.clock(), rng or self.rng
        return place(app, self.state.sites, rules, now, rng, without, self.state.all_sites, demand)

    def why_not(self, platform: str, app: App | None = None) -> list[str]:
        """Why no context of an application (None: of any) may go to a platform now; empty when one may."""
        rules, now, site = self.settings.rules, self.clock(), self.state.site(platform)
        demand = self.demand(app)
        if app is not None:
            return why_not(app, site, rules, now, demand)
        return shortcomings(site, rules, now) + (demand.refusals(platform) if demand is not None else [])

    def _judge_all(self, app: App, demand: Demand) -> None:
        """Locations are compared before the draw, for others have their turn meanwhile and none during the draw."""
        platforms = self.state.platforms
        names = [site.name for support in app.supports for site in self.state.sites(support.type)]
        for name in in_turns(names):
            if name in platforms:
                demand.judge(name)

    def app_for(self, wish: Wish) -> App:
        """The registered application that a device means. Raises Unknown."""
        self.inventory.check_ready()
        name = wish.app_info["appName"]
        app = find(self.state.apps_named(name), wish.app_info)
        if app is None:
            raise Unknown(f"there is no application {name!r} as described")
        return app

    def select(self, wish: Wish) -> Choice:
        """Draws a platform without an admission. Raises Unknown, Rejected."""
        choice = self.place(self.app_for(wish), wish.location)
        if isinstance(choice, Rejection):
            raise _rejected(choice.reasons)
        return choice

    def admit(self, wish: Wish) -> Context:
        """Admits a context to a platform where its application is deployed. Raises Unknown, Rejected, Unavailable."""
        began = self.clock()
        result = "failed"
        try:
            time_left = max(ADMISSION_TIME, self.settings.ready_timeout + _BESIDE_READINESS)
            context = self._admit(self.app_for(wish), wish, began + time_left)
            result = "admitted"
        except Rejected as exc:
            result = "rejected"
            reasons, name = some_reasons(exc.reasons), wish.app_info["appName"]
            log.info("context rejected", extra={"reasons": reasons})
            self.events.tell(Kind.CONTEXT, Severity.WARNING, "rejected", appName=name, reasons=reasons)
            raise
        except Unknown:
            result = "unknown app"
            raise
        except StoreError as exc:
            raise Unavailable(f"the context could not be stored: {exc}") from exc
        finally:
            self.metrics.admissions.labels(result).inc()
            self.metrics.admission_seconds.observe(self.clock() - began)
        told = {"context": context.id, "app": context.app_key, "platform": context.platform}
        log.info("context admitted", extra=told)
        self.events.tell(Kind.CONTEXT, Severity.INFO, "admitted", **self.facts(context), platform=context.platform)
        return context

    def _admit(self, app: App, wish: Wish, deadline: float) -> Context:
        without: dict[str, str] = {}
        while app.key in self.state.apps:
            choice = self.place(app, wish.location, without)
            if app.key not in self.state.apps:
                break
            if isinstance(choice, Rejection):
                raise _rejected(choice.reasons)
            pair = Pair(app.key, choice.site.name)
            # after a failure no single platform gets all of the time that is left: a third one may work
            left = deadline - self.clock()
            why_not = self.hold(pair, deadline - left / 2 if without else deadline)
            if why_not is not None:
                without[pair.platform] = why_not
                continue
            order = self.state.next_order()
            context = Context(uuid.uuid4().hex, pair.app_key, pair.platform, wish, order, self.wall())
            try:
                self.context_changes.enter(context)
            except BaseException:
                self.let_go(pair)
                raise
            self.moved_in(pair)
            return context
        raise Unknown(f"there is no application {app.key} any more")

    def hold(self, pair: Pair, deadline: float) -> str | None:
        """Deploys an application and holds it, with its room, for a context to come. Returns None, or why that failed.

        Whoever holds it calls `moved_in` or `let_go` afterwards. Raises StoreError.
        """
        self.state.occupancy.enter(pair)
        try:
            self.deployments.acquire(pair, deadline)
        except BaseException as exc:
            self.state.occupancy.leave(pair)
            if isinstance(exc, DeployFailed):
                return f"deployment failed: {exc}"
            raise
        if self.state.platforms[pair.platform].withdrawn:
            self.let_go(pair)
            return "the platform is withdrawn"
        return None

    def let_go(self, pair: Pair) -> None:
        """No context comes to the pair that was held for it."""
        self.state.occupancy.leave(pair)
        self.deployments.release(pair)

    def moved_in(self, pair: Pair) -> None:
        """The context for which the pair was held is stored: it moves on when the platform was withdrawn meanwhile."""
        self.state.occupancy.leave(pair)
        if self.state.platforms[pair.platform].withdrawn:
            self.inventory.evacuate(pair.platform)

    def context(self, context_id: str) -> Context:
        """The context of an id. Raises Unknown."""
        self.inventory.check_ready()
        context = self.state.contexts.get(context_id)
        if context is None:
            raise Unknown(f"there is no application context {context_id}")
        return context

    def facts(self, context: Context) -> dict[str, str]:
        """What events say of a context."""
        app = self.state.apps.get(context.app_key)
        name = app.info.name if app is not None else context.app_key
        return {"contextId": context.id, "appKey": context.app_key, "appName": name}

    def end(self, context_id: str) -> None:
        """Ends a context. The last one of its application there has it removed. Raises Unknown, Unavailable."""
        self.context(context_id)
        try:
            context = self.context_changes.leave(context_id)
        except StoreError as exc:
            raise Unavailable(f"the context could not be removed: {exc}") from exc
        if context is None:
            raise Unknown(f"there is no application context {context_id}")
        self.ended(context, "asked for")

    def ended(self, context: Context, why: str) -> None:
        """A context has left the store: counts it, and forgets what was kept for it only."""
        self.metrics.ended.labels(why).inc()
        facts = self.facts(context)
        self.events.tell(Kind.CONTEXT, Severity.INFO, "ended", **facts, platform=context.platform, reason=why)
        log.info("context ended", extra={"context": context.id, "platform": context.platform, "why": why})
        self.inventory.sweep(context.pair)

    def update(self, context_id: str, change: Callable[[Context], Context]) -> None:
        """Changes a context as its device asks. Raises Unknown, Unavailable, and what `change` raises."""
        self.context(context_id)
        try:
            done = self.context_changes.change(context_id, change, frozenset())
        except StoreError as exc:
            raise Unavailable(f"the context could not be stored: {exc}") from exc
        if not done:
            raise Unknown(f"there is no application context {context_id}")


def _rejected(reasons: Mapping[str, str]) -> Rejected:
    if not reasons:
        return Rejected("no platform is known", reasons)
    return Rejected("no platform can take the application context", reasons)
