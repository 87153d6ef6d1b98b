# SPDX-License-Identifier: Apache-2.0
"""Time limits for what is over in time nearly always: beginning and ending one costs next to nothing.

`gevent.Timeout` starts and stops a timer of the event loop for each use. Here all limits of the same length stand in
one row, which has one timer: the one that began first ends first.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import gevent


class TimeLimit:
    """Raises a `gevent.Timeout` in the greenlet that is in the body after `seconds`. `late`: that one, else None.
    `quiet`: it ends the body, and nothing more."""

    __slots__ = ("_greenlet", "_quiet", "_row", "late", "over", "until")

    def __init__(self, seconds: float, *, quiet: bool = False) -> None:
        row = _rows.get(seconds)
        if row is None:
            row = _rows[seconds] = _Row(seconds)
        self._row = row
        self._quiet = quiet
        self.late: gevent.Timeout | None = None
        self.over = False
        self.until = 0.0

    def __enter__(self) -> TimeLimit:
        self._greenlet = gevent.getcurrent()
        self._row.add(self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        self.over = True
        return self._quiet and error is not None and error is self.late

    def expire(self, seconds: float) -> None:
        """Called in the event loop."""
        self.over = True
        self.late = gevent.Timeout(seconds)
        self._greenlet.throw(self.late)


class _Row:
    """The limits of one length, in the order in which they began."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limits: deque[TimeLimit] = deque()
        self._timer: Any = None

    def add(self, limit: TimeLimit) -> None:
        limits = self._limits
        while limits and limits[0].over:
            limits.popleft()
        limit.until = time.monotonic() + self._seconds
        limits.append(limit)
        if self._timer is None:
            self._wait(self._seconds)

    def _wait(self, seconds: float) -> None:
        self._timer = gevent.get_hub().loop.timer(max(seconds, 0.0))
        self._timer.start(self._look)

    def _look(self) -> None:
        """One limit may be over. The timer of the next one is started before its greenlet goes on."""
        self._timer = None
        limits = self._limits
        while limits and limits[0].over:
            limits.popleft()
        if not limits:
            return
        now = time.monotonic()
        late = limits.popleft() if limits[0].until <= now else None
        if limits:
            self._wait(limits[0].until - now)
        if late is not None:
            late.expire(self._seconds)


_rows: dict[float, _Row] = {}
"""By length. Lengths come from settings: there are few."""
