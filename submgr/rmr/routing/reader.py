# SPDX-License-Identifier: Apache-2.0
"""Reads the text of route tables record by record: a whole file, or the pieces that a route manager sends.

    table   = newrt|start[|id]     *(rte | mse)        newrt|end[|count]
    update  = updatert|start[|id]  *(rte | mse | del)  updatert|end[|count]
    meids   = meid_map|start[|id]  *(mme_ar | mme_del) meid_map|end[|count[|md5]]

    rte     = rte|mtype[,sender...]|groups[|sub id]
    mse     = mse|mtype[,sender...]|sub id|groups
    del     = del|mtype[,sender...]|sub id
    mme_ar  = mme_ar|owner|meid meid ...
    mme_del = mme_del|meid meid ...
    groups  = endpoint[,endpoint...][;endpoint[,endpoint...]...]  or  %meid

A table with one bad record is refused as a whole, with the line and the reason. librmr skips what it cannot read, and
ends the process on some of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

from submgr.rmr.addresses import AddressError, split_address
from submgr.rmr.message import MEID_MAX, NO_SUB_ID
from submgr.rmr.routing.table import Group, Route, RouteTable, RouteTableError

ID_MISSING = "<id-missing>"
"""What stands for the id of a table that has none, as in librmr's answers."""
MAX_RECORDS = 200_000
"""Records (and meids) of one table: a bound for memory, far above any real table."""

_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one table: `table` when it is complete, else `error`, for which it was refused."""

    table_id: str
    table: RouteTable | None = None
    error: RouteTableError | None = None

    @property
    def reason(self) -> str:
        """Why the table was refused, "" when it was not."""
        return "" if self.error is None else str(self.error)


@dataclass(slots=True)
class _Open:
    """A table between its start and its end."""

    kind: str
    table_id: str
    routes: dict[tuple[int, int], Route]
    meids: dict[str, str]
    count: int = 0


class TableBuilder:
    """Builds route tables from records. `table` is the last complete table; at first it is `base`.

    `own_names` are the "host:port" names of this process. A record with a list of senders counts only when the list has
    one of these names, and none of them is ever kept as a destination. An update needs an earlier full table that came
    through the same builder.
    """

    def __init__(self, own_names: frozenset[str] = frozenset(), base: RouteTable | None = None) -> None:
        self._own = own_names
        self._open: _Open | None = None
        self._skipping = False
        self._full = False
        self._line = 0
        self.table = base

    def feed(self, text: str) -> list[Outcome]:
        """Takes whole records and returns what became of the tables they end or break.

        A broken table is reported at its first bad record; the rest of it is skipped. Lines are counted
        from the start record of the table they are in.
        """
        outcomes: list[Outcome] = []
        for fields in self._records(text):
            try:
                outcomes += self._record(fields)
            except RouteTableError as bad:
                outcomes.append(Outcome(self._open.table_id if self._open else ID_MISSING, error=bad))
                self._open, self._skipping = None, True
        return outcomes

    def finish(self) -> list[Outcome]:
        """To be called at the end of a file: an open table is refused."""
        if self._open is None:
            return []
        bad = RouteTableError(self._line, f"{self._open.kind}|end is missing")
        outcome = Outcome(self._open.table_id, error=bad)
        self._open = None
        return [outcome]

    def _records(self, text: str) -> Iterator[list[str]]:
        for line in _lines(text):
            self._line += 1
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            line = line.partition(" #")[0].partition("\t#")[0]
            yield [part.strip() for part in line.split("|")]

    def _fail(self, reason: str) -> RouteTableError:
        return RouteTableError(self._line, reason)

    def _record(self, fields: list[str]) -> list[Outcome]:
        kind = _kind(fields[0])
        if kind in ("newrt", "updatert", "meid_map"):
            return self._bracket(kind, fields)
        if self._open is None:
            if self._skipping:
                return []
            raise self._fail(f"{fields[0]!r} outside a table")
        add = _ADDERS.get((self._open.kind, kind))
        if add is None:
            what = "is no record" if kind == "" else f"does not belong into {self._open.kind}"
            raise self._fail(f"{fields[0]!r} {what}")
        self._open.count += 1
        if self._open.count > MAX_RECORDS or len(self._open.meids) > MAX_RECORDS:
            raise self._fail(f"more than {MAX_RECORDS} records")
        add(self, self._open, fields)
        return []

    def _bracket(self, kind: str, fields: list[str]) -> list[Outcome]:
        word = fields[1] if len(fields) > 1 else ""
        if word == "start":
            return self._start(kind, fields[2] if len(fields) > 2 and fields[2] else ID_MISSING)
        if word == "end":
            return self._end(kind, fields)
        raise self._fail(f"{kind} needs start or end, not {word!r}")

    def _start(self, kind: str, table_id: str) -> list[Outcome]:
        outcomes = []
        if self._open is not None:
            outcomes.append(Outcome(self._open.table_id, error=self._fail("table not complete")))
        self._line, self._open, self._skipping = 1, None, False
        if kind == "updatert" and not self._full:
            self._skipping = True
            outcomes.append(Outcome(table_id, error=self._fail("an update needs a full table before it")))
            return outcomes
        base = self.table or RouteTable()
        routes = {} if kind == "newrt" else dict(base.routes)
        self._open = _Open(kind, table_id, routes, dict(base.meids))
        return outcomes

    def _end(self, kind: str, fields: list[str]) -> list[Outcome]:
        opened = self._open
        if opened is None:
            if self._skipping:
                self._skipping = False
                return []
            raise self._fail(f"{kind}|end without {kind}|start")
        if opened.kind != kind:
            raise self._fail(f"{kind}|end in a table begun by {opened.kind}|start")
        if len(fields) > 2:
            expected = 0 if fields[2] == "" else self._number("count", fields[2], 0)
            if expected != opened.count:
                raise self._fail(f"missing table records: expected {expected} got {opened.count}")
        self._open = None
        name = opened.table_id if kind == "newrt" or self.table is None else self.table.name
        self.table = RouteTable(MappingProxyType(opened.routes), MappingProxyType(opened.meids), name)
        self._full = self._full or kind == "newrt"
        return [Outcome(opened.table_id, table=self.table)]

    def _number(self, what: str, text: str, lowest: int) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and lowest <= int(text) < _INT32):
            raise self._fail(f"{what} {text!r} is no number from {lowest} on")
        return int(text)

    def _needs(self, fields: list[str], least: int, most: int) -> None:
        if not least <= len(fields) <= most:
            form = f"{least}" if least == most else f"{least} to {most}"
            raise self._fail(f"{fields[0]} has {len(fields)} fields, {form} are expected")

    def _key(self, field: str) -> tuple[int, bool]:
        """The message type, and whether the record is for us."""
        mtype, *senders = [part.strip() for part in field.split(",")]
        number = self._number("message type", mtype, 0)
        for sender in senders:
            self._address(sender)
        return number, not senders or not self._own.isdisjoint(senders)

    def _address(self, name: str) -> str:
        try:
            split_address(name)
        except AddressError as bad:
            raise self._fail(str(bad)) from bad
        return name

    def _groups(self, field: str) -> Route:
        if field == "%meid":
            return Route(by_meid=True)
        groups: list[Group] = []
        for part in field.split(";"):
            names = [self._address(name.strip()) for name in part.split(",")]
            if others := tuple(name for name in names if name not in self._own):
                groups.append(others)
        return Route(tuple(groups))

    def _rte(self, opened: _Open, fields: list[str]) -> None:
        self._needs(fields, 3, 4)
        mtype, ours = self._key(fields[1])
        route = self._groups(fields[2])
        sub_id = self._number("sub id", fields[3], NO_SUB_ID) if len(fields) > 3 else NO_SUB_ID
        if ours:
            opened.routes[sub_id, mtype] = route

    def _mse(self, opened: _Open, fields: list[str]) -> None:
        self._needs(fields, 4, 4)
        mtype, ours = self._key(fields[1])
        sub_id = self._number("sub id", fields[2], NO_SUB_ID)
        route = self._groups(fields[3])
        if ours:
            opened.routes[sub_id, mtype] = route

    def _del(self, opened: _Open, fields: list[str]) -> None:
        self._needs(fields, 3, 3)
        mtype, ours = self._key(fields[1])
        sub_id = self._number("sub id", fields[2], NO_SUB_ID)
        if ours:
            opened.routes.pop((sub_id, mtype), None)

    def _meids(self, field: str) -> list[str]:
        meids = field.split()
        for meid in meids:
            if len(meid.encode()) > MEID_MAX:
                raise self._fail(f"meid {meid!r} is longer than {MEID_MAX} bytes")
        return meids

    def _mme_ar(self, opened: _Open, fields: list[str]) -> None:
        self._needs(fields, 3, 3)
        owner = self._address(fields[1])
        opened.meids.update(dict.fromkeys(self._meids(fields[2]), owner))

    def _mme_del(self, opened: _Open, fields: list[str]) -> None:
        self._needs(fields, 2, 2)
        for meid in self._meids(fields[1]):
            opened.meids.pop(meid, None)


_ADDERS: dict[tuple[str, str], Callable[[TableBuilder, _Open, list[str]], None]] = {
    ("newrt", "rte"): TableBuilder._rte,
    ("newrt", "mse"): TableBuilder._mse,
    ("updatert", "rte"): TableBuilder._rte,
    ("updatert", "mse"): TableBuilder._mse,
    ("updatert", "del"): TableBuilder._del,
    ("meid_map", "mme_ar"): TableBuilder._mme_ar,
    ("meid_map", "mme_del"): TableBuilder._mme_del,
}
_WHOLE_WORDS = frozenset({"mse", "meid_map", "mme_ar", "mme_del"})
_FIRST_LETTERS = {"n": "newrt", "r": "rte", "d": "del", "u": "updatert"}


def _lines(text: str) -> list[str]:
    """Lines as librmr sees them: a lone carriage return ends one too, zero bytes mean nothing."""
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return text.removesuffix("\n").split("\n")


def _kind(word: str) -> str:
    """The kind of a record: for n, r, d and u the first letter decides, as it does in librmr."""
    return word if word in _WHOLE_WORDS else _FIRST_LETTERS.get(word[:1], "")


def parse_routes(text: str, own_names: frozenset[str] = frozenset(), base: RouteTable | None = None) -> RouteTable:
    """The table that a whole text, as of a seed file, ends up with.

    `base` is the table in force, whose meids a new table keeps. Raises RouteTableError for the first bad
    record, with its line in the text, and for a text without a complete table.
    """
    builder = TableBuilder(own_names, base)
    lines = _lines(text)
    complete = False
    for number, line in enumerate(lines, 1):
        for outcome in builder.feed(line):
            if outcome.error is not None:
                raise RouteTableError(number, outcome.error.reason)
            complete = True
    for outcome in builder.finish():
        raise RouteTableError(len(lines), outcome.reason)
    if builder.table is None or not complete:
        raise RouteTableError(len(lines), "no complete table: newrt|start and newrt|end are expected")
    return builder.table
