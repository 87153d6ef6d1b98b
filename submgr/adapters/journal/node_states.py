# SPDX-License-Identifier: Apache-2.0
"""When the E2 nodes got the state that they have, and an entry in the journal for each change."""

from __future__ import annotations

import time
from collections.abc import Callable

from submgr.adapters.journal.entries import Facts, Kind, Severity
from submgr.adapters.journal.journal import Journal
from submgr.adapters.rnib.messages import ConnectionState

WORDS = {
    ConnectionState.CONNECTED: "connected",
    ConnectionState.DISCONNECTED: "disconnected",
    ConnectionState.UNDER_RESET: "under reset",
    ConnectionState.UNKNOWN: "not known",
}


class NodeStates:
    """`changed` is called for each change, see `OnChange` of the connection table. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._clock = clock
        self._since: dict[str, tuple[ConnectionState, float]] = {}

    def changed(self, meid: str, state: ConnectionState, again: bool) -> None:
        known = self._since.get(meid)
        before = known[0] if known is not None else ConnectionState.UNKNOWN
        if again:
            words = f"E2 node {meid} is connected anew"
        elif before is ConnectionState.UNKNOWN:
            words = f"E2 node {meid} is {WORDS[state]}"
        else:
            words = f"E2 node {meid} is {WORDS[state]}, it was {WORDS[before]}"
        good = state is ConnectionState.CONNECTED
        self._since[meid] = (state, self._clock())
        self._journal.add(Kind.NODE, Severity.INFO if good else Severity.WARNING, Facts(words, meid=meid))

    def known(self) -> list[str]:
        """The nodes whose state has ever changed since the start."""
        return list(self._since)

    def since(self, meid: str) -> float | None:
        """When this node got its state, in seconds since 1970; None: it has always had it."""
        known = self._since.get(meid)
        return known[1] if known is not None else None
