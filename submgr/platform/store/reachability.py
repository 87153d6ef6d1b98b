# SPDX-License-Identifier: Apache-2.0
"""Tells whether the database answers: every call shows it, and a greenlet asks in the background."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
from gevent.event import Event

from submgr.platform.store.base import Operation, StoreError, StoreObserver, StoreTimeout, StoreUnavailable

_log = logging.getLogger(__name__)


class Reachability:
    """Whether the database answers, and the greenlet that looks.

    `interval`: seconds between two looks at a database that answers; the greenlet looks four times as often at one
    that does not. It calls `on_look` after each look.
    """

    def __init__(
        self,
        probe: Callable[[], None],
        *,
        interval: float,
        observer: StoreObserver,
        on_look: Callable[[], None],
    ) -> None:
        self._probe = probe
        self._interval = interval
        self._observer = observer
        self._on_look = on_look
        self._reachable = False
        self._error: str | None = "not started"
        self._doubts = 0
        self._doubt = Event()
        self._greenlet: gevent.Greenlet[[], None] | None = None

    @property
    def reachable(self) -> bool:
        return self._reachable

    @property
    def error(self) -> str | None:
        """Why the database counts as unreachable, else None."""
        return self._error

    def start(self) -> None:
        """Looks once before it returns."""
        self._look()
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
        self._reachable = False
        self._error = "stopped"

    @contextmanager
    def asking(self, operation: Operation) -> Iterator[None]:
        """Goes around each call of the database: measures it, and notices when the database does not answer."""
        begin = time.monotonic()
        try:
            yield
        except (StoreTimeout, StoreUnavailable) as error:
            self._suspect(error)
            raise
        self._observer.on_latency(operation, time.monotonic() - begin)

    def _run(self) -> None:
        while True:
            self._doubt.wait(self._interval if self._reachable else self._interval / 4)
            if self._doubt.is_set():
                # Not at once: a database that answers but fails all else would be asked without a pause.
                self._doubt.clear()
                gevent.sleep(self._interval / 4)
            self._look()
            self._on_look()

    def _look(self) -> None:
        doubts = self._doubts
        try:
            with self.asking("probe"):
                self._probe()
        except (StoreTimeout, StoreUnavailable):
            return
        except StoreError as error:
            self._suspect(error)
            return
        # A write may have been given up since this look began: the look does not vouch for that write.
        if doubts == self._doubts and not self._reachable:
            self._reachable = True
            self._error = None
            _log.info("the database answers")

    def _suspect(self, error: StoreError) -> None:
        if str(error) != self._error:
            _log.warning("the database does not answer: %s", error)
        self._doubts += 1
        self._reachable = False
        self._error = str(error)
        self._doubt.set()
