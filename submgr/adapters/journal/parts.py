# SPDX-License-Identifier: Apache-2.0
"""The parts of the journal together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from submgr.adapters.journal.audit import AuditEntries
from submgr.adapters.journal.entries import Facts, Kind, Severity
from submgr.adapters.journal.journal import Journal
from submgr.adapters.journal.node_states import NodeStates
from submgr.adapters.journal.observer import JournalObserver
from submgr.adapters.journal.outcomes import Outcomes
from submgr.adapters.journal.tallies import Tallies
from submgr.adapters.metrics.prometheus import Metrics

PROBLEMS = 5
"""Mistakes of a configuration file that an entry names."""


class Difference(Protocol):
    """See `submgr.reconciler.Difference`."""

    @property
    def what(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def meid(self) -> str: ...
    @property
    def why(self) -> str: ...


class Journalling(Struct, frozen=True):
    """The journal, who writes it, and what is kept beside it. `metrics` count what has an entry and a counter."""

    journal: Journal
    outcomes: Outcomes
    tallies: Tallies
    observer: JournalObserver
    node_states: NodeStates
    audit: AuditEntries
    metrics: Metrics

    def start(self, version: str) -> None:
        """The process starts."""
        self.audit.start()
        self.journal.add(Kind.START, Severity.INFO, Facts(f"submgr {version} starts"))

    def stop(self) -> None:
        self.audit.stop()

    def refusals(self, meids: Iterable[str]) -> dict[str, int]:
        """How many subscribes each of these E2 nodes has refused in a row."""
        return {meid: self.tallies.refused_in_a_row(meid) for meid in meids}

    def crashed(self, meid: str) -> None:
        """A worker ended by a bug."""
        self.metrics.worker_failed()
        words = f"the worker of E2 node {meid} ended by a bug and was started anew, see the log"
        self.journal.add(Kind.REPAIR, Severity.ERROR, Facts(words, meid=meid))

    def refused(self, problems: Sequence[str]) -> None:
        """A new content of the configuration file was refused."""
        words = f"configuration refused, the old values stay: {'; '.join(problems[:PROBLEMS])}"
        self.journal.add(Kind.CONFIGURATION, Severity.ERROR, Facts(words))

    def taken_over(self) -> None:
        """This process has taken the lease."""
        self.metrics.taken_over()
        words = "this process has the lease, and takes over"
        self.journal.add(Kind.LEADERSHIP, Severity.INFO, Facts(words))

    def followed(self, why: str) -> str:
        """Another process is active, so that this one ends. Returns why."""
        self.journal.add(Kind.LEADERSHIP, Severity.ERROR, Facts(f"this process ends, another one is active: {why}"))
        return why

    def repaired(self, differences: Iterable[Difference]) -> None:
        """Differences to the database or the Routing Manager were repaired."""
        for each in differences:
            self.metrics.reconciled(each.what)
            is_rest = each.what == "rest_record"
            facts = Facts(
                f"repaired: {each.what.replace('_', ' ')} {each.key}: {each.why}",
                meid=each.meid,
                subscription_id=each.key if is_rest else "",
                instance_id=int(each.key) if not is_rest and each.key.isdecimal() else 0,
            )
            self.journal.add(Kind.REPAIR, Severity.WARNING, facts)


def make_journal(metrics: Metrics) -> Journalling:
    """A journal without entries."""
    journal, outcomes, tallies = Journal(), Outcomes(), Tallies()
    observer = JournalObserver(journal, outcomes, tallies)
    return Journalling(journal, outcomes, tallies, observer, NodeStates(journal), AuditEntries(journal), metrics)
