# SPDX-License-Identifier: Apache-2.0
"""What the records of a route table change, and the table that comes of the changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar, cast

from submgr.rmr.message import NO_SUB_ID
from submgr.rmr.routing import records
from submgr.rmr.routing.records import Destination, Unreadable
from submgr.rmr.routing.table import NONE_SKIPPED, Route, RouteTable, Skipped

K = TypeVar("K")
V = TypeVar("V")
MAX_RECORDS = 2_000_000
"""Records (and meids) of one table: a bound for memory."""
_REMEMBERED = 100_000

RouteChanges = Mapping[tuple[int, int], Route | None]
"""Changes of routes by (sub id, message type); None deletes."""


class Tables:
    """The last complete table of several readers, and what they remember together.

    `own_names` are the "host:port" names of this process. `table` is at first `base`. `full` tells whether a full table
    has come; `base` is none. `kept` has the changes of the updates that came before it.
    """

    def __init__(self, own_names: frozenset[str] = frozenset(), base: RouteTable | None = None) -> None:
        self.own = own_names
        self.table = base
        self.full = False
        self.kept: dict[tuple[int, int], Route | None] = {}
        self._destinations: dict[str, Destination] = {}
        self._ours: dict[str, bool] = {}

    def destination(self, text: str) -> Destination:
        """Reads a target field; one object for each text. Raises Unreadable."""
        known = self._destinations.get(text)
        if known is None:
            known = records.destination(text, self.own)
            if len(self._destinations) >= _REMEMBERED:
                self._destinations.clear()
            self._destinations[text] = known
        return known

    def complete(self, opened: OpenTable, skipped: Skipped) -> RouteTable | None:
        """The table in force after a finished one; None for an update that is kept until a full table comes."""
        base = self.table or RouteTable()
        if opened.kind == "meid_map":
            self.table = _with_meids(base, opened, skipped)
        elif opened.kind == "newrt":
            self.table = _new(base, opened, skipped)
            if self.kept:
                names = (name for route in self.kept.values() if route for group in route.groups for name in group)
                self.table = _updated(self.table, self.kept, names, NONE_SKIPPED)
            self.full, self.kept = True, {}
        elif self.full:
            self.table = _updated(base, opened.routes, opened.names, skipped)
        else:
            if len(self.kept) + len(opened.routes) > MAX_RECORDS:
                self.kept = {}
            self.kept.update(opened.routes)
            return None
        return self.table

    def ours(self, senders: str) -> bool:
        """Whether a list of senders has one of our names."""
        known = self._ours.get(senders)
        if known is None:
            known = not self.own.isdisjoint(name.strip() for name in senders.split(","))
            if len(self._ours) >= _REMEMBERED:
                self._ours.clear()
            self._ours[senders] = known
        return known


@dataclass(slots=True)
class OpenTable:
    """A table between its start and its end. A change to None is a deletion."""

    kind: str
    table_id: str
    routes: dict[tuple[int, int], Route | None] = field(default_factory=dict)
    meids: dict[str, str | None] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    count: int = 0
    uncounted: int = 0
    """Lines that the sender may or may not have counted, since they are no records of this kind of table."""
    size: int = 0
    for_others: int = 0


def _new(base: RouteTable, opened: OpenTable, skipped: Skipped) -> RouteTable:
    routes = cast("dict[tuple[int, int], Route]", opened.routes)  # a new table deletes nothing
    names = frozenset(opened.names.union(base.meids.values()))
    return RouteTable(
        MappingProxyType(routes), base.meids, opened.table_id, opened.for_others, skipped, base.skipped_meids, names
    )


def _updated(base: RouteTable, changes: RouteChanges, names: Iterable[str], skipped: Skipped) -> RouteTable:
    routes = _copy(base.routes)
    for key, route in changes.items():
        if route is None:
            routes.pop(key, None)
        else:
            routes[key] = route
    return replace(
        base,
        routes=MappingProxyType(routes),
        skipped=base.skipped + skipped,
        names=base.endpoints().union(names),
    )


def _with_meids(base: RouteTable, opened: OpenTable, skipped: Skipped) -> RouteTable:
    meids = _copy(base.meids)
    for meid, owner in opened.meids.items():
        if owner is None:
            meids.pop(meid, None)
        else:
            meids[meid] = owner
    return replace(
        base,
        meids=MappingProxyType(meids),
        name=base.name or opened.table_id,
        skipped_meids=skipped,
        names=base.endpoints().union(opened.names),
    )


def _copy(mapping: Mapping[K, V]) -> dict[K, V]:
    # dict() of a proxy goes entry by entry (250,000 in 0.1 s); its own copy is the dictionary's, 50 times faster
    return mapping.copy() if isinstance(mapping, MappingProxyType) else dict(mapping)


def _mtype(tables: Tables, opened: OpenTable, fields: list[str]) -> str | None:
    """The message type as it stands; None in a record for other senders, which is not looked at any further."""
    if len(fields) < 2:
        raise Unreadable(f"{fields[0]} has no message type")
    mtype, listed, senders = fields[1].partition(",")
    if listed and not tables.ours(senders):
        opened.for_others += 1
        return None
    return mtype.strip()


def _route(tables: Tables, opened: OpenTable, mtype: str, sub_id: str | None, targets: str) -> str:
    key = (
        NO_SUB_ID if sub_id is None else records.number("sub id", sub_id, NO_SUB_ID),
        records.number("message type", mtype, 0),
    )
    destination = tables.destination(targets)
    opened.routes[key] = destination.route
    opened.names.update(destination.names)
    return destination.problem


def _rte(tables: Tables, opened: OpenTable, fields: list[str]) -> str:
    mtype = _mtype(tables, opened, fields)
    if mtype is None:
        return ""
    records.needs(fields, 3, 4)
    return _route(tables, opened, mtype, fields[3] if len(fields) > 3 else None, fields[2])


def _mse(tables: Tables, opened: OpenTable, fields: list[str]) -> str:
    mtype = _mtype(tables, opened, fields)
    if mtype is None:
        return ""
    records.needs(fields, 4, 4)
    return _route(tables, opened, mtype, fields[2], fields[3])


def _del(tables: Tables, opened: OpenTable, fields: list[str]) -> str:
    mtype = _mtype(tables, opened, fields)
    if mtype is not None:
        records.needs(fields, 3, 3)
        sub_id = records.number("sub id", fields[2], NO_SUB_ID)
        opened.routes[sub_id, records.number("message type", mtype, 0)] = None
    return ""


def _mme_ar(_tables: Tables, opened: OpenTable, fields: list[str]) -> str:
    records.needs(fields, 3, 3)
    owner = records.address(fields[1])
    meids, problem = records.meids(fields[2])
    opened.meids.update(dict.fromkeys(meids, owner))
    opened.names.add(owner)
    return problem


def _mme_del(_tables: Tables, opened: OpenTable, fields: list[str]) -> str:
    records.needs(fields, 2, 2)
    meids, problem = records.meids(fields[1])
    opened.meids.update(dict.fromkeys(meids))
    return problem


ADDERS: Mapping[tuple[str, str], Callable[[Tables, OpenTable, list[str]], str]] = MappingProxyType(
    {
        ("newrt", "rte"): _rte,
        ("newrt", "mse"): _mse,
        ("updatert", "rte"): _rte,
        ("updatert", "mse"): _mse,
        ("updatert", "del"): _del,
        ("meid_map", "mme_ar"): _mme_ar,
        ("meid_map", "mme_del"): _mme_del,
    }
)
"""Take a record, by the kind of the table and of the record. They return what of the record was left out, "" for
nothing, and raise Unreadable when all of it is."""
BRACKETS = frozenset(table for table, _ in ADDERS)
IN_TABLES = frozenset(record for _, record in ADDERS)
