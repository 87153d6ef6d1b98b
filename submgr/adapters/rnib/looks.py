# SPDX-License-Identifier: Apache-2.0
"""Bounds the readings of single nodes that requests of xApps cause."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import gevent
from gevent.event import Event

from submgr.platform.store.base import StoreError

LIMIT = 0.4
"""Seconds that one reading may take. A request is answered within 5 s, and 4.5 s of them belong to its worker."""
INTERVAL = 1.0
"""Seconds between two readings of one node; also the pause after a reading that failed, for all nodes."""
_REMEMBERED = 1000


class Looks:
    """Reads a node at most once per second; who asks meanwhile waits for the reading that is under way.

    `read` reads one node and takes what it finds. It may raise StoreError: nobody looks for the next second then, so
    that a database that hangs costs one request its time and not each of them.
    """

    def __init__(self, read: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._last: OrderedDict[str, float] = OrderedDict()
        self._running: dict[str, Event] = {}
        self._not_before = 0.0

    def look(self, meid: str) -> None:
        """Reads the node, unless that was done a moment ago. Returns within `LIMIT`; raises nothing."""
        running = self._running.get(meid)
        if running is not None:
            running.wait(LIMIT)
            return
        now = self._clock()
        if now < self._not_before or now < self._last.get(meid, 0.0):
            return
        self._last[meid] = now + INTERVAL
        self._last.move_to_end(meid)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        self._running[meid] = Event()
        try:
            if not self._done_in_time(meid):
                self._not_before = self._clock() + INTERVAL
        finally:
            self._running.pop(meid).set()

    def _done_in_time(self, meid: str) -> bool:
        limit = gevent.Timeout.start_new(LIMIT)
        try:
            self._read(meid)
        except StoreError:
            return False
        except gevent.Timeout as over:
            if over is not limit:
                raise
            return False
        finally:
            limit.close()
        return True
