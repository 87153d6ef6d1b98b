# SPDX-License-Identifier: Apache-2.0
"""The table of the connection states, fed with events about one node and with readings of all nodes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from msgspec import Struct

from submgr.adapters.rnib.messages import ConnectionState
from submgr.platform.turns import in_turns

_log = logging.getLogger(__name__)

OnChange = Callable[[str, ConnectionState, bool], None]
"""Called with (Meid, state, again) for each change, in order. It must not block.

`again`: E2 Manager reported CONNECTED for a node that was CONNECTED already; the node may have lost its connection in
between.
"""

MOST_NODES = 50_000
"""An event makes no more nodes known than these."""

_COUNTERS = {
    ConnectionState.CONNECTED: "E2StateChangedToUp",
    ConnectionState.DISCONNECTED: "E2StateChangedToDown",
    ConnectionState.UNDER_RESET: "E2StateChangedToUnderReset",
}


def _nothing(*_: object) -> None:
    pass


class _Node(Struct):
    """`listed`: the last reading found the node in R-NIB. `told_at`: the number of the last event about the node."""

    state: ConnectionState = ConnectionState.UNKNOWN
    listed: bool = False
    told_at: int = 0


class ConnectionTable:
    """The state of each node's connection, from events about one node and from readings of all nodes.

    E2 Manager writes a node's record before it publishes the event. So a reading is newer than every event that came
    before the reading began, and an event that came during the reading is newer than the reading.

    E2 Manager renews a node's entry in two steps (SREM, then SADD), so that one reading may miss a node that is
    connected. The reader asks with `worse` which nodes would lose their connection by a reading, and spares them until
    a second reading has found the same.

    `count` is called with the name of the counter of each change (SubMgr user guide, Metrics).
    """

    def __init__(self, count: Callable[[str], None]) -> None:
        self.callback: OnChange = _nothing
        self._count = count
        self._nodes: dict[str, _Node] = {}
        self._events = 0

    def state(self, meid: str) -> ConnectionState:
        node = self._nodes.get(meid)
        return node.state if node else ConnectionState.UNKNOWN

    def connected(self) -> list[str]:
        return sorted(name for name, node in self._nodes.items() if node.state is ConnectionState.CONNECTED)

    def told(self, meid: str, state: ConnectionState) -> bool:
        """Takes an event. A node that was not known is known from now on.

        Returns False for yet another node when more are known already than there can be, and does nothing then.
        """
        if len(self._nodes) >= MOST_NODES and meid not in self._nodes:
            return False
        self._events += 1
        node = self._nodes.setdefault(meid, _Node())
        node.told_at = self._events
        self._set(meid, node, state, told=True)
        return True

    def mark(self) -> int:
        """The number of the last event. To be taken before a reading begins, and given to `read` after it."""
        return self._events

    def told_since(self, mark: int, meid: str) -> bool:
        """Whether an event about the node came after `mark` was taken."""
        node = self._nodes.get(meid)
        return node is not None and node.told_at > mark

    def names(self) -> list[str]:
        """The nodes of which anybody has told."""
        return list(self._nodes)

    def worse(self, mark: int, states: dict[str, ConnectionState | None]) -> set[str]:
        """The nodes that count as CONNECTED now and would not any more after `read(mark, states)`."""
        stays = (ConnectionState.CONNECTED, None)
        return {
            meid
            for meid, node in self._nodes.items()
            if node.state is ConnectionState.CONNECTED
            and node.told_at <= mark
            and (states[meid] not in stays if meid in states else node.listed)
        }

    def read(self, mark: int, states: dict[str, ConnectionState | None], spared: Collection[str] = frozenset()) -> None:
        """Takes a reading: all nodes that R-NIB has now. None: the node's record cannot be read, its state stays.

        Others have their turn meanwhile; an event that comes then is newer than the reading.
        A node that has gone from R-NIB becomes UNKNOWN. A node that no reading has ever found, only events, stays.
        The reading does not count for the nodes in `spared`.
        """
        for meid, state in in_turns(states.items()):
            if meid not in spared:
                self.read_one(mark, meid, state)
        for meid, node in in_turns(list(self._nodes.items())):
            if node.listed and meid not in states and node.told_at <= mark and meid not in spared:
                node.listed = False
                self._set(meid, node, ConnectionState.UNKNOWN)

    def read_one(self, mark: int, meid: str, state: ConnectionState | None) -> None:
        """Takes what R-NIB has of one node. None: its record cannot be read, its state stays."""
        node = self._nodes.setdefault(meid, _Node())
        node.listed = True
        if state is not None and node.told_at <= mark:
            self._set(meid, node, state)

    def _set(self, meid: str, node: _Node, state: ConnectionState, told: bool = False) -> None:
        before, node.state = node.state, state
        again = told and before is state is ConnectionState.CONNECTED
        if before is state and not again:
            return
        if told or before is not ConnectionState.UNKNOWN:
            if state in _COUNTERS:
                self._count(_COUNTERS[state])
            _log.info("E2 node %s: %s -> %s", meid, before, state)
        self.callback(meid, state, again)
