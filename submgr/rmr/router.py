# SPDX-License-Identifier: Apache-2.0
"""Picks the endpoints of a message from the table in force; the endpoints of a group take turns."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from submgr.platform.turns import in_turns
from submgr.rmr.message import Message
from submgr.rmr.routing.table import RouteTable
from submgr.rmr.transport import Failed


class Router:
    """The routing state of one transport: the table, and whose turn it is in each of its groups.

    `usable(name)` tells whether an endpoint is worth trying now. Within a group the router passes over unusable
    endpoints while another endpoint is usable. When none is, the endpoint whose turn it is gets the message.
    """

    def __init__(self, usable: Callable[[str], bool]) -> None:
        self._usable = usable
        self._turns: dict[tuple[str, ...], int] = {}
        self.table: RouteTable | None = None
        self.endpoints: AbstractSet[str] = frozenset()
        """Every endpoint name of the table in force; a few that have left it may be among them until `recount`."""

    def apply(self, table: RouteTable) -> None:
        """Puts a complete table in force at once."""
        self.table = table
        self.endpoints = table.endpoints()
        self._turns = {}

    def recount(self) -> AbstractSet[str]:
        """Sets `endpoints` to exactly those of the table. Long work with a large table: others get their turn."""
        table = self.table
        if table is None:
            return self.endpoints
        names = set(table.meids.values())
        for route in in_turns(list(table.routes.values())):
            for group in route.groups:
                names.update(group)
        if table is self.table:
            self.endpoints = frozenset(names)
        return self.endpoints

    def destinations(self, message: Message) -> list[str]:
        """One endpoint for each copy to be sent; empty when the message has nowhere to go."""
        table = self.table
        if table is None:
            return []
        route = table.lookup(message.mtype, message.sub_id)
        if route is None:
            return []
        if route.by_meid:
            owner = table.meids.get(message.meid)
            return [] if owner is None else [owner]
        return [group[0] if len(group) == 1 else self._next(group) for group in route.groups]

    def _next(self, group: tuple[str, ...]) -> str:
        turn = self._turns.get(group, 0)
        for step in range(len(group)):
            name = group[(turn + step) % len(group)]
            if self._usable(name):
                self._turns[group] = turn + step + 1
                return name
        self._turns[group] = turn + 1
        return group[turn % len(group)]


class Copies:
    """The copies of one message to several groups. Their sender is told once, when no accepted copy could be sent."""

    def __init__(self, failed: Failed | None) -> None:
        self._failed = failed
        self._lost = 0
        self.accepted = 0

    def failed(self, reason: str) -> None:
        """One of the copies was not sent."""
        self._lost += 1
        if self._lost == self.accepted and self._failed is not None:
            self._failed(reason)
