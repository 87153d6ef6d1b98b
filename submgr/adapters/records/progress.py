# SPDX-License-Identifier: Apache-2.0
"""How far the restore at a start is: a value between 0 and 1, and a line in the log when it takes long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

import gevent

from submgr.core.events import Restored
from submgr.core.node import Node
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)

LONG = 2.0
"""Seconds after which the restore says how far it is, and between two such lines."""


class RestoreProgress:
    """`begin` before the records are read, `loaded` with what was read, `complete` when all of it is live.

    `nodes`: those that have a worker.
    """

    def __init__(self, nodes: Callable[[], Iterable[Node]], clock: Callable[[], float] = time.monotonic) -> None:
        self._nodes = nodes
        self._clock = clock
        self._began = 0.0
        self._total: int | None = None
        self._ended = False
        self._loop = SupervisedLoop("restore progress", self._step)

    def begin(self) -> None:
        self._began = self._clock()
        self._loop.start()

    def loaded(self, parts: Iterable[Restored]) -> None:
        self._total = sum(len(part.e2) + len(part.rest) for part in parts)

    def stop(self) -> None:
        """Says no more how far it is."""
        self._loop.stop()

    def complete(self) -> None:
        """Everything is live."""
        self.stop()
        self._ended = True
        if self._seconds() > LONG:
            log.info("all subscriptions are restored", extra={"records": self._total, "seconds": self._seconds()})

    def part(self) -> float:
        """The part of the records that is live, from 0 to 1."""
        if self._ended:
            return 1.0
        return min(self._live() / self._total, 1.0) if self._total else 0.0

    def words(self) -> str:
        """How far it is."""
        if self._total is None:
            return "the records are being read from the database"
        return f"{self._live()} of {self._total} records are restored"

    def _live(self) -> int:
        return sum(len(node.subscriptions.e2) + len(node.subscriptions.rest) for node in self._nodes())

    def _seconds(self) -> float:
        return round(self._clock() - self._began, 1)

    def _step(self) -> None:
        gevent.sleep(LONG)
        log.info("restoring: %s", self.words(), extra={"seconds": self._seconds(), "part": round(self.part(), 3)})
