# SPDX-License-Identifier: Apache-2.0
"""Tells whether the process is alive and ready: heartbeats of its loops, checks, and a watch on the event loop."""

import logging
import time
from collections.abc import Callable

import gevent
from msgspec import Struct

from submgr.platform import supervised
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)

Check = Callable[[], str | None]
"""Says in words why a part of the process is not ready; None when it is."""


def _nothing(seconds: float) -> None:
    pass


class Readiness(Struct, frozen=True):
    """Whether requests should come to this process, the reasons why not, and warnings for the operator."""

    ready: bool
    reasons: list[str]
    warnings: list[str]


class Heartbeat:
    """The sign of life of one loop or worker.

    The worker calls `beat` when a step of work begins, `rest` when there is nothing to do. It counts as stuck when a
    step takes too long; waiting for work is not being stuck.
    """

    __slots__ = ("_clock", "_max_age", "_since", "name")

    def __init__(self, name: str, max_age: float, clock: Callable[[], float]) -> None:
        self.name = name
        self._max_age = max_age
        self._clock = clock
        self._since: float | None = None

    def beat(self) -> None:
        """A step of work begins."""
        self._since = self._clock()

    def rest(self) -> None:
        """The worker waits for work until the next `beat`."""
        self._since = None

    def stuck_for(self) -> float | None:
        """Seconds since the last sign of life when they are too many, else None."""
        if self._since is None:
            return None
        age = self._clock() - self._since
        return age if age > self._max_age else None


class Health:
    """Collects heartbeats and checks; answers `/alive` and `/ready`.

    A greenlet that should run every `interval` s watches the event loop. When it runs late by `stuck_after` s or
    more, no greenlet ran for that long. A stuck loop answers no probe, so `alive` says it afterwards, for `told_for`
    s: long enough that a probe every few seconds sees one such answer, too short to have a recovered process
    restarted.
    """

    def __init__(
        self,
        *,
        stuck_after: float = 5.0,
        told_for: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        interval: float = 0.5,
        stalled: Callable[[float], None] = _nothing,
    ) -> None:
        """`stalled` is called after each look with how long the event loop did not run, in seconds."""
        self._stuck_after = stuck_after
        self._told_for = told_for
        self._clock = clock
        self._interval = interval
        self._stalled = stalled
        self._heartbeats: dict[str, Heartbeat] = {}
        self._checks: dict[str, Check] = {}
        self._warnings: dict[str, Check] = {"background": supervised.trouble}
        self._watcher = SupervisedLoop("health watch", self._watch)
        self._last_turn: float | None = None
        self._stuck_until: tuple[float, float] | None = None
        self.longest_stall = 0.0
        """The longest time (s) in which the event loop did not turn."""

    def start(self) -> None:
        """Begins to watch the event loop."""
        if not self._watcher.running:
            self._last_turn = self._clock()
            self._watcher.start()

    def stop(self) -> None:
        """Ends the watch."""
        self._watcher.stop()
        self._last_turn = None

    def heartbeat(self, name: str, max_age: float) -> Heartbeat:
        """A new heartbeat, at rest. Its worker counts as stuck when a step takes longer than `max_age` s."""
        if name in self._heartbeats:
            raise ValueError(f"there is a heartbeat {name} already")
        self._heartbeats[name] = Heartbeat(name, max_age, self._clock)
        return self._heartbeats[name]

    def forget(self, heartbeat: Heartbeat) -> None:
        """Forgets the heartbeat of a loop that has ended as it should."""
        self._heartbeats.pop(heartbeat.name, None)

    def require(self, name: str, check: Check) -> None:
        """Makes readiness depend on `check`."""
        self._checks[name] = check

    def warn(self, name: str, check: Check) -> None:
        """Has the words of `check` told with readiness, without an effect on it."""
        self._warnings[name] = check

    def alive(self) -> tuple[bool, list[str]]:
        """Whether all workers and the event loop move; else the reasons."""
        reasons = [
            f"{beat.name} has been stuck for {age:.0f} s"
            for beat in self._heartbeats.values()
            if (age := beat.stuck_for()) is not None
        ]
        self.turned()
        if self._stuck_until is not None and self._clock() < self._stuck_until[0]:
            reasons.append(f"the event loop was stuck for {self._stuck_until[1]:.1f} s")
        return not reasons, reasons

    def ready(self) -> Readiness:
        """Whether requests should come here."""
        reasons = [f"{name}: {why}" for name, check in self._checks.items() if (why := check()) is not None]
        warnings = [f"{name}: {why}" for name, check in self._warnings.items() if (why := check()) is not None]
        return Readiness(not reasons, reasons, warnings)

    def troubles(self) -> dict[str, str]:
        """What is not well, and why: all checks and warnings by name, whether readiness depends on them or not."""
        checks = {**self._warnings, **self._checks}
        return {name: why for name, check in checks.items() if (why := check()) is not None}

    def turned(self) -> None:
        """Notes how long the event loop did not run before now."""
        if self._last_turn is None:
            return
        now = self._clock()
        stall = now - self._last_turn - self._interval
        self._last_turn = now
        self.longest_stall = max(self.longest_stall, stall)
        self._stalled(max(stall, 0.0))
        if stall >= self._stuck_after:
            self._stuck_until = (now + self._told_for, stall)
            log.error("the event loop was stuck", extra={"seconds": round(stall, 3)})

    def _watch(self) -> None:
        gevent.sleep(self._interval)
        self.turned()
