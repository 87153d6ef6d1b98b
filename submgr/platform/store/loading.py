# SPDX-License-Identifier: Apache-2.0
"""Reads what is stored at a start, again each second until the database is there."""

import logging
from collections.abc import Callable
from typing import TypeVar

import gevent

from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import StoreError
from submgr.platform.supervised import SupervisedLoop

T = TypeVar("T")

PAUSE = 1.0
"""Seconds between two tries while the database is away."""

Sleep = Callable[[float], object]


def load_until_there(
    load: Callable[[], T], failed: Callable[[StoreError, int], object], sleep: Sleep = gevent.sleep
) -> T:
    """Calls `load` until it raises no StoreError, and returns its result. The calling greenlet waits in between.

    `failed(error, tries)` is called after each failed try. What it raises ends the tries.
    """
    tries = 0
    while True:
        try:
            return load()
        except StoreError as error:
            tries += 1
            failed(error, tries)
            sleep(PAUSE)


class Loader:
    """Loads once in the caller's greenlet, and goes on in the background while the database is away.

    `load`: raises StoreError while the database is away. `log` gets `message` and why as a warning, sparsely.
    """

    def __init__(
        self, load: Callable[[], None], log: logging.Logger, message: str, sleep: Sleep = gevent.sleep
    ) -> None:
        self.done = False
        """Whether `load` has succeeded since the last `start`."""
        self._load = load
        self._outage = Outage(log)
        self._message = message
        self._sleep = sleep
        self._loop = SupervisedLoop(f"loading, {log.name}", self._step)

    def start(self) -> None:
        """Loads now, or later when the database is away. A later call loads again."""
        self.done = False
        if not self._loop.running and not self._try():
            self._loop.start()

    def stop(self) -> None:
        """Ends the tries."""
        self._loop.stop()

    def _try(self) -> bool:
        try:
            self._load()
        except StoreError as error:
            self._outage.goes_on(self._message, str(error), why=str(error))
            return False
        self.done = True
        return True

    def _step(self) -> bool:
        self._sleep(PAUSE)
        return not self._try()
