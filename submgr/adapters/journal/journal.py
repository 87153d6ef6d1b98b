# SPDX-License-Identifier: Apache-2.0
"""The journal: a ring of what has happened lately. Clients read it, follow it, and go on where they stopped."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from heapq import merge

from gevent.event import Event

from submgr.adapters.journal.entries import Entry, Facts, Happening, Kind, Severity

PLACES = {Severity.INFO: 2500, Severity.WARNING: 2000, Severity.ERROR: 500}
"""Entries that are kept. Each severity has places of its own: a flood of successes pushes no failure out."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Journal:
    """Entries get a number each. `run` tells the entries of this process from those of an earlier one.

    Nothing here blocks but `wait`. `clock`: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.run = _base36(int(clock() * 1000))
        self.last = 0
        """The number of the newest entry."""
        self.closed = False
        """Whether those who follow are to end."""
        self._kept: dict[Severity, deque[Entry]] = {each: deque() for each in Severity}
        self._gone = dict.fromkeys(Severity, 0)
        self._changed = Event()
        self._awaited = False

    def add(self, kind: Kind, severity: Severity, happening: Facts | Happening) -> Entry:
        """Writes an entry; the oldest one of its severity makes room."""
        self.last += 1
        entry = Entry(self.last, self._clock(), kind, severity, happening)
        kept = self._kept[severity]
        kept.append(entry)
        if len(kept) > PLACES[severity]:
            self._gone[severity] = kept.popleft().number
        if self._awaited:
            self._tell()
        return entry

    def newest_first(self) -> Iterator[Entry]:
        """All entries that are kept now."""
        kept = [list(entries)[::-1] for entries in self._kept.values()]
        return merge(*kept, key=lambda entry: -entry.number)

    def after(self, number: int) -> list[Entry]:
        """The entries after `number`, the oldest first."""
        found = []
        for entries in self._kept.values():
            for entry in reversed(entries):
                if entry.number <= number:
                    break
                found.append(entry)
        found.sort(key=lambda entry: entry.number)
        return found

    def missed(self, number: int, least: Severity = Severity.INFO) -> int:
        """How many entries after `number` are gone; 0 as well when none of at least this severity is."""
        if all(self._gone[severity] <= number for severity in Severity if severity >= least):
            return 0
        return self.last - number - len(self.after(number))

    def id_of(self, entry: Entry) -> str:
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
        """Returns when there is an entry after `number`, when the journal is closed, or after `timeout` seconds."""
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
