# SPDX-License-Identifier: Apache-2.0
"""Looks each second at what can be well or not, also when there is no traffic, and writes down what has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import gevent

from submgr.adapters.journal.entries import Facts, Kind, Severity
from submgr.adapters.journal.journal import Journal
from submgr.platform.store.base import StoreStats
from submgr.platform.supervised import SupervisedLoop

INTERVAL = 1.0
"""Seconds between two looks."""
WELL_AFTER = 3
"""Looks in a row that must find it well before it counts as such: what comes and goes is one entry, not many."""

_KINDS = {
    "database": Kind.STORE,
    "rmr": Kind.ROUTE,
    "routes": Kind.ROUTE,
    "skipped routes": Kind.ROUTE,
    "E2 nodes": Kind.NODE,
    "TLS": Kind.CONFIGURATION,
    "background": Kind.REPAIR,
}
_ERRORS = ("database", "rmr", "background")


class Routes(Protocol):
    """The route table in force."""

    def __call__(self) -> tuple[int, int] | None:
        """Its routes and its meids; None when there is none, or nobody knows."""


class Conditions:
    """Writes an entry when something is not well any more, and when it is well again; when there is another route
    table; when the database has lost writes.

    `troubles`: what is not well, by name, with the reason. `stats`: of the database. `routes`: see `Routes`.
    """

    def __init__(
        self,
        journal: Journal,
        troubles: Callable[[], dict[str, str]],
        stats: Callable[[], StoreStats],
        routes: Routes,
    ) -> None:
        self._journal = journal
        self._troubles = troubles
        self._stats = stats
        self._routes = routes
        self._bad: dict[str, int] = {}
        """What is not well, with the looks in a row that have found it well."""
        self._was_ready = False
        self._why_not: str | None = None
        self._table: tuple[int, int] | None = None
        self._losses = 0
        self._loop = SupervisedLoop("conditions", self._step)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def look(self) -> None:
        """One look. Does not block."""
        found = self._troubles()
        self._look_at_role(found.pop("restore", None))
        for name, why in found.items():
            if name not in self._bad:
                severity = Severity.ERROR if name in _ERRORS else Severity.WARNING
                self._add(name, severity, f"{name}: {why}")
            self._bad[name] = 0
        for name in self._bad.keys() - found.keys():
            self._bad[name] += 1
            if self._bad[name] >= WELL_AFTER:
                del self._bad[name]
                self._add(name, Severity.INFO, f"{name}: well again")
        self._look_at_routes()
        self._look_at_losses()

    def _look_at_role(self, why_not: str | None) -> None:
        """Before this process answers for the subscriptions it starts, or is a standby; later it has lost that role."""
        if why_not == self._why_not or (why_not and self._why_not):
            return
        self._why_not = why_not
        if why_not is None:
            self._was_ready = True
            self._journal.add(Kind.START, Severity.INFO, Facts("ready for xApps"))
        elif self._was_ready:
            self._journal.add(Kind.LEADERSHIP, Severity.WARNING, Facts(f"not active any more: {why_not}"))
        else:
            self._journal.add(Kind.START, Severity.INFO, Facts(f"not ready yet: {why_not}"))

    def _look_at_routes(self) -> None:
        table, self._table = self._table, self._routes()
        if self._table is not None and self._table != table:
            routes, meids = self._table
            words = f"the RMR route table in force has {routes} routes and {meids} E2 nodes"
            self._journal.add(Kind.ROUTE, Severity.INFO, Facts(words))

    def _look_at_losses(self) -> None:
        losses, self._losses = self._losses, self._stats().losses
        if self._losses > losses:
            words = "the database came back without writes that it had acknowledged; they are written back from memory"
            self._journal.add(Kind.STORE, Severity.ERROR, Facts(words))

    def _add(self, name: str, severity: Severity, words: str) -> None:
        self._journal.add(_KINDS.get(name, Kind.CONFIGURATION), severity, Facts(words))

    def _step(self) -> None:
        self.look()
        gevent.sleep(INTERVAL)
