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
        row = self._row
        limits = row.limits
        while limits and limits[0].over:
            limits.popleft()
        self.until = time.monotonic() + row.seconds
        limits.append(self)
        if row.timer is None:
            row.wait(row.seconds)
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
        self.seconds = seconds
        self.limits: deque[TimeLimit] = deque()
        self.timer: Any = None

    def wait(self, seconds: float) -> None:
        """Looks after `seconds` what is late."""
        self.timer = gevent.get_hub().loop.timer(max(seconds, 0.0))
        self.timer.start(self._look)

    def _look(self) -> None:
        """Ends what is late. All of it at once: who waited for a place that another one leaves is late as well."""
        self.timer = None
        limits, now, late = self.limits, time.monotonic(), []
        while limits and (limits[0].over or limits[0].until <= now):
            late.append(limits.popleft())
        if limits:
            self.wait(limits[0].until - now)
        else:  # who has one of its limits already may begin it: the row goes on for them
            _rows.pop(self.seconds, None)
        for limit in late:
            if not limit.over:
                limit.expire(self.seconds)


_rows: dict[float, _Row] = {}
"""By length, as long as somebody is in them: most lengths come from settings, some are what is left of a time."""
