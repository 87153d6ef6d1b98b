# SPDX-License-Identifier: Apache-2.0
"""The parts of the journal together."""

from __future__ import annotations

from dataclasses import dataclass

from submgr.adapters.journal.entries import Facts, Kind, Severity
from submgr.adapters.journal.journal import Journal
from submgr.adapters.journal.node_states import NodeStates
from submgr.adapters.journal.observer import JournalObserver
from submgr.adapters.journal.outcomes import Outcomes
from submgr.adapters.journal.tallies import Tallies


@dataclass(frozen=True, slots=True)
class Journalling:
    """The journal, who writes it, and what is kept beside it."""

    journal: Journal
    outcomes: Outcomes
    tallies: Tallies
    observer: JournalObserver
    node_states: NodeStates

    def note(self, kind: Kind, severity: Severity, words: str, meid: str = "") -> None:
        """Writes a sentence into the journal."""
        self.journal.add(kind, severity, Facts(words, meid=meid))


def make_journal() -> Journalling:
    """A journal without entries."""
    journal, outcomes, tallies = Journal(), Outcomes(), Tallies()
    return Journalling(journal, outcomes, tallies, JournalObserver(journal, outcomes, tallies), NodeStates(journal))
