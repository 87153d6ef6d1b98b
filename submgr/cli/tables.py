# SPDX-License-Identifier: Apache-2.0
"""Tables for people at a terminal, and in plain columns for everybody else.

Into a pipe or a file a table goes without colours, lines and cut cells, two spaces between its columns. At a terminal
it is as wide as that, and colours tell good from bad, unless NO_COLOR is set.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from submgr.platform.printable import escaped

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

NOTHING = "-"
_GAP = "  "
Row = Any


def _no_style(row: Row) -> str:
    return ""


class Column(Struct, frozen=True):
    """A column: `cell` makes its text out of a row. `wide`: it is there with `-o wide` only.

    `right`: numbers. `folds`: at a narrow terminal the text goes on in the next line. `style`: of rich, for a row.
    """

    name: str
    cell: Callable[[Row], object]
    wide: bool = False
    right: bool = False
    folds: bool = False
    style: Callable[[Row], str] = _no_style

    def text(self, row: Row) -> str:
        """The cell on one line, without what a terminal would obey; NOTHING for an empty one."""
        value = self.cell(row)
        return NOTHING if value is None or value == "" else printed(value)


def printed(value: object) -> str:
    """A value on one line, without what a terminal would obey."""
    return escaped(str(value)).replace("\n", " ")


def counted(number: int, what: str) -> str:
    """A number of things in words: `1 record`, `2 records`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def columns_of(columns: Iterable[Column], wide: bool) -> list[Column]:
    """Those of a table, or of a wide one."""
    return [column for column in columns if wide or not column.wide]


def plain(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a table. A table whose columns have no names has no head."""
    cells = [[column.text(row) for column in columns] for row in rows]
    if any(column.name for column in columns):
        cells.insert(0, [column.name for column in columns])
    widths = [max((len(line[at]) for line in cells), default=0) for at in range(len(columns))]
    for line in cells:
        padded = [
            text.rjust(width) if column.right else text.ljust(width)
            for column, text, width in zip(columns, line, widths, strict=True)
        ]
        yield _GAP.join(padded).rstrip()


def drawn(columns: Sequence[Column], rows: Iterable[Row]) -> RenderableType:
    """The table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=False)
    for column in columns:
        table.show_header = table.show_header or bool(column.name)
        justify = "right" if column.right else "left"
        table.add_column(column.name, justify=justify, no_wrap=not column.folds, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(column.text(row), style=column.style(row)) for column in columns))
    return table


def at_terminal() -> bool:
    """Whether somebody looks at the standard output."""
    return sys.stdout.isatty()


def terminal() -> Console:
    """The terminal, as rich writes to it."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def show(columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Prints a table."""
    if at_terminal():
        terminal().print(drawn(columns, rows))
        return
    for line in plain(columns, rows):
        click.echo(line)
