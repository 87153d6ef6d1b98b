# SPDX-License-Identifier: Apache-2.0
"""Greenlets that are used again: a new one has its stack mapped and unmapped, for each request to a neighbour."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gevent
from gevent.event import Event
from gevent.hub import Waiter

_log = logging.getLogger(__name__)

Task = Callable[[], None]


class Crew:
    """Does each task at once, in a greenlet of its own. Up to `idle` greenlets wait for the next task."""

    def __init__(self, idle: int = 32) -> None:
        self._most_idle = idle
        self._soon: Callable[..., object] = gevent.get_hub().loop.run_callback
        self._idle: list[Waiter[Task]] = []
        """Of the greenlets that wait; the one that has worked last is the first to work again."""
        self._greenlets: set[gevent.Greenlet[[], None]] = set()
        self._working = 0
        self._rest: Event | None = None
        """Set when nothing is being done any more, for `stop`, which waits for that."""
        self._stopped = False

    @property
    def working(self) -> int:
        """The tasks that are being done."""
        return self._working

    def do(self, task: Task) -> None:
        """Begins a task, in one of the next turns; does nothing once the crew is stopped."""
        if self._stopped:
            return
        self._working += 1
        if self._idle:
            self._soon(self._idle.pop().switch, task)
        else:
            greenlet = gevent.spawn(self._run, task)
            self._greenlets.add(greenlet)
            greenlet.link(self._greenlets.discard)

    def stop(self, grace: float = 0.0) -> None:
        """Gives the tasks that are being done `grace` seconds, and ends them then."""
        self._stopped = True
        if self._working:
            self._rest = Event()
            self._rest.wait(grace)
        gevent.killall(list(self._greenlets))

    def _run(self, task: Task) -> None:
        while True:
            try:
                task()
            except Exception:  # a bug in one task: the others are done all the same
                _log.exception("a task failed")
            finally:
                self._working -= 1
                if self._rest is not None and not self._working:
                    self._rest.set()
            if self._stopped or len(self._idle) >= self._most_idle:
                return
            waiter: Waiter[Task] = Waiter()
            self._idle.append(waiter)
            task = waiter.get()
