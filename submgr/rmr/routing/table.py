# SPDX-License-Identifier: Apache-2.0
"""Route tables as values: which endpoints a message goes to. Their text is read by `submgr.rmr.routing.reader`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from submgr.rmr.message import NO_SUB_ID

Group = tuple[str, ...]
"""Endpoint names of which one gets the message, in turn (round robin)."""


class RouteTableError(Exception):
    """A route table is refused as a whole. `line` counts from 1 within the table's text."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Route:
    """Where a message of one type and sub id goes: one copy to each group, or to its meid's owner."""

    groups: tuple[Group, ...] = ()
    by_meid: bool = False


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Routes by (sub id, message type), and the owners of meids.

    `name` is the id the table came with. A route with sub id -1 is for every sub id without a route of its own. A table
    without routes is a complete table.
    """

    routes: Mapping[tuple[int, int], Route] = field(default_factory=lambda: MappingProxyType({}))
    meids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    name: str = ""

    def lookup(self, mtype: int, sub_id: int) -> Route | None:
        """The route of (sub id, type), else of (any, type)."""
        return self.routes.get((sub_id, mtype)) or self.routes.get((NO_SUB_ID, mtype))

    def endpoints(self) -> frozenset[str]:
        """Every endpoint name of the table."""
        named = {name for route in self.routes.values() for group in route.groups for name in group}
        return frozenset(named.union(self.meids.values()))

    def text(self) -> str:
        """The table in the text format of route tables; reading it gives an equal table."""
        records = []
        for (sub_id, mtype), route in sorted(self.routes.items()):
            groups = "%meid" if route.by_meid else ";".join(",".join(group) for group in route.groups)
            if groups:
                records.append(f"mse|{mtype}|{sub_id}|{groups}")
        lines = [f"newrt|start|{self.name}", *records, f"newrt|end|{len(records)}"]
        if self.meids:
            owners: dict[str, list[str]] = {}
            for meid, owner in self.meids.items():
                owners.setdefault(owner, []).append(meid)
            lines.append(f"meid_map|start|{self.name}")
            lines += [f"mme_ar|{owner}|{' '.join(meids)}" for owner, meids in owners.items()]
            lines.append(f"meid_map|end|{len(owners)}")
        return "\n".join(lines) + "\n"
