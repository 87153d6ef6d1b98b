# SPDX-License-Identifier: Apache-2.0
"""Time limits for what is over in time nearly always: beginning and ending one costs next to nothing.

`gevent.Timeout` starts and stops a timer of the event loop for each use. Here all limits of the same length stand in
one row, which has one timer: the one that began first ends first.
"""

from __future__ import annotations

from itertools import islice, takewhile
from time import monotonic
from typing import Any

import gevent
from gevent import getcurrent


class TimeLimit:
    """Raises a `gevent.Timeout` in the greenlet that is in the body after `seconds`. `late`: that one, else None.
    `quiet`: it ends the body, and nothing more."""

    __slots__ = ("_greenlet", "_quiet", "_row", "late", "until")

    def __init__(self, seconds: float, *, quiet: bool = False) -> None:
        self._row = _rows.get(seconds) or _new_row(seconds)
        self._quiet = quiet
        self.late: gevent.Timeout | None = None

    def __enter__(self) -> TimeLimit:
        row = self._row
        self._greenlet = getcurrent()
        self.until = monotonic() + row.seconds
        row.limits[self] = None
        if row.timer is None:
            row.wait(row.seconds)
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        self._row.limits.pop(self, None)
        return self._quiet and error is not None and error is self.late

    def expire(self, seconds: float) -> None:
        """Called in the event loop."""
        self.late = gevent.Timeout(seconds)
        self._greenlet.throw(self.late)


class _Row:
    """The limits of one length that are not over, in the order in which they began."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.limits: dict[TimeLimit, None] = {}
        self.timer: Any = None

    def wait(self, seconds: float) -> None:
        """Looks after `seconds` what is late."""
        self.timer = gevent.get_hub().loop.timer(max(seconds, 0.0))
        self.timer.start(self._look)

    def _look(self) -> None:
        """Ends what is late. All of it at once: who waited for a place that another one leaves is late as well."""
        self.timer = None
        now = monotonic()
        late = list(takewhile(lambda limit: limit.until <= now, self.limits))
        if len(late) < len(self.limits):
            first_in_time = next(islice(self.limits, len(late), None))
            self.wait(first_in_time.until - now)
        else:  # who has one of its limits already may begin it: the row goes on for them
            _rows.pop(self.seconds, None)
        for limit in late:
            if limit in self.limits:  # else it has ended with one before
                del self.limits[limit]
                limit.expire(self.seconds)


_rows: dict[float, _Row] = {}
"""By length, as long as somebody is in them: most lengths come from settings, some are what is left of a time."""


def _new_row(seconds: float) -> _Row:
    row = _rows[seconds] = _Row(seconds)
    return row
