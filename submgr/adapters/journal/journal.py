# SPDX-License-Identifier: Apache-2.0
"""The journal: a ring of what has happened lately. Clients read it, follow it, and go on where they stopped."""

from __future__ import annotations

import time
from collections.abc import Callable

from submgr.adapters.journal.entries import Entry, Facts, Happening, Kind, Severity
from submgr.platform.event_ring import EventRing

PLACES: dict[int, int] = {Severity.INFO: 2500, Severity.WARNING: 2000, Severity.ERROR: 500}
"""Entries that are kept. Each severity has places of its own: a flood of successes pushes no failure out."""


class Journal(EventRing[Entry]):
    """The events of the daemon. `clock`: seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__(PLACES, clock)

    def add(self, kind: Kind, severity: Severity, happening: Facts | Happening) -> Entry:
        """Writes an entry; the oldest one of its severity makes room."""
        return self.put(Entry(self.last + 1, self.now(), kind, severity, happening))
