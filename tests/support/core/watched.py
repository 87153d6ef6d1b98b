# SPDX-License-Identifier: Apache-2.0
"""Workers with everything round them, watched by a journal whose clock goes on by a second with each look."""

from __future__ import annotations

from collections.abc import Sequence

from submgr.adapters.journal.journal import Journal
from submgr.adapters.journal.observer import JournalObserver
from submgr.adapters.journal.outcomes import Outcomes
from submgr.adapters.journal.tallies import Tallies
from submgr.adapters.observers import Observers
from submgr.core import commands as c
from submgr.core import events as e
from support.core.outside import Outside, turns

START = 1_800_000_000.0


class Watched(Outside):
    """See the module. `when`: seconds since 1970."""

    def __init__(self) -> None:
        self.when = START
        self.journal = Journal(lambda: self.when)
        self.outcomes = Outcomes()
        self.tallies = Tallies(lambda: self.when)
        self.observer = JournalObserver(self.journal, self.outcomes, self.tallies, lambda: self.when)
        self.observers = Observers(self.observer)
        super().__init__()

    def saw(self, meid: str, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        self.when += 1
        super().saw(meid, event, commands)
        self.observers.saw(meid, event, commands)
        self.observers.tell()

    @staticmethod
    def turns() -> None:
        """Lets the workers do what there is to do."""
        turns()

    def words(self) -> list[str]:
        """Those of all entries, the oldest first."""
        return [entry.facts.words for entry in self.journal.after(0)]
