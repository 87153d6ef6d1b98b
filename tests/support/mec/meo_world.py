# SPDX-License-Identifier: Apache-2.0
"""The surroundings of an orchestrator in memory: a database, platforms where applications are deployed, devices that
are told things. All of it survives a crash of the orchestrator, which can be had before or after any effect.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar, cast

import gevent
from prometheus_client import CollectorRegistry

from mec.meo.app import Orchestrator
from mec.meo.drivers.base import DriverError, Report
from mec.meo.model import App, AppInfo, Context, Platform, Support, Wish
from mec.meo.settings import MeoSettings
from submgr.platform.http.client import HttpClient, HttpResponse
from submgr.platform.http.errors import HttpConnectError
from submgr.platform.outbox import RetryPolicy
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.memory import MemoryBackend
from submgr.platform.turns import turn

AT_ONCE = RetryPolicy(tries=100, delay=0.0)
T = TypeVar("T")


def app(name: str = "app", *types: str, **lists: Collection[str]) -> App:
    """An application for platforms of type noop or of `types`, with `whitelist` and `blacklist`."""
    info = AppInfo(f"id-{name}", name, "provider", "1.0", "1")
    sets = {key: frozenset(value) for key, value in lists.items()}
    return App(info, tuple(Support(kind, **sets) for kind in types or ("noop",)))


def wish(name: str = "app", callback: str | None = None) -> Wish:
    return Wish({"appName": name, "appProvider": "provider", "appDVersion": "1"}, "device", callback)


def admit_on(world: World, platform: str, name: str = "app", callback: str | None = "http://device/") -> Context:
    """A context on that platform: all others are too busy for a moment."""
    before = {one: world.meo.state.site(one).load for one in world.meo.state.platforms}
    for one in before:
        world.inventory.tell(one, load=1.0 if one != platform else 0.1)
    context = world.meo.admit(wish(name, callback))
    for one, load in before.items():
        world.inventory.tell(one, load=load)
    return context


def rounds(world: World) -> list[tuple[str, str, str]]:
    """One round: which contexts it moved, from where to where."""
    found = world.orchestrator.optimiser.round()
    return [(migration.context_id, migration.origin, migration.target) for migration in found]


class World:
    """What is outside of the orchestrator. `time` is both of its clocks, which do not move by themselves."""

    def __init__(
        self, settings: MeoSettings | None = None, driver_timeout: float = 0.2, *, reported: bool = False
    ) -> None:
        self.settings = settings or MeoSettings(period=3600.0, cooldown=0.0, seed=1)
        self.time = 1000.0
        self.deployed: dict[str, set[str]] = {}
        """Names of platforms to the keys of what is deployed there."""
        self.told: dict[str, list[dict[str, Any]]] = {}
        """Ids of contexts to the notifications that arrived."""
        self.calls: Counter[str] = Counter()
        self.faults: list[str] = []
        """What the next operations of the driver come to: "deploy fails", "deploy half", "remove fails"."""
        self.callback_faults = 0
        self.before_driver: Callable[[str, str, str], None] = lambda operation, app_key, platform: None
        self.before_write: Callable[[str, Collection[str]], None] = lambda namespace, keys: None
        self.granted = 0.0
        """Seconds that the driver was given for its last operation."""
        self.crash_in: int | None = None
        self.crash_after_effect = False
        self.epoch = 0
        self.dead = False
        self.reports: dict[tuple[str, str], Report] = {}
        """Where platforms tell the state of deployments, by platform and application, if they are `reported`."""
        self._driver: type[FakeDriver] = ReportedDriver if reported else FakeDriver
        self._driver_timeout = driver_timeout
        self._disk = MemoryBackend()
        self._requests: list[gevent.Greenlet] = []

    def start(self) -> None:
        """A new process; what the old one was doing is gone."""
        self.epoch += 1
        self.dead, self.crash_in = False, None
        life = Life(self, self.epoch)
        self.store = CommittingStore(Disk(life, self._disk))
        self.store.start()
        self.orchestrator = Orchestrator(
            self.settings,
            self.store,
            CollectorRegistry(),
            drivers={"noop": self._driver(life)},
            client=cast(HttpClient, Devices(life)),
            callback_policy=AT_ONCE,
            removal_policy=AT_ONCE,
            driver_timeout=self._driver_timeout,
            clock=lambda: self.time,
            wall=lambda: self.time,
        )
        self.meo = self.orchestrator.meo
        self.inventory = self.meo.inventory
        self.orchestrator.start()

    def crash(self) -> None:
        """End the process; nothing it does from here on has an effect."""
        self.dead = True
        gevent.killall(self._requests)
        self._requests.clear()
        self.orchestrator.stop()
        self.store.stop(0)

    def restart(self) -> None:
        self.crash()
        self.start()

    def stop(self) -> None:
        self.orchestrator.stop()
        self.store.stop()

    def ask(self, function: Callable[..., T], *args: Any, **options: Any) -> gevent.Greenlet:
        """Have a request carried out; `finish` waits for it."""
        greenlet = gevent.spawn(_outcome, function, args, options)
        self._requests.append(greenlet)
        return greenlet

    def finish(self, turns: int = 20_000) -> None:
        """Wait until nothing is under way, or the process has crashed."""
        quiet = 0
        for _ in range(turns):
            turn()
            quiet = 0 if self.busy() else quiet + 1
            if self.dead or quiet > 20:
                self._requests = [request for request in self._requests if not request.ready()]
                return
        raise AssertionError(f"the orchestrator does not come to rest: {self.under_way()}")

    def busy(self) -> bool:
        return any(self.under_way().values())

    def under_way(self) -> dict[str, int]:
        """How much of what is not finished."""
        return {
            "changes": self.store.stats().waiting,
            "removals": self.meo.deployments.removals_waiting,
            "notifications": self.orchestrator.notifier.waiting,
            "evacuations": len(self.orchestrator.optimiser._evacuations),
            "requests": sum(not request.ready() for request in self._requests),
        }

    def platform(self, name: str, load: float | None = 0.2, key: float | None = 0.8) -> None:
        """Register a platform and tell what it is like."""
        self.inventory.add_platform(Platform(name, "noop", f"http://{name}/"))
        self.inventory.tell(name, load=load, key=key)

    def records(self, namespace: str) -> dict[str, Any]:
        return {key: json.loads(value) for key, value in self._disk.read_all(namespace).items()}

    def wanted(self) -> dict[str, set[str]]:
        """What must be deployed where, for the contexts there are."""
        wanted: dict[str, set[str]] = {}
        for context in self.meo.state.contexts.values():
            wanted.setdefault(context.platform, set()).add(context.app_key)
        return wanted

    def present(self) -> dict[str, set[str]]:
        """What is deployed where."""
        return {platform: set(keys) for platform, keys in self.deployed.items() if keys}

    def where(self, context: Context) -> str:
        return self.meo.state.contexts[context.id].platform


def world_with_rounds() -> Iterator[World]:
    """A running world with an application, whose rounds the test starts; contexts that moved stay for 60 s."""
    world = World(MeoSettings(period=3600.0, cooldown=60.0, seed=3, overload_webhook="http://monitor/"))
    world.start()
    world.inventory.add_app(app())
    yield world
    world.stop()


def _outcome(function: Callable[..., T], args: Any, options: Any) -> T | Exception:
    """What a request came to; its errors are answers."""
    try:
        return function(*args, **options)
    except Exception as exc:
        return exc


class Life:
    """One process: its effects reach the world until it dies, which may be planned for the n-th of them."""

    def __init__(self, world: World, epoch: int) -> None:
        self.world = world
        self._epoch = epoch

    def effect(self, carry_out: Callable[[], T]) -> T:
        world = self.world
        if world.dead or world.epoch != self._epoch:
            raise gevent.GreenletExit
        due = False
        if world.crash_in is not None:
            world.crash_in -= 1
            due = world.crash_in < 0
        if due and not world.crash_after_effect:
            world.dead = True
            raise gevent.GreenletExit
        result = carry_out()
        if due:
            world.dead = True
            raise gevent.GreenletExit
        return result


class Disk(MemoryBackend):
    """A database in memory that outlives the process."""

    def __init__(self, life: Life, kept: MemoryBackend) -> None:
        super().__init__()
        self._life = life
        self._kept = kept

    def write(self, namespace: str, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        self._life.world.before_write(namespace, values.keys())
        turn()
        self._life.effect(lambda: self._kept.write(namespace, values, removals))

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        return self._kept.read(namespace, keys)

    def read_all(self, namespace: str) -> dict[str, bytes]:
        return self._kept.read_all(namespace)

    def keys(self, namespace: str) -> set[str]:
        return self._kept.keys(namespace)


class FakeDriver:
    """Deploys in the world; fails when it is told to, at once or when half of it is done."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def check(self, deploy_info: Any) -> str | None:
        return None

    def check_platform(self, platform: Platform) -> str | None:
        return None

    def deploy(self, app: App, platform: Platform, timeout: float) -> None:
        self._life.world.granted = timeout
        self._do("deploy", app, platform, lambda there: there.add(app.key))

    def remove(self, app: App, platform: Platform, timeout: float) -> None:
        self._life.world.granted = timeout
        self._do("remove", app, platform, lambda there: there.discard(app.key))

    def _do(self, operation: str, app: App, platform: Platform, change: Callable[[set[str]], None]) -> None:
        world = self._life.world
        world.calls[operation] += 1
        world.before_driver(operation, app.key, platform.name)
        turn()
        fault = ""
        if world.faults and world.faults[0].startswith(operation):
            fault = world.faults.pop(0)
        if fault.endswith("fails"):
            raise DriverError("told to fail")
        self._life.effect(lambda: change(world.deployed.setdefault(platform.name, set())))
        turn()
        if fault.endswith("half"):
            raise DriverError("told to fail when half of it is done")


class ReportedDriver(FakeDriver):
    """As FakeDriver, and platforms may tell how far a deployment is."""

    def deploy_reported(self, app: App, platform: Platform, timeout: float, report: Report) -> bool:
        self._life.world.reports[platform.name, app.key] = report
        self.deploy(app, platform, timeout)
        return True


class Devices:
    """Takes what is posted to callbacks."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def request(self, method: str, url: str, *, body: bytes, **options: Any) -> HttpResponse:
        world = self._life.world
        turn()
        if world.callback_faults:
            world.callback_faults -= 1
            raise HttpConnectError("told to fail")
        message = json.loads(body)
        told = world.told.setdefault(message.get("contextId", url), [])
        self._life.effect(lambda: told.append(message))
        return HttpResponse(204, {}, b"")

    def close(self) -> None:
        pass
