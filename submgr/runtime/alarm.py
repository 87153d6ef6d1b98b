# SPDX-License-Identifier: Apache-2.0
"""The alarm of a worker: wakes it when its next timer is due, at next to no cost while timers come and go."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gevent

from submgr.runtime.ports import Clock


class Alarm:
    """Calls `wake` at the earliest time that it was set to, by `clock`.

    An alarm that comes too early does no harm. So a deadline that moves away, as nearly all do, costs nothing.
    """

    def __init__(self, clock: Clock, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._wake = wake
        self.at = math.inf
        """When it comes; infinity: it is not set."""
        self._timer: Any = None

    def set(self, deadline: float) -> None:
        """Makes it come at this time, which is before `at`."""
        self.stop()
        self.at = deadline
        self._timer = gevent.get_hub().loop.timer(max(0.0, deadline - self._clock()))
        self._timer.start(self._ring)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def _ring(self) -> None:
        self.at = math.inf
        self._wake()
