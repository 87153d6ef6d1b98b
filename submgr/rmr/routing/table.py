# SPDX-License-Identifier: Apache-2.0
"""Route tables as values: which endpoints a message goes to. Their text is read by `submgr.rmr.routing.reader`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from msgspec import Struct

from submgr.rmr.message import NO_SUB_ID

K = TypeVar("K")
V = TypeVar("V")
FIRST_SKIPPED = 20
"""So many skipped records of a table are kept with their text."""
Group = tuple[str, ...]
"""Endpoint names of which one gets the message, in turn (round robin)."""


class RouteTableError(Exception):
    """A route table is refused as a whole. `line` counts from 1 within the table's text."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class Route(Struct, frozen=True):
    """Where a message of one type and sub id goes: one copy to each group, or to its meid's owner."""

    groups: tuple[Group, ...] = ()
    by_meid: bool = False


class SkippedRecord(Struct, frozen=True):
    """A record, or an item of it, that cannot be read. `line` counts as in RouteTableError."""

    line: int
    reason: str
    text: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" + (f": {self.text!r}" if self.text else "")


class Skipped(Struct, frozen=True):
    """The records of a table that were skipped, wholly or in part: how many, and the first of them."""

    count: int = 0
    first: tuple[SkippedRecord, ...] = ()

    def __add__(self, other: Skipped) -> Skipped:
        return Skipped(self.count + other.count, (self.first + other.first)[:FIRST_SKIPPED])

    def told(self, most: int = FIRST_SKIPPED) -> str:
        """In words, "" when there are none."""
        if not self.count:
            return ""
        what = "route record" if self.count == 1 else "route records"
        shown = "; ".join(str(record) for record in self.first[:most])
        more = self.count - min(most, len(self.first))
        return f"{self.count} {what} skipped: {shown}" + (f"; and {more} more" if more else "")


NONE_SKIPPED = Skipped()


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Routes by (sub id, message type), and the owners of meids.

    `name` is the id the table came with. A route with sub id -1 is for every sub id without a route of its own. A table
    without routes is a complete table. `for_others` counts the records for other senders, `skipped` has the records of
    routes and `skipped_meids` those of meids that cannot be read. `names`: the endpoints, where they are known; there
    may be a few that no route leads to any more. An update changes routes and meids in place (`changes.Tables`): who
    reads them in several turns takes a `snapshot`.
    """

    routes: Mapping[tuple[int, int], Route] = field(default_factory=lambda: MappingProxyType({}))
    meids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    name: str = ""
    for_others: int = field(default=0, compare=False)
    skipped: Skipped = field(default=NONE_SKIPPED, compare=False)
    skipped_meids: Skipped = field(default=NONE_SKIPPED, compare=False)
    names: AbstractSet[str] | None = field(default=None, compare=False, repr=False)

    @property
    def unread(self) -> Skipped:
        """All records that were skipped, wholly or in part."""
        return self.skipped + self.skipped_meids

    def leads(self, mtype: int, sub_id: int, meid: str) -> bool:
        """Whether a message would have a destination."""
        route = self.lookup(mtype, sub_id)
        if route is None:
            return False
        return meid in self.meids if route.by_meid else bool(route.groups)

    def lookup(self, mtype: int, sub_id: int) -> Route | None:
        """The route of (sub id, type), else of (any, type)."""
        return self.routes.get((sub_id, mtype)) or self.routes.get((NO_SUB_ID, mtype))

    def endpoints(self) -> AbstractSet[str]:
        """Every endpoint name of the table."""
        if self.names is not None:
            return self.names
        named = {name for route in self.routes.values() for group in route.groups for name in group}
        return frozenset(named.union(self.meids.values()))

    def snapshot(self) -> RouteTable:
        """The table as it is now, which no update changes."""
        return replace(self, routes=MappingProxyType(copied(self.routes)), meids=MappingProxyType(copied(self.meids)))

    def lines(self) -> Iterator[str]:
        """The table in the text format of route tables, line by line; reading it gives an equal table."""
        yield f"newrt|start|{self.name}"
        records = 0
        for (sub_id, mtype), route in self.routes.items():
            groups = "%meid" if route.by_meid else ";".join(",".join(group) for group in route.groups)
            if groups:
                records += 1
                yield f"mse|{mtype}|{sub_id}|{groups}"
        yield f"newrt|end|{records}"
        if self.meids:
            yield f"meid_map|start|{self.name}"
            for meid, owner in self.meids.items():
                yield f"mme_ar|{owner}|{meid}"
            yield f"meid_map|end|{len(self.meids)}"

    def text(self) -> str:
        """The text of `lines`."""
        return "\n".join(self.lines()) + "\n"


def copied(mapping: Mapping[K, V]) -> dict[K, V]:
    """A dictionary of the same entries."""
    # dict() of a proxy goes entry by entry (250,000 in 0.1 s); its own copy is the dictionary's, 50 times faster
    return mapping.copy() if isinstance(mapping, MappingProxyType) else dict(mapping)
