# SPDX-License-Identifier: Apache-2.0
"""Keeps the log lines few that an outsider can cause at will: unknown answers, broken frames, refused writes.

`Sparsely` is for events of many kinds, `Outage` for one thing that is either well or not. `LibraryBound` stands at the
root of the log, for the loggers of libraries, which know nothing of this.
"""

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from msgspec import Struct

_DIFFERENT_TEXTS = 20
"""So many texts of one outage are logged before its pause is over."""


class _Window(Struct):
    """Events of one kind, or of all, since `since`: how many were logged, how many left out."""

    since: float
    logged: int = 0
    left_out: int = 0


class Sparsely:
    """Logs the first events of a kind, then none until `interval` (s) is over, and then how many it has left out.

    `burst`: so many events of a kind are logged in an interval, and `most` of all kinds together. `max_kinds`: so many
    kinds are remembered, the latest ones.
    """

    def __init__(
        self,
        logger: logging.Logger,
        interval: float = 60.0,
        max_kinds: int = 1000,
        clock: Callable[[], float] = time.monotonic,
        *,
        burst: int = 1,
        most: float = math.inf,
    ) -> None:
        self._logger = logger
        self._interval = interval
        self._max_kinds = max_kinds
        self._clock = clock
        self._burst = burst
        self._most = most
        self._kinds: OrderedDict[str, _Window] = OrderedDict()
        self._all = _Window(clock())

    def log(self, level: int, kind: str, message: str, *, error: BaseException | None = None, **fields: Any) -> None:
        """Logs `message` with `fields`, unless enough of this `kind` was logged lately. `error`: with its traceback.

        After events were left out, the field `times` tells how many events the line stands for.
        """
        now = self._clock()
        seen = self._kinds.get(kind)
        left_out = 0
        if seen is None or now - seen.since >= self._interval:
            left_out = seen.left_out if seen is not None else 0
            seen = self._kinds[kind] = _Window(now)
            self._kinds.move_to_end(kind)
            if len(self._kinds) > self._max_kinds:
                self._kinds.popitem(last=False)
        if seen.logged >= self._burst or not self._has_room(now):
            seen.left_out += left_out + 1
            return
        seen.logged += 1
        self._all.logged += 1
        if left_out:
            fields["times"] = left_out + 1
        self._logger.log(level, "%s", message, exc_info=error, extra=fields)

    def _has_room(self, now: float) -> bool:
        """Whether one more line may be logged, of whatever kind. Says how many could not, when it may again."""
        if now - self._all.since >= self._interval:
            left_out, self._all = self._all.left_out, _Window(now)
            if left_out:
                self._logger.warning("%d more lines of kinds of their own were left out", left_out)
        if self._all.logged < self._most:
            return True
        self._all.left_out += 1
        return False

    def warning(self, kind: str, peer: str, message: str) -> None:
        """Logs what a peer did as a warning. Each peer is a kind of its own."""
        self.log(logging.WARNING, f"{kind} {peer}", message, peer=peer)


class LibraryBound(logging.Filter):
    """Lets at most `burst` lines of one level of a library's logger pass in `interval` (s).

    The first line after a pause has a field `times`: how many it stands for. Loggers whose name begins with one of
    `ours` bound themselves.
    """

    def __init__(
        self,
        ours: tuple[str, ...] = ("submgr", "mec"),
        burst: int = 20,
        interval: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._ours = ours
        self._burst = burst
        self._interval = interval
        self._clock = clock
        self._windows: dict[tuple[str, int], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] in self._ours:
            return True
        now = self._clock()
        window = self._windows.setdefault((record.name, record.levelno), [now, 0.0])
        if now - window[0] >= self._interval:
            if window[1] > self._burst:
                record.times = int(window[1]) - self._burst + 1
            window[:] = [now, 0.0]
        window[1] += 1
        return window[1] <= self._burst


class Outage:
    """Logs that something has failed: at once, then after growing pauses, and once when it is well again.

    `first`: seconds until a failure that goes on is logged again; each pause is twice as long as the one before, at
    most `longest`. A failure soon after the end is the old one: something that comes and goes is not logged each time.
    """

    def __init__(
        self,
        logger: logging.Logger,
        first: float = 60.0,
        longest: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._first = first
        self._longest = longest
        self._clock = clock
        self._pause = first
        self._quiet_until = float("-inf")
        self._said: set[str] = set()
        self._open = False
        self._times = 0

    def goes_on(self, message: str, kind: str | None = None, **fields: Any) -> None:
        """It failed. `kind`: messages of one kind are not told apart; by default each text is a kind.

        The field `times` tells, where it is more than one, how many failures the line stands for.
        """
        now = self._clock()
        kind = message if kind is None else kind
        if now >= self._quiet_until + self._pause and not self._open:
            self._pause, self._times = self._first, 0
            self._said.clear()
        if now < self._quiet_until and (kind in self._said or len(self._said) >= _DIFFERENT_TEXTS):
            self._times += 1
            return
        if now >= self._quiet_until:
            if self._said:
                self._pause = min(2 * self._pause, self._longest)
            self._quiet_until = now + self._pause
        if self._times:
            fields["times"] = self._times + 1
        self._times = 0
        self._said.add(kind)
        self._open = True
        self._logger.warning("%s", message, extra=fields)

    def over(self, message: str) -> None:
        """It is well again; logged if its failure was."""
        if self._open:
            self._logger.info("%s", message)
        self._open = False
