# SPDX-License-Identifier: Apache-2.0
"""`submgr check`: the mistakes in a file before anybody starts with it."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable
from pathlib import Path

import click

from submgr.cli.check import config, mec_files, routes
from submgr.cli.check.findings import Findings
from submgr.cli.check.kinds import Kind, recognised
from submgr.platform.masking import masked_text
from submgr.platform.printable import escaped
from submgr.rmr.routing.reader import LARGEST_TABLE

_STANDARD_INPUT = "<stdin>"
_MISTAKES, _NOT_CHECKED = 1, 2
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHECKS: dict[Kind, Callable[[str], Findings]] = {
    Kind.CONFIG: config.check,
    Kind.MEC: mec_files.check_data_file,
    Kind.PROXY: mec_files.check_list_of_mecs,
}


class _NotChecked(Exception):
    """A file cannot be read, or nobody knows what it is."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--as",
    "given",
    type=click.Choice([str(kind) for kind in Kind]),
    help="What FILE is; default: what its content tells.",
)
@click.option("--own", multiple=True, metavar="HOST:PORT", help="Whom a route table is for; may be repeated.")
def check(files: tuple[str, ...], given: str | None, own: tuple[str, ...]) -> None:
    """Find every mistake in a configuration file, route table, MEC data file or list of MECs.

    What a FILE is (- for standard input) is told by its content. Each mistake is a line FILE:LINE: WHAT, with the name
    that may have been meant. Files that a configuration names have to be readable here.

    Exit status: 0 no mistake; 1 mistakes; 2 wrong command line, or a file that cannot be read or recognised.
    """
    status = 0
    for file in files:
        name = _STANDARD_INPUT if file == "-" else file
        try:
            text = _read(file)
            kind = Kind(given) if given is not None else recognised(text, name)
            if kind is None:
                raise _NotChecked(f"not recognised; --as says what it is: {', '.join(Kind)}")
        except _NotChecked as failed:
            click.echo(escaped(f"{name}: {failed}"), err=True)
            status = _NOT_CHECKED
            continue
        found = routes.check(text, frozenset(own)) if kind is Kind.ROUTES else _CHECKS[kind](text)
        _tell(name, kind, found)
        status = max(status, _MISTAKES if found.count else 0)
    sys.exit(status)


def _tell(name: str, kind: Kind, found: Findings) -> None:
    for problem in found.problems:
        line = f":{problem.line}" if problem.line is not None else ""
        what = f"{problem.path}: " if problem.path else ""
        click.echo(escaped(masked_text(f"{name}{line}: {what}{problem.message}")))
    if more := found.count - len(found.problems):
        click.echo(f"{name}: and {more} more")
    mistakes = "no mistake" if not found.count else "1 mistake" if found.count == 1 else f"{found.count} mistakes"
    verdict = f": {found.verdict}" if found.count and found.verdict else ""
    click.echo(escaped(f"{name}: {kind.words}, {mistakes}{verdict}"), err=True)
    for note in found.notes:
        click.echo(escaped(f"{name}: {note}"), err=True)


def _read(file: str) -> str:
    """The text of a file: UTF-8, or UTF-16 with a byte-order mark; a mark is not part of it. Raises _NotChecked."""
    try:
        if file == "-":
            content = sys.stdin.buffer.read(LARGEST_TABLE + 1)
        else:
            with Path(file).open("rb") as opened:
                content = opened.read(LARGEST_TABLE + 1)
        if len(content) > LARGEST_TABLE:
            raise _NotChecked(f"larger than {LARGEST_TABLE} bytes, as no file of ours is")
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except OSError as failed:
        raise _NotChecked(failed.strerror or str(failed)) from failed
    except UnicodeDecodeError as failed:
        line = content.count(b"\n", 0, failed.start) + 1
        raise _NotChecked(f"no text in UTF-8: {failed.reason} in line {line}") from failed
