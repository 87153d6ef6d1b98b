# SPDX-License-Identifier: Apache-2.0
"""Which E2 nodes count as connected: those that R-NIB says are, or all of them (`checkE2State: "false"`)."""

from __future__ import annotations

from collections.abc import Callable

from submgr.adapters.rnib.connection_state import NodeState
from submgr.adapters.rnib.messages import ConnectionState
from submgr.adapters.rnib.ran_functions import RanFunction

WORDS = {
    ConnectionState.CONNECTED: "connected",
    ConnectionState.DISCONNECTED: "not connected",
    ConnectionState.UNDER_RESET: "under reset",
    ConnectionState.UNKNOWN: "not known",
}


class ConnectedNodes:
    """Answers the questions of the use cases and the workers about E2 connections.

    `check_e2_state` is called for each question, because a reload of the configuration can change the setting. While
    it returns False, every node counts as connected.
    """

    def __init__(self, node_state: NodeState, check_e2_state: Callable[[], bool]) -> None:
        self._node_state = node_state
        self._check_e2_state = check_e2_state

    def connected(self) -> list[str]:
        """The ranNames of the nodes that are CONNECTED in R-NIB, sorted, whatever the setting is."""
        return self._node_state.connected()

    def state(self, meid: str) -> ConnectionState:
        """The state that the node counts as having."""
        return self._node_state.state(meid) if self._check_e2_state() else ConnectionState.CONNECTED

    def is_connected(self, meid: str) -> bool:
        return self.state(meid) is ConnectionState.CONNECTED

    def is_connected_now(self, meid: str) -> bool:
        """As `is_connected`, but R-NIB is asked once more about a node that does not count as connected.

        E2 Manager renews a node's entry in two steps, and a reading in between misses the node. Blocks the calling
        greenlet for less than half a second; an answer that is younger than a second is not asked for again.
        """
        if self.is_connected(meid):
            return True
        self._node_state.look_again(meid)
        return self.is_connected(meid)

    def knows(self, meid: str) -> bool:
        """Whether R-NIB has the node, whatever the setting is."""
        return self._node_state.knows(meid)

    def functions(self, meid: str) -> tuple[RanFunction, ...]:
        """The RAN functions of the node by id, as far as they are in memory. None: nobody knows."""
        return self._node_state.functions(meid)

    def describe(self, meid: str) -> str:
        """The state of the node's connection in R-NIB, in words for an error text."""
        return WORDS[self._node_state.state(meid)]
