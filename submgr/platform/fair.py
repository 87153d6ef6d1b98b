# SPDX-License-Identifier: Apache-2.0
"""Shares each turn of the event loop among all peers whose messages are being worked on.

A `Budget` bounds what one greenlet does in a turn. A thousand greenlets whose sockets are ready in the same turn would
use a thousand slices before the event loop looks at its sockets again. Here all of them share one slice; who finds it
used up waits for one of the next turns. Those who have worked little go first, so that a peer that sends without an
end holds up nobody but those who do the same.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from time import monotonic

import gevent
from gevent.event import Event

from submgr.platform.turns import step_back, turn

SLICE = 0.01
"""Seconds of one turn of the event loop that all shares together may use."""

LITTLE = 0.0005
"""Seconds that a peer may use at once. Who needs more goes behind all who have not had as much yet."""


class Share:
    """The share of one peer. Call `renew` when it has been waited for, and `spend` before each piece of work; `begin`
    is both at once.

    `costly`: each piece takes much more than others' do, and goes behind them.
    """

    __slots__ = ("_costly", "_ends", "_much", "_row", "_until")

    def __init__(self, costly: bool = False) -> None:
        self._costly = costly
        self._row = _row()
        self.renew()

    def renew(self) -> None:
        """What the peer sends now is a new piece of work."""
        self._until = self._ends = 0.0  # has not been let in
        self._much = self._costly

    def begin(self) -> None:
        """Lets the peer in with a new piece of work: at once when nobody waits and there is time left in this turn."""
        self._much = self._costly
        self._enter(monotonic())

    def lasts(self) -> bool:
        """Whether the peer may go on: `spend` would return at once."""
        return monotonic() <= self._ends

    def spend(self) -> None:
        """Returns at once while the peer may go on, else in one of the next turns."""
        now = monotonic()
        if now > self._ends:
            if 0 < self._until < now:
                self._much = True
            self._enter(now)

    def _enter(self, now: float) -> None:
        row = self._row
        end = row.until or row.begin(now)
        if now > end or row.little or row.much:
            row.wait(little=not self._much)
            now = monotonic()
            end = row.until or row.begin(now)
        self._until = until = now + LITTLE
        self._ends = until if until < end else end


def turn_is_used_up() -> bool:
    """Whether the peers have used up their slice of this turn of the event loop."""
    now, row = monotonic(), _row()
    return now > (row.until or row.begin(now))


def turns() -> int:
    """How many turns the event loop has made. A greenlet that finds another number than before has waited meanwhile,
    and sockets and timers have been looked at."""
    return _row().turns


class _Row:
    """Those who wait for one of the next turns of the event loop: they have worked `little`, or `much`."""

    def __init__(self) -> None:
        self.turns = 0
        self.until = 0.0
        """When the slice of the present turn ends. 0: it has not begun."""
        self.little: deque[Event] = deque()
        self.much: deque[Event] = deque()
        self._letting_in = False
        # called in each turn, before the event loop waits for its sockets
        self._turned = gevent.get_hub().loop.prepare(ref=False)
        self._turned.start(self._new_turn)

    def begin(self, now: float) -> float:
        """Begins the slice of this turn, and returns its end."""
        self.until = now + SLICE
        return self.until

    def wait(self, little: bool) -> None:
        """Waits for a turn: behind all who have worked `little`, or behind everybody."""
        mine = Event()
        (self.little if little else self.much).append(mine)
        if not self._letting_in:
            self._letting_in = True
            gevent.spawn(self._let_in)
        mine.wait()

    def _new_turn(self) -> None:
        self.turns += 1
        self.until = 0.0

    def _let_in(self) -> None:
        try:
            while self.little or self.much:
                turn()
                until = self.until = monotonic() + SLICE
                first = self.much or self.little  # one of them in each turn, so that they do not wait for ever
                while first and monotonic() <= until:
                    first.popleft().set()
                    step_back()  # goes on when the one let in waits for something
                    first = self.little or self.much
        finally:
            self._letting_in = False


@cache
def _row() -> _Row:
    return _Row()
