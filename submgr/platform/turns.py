# SPDX-License-Identifier: Apache-2.0
"""Long work in a greenlet without holding up the others: the one place that gives others their turn.

`gevent.sleep(0)` does not help: it lets other greenlets run, but the event loop does not look at its sockets. Every
function here but `step_back` sleeps for a moment that is longer than nothing, so that sockets and timers are looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import gevent
from gevent.event import Event

T = TypeVar("T")

SLICE = 0.005
"""Seconds of work after which the others have their turn."""

_A_MOMENT = 1e-6
"""Seconds. Longer than nothing, so that the event loop goes round once and looks at sockets and timers."""

_last_paused: Event | None = None
"""Set when the greenlet that paused last goes on. Each waits for the one before it: a lock would let the greenlet that
has just gone on take it again before those that wait for it."""


def turn() -> None:
    """Gives every other greenlet, socket and timer one turn. For work that is short but never waits for anything."""
    gevent.sleep(_A_MOMENT)


def step_back() -> None:
    """Lets every greenlet that is ready go first. The event loop does not look at its sockets: for who does no work of
    its own and bounds that of the others."""
    gevent.sleep(0)


def pause() -> None:
    """Gives the others one turn between two slices of long work.

    Two greenlets at long work go on in different turns of the event loop: twenty slices in one turn would hold up the
    rest as long as one long slice does. They go on in the order in which they paused.
    """
    global _last_paused
    before, goes_on = _last_paused, Event()
    _last_paused = goes_on
    try:
        if before is not None:
            before.wait()
        gevent.sleep(_A_MOMENT)
    finally:
        goes_on.set()


class Budget:
    """A slice of time for long work. `spend()` gives the others their turn when the slice is used up.

    `seconds`: the length of a slice. The first slice begins when the budget is made or `renew`ed. `give` gives the
    others their turn: `pause`, or `turn` for slices that are so short that many of them may share one turn of the event
    loop.
    """

    __slots__ = ("_give", "_seconds", "_until")

    def __init__(self, seconds: float = SLICE, give: Callable[[], None] = pause) -> None:
        self._seconds = seconds
        self._give = give
        self._until = time.monotonic() + seconds

    def renew(self) -> None:
        """Begins a new slice: the greenlet has just waited for something, so the others have had their turn."""
        self._until = time.monotonic() + self._seconds

    def spend(self) -> None:
        """Call it after each piece of the work; returns at once while the slice lasts."""
        if time.monotonic() > self._until:
            self._give()
            self._until = time.monotonic() + self._seconds


def in_turns(items: Iterable[T], budget: Budget | None = None) -> Iterator[T]:
    """Yields the items; after each few milliseconds of work on them, everybody else has a turn.

    Loops within a loop use one `budget`: a thousand short ones with a slice each would give no turn at all.
    The collection must not change meanwhile: give a copy.
    """
    budget = budget or Budget()
    for item in items:
        yield item
        budget.spend()
