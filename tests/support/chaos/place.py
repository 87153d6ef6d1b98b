# SPDX-License-Identifier: Apache-2.0
"""Where chaos takes place: daemons, their database, and simulated neighbours that know the truth.

with Place(PAIR, reconcile=0) as place:
    ...
    place.settle()
"""

from __future__ import annotations

import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import gevent
import pytest
from redis import RedisError

from submgr.platform.http.errors import HttpError
from submgr.platform.shutdown import LOST_LEASE
from submgr.simulators.nodes import NodeState
from submgr.simulators.rnib import RnibWriter
from submgr.simulators.rules import E2Rule, HttpRule
from support.chaos.masters import Masters
from support.processes.daemon import Daemon, Neighbourhood
from support.processes.pair import LEASE, Pair
from support.processes.redis_server import RedisServer
from support.processes.relay import Relay
from support.store.small_disk import Disk, small_disk
from support.waiting import eventually

FILE, REDIS, PAIR, SENTINEL = "file", "redis", "pair", "sentinel"
KINDS = (FILE, REDIS, PAIR, SENTINEL)
"""One daemon on a file; one on a redis; two on a redis, each over a way of its own; two on what a Sentinel names."""
DISK = 32 << 20
"""Octets: more than records and journal of the load ever take."""
HEALED = 60.0
"""Seconds within which a place without faults has to be well, on a busy machine."""
_HAS = {
    FILE: frozenset({"file"}),
    REDIS: frozenset({"redis", "relay"}),
    PAIR: frozenset({"redis", "relay", "pair"}),
    SENTINEL: frozenset({"redis", "sentinel", "pair"}),
}
_CONTROLS = {"e2tSubReqTimeout_ms": 300, "e2tSubDelReqTime_ms": 300, "onE2Loss": "restore", "restoreDelay_ms": 50}


class Place:
    """`has` says what a fault may need. Faults use the methods of the middle part."""

    def __init__(self, kind: str, reconcile: float) -> None:
        """`reconcile`: seconds between two looks of the reconciler; 0: none."""
        self.has = _HAS[kind]
        self.around = Neighbourhood(RedisServer() if "redis" in self.has else None, rmr=True)
        self.daemons: list[Daemon] = []
        self.relays: list[Relay] = []
        self.disk: Disk | None = None
        self.node_rules = [E2Rule(delay=0.005)]
        self.routing_rules = [HttpRule(delay=0.003)]
        self.starts: dict[str, list[float]] = defaultdict(list)
        """When each process was started, by its address as an RMR sender. Monotonic seconds."""
        self.takes: list[float] = []
        """Seconds until another one was active, of each take-over."""
        self.surprises: list[str] = []
        """What no fault explains."""
        self._reconcile = reconcile
        self._masters: Masters | None = None
        self._down: set[Daemon] = set()
        self._greenlets: list[gevent.Greenlet[..., Any]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Place:
        with ExitStack() as stack:
            self._directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
            if self.around.redis is not None:
                stack.enter_context(self.around.redis)
                stack.callback(lambda: self.redis.close())
            if "sentinel" in self.has:
                self._masters = stack.enter_context(Masters(self._directory, self.redis))
            stack.enter_context(self.around)
            if self.around.rnib is not None:
                self.around.e2term.on_node_state = self._tell
            self.around.e2term.rules.replace(self.node_rules)
            self.around.rtmgr.rules.replace(self.routing_rules)
            self._daemons(stack)
            self.spawn(self._look_after)
            self.settle()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _daemons(self, stack: ExitStack) -> None:
        sections: dict[str, Any] = {
            "controls": _CONTROLS | {"reconcile": self._reconcile},
            "subscription": {"retryDelay": 0.2, "retryCount": 100_000},
        }
        if "file" in self.has:
            disk = self._directory / "disk"
            disk.mkdir()
            with suppress(pytest.skip.Exception):  # only root may have one of his own
                self.disk = stack.enter_context(small_disk(disk, DISK))
                self.has |= {"disk"}
            sections["sdl"] = {"path": str(disk / "submgr.db")}
        for number in range(2 if "pair" in self.has else 1):
            environment = dict(self._masters.environment) if self._masters else {}
            if "relay" in self.has:
                self.relays.append(stack.enter_context(Relay(self.redis.host, self.redis.port)))
                environment["DBAAS_SERVICE_PORT"] = str(self.relays[-1].port)
            ha = {"enabled": "pair" in self.has, "leaseSeconds": LEASE, "identity": f"submgr-{number}"}
            rtmgr = {"baseUrl": f"/{number}/ric/v1"}
            daemon = Daemon(self.around, environment, ha=ha, rtmgr=rtmgr, **sections)
            if "file" in self.has:
                daemon.database = self._directory / "disk" / "submgr.db"
            daemon.read_timeout = 3.0
            self.daemons.append(daemon)
            stack.callback(self._end, daemon)
            self.start(daemon)

    def _end(self, daemon: Daemon) -> None:
        gevent.killall(self._greenlets)
        daemon.kill()
        daemon.close()

    @property
    def started(self) -> int:
        """How often a process was started."""
        return sum(map(len, self.starts.values()))

    # --- what faults do

    @property
    def redis(self) -> RedisServer:
        """The master."""
        assert self.around.redis is not None
        return self.around.redis

    def spawn(self, run: Callable[[], None]) -> gevent.Greenlet[..., Any]:
        self._greenlets.append(gevent.spawn(run))
        return self._greenlets[-1]

    @staticmethod
    def aside(call: Callable[[], object]) -> Any:
        """Calls what blocks, while the simulators go on. It starts no process: that would end with its thread."""
        return gevent.get_hub().threadpool.apply(call)

    def command(self, server: RedisServer, *words: str) -> None:
        self.aside(lambda: server.command(*words))

    def tell_rnib(self) -> None:
        """As E2 Manager does once more when its database has forgotten everything."""
        if self.around.rnib is not None:
            for name, node in self.around.e2term.nodes.items():
                self._tell(name, node.state)

    def _tell(self, name: str, state: NodeState) -> None:
        rnib = self.around.rnib
        assert rnib is not None

        def write() -> None:
            with suppress(RedisError):  # what it was not told now it is when the storm is over
                rnib.write(name, state)

        self.aside(write)

    def victim(self, dice: float) -> Daemon:
        ready = [each for each in self.daemons if each not in self._down and each.is_ready()]
        others = [each for each in self.daemons if each not in ready]
        chosen = (ready or others) if dice < 0.67 else (others or ready)
        return chosen[int(dice * 100) % len(chosen)]

    def start(self, daemon: Daemon) -> None:
        """Without waiting for it."""
        self._down.discard(daemon)
        if not daemon.running:
            self.starts[source_of(daemon)].append(time.monotonic())
            if daemon.log_file.exists():
                daemon.log_file.replace(daemon.log_file.with_suffix(".before"))
            daemon.start(wait=False)

    def down(self, daemon: Daemon, how: signal.Signals = signal.SIGKILL) -> None:
        """Until `start`. With SIGTERM it has to end in order."""
        self._down.add(daemon)
        if how is signal.SIGKILL:
            daemon.kill()
            return
        status = daemon.stop(HEALED)
        if status not in (0, LOST_LEASE, -signal.SIGTERM):
            self.surprises.append(f"exit status {status} after SIGTERM")

    def freeze(self, daemon: Daemon) -> Callable[[], None]:
        daemon.process.send_signal(signal.SIGSTOP)
        return lambda: daemon.process.send_signal(signal.SIGCONT)

    def take_over_after(self, victim: Daemon) -> None:
        """Measures how long it takes from now until a standby with a warm copy acts, if the victim is active."""
        others = [each for each in self.daemons if each.running and each.logged("the records are followed")]
        others = [each for each in others if each is not victim]
        if not others or not victim.is_ready():
            return
        began = time.monotonic()

        def measure() -> None:
            while time.monotonic() - began < 10 * LEASE:
                if any(each.running and each.is_ready() for each in others):
                    self.takes.append(time.monotonic() - began)
                    return
                gevent.sleep(0.01)

        self.spawn(measure)

    def active_and_followed(self) -> Daemon:
        """The active one, when the other one's copy of the records is warm."""

        found: list[Daemon] = []

        def trouble() -> str:
            found[:] = [self.now()]
            other = self.daemons[1 - self.daemons.index(found[0])]
            says = Pair.says(other)
            return "" if "standby of" in says and other.logged("the records are followed") else says

        self.until(trouble, "one is active and followed")
        return found[0]

    def fail_over(self, behind: float) -> None:
        """To a replica that has heard nothing for so many seconds."""
        assert self._masters is not None
        assert self.around.rnib is not None
        self.around.redis = self._masters.fail_over(behind, LEASE / 2)
        self.around.rnib.stop()
        self.around.rnib = RnibWriter(f"redis://{self.redis.host}:{self.redis.port}")
        self.around.rnib.start()
        self.tell_rnib()

    def _look_after(self) -> None:
        """What ended by itself is started again, as Kubernetes does. It may end when another one has its place."""
        while True:
            for daemon in self.daemons:
                if daemon not in self._down and not daemon.running:
                    status = daemon.process.returncode
                    if status != LOST_LEASE or "pair" not in self.has:
                        self.surprises.append(f"exit status {status}: {daemon.log_file.read_text()[-2000:]}")
                    self.start(daemon)
            gevent.sleep(0.1)

    # --- when the storm is over

    def now(self) -> Daemon:
        """The one that is active. Raises AssertionError when there is none."""
        ready = [each for each in self.daemons if each.running and each.is_ready()]
        assert ready, [Pair.says(each) for each in self.daemons]
        return ready[0]

    def rests(self) -> dict[str, Any]:
        """The REST subscriptions, as the active one has them, once there is one."""
        found: dict[str, Any] = {}

        def trouble() -> object:
            status, answer = self.now().platform("GET", "restsubscriptions")
            found.update(answer if status == 200 else {})
            return None if status == 200 else answer

        self.until(trouble, "the list of REST subscriptions")
        return found

    def until(self, trouble: Callable[[], object], what: str, seconds: float = HEALED) -> None:
        """Waits until `trouble` finds nothing. A daemon that is not active (any more) is trouble, too."""
        found: object = None

        def none() -> bool:
            nonlocal found
            try:
                found = trouble()
            except (AssertionError, HttpError) as error:
                found = repr(error)
            return not found

        eventually(none, seconds, what=lambda: f"{what}: {found}", every=0.1)

    def settle(self) -> None:
        """Waits until one is active, and another one (if there are two) follows it."""
        self.tell_rnib()
        if "pair" in self.has:
            self.active_and_followed()
        self.until(lambda: not self.now(), "one is active")


def source_of(daemon: Daemon) -> str:
    return f"127.0.0.1:{daemon.rmr_port}"
