# SPDX-License-Identifier: Apache-2.0
"""Is the process alive, and is it ready: heartbeats of its loops, readiness checks, and a watch on the event loop."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import gevent

log = logging.getLogger(__name__)

Check = Callable[[], str | None]
"""Tells why something is not as it should be, or None."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests should come here, why not, and what an operator should know although they should."""

    ready: bool
    reasons: list[str]
    warnings: list[str]


class Heartbeat:
    """The sign of life of one loop or worker.

    `beat` begins (or renews) a span of work, `rest` says that there is nothing to do: only work without an end
    is a sign of being stuck, waiting for work is not.
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
        """There is nothing to do until the next `beat`."""
        self._since = None

    def stuck_for(self) -> float | None:
        """Seconds since the last sign of life when they are too many, else None."""
        if self._since is None:
            return None
        age = self._clock() - self._since
        return age if age > self._max_age else None


class Health:
    """Collects heartbeats and checks; answers `/alive` and `/ready`.

    The event loop is watched by a greenlet that should run every half second. When it runs late by
    `stuck_after` s or more, nothing ran here for that long, and this could not be told at that time, since a stuck
    loop answers nobody. So `alive` says it afterwards, for `told_for` s: long enough for a probe that comes every
    few seconds to see one such answer, too short to have a process restarted that has recovered.
    """

    def __init__(
        self,
        *,
        stuck_after: float = 5.0,
        told_for: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        interval: float = 0.5,
    ) -> None:
        self._stuck_after = stuck_after
        self._told_for = told_for
        self._clock = clock
        self._interval = interval
        self._heartbeats: dict[str, Heartbeat] = {}
        self._checks: dict[str, Check] = {}
        self._warnings: dict[str, Check] = {}
        self._watcher: gevent.Greenlet | None = None
        self._last_turn: float | None = None
        self._stuck_until: tuple[float, float] | None = None
        self.longest_stall = 0.0
        """The longest time (s) in which the event loop did not turn."""

    def start(self) -> None:
        """Begin to watch the event loop."""
        if self._watcher is None:
            self._last_turn = self._clock()
            self._watcher = gevent.spawn(self._watch)

    def stop(self) -> None:
        """Watch no longer."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher = None
        self._last_turn = None

    def heartbeat(self, name: str, max_age: float) -> Heartbeat:
        """A new heartbeat that counts as stuck when work takes longer than `max_age` s. It rests at first."""
        if name in self._heartbeats:
            raise ValueError(f"there is a heartbeat {name} already")
        self._heartbeats[name] = Heartbeat(name, max_age, self._clock)
        return self._heartbeats[name]

    def forget(self, heartbeat: Heartbeat) -> None:
        """Its loop has ended as it should."""
        self._heartbeats.pop(heartbeat.name, None)

    def require(self, name: str, check: Check) -> None:
        """Readiness needs this: `check` tells what is missing, or None."""
        self._checks[name] = check

    def warn(self, name: str, check: Check) -> None:
        """Told with readiness, without an effect on it."""
        self._warnings[name] = check

    def alive(self) -> tuple[bool, list[str]]:
        """Whether everything that should move does, and what does not."""
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

    def turned(self) -> None:
        """The event loop runs: note how long it did not."""
        if self._last_turn is None:
            return
        now = self._clock()
        stall = now - self._last_turn - self._interval
        self._last_turn = now
        self.longest_stall = max(self.longest_stall, stall)
        if stall >= self._stuck_after:
            self._stuck_until = (now + self._told_for, stall)
            log.error("the event loop was stuck", extra={"seconds": round(stall, 3)})

    def _watch(self) -> None:
        while True:
            gevent.sleep(self._interval)
            self.turned()
