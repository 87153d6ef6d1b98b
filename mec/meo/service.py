# SPDX-License-Identifier: Apache-2.0
"""The use cases of the orchestrator: applications, platforms, telemetry, and contexts from admission to end.

Everything is in memory and in the store; this process is the only one that writes. A request waits for the store, and
for a driver when something must be deployed, but never longer than its time allows.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from random import Random

from mec.meo.book import Book
from mec.meo.commits import Commits
from mec.meo.deployments import DeployFailed, Deployments
from mec.meo.drivers.base import Driver
from mec.meo.errors import Conflict, Rejected, Unavailable, Unknown
from mec.meo.matching import find
from mec.meo.metrics import MeoMetrics
from mec.meo.model import App, Context, Pair, Platform, Wish
from mec.meo.placement import Choice, Rejection, place
from mec.meo.records import APPS, PLATFORMS, StoredPlatform, encode
from mec.meo.settings import MeoSettings
from submgr.platform.store import Change, Store, StoreError

log = logging.getLogger(__name__)

ADMISSION_TIME = 2.5
"""Seconds in which a context is admitted or rejected: every request is answered within 3 s."""


class Meo:
    """See the module. `ready` is false until what is stored has been read."""

    def __init__(
        self,
        settings: MeoSettings,
        store: Store,
        drivers: Mapping[str, Driver],
        metrics: MeoMetrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.book = Book()
        self.metrics = metrics
        self.clock = clock
        self.wall = wall
        self.rng = Random(settings.seed)
        self.ready = False
        self.evacuate: Callable[[str], None] = lambda platform: None
        """Called when a withdrawn platform has contexts."""
        self._store = store
        self._drivers = drivers
        self._arriving: set[tuple[str, str]] = set()
        self.deployments = Deployments(self.book, store, self.driver_of, metrics, self._gone, clock=clock)
        self.commits = Commits(self.book, store, self.deployments)
        metrics.watch(
            lambda: len(self.book.contexts), lambda: len(self.book.platforms), lambda: self.deployments.removals_waiting
        )

    def driver_of(self, platform: Platform) -> Driver | None:
        """The driver for a platform; None when its type has none."""
        name = self.settings.driver_of(platform.type)
        return self._drivers.get(name) if name else None

    def check_ready(self) -> None:
        """Raises Unavailable until what is stored is known."""
        if not self.ready:
            raise Unavailable("what is stored has not been read yet")

    def add_app(self, app: App) -> App:
        """Register an application. Raises Conflict for one that is there, Unavailable."""
        self.check_ready()
        known = self.book.apps.get(app.key)
        if known is not None and not known.withdrawn:
            raise Conflict(f"there is an application {app.key} already")
        app = replace(app, order=self.book.next_order())
        with self._coming(APPS, app.key):
            self._save(APPS, app.key, encode(app))
            self.book.put_app(app)
        log.info("application registered", extra={"app": app.key})
        return app

    def app(self, key: str) -> App:
        """The application of a key. Raises Unknown, or Conflict when the key may mean several."""
        self.check_ready()
        found = [app for app in self.book.find_apps(key) if not app.withdrawn]
        if not found:
            raise Unknown(f"there is no application {key}")
        if len(found) > 1:
            keys = ", ".join(app.key for app in found)
            raise Conflict(f"{key} may mean several applications: {keys}")
        return found[0]

    def remove_app(self, key: str) -> None:
        """No new contexts of an application; running ones go on. Raises Unknown, Unavailable."""
        app = replace(self.app(key), withdrawn=True)
        self._save(APPS, app.key, encode(app))
        self.book.put_app(app)
        log.info("application withdrawn", extra={"app": app.key, "contexts": self.book.count_of_app(app.key)})
        self.sweep_app(app.key)

    def add_platform(self, platform: Platform) -> None:
        """Register a platform. Raises Conflict for one that is there, Unavailable."""
        self.check_ready()
        known = self.book.platforms.get(platform.name)
        if known is not None:
            what = "is still being withdrawn" if known.withdrawn else "is there already"
            raise Conflict(f"platform {platform.name} {what}")
        with self._coming(PLATFORMS, platform.name):
            self._save(PLATFORMS, platform.name, encode(StoredPlatform(platform)))
            self.book.put_platform(platform)
        log.info("platform registered", extra={"platform": platform.name, "type": platform.type})

    def platform(self, name: str) -> Platform:
        """Raises Unknown."""
        self.check_ready()
        platform = self.book.platforms.get(name)
        if platform is None or platform.withdrawn:
            raise Unknown(f"there is no platform {name}")
        return platform

    def withdraw_platform(self, name: str) -> None:
        """No new contexts on a platform; those it has are moved in the background. Raises Unknown, Unavailable."""
        known = self.platform(name)
        # in memory first: its telemetry, stored at any time, must not undo this
        self.book.put_platform(replace(known, withdrawn=True))
        try:
            self._save(PLATFORMS, name, encode(self.stored_platform(name)))
        except Unavailable:
            self.book.put_platform(known)
            raise
        log.info("platform withdrawn", extra={"platform": name, "contexts": self.book.count_at(name)})
        self.deployments.retry(name)
        if self.book.count_at(name):
            self.evacuate(name)
        self.sweep_platform(name)

    def tell(self, name: str, *, load: float | None = None, key: float | None = None) -> None:
        """What a platform's load or key availability (0..1) is now. Raises Unknown, ValueError."""
        self.platform(name)
        site = self.book.site(name)
        now = self.clock()
        for value in (load, key):
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"{value} is not between 0 and 1")
        if load is not None:
            site = replace(site, load=float(load), load_at=now)
        if key is not None:
            site = replace(site, key=float(key), key_at=now)
        self.book.put_site(site)
        # lost telemetry comes again: nobody waits for this
        self._store.submit(Change(PLATFORMS, {name: encode(self.stored_platform(name))}), _ignored)

    def stored_platform(self, name: str) -> StoredPlatform:
        """A platform with its telemetry in s since 1970."""
        site, shift = self.book.site(name), self.wall() - self.clock()
        return StoredPlatform(
            self.book.platforms[name], site.load, site.load_at + shift, site.key, site.key_at + shift
        )

    def place(
        self, app: App, without: Mapping[str, str] | None = None, rng: Random | None = None
    ) -> Choice | Rejection:
        """Draw a platform for a context; nothing else happens."""
        return place(app, self.book.sites, self.settings.rules, self.clock(), rng or self.rng, without)

    def app_for(self, wish: Wish) -> App:
        """The application that is asked for. Raises Unknown."""
        self.check_ready()
        app = find(self.book.apps.values(), wish.app_info)
        if app is None:
            raise Unknown(f"there is no application {wish.app_info.get('appName', '')!r} as described")
        return app

    def select(self, wish: Wish) -> Choice:
        """A draw without consequences. Raises Unknown, Rejected."""
        choice = self.place(self.app_for(wish))
        if isinstance(choice, Rejection):
            raise _rejected(choice.reasons)
        return choice

    def admit(self, wish: Wish) -> Context:
        """A new context, on a platform where the application is deployed. Raises Unknown, Rejected, Unavailable."""
        began = self.clock()
        result = "failed"
        try:
            context = self._admit(self.app_for(wish), wish, began + ADMISSION_TIME)
            result = "admitted"
        except Rejected as exc:
            result = "rejected"
            log.info("context rejected", extra={"reasons": dict(list(exc.reasons.items())[:20])})
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
        return context

    def _admit(self, app: App, wish: Wish, deadline: float) -> Context:
        without: dict[str, str] = {}
        while True:
            choice = self.place(app, without)
            if isinstance(choice, Rejection):
                raise _rejected(choice.reasons)
            pair = Pair(app.key, choice.site.name)
            why_not = self.hold(pair, deadline)
            if why_not is not None:
                without[pair.platform] = why_not
                continue
            context = Context(uuid.uuid4().hex, *_at(pair), wish, self.book.next_order(), self.wall())
            try:
                self.commits.enter(context)
            except BaseException:
                self.deployments.release(pair)
                raise
            self.moved_in(pair.platform)
            return context

    def hold(self, pair: Pair, deadline: float) -> str | None:
        """Have the application deployed and kept for a context to come; None, or why that is not possible.

        Raises StoreError.
        """
        try:
            self.deployments.acquire(pair, deadline)
        except DeployFailed as exc:
            return f"deployment failed: {exc}"
        if self.book.platforms[pair.platform].withdrawn:
            self.deployments.release(pair)
            return "the platform is withdrawn"
        return None

    def moved_in(self, platform: str) -> None:
        """A context has just been stored there: should the platform have been withdrawn meanwhile, on it goes."""
        if self.book.platforms[platform].withdrawn:
            self.evacuate(platform)

    def context(self, context_id: str) -> Context:
        """Raises Unknown."""
        self.check_ready()
        context = self.book.contexts.get(context_id)
        if context is None:
            raise Unknown(f"there is no application context {context_id}")
        return context

    def end(self, context_id: str) -> None:
        """End a context; the last one of its application there has it removed. Raises Unknown, Unavailable."""
        self.context(context_id)
        try:
            context = self.commits.leave(context_id)
        except StoreError as exc:
            raise Unavailable(f"the context could not be removed: {exc}") from exc
        if context is None:
            raise Unknown(f"there is no application context {context_id}")
        self.ended(context, "asked for")

    def ended(self, context: Context, why: str) -> None:
        """A context has left the store: count it, and forget what was kept for it only."""
        self.metrics.ended.labels(why).inc()
        log.info("context ended", extra={"context": context.id, "platform": context.platform, "why": why})
        self.sweep_app(context.app_key)
        self.sweep_platform(context.platform)

    def update(self, context_id: str, change: Callable[[Context], Context]) -> None:
        """Change what a device may change. Raises Unknown, Unavailable, and what `change` raises."""
        self.context(context_id)
        try:
            done = self.commits.change(context_id, change, frozenset())
        except StoreError as exc:
            raise Unavailable(f"the context could not be stored: {exc}") from exc
        if not done:
            raise Unknown(f"there is no application context {context_id}")

    def _gone(self, pair: Pair) -> None:
        self.sweep_app(pair.app_key)
        self.sweep_platform(pair.platform)

    def sweep_app(self, key: str) -> None:
        """Forget a withdrawn application when nothing of it is left."""
        app = self.book.apps.get(key)
        if app is None or not app.withdrawn or self.book.count_of_app(key) or self.deployments.busy(app_key=key):
            return
        del self.book.apps[key]
        self._store.submit(Change(APPS, remove=frozenset((key,))), _ignored, persistent=True)

    def sweep_platform(self, name: str) -> None:
        """Forget a withdrawn platform when nothing is left on it."""
        platform = self.book.platforms.get(name)
        if platform is None or not platform.withdrawn or self.book.count_at(name) or self.deployments.busy(name):
            return
        self.book.drop_platform(name)
        self._store.submit(Change(PLATFORMS, remove=frozenset((name,))), _ignored, persistent=True)
        log.info("platform forgotten", extra={"platform": name})

    @contextmanager
    def _coming(self, namespace: str, key: str) -> Iterator[None]:
        """While something new is being stored. Raises Conflict when the same is under way already."""
        if (namespace, key) in self._arriving:
            raise Conflict(f"{key} is being registered already")
        self._arriving.add((namespace, key))
        try:
            yield
        finally:
            self._arriving.discard((namespace, key))

    def _save(self, namespace: str, key: str, value: bytes) -> None:
        try:
            self._store.write(Change(namespace, {key: value}))
        except StoreError as exc:
            raise Unavailable(f"not stored: {exc}") from exc


def _at(pair: Pair) -> tuple[str, str]:
    return pair.app_key, pair.platform


def _rejected(reasons: Mapping[str, str]) -> Rejected:
    if not reasons:
        return Rejected("no platform of a type that the application supports is known", reasons)
    return Rejected("no platform can take the application context", reasons)


def _ignored(error: StoreError | None) -> None:
    """Either it comes again, or the store itself keeps trying."""
