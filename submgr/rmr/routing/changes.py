# SPDX-License-Identifier: Apache-2.0
"""What the records of a route table change, and the table that comes of the changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from msgspec import Struct, field

from submgr.rmr.message import NO_SUB_ID
from submgr.rmr.routing import records
from submgr.rmr.routing.records import Destination, Unreadable
from submgr.rmr.routing.table import Route, RouteTable, Skipped, copied

K = TypeVar("K")
V = TypeVar("V")
MAX_RECORDS = 2_000_000
"""Records (and meids) of one table."""
MAX_MEMORY = 256 << 20
"""Bytes, about, that a table may take. A real one of 917,000 routes for 65,534 subscriptions fits."""
ENTRY = 200
"""Bytes that a route or a meid takes, about."""
_NAME = 120
"""Bytes that an endpoint name takes in a destination, about."""
_REMEMBERED = 20_000
_REMEMBERED_SIZE = 256
"""Characters of a text that is remembered."""
_STALE_NAMES = 2
"""Names, for each route and meid of a table, from which on those that have left it are looked for."""
_FEW = 1000


class TooLarge(ValueError):
    """A table would take more than MAX_MEMORY."""


class _Live(Generic[K, V]):
    """Entries that are changed in place; `shown` is how others see them."""

    def __init__(self, entries: dict[K, V]) -> None:
        self._entries = entries
        self.shown: Mapping[K, V] = MappingProxyType(entries)

    def change(self, changes: Mapping[K, V | None]) -> None:
        """Changes all at once; None deletes."""
        self._entries.update(cast("Mapping[K, V]", changes))
        for key in [key for key, value in changes.items() if value is None]:
            del self._entries[key]


class Tables:
    """The last complete table of several readers, and what they remember together.

    `own_names` are the "host:port" names of this process. `table` is at first `base`. `full` tells whether a full table
    has come; `base` is none. `kept` has the changes of the updates that came before it.

    An update costs what it changes, not what the table has: it changes the routes and meids of `table` in place, at
    once and as a whole. Those of `base`, which others may have as well, are copied before their first change.
    """

    def __init__(self, own_names: frozenset[str] = frozenset(), base: RouteTable | None = None) -> None:
        self.own = own_names
        self.table = base
        self.full = False
        self.kept: dict[tuple[int, int], Route | None] = {}
        self.made = 0
        """Bytes, about, of all destinations that were read."""
        self._routes: _Live[tuple[int, int], Route] | None = None
        self._meids: _Live[str, str] | None = None
        self._names: set[str] | None = None
        self._memory = 0 if base is None else _memory(base)
        self._kept_memory = 0
        self._destinations: dict[str, Destination] = {}
        self._ours: dict[str, bool] = {}

    def destination(self, text: str) -> Destination:
        """Reads a target field; one object for each text that is not too long. Raises Unreadable."""
        known = self._destinations.get(text)
        if known is None:
            known = records.destination(text, self.own)
            self.made += _size(known.route)
            _remember(self._destinations, text, known)
        return known

    def ours(self, senders: str) -> bool:
        """Whether a list of senders has one of our names."""
        known = self._ours.get(senders)
        if known is None:
            known = not self.own.isdisjoint(name.strip() for name in senders.split(","))
            _remember(self._ours, senders, known)
        return known

    def complete(self, opened: OpenTable, skipped: Skipped) -> RouteTable | None:
        """The table in force after a finished one; None for an update that is kept until a full table comes.

        Raises TooLarge when it would take too much memory.
        """
        base = self.table or RouteTable()
        if opened.kind == "newrt":
            self.table = self._new(base, opened, skipped)
        elif opened.kind == "updatert" and not self.full:
            self._keep(opened)
            return None
        else:
            self._bound(base, opened.memory)
            if opened.kind == "meid_map":
                changes: dict[str, Any] = {"name": base.name or opened.table_id, "skipped_meids": skipped}
            else:
                changes = {"skipped": base.skipped + skipped}
            self.table = self._changed(base, opened, changes)
        return self.table

    def _new(self, base: RouteTable, opened: OpenTable, skipped: Skipped) -> RouteTable:
        # a new table deletes nothing
        self._routes = _Live(cast("dict[tuple[int, int], Route]", opened.routes))
        self._routes.change(self.kept)
        names = self._names = opened.names.union(base.meids.values())
        names.update(name for route in self.kept.values() if route for group in route.groups for name in group)
        self._memory = opened.memory + self._kept_memory + ENTRY * len(base.meids)
        self.full, self.kept, self._kept_memory = True, {}, 0
        shown = self._routes.shown
        return RouteTable(shown, base.meids, opened.table_id, opened.for_others, skipped, base.skipped_meids, names)

    def _keep(self, opened: OpenTable) -> None:
        if self._kept_memory + opened.memory > MAX_MEMORY:
            self.kept, self._kept_memory = {}, 0
        self.kept.update(opened.routes)
        self._kept_memory += opened.memory

    def _changed(self, base: RouteTable, opened: OpenTable, changes: dict[str, Any]) -> RouteTable:
        if opened.routes:
            self._routes = self._routes or _Live(copied(base.routes))
            self._routes.change(opened.routes)
            changes["routes"] = self._routes.shown
        if opened.meids:
            self._meids = self._meids or _Live(copied(base.meids))
            self._meids.change(opened.meids)
            changes["meids"] = self._meids.shown
        names = self._names
        if names is None or len(names) > _STALE_NAMES * (len(base.routes) + len(base.meids) + _FEW):
            names = self._names = set(replace(base, names=None).endpoints())
        names.update(opened.names)
        return replace(base, names=names, **changes)

    def _bound(self, base: RouteTable, more: int) -> None:
        """Counts the memory of what is added. What it replaces is taken off only when there seems to be too much."""
        if self._memory + more > MAX_MEMORY:
            self._memory = _memory(base)
        if self._memory + more > MAX_MEMORY:
            raise TooLarge(f"the table would take more than {MAX_MEMORY} bytes")
        self._memory += more


class OpenTable(Struct):
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
    """Characters."""
    memory: int = 0
    """Bytes, about."""
    for_others: int = 0


def _memory(table: RouteTable) -> int:
    distinct = {id(route): route for route in table.routes.values()}
    return ENTRY * (len(table.routes) + len(table.meids)) + sum(map(_size, distinct.values()))


def _size(route: Route) -> int:
    return _NAME * sum(map(len, route.groups))


def _remember(known: dict[str, V], text: str, value: V) -> None:
    if len(text) <= _REMEMBERED_SIZE:
        if len(known) >= _REMEMBERED:
            known.clear()
        known[text] = value


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
    made = tables.made
    destination = tables.destination(targets)
    opened.memory += ENTRY + tables.made - made
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
        opened.memory += ENTRY
        opened.routes[sub_id, records.number("message type", mtype, 0)] = None
    return ""


def _mme_ar(_tables: Tables, opened: OpenTable, fields: list[str]) -> str:
    records.needs(fields, 3, 3)
    owner = records.address(fields[1])
    meids, problem = records.meids(fields[2])
    opened.meids.update(dict.fromkeys(meids, owner))
    opened.memory += ENTRY * len(meids)
    opened.names.add(owner)
    return problem


def _mme_del(_tables: Tables, opened: OpenTable, fields: list[str]) -> str:
    records.needs(fields, 2, 2)
    meids, problem = records.meids(fields[1])
    opened.meids.update(dict.fromkeys(meids))
    opened.memory += ENTRY * len(meids)
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
