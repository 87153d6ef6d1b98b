# SPDX-License-Identifier: Apache-2.0
"""Tells whether the database answers and takes writes: every call shows it, and a greenlet asks in the background."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

import gevent
from gevent.event import Event

from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import (
    Operation,
    StoreError,
    StoreFenced,
    StoreObserver,
    StoreRefusesWrites,
    StoreTimeout,
    StoreUnavailable,
)
from submgr.platform.supervised import SupervisedLoop

_log = logging.getLogger(__name__)

_Arguments = TypeVarTuple("_Arguments")
_Answer = TypeVar("_Answer")


class Reachability:
    """Whether the database answers, and the greenlet that looks.

    `reachable`: it does. `error`: why it counts as unreachable, else None. Only this class sets both.

    `interval`: seconds between two looks at a database that answers; the greenlet looks four times as often at one
    that does not. It calls `on_look` after each look. `on_fenced` is called when a call finds that another process has
    the database.
    """

    def __init__(
        self,
        probe: Callable[[], None],
        *,
        interval: float,
        observer: StoreObserver,
        on_look: Callable[[], None],
        on_fenced: Callable[[], None],
    ) -> None:
        self._probe = probe
        self._interval = interval
        self._observer = observer
        self._on_look = on_look
        self._on_fenced = on_fenced
        self.reachable = False
        self.error: str | None = "not started"
        self._refusal: str | None = None
        self._away = Outage(_log)
        self._refusing = Outage(_log)
        self._doubts = 0
        self._doubt = Event()
        self._loop = SupervisedLoop("look at the database", self._step, longest_pause=interval)

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written, in words: the database does not answer, or refuses; else None."""
        if not self.reachable:
            return f"the database does not answer: {self.error}"
        return None if self._refusal is None else f"the database takes no writes: {self._refusal}"

    def start(self) -> None:
        """Looks once before it returns."""
        with suppress(Exception):  # the loop meets it, too, and logs it
            self._look()
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()
        self.reachable = False
        self.error = "stopped"

    def ask(self, operation: Operation, call: Callable[[*_Arguments], _Answer], *arguments: *_Arguments) -> _Answer:
        """Makes a call of the database: measures it, and notices when the database does not answer."""
        begin = time.monotonic()
        try:
            answer = call(*arguments)
        except BaseException as error:
            self.failed(error)
            raise
        self._observer.on_latency(operation, time.monotonic() - begin)
        return answer

    def failed(self, error: BaseException) -> None:
        """Takes note of how a call of the database has ended."""
        if isinstance(error, StoreTimeout | StoreUnavailable):
            self._suspect(error)
        elif isinstance(error, StoreRefusesWrites):
            self._doubts += 1
            self._refused(error)
        elif isinstance(error, StoreFenced):
            self._on_fenced()

    def _step(self) -> None:
        self._doubt.wait(self._interval if self.reachable else self._interval / 4)
        if self._doubt.is_set():
            # Not at once: a database that answers but fails all else would be asked without a pause.
            self._doubt.clear()
            gevent.sleep(self._interval / 4)
        self._look()
        self._on_look()

    def _look(self) -> None:
        doubts = self._doubts
        try:
            refused = self.ask("probe", self._refusal_of_probe)
        except (StoreTimeout, StoreUnavailable):
            return
        except StoreError as error:
            self._suspect(error)
            return
        except Exception as bug:
            self._suspect(StoreError(f"the look at it failed: {type(bug).__name__}: {bug}"))
            raise
        # A write may have been given up since this look began: the look does not vouch for that write.
        if doubts != self._doubts:
            return
        if not self.reachable:
            self.reachable = True
            self.error = None
            self._away.over("the database answers")
        if refused is None:
            self._takes_writes()
        else:
            self._refused(refused)

    def _refusal_of_probe(self) -> StoreRefusesWrites | None:
        try:
            self._probe()
        except StoreRefusesWrites as error:
            return error
        return None

    def _suspect(self, error: StoreError) -> None:
        self._away.goes_on(f"the database does not answer: {error}")
        self._doubts += 1
        self.reachable = False
        self.error = str(error)
        self._doubt.set()

    def _refused(self, error: StoreRefusesWrites) -> None:
        self._refusal = str(error)
        self._refusing.goes_on(f"the database takes no writes: {error}", "refusing")

    def _takes_writes(self) -> None:
        if self._refusal is not None:
            self._refusal = None
            self._refusing.over("the database takes writes again")
