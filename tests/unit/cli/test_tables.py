# SPDX-License-Identifier: Apache-2.0
"""Tables: plain columns for programs, as wide as the terminal for people."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from submgr.cli import tables
from submgr.cli.tables import Column, columns_of, drawn, plain, printed

COLUMNS = (
    Column("NAME", lambda row: row[0]),
    Column("N", lambda row: row[1], right=True),
    Column("WORDS", lambda row: row[2], wide=True, folds=True, style=lambda row: "red"),
)
ROWS = [("a", 1, "all is well"), ("longer", 100, ""), ("[red]x", None, "two\nlines\x1b[0m\u202e")]


def test_plain_columns() -> None:
    assert list(plain(columns_of(COLUMNS, True), ROWS)) == [
        "NAME      N  WORDS",
        "a         1  all is well",
        "longer  100  -",
        "[red]x    -  two lines\\u001b[0m\\u202e",
    ]
    assert list(plain(columns_of(COLUMNS, False), ROWS[:1])) == ["NAME  N", "a     1"]


def test_a_table_without_names_has_no_head() -> None:
    columns = (Column("", lambda row: row[0]), Column("", lambda row: row[1]))
    assert list(plain(columns, [("a", "b")])) == ["a  b"]
    assert list(plain(columns, [])) == []


@pytest.mark.parametrize("width", [20, 40, 120])
def test_a_terminal_gets_no_line_that_is_wider(width: int) -> None:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None, highlight=False, markup=False)
    console.print(drawn(columns_of(COLUMNS, True), ROWS))
    lines = file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    text = " ".join(" ".join(line.split()) for line in lines)
    assert "longer" in text and "[red]x" in text, "names are whole, and no markup"
    assert "\x1b[0m" not in file.getvalue()


def test_into_a_pipe_nothing_of_a_terminal_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    assert not tables.at_terminal()
    tables.show(COLUMNS, ROWS[:1])
    assert capsys.readouterr().out == "NAME  N  WORDS\na     1  all is well\n"


def test_what_is_printed_is_one_line() -> None:
    assert printed("a\nb\tc\x9b") == "a b\\u0009c\\u009b"
    assert printed(7) == "7"
