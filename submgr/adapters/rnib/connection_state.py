# SPDX-License-Identifier: Apache-2.0
"""The state of each E2 node's connection: the port, and the states that are set in the process.

`submgr.adapters.rnib.rnib_nodes` reads the states from R-NIB; these are for a run without an E2 Manager.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from submgr.adapters.rnib.connection_table import ConnectionTable, OnChange
from submgr.adapters.rnib.messages import ConnectionState
from submgr.adapters.rnib.ran_functions import RanFunction

_log = logging.getLogger(__name__)


def _nothing(*_: object) -> None:
    pass


class NodeState(Protocol):
    """The source of the connection states. A node is named by its Meid, which is its ranName."""

    def on_change(self, callback: OnChange) -> None:
        """Has `callback` called for each change. To be used before `start`."""

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def state(self, meid: str) -> ConnectionState:
        """The state of this node's connection; UNKNOWN for a node that is not known."""

    def look_again(self, meid: str) -> None:
        """Reads the state of one node, which may not be what it was. Returns within half a second."""

    def knows(self, meid: str) -> bool:
        """Whether anybody has told of this node."""

    def functions(self, meid: str) -> tuple[RanFunction, ...]:
        """The RAN functions of this node by id, as far as they are in memory. None: nobody knows."""

    def connected(self) -> list[str]:
        """Names of the nodes that are CONNECTED, sorted."""

    def known(self) -> bool:
        """Whether all nodes have been read at least once."""

    def stale(self) -> bool:
        """Whether states may have changed since without being noticed here."""

    def trouble(self) -> str | None:
        """What may be wrong with the states, in words; None when nothing is."""


class LocalNodeState:
    """Connection states that the simulator of the nodes sets.

    `everything_up`: a node that was never set counts as CONNECTED. This is for real E2 nodes without an R-NIB.
    """

    def __init__(self, *, everything_up: bool = False, count: Callable[[str], None] = _nothing) -> None:
        self._everything_up = everything_up
        self._table = ConnectionTable(count)
        self._functions: dict[str, tuple[RanFunction, ...]] = {}

    def on_change(self, callback: OnChange) -> None:
        self._table.callback = callback

    def start(self) -> None:
        if self._everything_up:
            _log.warning("the state of the E2 nodes is not watched: every one counts as connected")

    def stop(self) -> None:
        pass

    def set(self, meid: str, state: ConnectionState) -> None:
        """The simulator reports the state of a node."""
        self._table.told(meid, state)

    def set_functions(self, meid: str, functions: tuple[RanFunction, ...]) -> None:
        """The simulator reports what a node has announced."""
        self._functions[meid] = functions

    def functions(self, meid: str) -> tuple[RanFunction, ...]:
        return self._functions.get(meid, ())

    def state(self, meid: str) -> ConnectionState:
        state = self._table.state(meid)
        return ConnectionState.CONNECTED if state is ConnectionState.UNKNOWN and self._everything_up else state

    def look_again(self, meid: str) -> None:
        pass

    def knows(self, meid: str) -> bool:
        return self._table.state(meid) is not ConnectionState.UNKNOWN

    def connected(self) -> list[str]:
        return self._table.connected()

    def known(self) -> bool:
        return True

    def stale(self) -> bool:
        return False

    def trouble(self) -> str | None:
        return None
