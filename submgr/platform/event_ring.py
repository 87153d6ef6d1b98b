# SPDX-License-Identifier: Apache-2.0
"""A ring of what has happened lately. Clients read it, follow it, and go on where they stopped."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from heapq import merge
from typing import Generic, Protocol, TypeVar

from gevent.event import Event

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class RingEntry(Protocol):
    """One event. `number` grows by one with each. `severity`: the greater the worse."""

    @property
    def number(self) -> int: ...

    @property
    def severity(self) -> int: ...


E = TypeVar("E", bound=RingEntry)


class EventRing(Generic[E]):
    """Entries get a number each. `run` tells the entries of this process from those of an earlier one.

    `places`: how many are kept of each severity. Each has places of its own: a flood of successes pushes no failure
    out. Nothing here blocks but `wait`. `clock`: seconds since 1970.
    """

    def __init__(self, places: Mapping[int, int], clock: Callable[[], float] = time.time) -> None:
        self._places = places
        self._severities = tuple(places)
        self._clock = clock
        self.run = _base36(abs(int(clock() * 1000)))
        self.last = 0
        """The number of the newest entry."""
        self.closed = False
        """Whether those who follow are to end."""
        self._kept: dict[int, deque[E]] = {each: deque() for each in places}
        self._gone = dict.fromkeys(places, 0)
        self._changed = Event()
        self._awaited = False

    def now(self) -> float:
        """The time of an entry that is made now."""
        return self._clock()

    def put(self, entry: E) -> E:
        """Writes an entry, whose number is the next after `last`. The oldest one of its severity makes room."""
        self.last += 1
        assert entry.number == self.last
        kept = self._kept[entry.severity]
        kept.append(entry)
        if len(kept) > self._places[entry.severity]:
            self._gone[entry.severity] = kept.popleft().number
        if self._awaited:
            self._tell()
        return entry

    def newest_first(self) -> Iterator[E]:
        """All entries that are kept now."""
        kept = [list(entries)[::-1] for entries in self._kept.values()]
        return merge(*kept, key=lambda entry: -entry.number)

    def after(self, number: int) -> list[E]:
        """The entries after `number`, the oldest first."""
        found = []
        for entries in self._kept.values():
            for entry in reversed(entries):
                if entry.number <= number:
                    break
                found.append(entry)
        found.sort(key=lambda entry: entry.number)
        return found

    def missed(self, number: int, least: int = 0) -> int:
        """How many entries after `number` are gone; 0 as well when none of at least this severity is."""
        if all(self._gone[severity] <= number for severity in self._severities if severity >= least):
            return 0
        return self.last - number - len(self.after(number))

    @property
    def gone(self) -> int:
        """The number of the newest entry that is not kept any more; 0: all are."""
        return max(self._gone.values())

    def id_of(self, entry: E) -> str:
        """The entry's number for clients."""
        return f"{self.run}-{entry.number}"

    def number_of(self, text: str) -> int | None:
        """The number in an id; None: it is of another run. Raises ValueError for what is no id."""
        run, separator, number = text.rpartition("-")
        known = run and separator and number.isascii() and number.isdecimal() and len(number) <= 18
        if not known or not all(digit in _DIGITS for digit in run):
            raise ValueError(f"{text[:40]!r} is no id of an event")
        return int(number) if run == self.run else None

    def wait(self, number: int, timeout: float) -> None:
        """Returns when there is an entry after `number`, when the ring is closed, or after `timeout` seconds."""
        if self.last > number or self.closed:
            return
        self._awaited = True
        self._changed.wait(timeout)

    def close(self) -> None:
        """Those who follow are to end."""
        self.closed = True
        self._tell()

    def _tell(self) -> None:
        self._awaited = False
        changed, self._changed = self._changed, Event()
        changed.set()


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
