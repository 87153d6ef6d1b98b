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

A record for other senders is passed over unread. A record that cannot be read is skipped: the table has the others, and
tells what was skipped. Only a fault of the frame refuses a table: no start, no end, a wrong count, too large.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from msgspec import Struct

from submgr.rmr.routing import records
from submgr.rmr.routing.changes import (
    ADDERS,
    BRACKETS,
    IN_TABLES,
    MAX_MEMORY,
    MAX_RECORDS,
    OpenTable,
    Tables,
    TooLarge,
)
from submgr.rmr.routing.lines import lines_of
from submgr.rmr.routing.records import Unreadable
from submgr.rmr.routing.table import FIRST_SKIPPED, NONE_SKIPPED, RouteTable, RouteTableError, Skipped, SkippedRecord

ID_MISSING = "<id-missing>"
"""What stands for the id of a table that has none, as in librmr's answers."""
LARGEST_TABLE = 128 << 20
"""Characters of one table. A real Routing Manager's has 529 for each subscription and endpoint, 700 with long names, so
65,534 subscriptions with two endpoints each fit."""
_SHOWN = 200


class Outcome(Struct, frozen=True):
    """What became of one table.

    `kind`: newrt, updatert or meid_map. `table`: the table in force, when this one is complete. `error`: why it was
    refused. Neither for an update that is kept until a full table comes. `skipped` has its records that cannot be read.
    """

    table_id: str
    kind: str = ""
    table: RouteTable | None = None
    error: RouteTableError | None = None
    skipped: Skipped = NONE_SKIPPED

    @property
    def reason(self) -> str:
        """Why the table was refused, "" when it was not."""
        return "" if self.error is None else str(self.error)


class TableBuilder:
    """Builds route tables from records; `table` is the last complete one.

    Readers of several streams share `tables`. An update changes the full table that came through them before. Without
    one it is kept until a full table comes, and is then applied to it.
    """

    def __init__(
        self,
        own_names: frozenset[str] = frozenset(),
        base: RouteTable | None = None,
        tables: Tables | None = None,
        whole_file: bool = False,
    ) -> None:
        """`whole_file`: lines are counted from the first one, not from the start record of their table."""
        self._tables = tables or Tables(own_names, base)
        self._whole_file = whole_file
        self._open: OpenTable | None = None
        self._skipping = False
        self._line = 0
        self._skipped = 0
        self._first_skipped: list[SkippedRecord] = []

    @property
    def table(self) -> RouteTable | None:
        """The last complete table."""
        return self._tables.table

    @property
    def unfinished(self) -> bool:
        """Whether a table has begun and not ended."""
        return self._open is not None

    @property
    def memory(self) -> int:
        """Bytes, about, of the unfinished table."""
        return 0 if self._open is None else self._open.memory

    def feed(self, text: str) -> list[Outcome]:
        """Takes whole records and returns what became of the tables they end or break."""
        return self.take(lines_of(text))

    def take(self, lines: Iterable[str]) -> list[Outcome]:
        """Takes records as lines. A broken table is reported where it breaks; the rest of it is passed over.

        Lines are counted from the start record of the table they are in.
        """
        outcomes: list[Outcome] = []
        for line in lines:
            self._line += 1
            try:
                self._take(line, outcomes)
            except Unreadable as bad:
                self._skip(str(bad), line)
            except RouteTableError as bad:
                outcomes.append(self._refused(bad))
                self._skipping = True
        return outcomes

    def finish(self) -> list[Outcome]:
        """To be called at the end of a file: an open table is refused."""
        if self._open is None:
            return []
        return [self._refused(self._fail(f"{self._open.kind}|end is missing"))]

    def left_over(self) -> Skipped:
        """What was skipped since the last table."""
        skipped = Skipped(self._skipped, tuple(self._first_skipped))
        self._skipped, self._first_skipped = 0, []
        return skipped

    def _take(self, line: str, outcomes: list[Outcome]) -> None:
        text = line.strip()
        if not text or text[0] == "#":
            return
        if "#" in text:
            text = text.partition(" #")[0].partition("\t#")[0]
        fields = text.split("|")
        if " " in text or "\t" in text:
            fields = [part.strip() for part in fields]
        kind, opened = records.kind_of(fields[0]), self._open
        if kind in BRACKETS and len(fields) > 1 and fields[1] in ("start", "end"):
            self._bracket(kind, fields, outcomes)
        elif opened is not None:
            if problem := self._record(opened, kind, fields, len(line)):
                self._skip(problem, line)
        elif kind in IN_TABLES:
            if not self._skipping:
                raise self._fail(f"{fields[0]!r} outside a table")
        elif not self._skipping:
            raise Unreadable(f"{fields[0]!r} {_out_of_place(kind, '')}")

    def _record(self, opened: OpenTable, kind: str, fields: list[str], size: int) -> str:
        """Takes a record; returns what of it was left out, "" for nothing."""
        opened.size += size + 1
        if opened.size > LARGEST_TABLE:
            raise self._fail(f"the table has more than {LARGEST_TABLE} characters")
        add = ADDERS.get((opened.kind, kind))
        if add is None:
            opened.uncounted += 1
            raise Unreadable(f"{fields[0]!r} {_out_of_place(kind, opened.kind)}")
        opened.count += 1
        if opened.count + opened.uncounted > MAX_RECORDS or len(opened.meids) > MAX_RECORDS:
            raise self._fail(f"more than {MAX_RECORDS} records")
        problem = add(self._tables, opened, fields)
        if opened.memory > MAX_MEMORY:
            raise self._fail(f"the table takes more than {MAX_MEMORY} bytes")
        return problem

    def _bracket(self, kind: str, fields: list[str], outcomes: list[Outcome]) -> None:
        if fields[1] == "end":
            self._end(kind, fields, outcomes)
            return
        if self._open is not None:
            outcomes.append(self._refused(self._fail("table not complete")))
        if not self._whole_file:
            self._line = 1
        self._skipping = False
        self._open = OpenTable(kind, fields[2] if len(fields) > 2 and fields[2] else ID_MISSING)

    def _end(self, kind: str, fields: list[str], outcomes: list[Outcome]) -> None:
        opened = self._open
        if opened is None:
            if not self._skipping:
                raise self._fail(f"{kind}|end without {kind}|start")
            self._skipping = False
            return
        if opened.kind != kind:
            raise self._fail(f"{kind}|end in a table begun by {opened.kind}|start")
        if len(fields) > 2:
            self._check_count(opened, fields[2])
        skipped = self.left_over()
        try:
            table = self._tables.complete(opened, skipped)
        except TooLarge as bad:
            raise self._fail(str(bad)) from bad
        self._open = None
        outcomes.append(Outcome(opened.table_id, kind, table, skipped=skipped))

    def _check_count(self, opened: OpenTable, text: str) -> None:
        try:
            expected = 0 if text == "" else records.number("count", text, 0)
        except Unreadable as bad:
            raise self._fail(str(bad)) from bad
        if not opened.count <= expected <= opened.count + opened.uncounted:
            raise self._fail(f"missing table records: expected {expected} got {opened.count}")

    def _refused(self, bad: RouteTableError) -> Outcome:
        opened, self._open = self._open, None
        if opened is None:
            return Outcome(ID_MISSING, error=bad)
        self.left_over()
        return Outcome(opened.table_id, opened.kind, error=bad)

    def _fail(self, reason: str) -> RouteTableError:
        return RouteTableError(self._line, reason)

    def _skip(self, reason: str, line: str) -> None:
        self._skipped += 1
        if len(self._first_skipped) < FIRST_SKIPPED:
            self._first_skipped.append(SkippedRecord(self._line, reason, line.strip()[:_SHOWN]))


def _out_of_place(kind: str, table: str) -> str:
    if kind in BRACKETS:
        return "needs start or end"
    return f"does not belong into {table}" if kind in IN_TABLES else "is no record"


def parse_routes(text: str, own_names: frozenset[str] = frozenset(), base: RouteTable | None = None) -> RouteTable:
    """The table that a whole text, as of a seed file, ends up with.

    `base` is the table in force, whose meids a new table keeps. What cannot be read is in `skipped` of the table, with
    its line in the text; so is a table that is refused beside a complete one. Raises RouteTableError for a text without
    a complete table, with the first fault in it.
    """
    reader = FileReader(own_names, base)
    reader.take(lines_of(text))
    return reader.finish()


class FileReader:
    """Reads a whole file that comes in pieces; see `parse_routes`."""

    def __init__(self, own_names: frozenset[str] = frozenset(), base: RouteTable | None = None) -> None:
        self._builder = TableBuilder(own_names, base, whole_file=True)
        self._refused: list[RouteTableError] = []
        self._complete = False
        self._lines = 0

    def take(self, lines: list[str]) -> None:
        """Takes the next lines."""
        self._lines += len(lines)
        self._note(self._builder.take(lines))

    def finish(self) -> RouteTable:
        """The table of all lines. Raises RouteTableError."""
        self._note(self._builder.finish())
        table = self._builder.table
        skipped = self._builder.left_over()
        if table is None or not self._complete:
            if self._refused:
                raise self._refused[0]
            nothing = "no complete table: newrt|start and newrt|end are expected"
            raise RouteTableError(self._lines, f"{nothing}; {skipped.told()}" if skipped.count else nothing)
        refused = tuple(SkippedRecord(bad.line, bad.reason) for bad in self._refused[:FIRST_SKIPPED])
        more = skipped + Skipped(len(self._refused), refused)
        return replace(table, skipped=table.skipped + more) if more.count else table

    def _note(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.error is not None:
                self._refused.append(outcome.error)
            self._complete = self._complete or outcome.table is not None
