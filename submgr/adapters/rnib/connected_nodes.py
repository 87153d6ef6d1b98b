# SPDX-License-Identifier: Apache-2.0
"""Which E2 nodes count as connected: what R-NIB says, or all of them (`checkE2State: "false"`)."""

from __future__ import annotations

from collections.abc import Callable

from submgr.adapters.rnib.connection_state import NodeState
from submgr.adapters.rnib.messages import Link

WORDS = {
    Link.CONNECTED: "connected",
    Link.DISCONNECTED: "not connected",
    Link.UNDER_RESET: "under reset",
    Link.UNKNOWN: "not known",
}


class ConnectedNodes:
    """The service's view of the E2 connections. `check` is asked each time: it can change by a reload."""

    def __init__(self, state: NodeState, check: Callable[[], bool]) -> None:
        self._state = state
        self._check = check

    def connected(self) -> list[str]:
        return self._state.connected()

    def link(self, meid: str) -> Link:
        return self._state.state(meid) if self._check() else Link.CONNECTED

    def is_connected(self, meid: str) -> bool:
        return self.link(meid) is Link.CONNECTED

    def knows(self, meid: str) -> bool:
        return self._state.state(meid) is not Link.UNKNOWN

    def describe(self, meid: str) -> str:
        return WORDS[self._state.state(meid)]
