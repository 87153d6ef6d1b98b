# SPDX-License-Identifier: Apache-2.0
"""The events of E2 Manager that have come and are not taken yet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from submgr.adapters.rnib.messages import ConnectionState, NodeEntry

_BADNESS = {ConnectionState.CONNECTED: 0, ConnectionState.UNDER_RESET: 1, ConnectionState.DISCONNECTED: 2}


class PendingEvents:
    """Keeps at most two events of a node, however many come: the worst one and the last one.

    They are what counts: whether the connection was lost in between, and what it is now.
    """

    def __init__(self) -> None:
        self._added = 0
        self._events: OrderedDict[int, NodeEntry] = OrderedDict()
        self._of_node: dict[str, list[int]] = {}

    def add(self, events: Iterable[NodeEntry]) -> None:
        for event in events:
            self._added += 1
            numbers = self._of_node.setdefault(event.name, [])
            if len(numbers) > 1:
                better = min(numbers, key=lambda number: _BADNESS[self._events[number].state])
                numbers.remove(better)
                del self._events[better]
            numbers.append(self._added)
            self._events[self._added] = event

    def take(self) -> NodeEntry | None:
        """The event that has waited longest; None when none waits."""
        if not self._events:
            return None
        _, event = self._events.popitem(last=False)
        numbers = self._of_node[event.name]
        del numbers[0]
        if not numbers:
            del self._of_node[event.name]
        return event
