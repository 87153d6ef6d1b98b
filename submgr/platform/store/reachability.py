# SPDX-License-Identifier: Apache-2.0
"""Whether the database answers: learnt from every call, and by asking it in the background."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
from gevent.event import Event

from submgr.platform.store.base import Operation, StoreError, StoreObserver, StoreTimeout, StoreUnavailable

_log = logging.getLogger(__name__)


class Reach:
    """The knowledge, and the greenlet that renews it.

    `interval`: seconds between two looks at a database that answers; one that does not is looked at four
    times as often. `on_look` is called after each look in the background, from its greenlet.
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
        """Why it counts as unreachable, else None."""
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
        """Around each call of the database: takes its time, and notices when it does not answer."""
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
        # A write may have been given up meanwhile, and this look does not vouch for that one.
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
