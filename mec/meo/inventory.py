# SPDX-License-Identifier: Apache-2.0
"""Registers applications and platforms, keeps their telemetry, withdraws them, forgets them when nothing is left."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from gevent.event import Event

from mec.common.records import left_to_the_store
from mec.meo.deployments import Deployments
from mec.meo.errors import Conflict, Unavailable, Unknown
from mec.meo.events import Events, Kind, Severity
from mec.meo.model import App, Pair, Platform
from mec.meo.records import APPS, PLATFORMS, StoredPlatform, encode
from mec.meo.resources import Capacity, told_amounts
from mec.meo.state import MeoState
from mec.meo.values import MAX_LATENCY, MAX_ZONES
from submgr.platform.store.base import Change, Store, StoreError

log = logging.getLogger(__name__)


class Inventory:
    """The applications and platforms. `ready` is false until the store has been read."""

    def __init__(
        self,
        state: MeoState,
        store: Store,
        clock: Callable[[], float],
        wall: Callable[[], float],
        events: Events,
    ) -> None:
        self.ready = False
        self.evacuate: Callable[[str], None] = lambda platform: None
        """Called when a withdrawn platform has contexts."""
        self.deployments: Deployments
        self._state = state
        self._store = store
        self._clock = clock
        self._wall = wall
        self._events = events
        self._arriving: set[tuple[str, str]] = set()
        self._forgotten: dict[str, Event] = {}

    def check_ready(self) -> None:
        """Raises Unavailable until the store has been read."""
        if not self.ready:
            raise Unavailable("what is stored has not been read yet")

    def add_app(self, app: App) -> App:
        """Registers an application. Raises Conflict when it is registered already, and Unavailable."""
        self.check_ready()
        known = self._state.apps.get(app.key)
        if known is not None and not known.withdrawn:
            raise Conflict(f"there is an application {app.key} already")
        app = replace(app, order=self._state.next_order())
        with self._coming(APPS, app.key):
            self._save(APPS, app.key, encode(app))
            self._state.put_app(app)
        log.info("application registered", extra={"app": app.key})
        self._tell_of_app(app, "registered")
        return app

    def app(self, key: str) -> App:
        """The application of a key. Raises Unknown, or Conflict when the key may mean several."""
        self.check_ready()
        found = [app for app in self._state.find_apps(key) if not app.withdrawn]
        if not found:
            raise Unknown(f"there is no application {key}")
        if len(found) > 1:
            keys = ", ".join(app.key for app in found)
            raise Conflict(f"{key} may mean several applications: {keys}")
        return found[0]

    def remove_app(self, key: str) -> None:
        """Withdraws an application: it gets no new contexts, running ones go on. Raises Unknown, Unavailable."""
        app = replace(self.app(key), withdrawn=True)
        self._save(APPS, app.key, encode(app))
        self._state.put_app(app)
        log.info("application withdrawn", extra={"app": app.key, "contexts": self._state.count_of_app(app.key)})
        self._tell_of_app(app, "withdrawn")
        self.sweep_app(app.key)

    def add_platform(self, platform: Platform) -> None:
        """Registers a platform. Raises Conflict when it is registered already, and Unavailable."""
        self.check_ready()
        known = self._state.platforms.get(platform.name)
        if known is not None:
            what = "is still being withdrawn" if known.withdrawn else "is there already"
            raise Conflict(f"platform {platform.name} {what}")
        with self._coming(PLATFORMS, platform.name):
            self._save(PLATFORMS, platform.name, encode(StoredPlatform(platform)))
            self._state.put_platform(platform)
        log.info("platform registered", extra={"platform": platform.name, "type": platform.type})
        self._events.tell(Kind.PLATFORM, Severity.INFO, "registered", platform=platform.name, type=platform.type)

    def platform(self, name: str) -> Platform:
        """The platform of a name. Raises Unknown."""
        self.check_ready()
        platform = self._state.platforms.get(name)
        if platform is None or platform.withdrawn:
            raise Unknown(f"there is no platform {name}")
        return platform

    def withdraw_platform(self, name: str) -> None:
        """Withdraws a platform: no new contexts; its own move in the background. Raises Unknown, Unavailable."""
        known = self.platform(name)
        # in memory first: its telemetry, stored at any time, must not undo this
        self._state.put_platform(replace(known, withdrawn=True))
        try:
            self._save(PLATFORMS, name, encode(self.stored_platform(name)))
        except Unavailable:
            self._state.put_platform(known)
            raise
        log.info("platform withdrawn", extra={"platform": name, "contexts": self._state.count_at(name)})
        self._events.tell(Kind.PLATFORM, Severity.INFO, "withdrawn", platform=name, contexts=self._state.count_at(name))
        self.deployments.retry(name)
        if self._state.count_at(name):
            self.evacuate(name)
        self.sweep_platform(name)

    def wait_until_forgotten(self, name: str, seconds: float) -> bool:
        """Waits until a withdrawn platform is forgotten, at most `seconds`. Returns whether it is."""
        if name not in self._state.platforms:
            return True
        return bool(self._forgotten.setdefault(name, Event()).wait(seconds))

    def visible_platforms(self) -> list[Platform]:
        """All platforms but those that are withdrawn and have no contexts."""
        self.check_ready()
        return [
            platform
            for platform in self._state.platforms.values()
            if not platform.withdrawn or self._state.count_at(platform.name)
        ]

    def tell(self, name: str, *, load: float | None = None, key: float | None = None) -> None:
        """Takes the present load or key availability (0..1) of a platform. Raises Unknown, ValueError."""
        self.platform(name)
        site = self._state.site(name)
        now = self._clock()
        for value in (load, key):
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"{value} is not between 0 and 1")
        if load is not None:
            site = replace(site, load=float(load), load_at=now)
        if key is not None:
            site = replace(site, key=float(key), key_at=now)
        self._state.put_site(site)
        for what, value in (("load", load), ("key", key)):
            if value is not None:
                self._events.tell(Kind.TELEMETRY, Severity.DETAIL, what, platform=name, value=float(value))
        # lost telemetry comes again: nobody waits for this
        self._store.submit(Change(PLATFORMS, {name: encode(self.stored_platform(name))}), left_to_the_store)

    def tell_capacity(self, name: str, capacity: Capacity) -> None:
        """Takes what a platform has from now on; contexts that it has already stay. Raises Unknown, Unavailable."""
        known = self.platform(name)
        # in memory first: its telemetry, stored at any time, must not undo this
        self._state.put_platform(replace(known, capacity=capacity))
        try:
            self._save(PLATFORMS, name, encode(self.stored_platform(name)))
        except Unavailable:
            self._state.put_platform(replace(self._state.platforms[name], capacity=known.capacity))
            raise
        self._events.tell(Kind.PLATFORM, Severity.INFO, "capacity", platform=name, capacity=told_amounts(capacity))

    def tell_latency(self, name: str, zone: str, latency: float) -> None:
        """Takes the round trip in ms from a platform to UEs of a zone. Raises Unknown, Conflict, ValueError."""
        platform = self.platform(name)
        if not 0.0 <= latency <= MAX_LATENCY:
            raise ValueError(f"{latency} is not between 0 and {MAX_LATENCY}")
        if zone not in platform.latency and len(platform.latency) >= MAX_ZONES:
            raise Conflict(f"platform {name} has told of {MAX_ZONES} zones already")
        self._state.put_platform(replace(platform, latency={**platform.latency, zone: latency}))
        self._events.tell(Kind.TELEMETRY, Severity.DETAIL, "latency", platform=name, zone=zone, value=latency)
        self._store.submit(Change(PLATFORMS, {name: encode(self.stored_platform(name))}), left_to_the_store)

    def stored_platform(self, name: str) -> StoredPlatform:
        """The record of a platform: the times of its telemetry in s since 1970."""
        site, shift = self._state.site(name), self._wall() - self._clock()
        platform = self._state.platforms[name]
        return StoredPlatform(platform, site.load, site.load_at + shift, site.key, site.key_at + shift)

    def sweep(self, pair: Pair) -> None:
        """A user of a pair has gone: forgets a withdrawn application or platform of which nothing is left."""
        self.sweep_app(pair.app_key)
        self.sweep_platform(pair.platform)

    def sweep_app(self, key: str) -> None:
        """Forgets a withdrawn application of which nothing is left."""
        app = self._state.apps.get(key)
        if app is None or not app.withdrawn or self._state.count_of_app(key) or self.deployments.busy(app_key=key):
            return
        self._state.drop_app(key)
        self._store.submit(Change(APPS, remove=frozenset((key,))), left_to_the_store, persistent=True)

    def sweep_platform(self, name: str) -> None:
        """Forgets a withdrawn platform of which nothing is left."""
        platform = self._state.platforms.get(name)
        if platform is None or not platform.withdrawn or self._state.count_at(name) or self.deployments.busy(name):
            return
        self._state.drop_platform(name)
        self._store.submit(Change(PLATFORMS, remove=frozenset((name,))), left_to_the_store, persistent=True)
        if (event := self._forgotten.pop(name, None)) is not None:
            event.set()
        log.info("platform forgotten", extra={"platform": name})
        self._events.tell(Kind.PLATFORM, Severity.INFO, "forgotten", platform=name)

    def _tell_of_app(self, app: App, what: str) -> None:
        self._events.tell(Kind.APPLICATION, Severity.INFO, what, appKey=app.key, appName=app.info.name)

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
