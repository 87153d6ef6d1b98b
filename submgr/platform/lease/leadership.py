# SPDX-License-Identifier: Apache-2.0
"""The greenlet that takes part in a lease: it takes, renews and gives back, and tells its owner."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

import gevent

from submgr.platform.lease.lease import Found, Lease, Purpose, Request
from submgr.platform.lease.record import Holder
from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import StoreError
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 0.5
"""Seconds between two steps of a loop that keeps failing: a lease waits for nobody."""


def ageing() -> float:
    """Seconds of a clock that never goes back, and goes on while the machine sleeps (CLOCK_BOOTTIME of Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Key(Protocol):
    """The record of the lease in the database."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def ask(self, request: Request) -> Found:
        """Raises StoreError when no answer has come."""


class Leadership:
    """Whether this process is the one that acts, of those that take part in a lease.

    `floor()` is asked before each acquisition: the highest epoch that anything in the database carries. It may block,
    and raise StoreError. `taken(epoch)` is called after each acquisition; the lease may have been this process's
    before, in which case nobody else has had it in between. `lost(why)` is called once, when this process must not act
    any more. Neither may block.
    """

    def __init__(
        self,
        lease: Lease,
        key: Key,
        floor: Callable[[], int],
        taken: Callable[[int], None],
        lost: Callable[[str], None],
        clock: Callable[[], float] = ageing,
    ) -> None:
        self._lease = lease
        self._key = key
        self._floor = floor
        self._taken = taken
        self._lost = lost
        self._clock = clock
        self._error = ""
        self._outage = Outage(log)
        self._loop = SupervisedLoop("lease", self._step, longest_pause=_LONGEST_PAUSE)

    def may_act(self) -> bool:
        """Whether this process acts at this moment. To be asked before each thing that it does to others."""
        return self._lease.may_act(self._clock())

    @property
    def epoch(self) -> int:
        """Of the last acquisition; 0 before the first one, and when this process must not act any more."""
        return self._lease.epoch if self._lease.lost is None else 0

    def age(self) -> float | None:
        """Seconds since the last renewal; None when this process has not the lease."""
        return self._lease.age(self._clock())

    def holder(self) -> Holder | None:
        """Who has the lease, as far as is known."""
        return self._lease.holder()

    def why_not(self) -> str | None:
        """Why this process does not act, in words; None while it does."""
        lease, now = self._lease, self._clock()
        if lease.lost is not None:
            return lease.lost
        if lease.may_act(now):
            return None
        error = f": {self._error}" if self._error else ""
        if lease.holding:
            return f"the lease was last renewed {lease.age(now) or 0.0:.1f} s ago{error}"
        holder = lease.holder()
        return f"standby of {holder}{error}" if holder is not None else f"standby, nobody has the lease{error}"

    def start(self) -> None:
        """Begins to take part. Raises StoreError for wrong settings."""
        self._key.start()
        self._loop.start()

    def stop(self) -> None:
        """Gives the lease back, if this process has it. From now on it does not act."""
        self._loop.stop()
        self._release()
        self._key.stop()

    def give_up(self, why: str) -> None:
        """This process acts no more: somebody else has shown that he does. The lease stays as it is."""
        if self._lease.lost is None:
            self._lease.give_up(why)
            self._lost(why)

    def _step(self) -> bool:
        """A request, and the pause after it. Returns whether another one is to follow."""
        if self._lease.lost is None:
            answered = self.look_after()
            gevent.sleep(self._lease.pause(self._clock(), answered))
        return self._lease.lost is None

    def look_after(self) -> bool:
        """Makes one request. Returns whether it was answered."""
        request = self._lease.next(self._clock())
        try:
            if request.purpose is Purpose.TAKE:
                self._lease.note_epoch(self._floor())
                request = self._lease.next(self._clock())
        except StoreError as error:
            return self._failed(error)
        sent = self._clock()
        try:
            found = self._key.ask(request)
        except StoreError as error:
            self._lease.unanswered(request)
            return self._failed(error)
        self._error, epoch = "", self._lease.epoch
        self._outage.over("the lease is looked after again")
        self._lease.answered(request, sent, self._clock(), found)
        if self._lease.lost is not None:
            self._lost(self._lease.lost)
        elif request.purpose is Purpose.TAKE and self._lease.epoch != epoch:
            log.info("the lease is taken", extra={"epoch": self._lease.epoch})
            self._taken(self._lease.epoch)
        return True

    def _failed(self, error: StoreError) -> bool:
        self._error = str(error)
        self._outage.goes_on(f"the lease cannot be looked after: {error}")
        return False

    def _release(self) -> None:
        for _ in range(2):  # once more, should the answer to a renewal have got lost
            request = self._lease.release(self._clock())
            if request is None:
                return
            try:
                sent = self._clock()
                found = self._key.ask(request)
            except StoreError as error:
                log.warning("the lease could not be given back, it ends by itself: %s", error)
                return
            if found.changed:
                log.info("the lease is given back", extra={"epoch": self._lease.epoch})
                return
            self._lease.answered(request, sent, self._clock(), found)
