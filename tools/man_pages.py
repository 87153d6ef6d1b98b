# SPDX-License-Identifier: Apache-2.0
"""Writes a man page of each command from its own words: `python -m tools.man_pages DIRECTORY`.

click-man is a package for this; it does not see commands that are imported when they are asked for, hands lines that
begin with a dot to troff as they are, and has no place for an exit status.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from mec.cli import main as mec
from submgr.cli.main import main as submgr
from submgr.platform.commands import Programs
from submgr.platform.version import version

SECTION = "1"
_EXIT = re.compile(r"^Exit status: (.*)$", re.DOTALL)


def commands(context: click.Context) -> Iterator[click.Context]:
    """A command with all that are below it."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from commands(click.Context(command, info_name=name, parent=context))


def page(context: click.Context) -> str:
    """The man page of a command, in the language of troff."""
    command, path = context.command, context.command_path
    paragraphs = paragraphs_of(command.help or "")
    status = next((found[1] for text in paragraphs if (found := _EXIT.match(text))), "")
    described = [text for text in paragraphs if not _EXIT.match(text)]
    lines = [
        f'.TH "{_name(path).upper()}" "{SECTION}" "" "{_text(f"{path.split()[0]} {version()}")}" "User commands"',
        ".SH NAME",
        rf"{_text(_name(path))} \- {_text(described[0].rstrip('.') if described else path)}",
        ".SH SYNOPSIS",
        rf"\fB{_text(path)}\fP {_text(' '.join(command.collect_usage_pieces(context)))}",
    ]
    if described:
        lines.append(".SH DESCRIPTION")
        lines += _in_paragraphs(described)
    lines += _below(context)
    lines += _options(context)
    if status:
        lines += [".SH EXIT STATUS", _text(status)]
    if context.parent is not None:
        lines += [".SH SEE ALSO", rf"\fB{_text(_name(context.parent.command_path))}\fP({SECTION})"]
    return "\n".join(lines) + "\n"


def _below(context: click.Context) -> Iterator[str]:
    """The commands of a group, each with the first sentence of its page."""
    if not isinstance(context.command, click.Group):
        return
    yield ".SH COMMANDS"
    for name in context.command.list_commands(context):
        if isinstance(context.command, Programs):
            words = context.command.programs[name].help
        else:
            command = context.command.get_command(context, name)
            assert command is not None
            words = command.get_short_help_str(200)
        yield ".TP"
        yield rf"\fB{_text(_name(f'{context.command_path} {name}'))}\fP({SECTION})"
        yield _text(words)


def _options(context: click.Context) -> Iterator[str]:
    records = [record for each in context.command.get_params(context) if (record := each.get_help_record(context))]
    if records:
        yield ".SH OPTIONS"
    for names, words in records:
        yield ".TP"
        yield rf"\fB{_text(names)}\fP"
        yield _text(words)


def _name(path: str) -> str:
    """The name of a page: `submgr ctl subs` is submgr-ctl-subs."""
    return path.replace(" ", "-")


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs of a help text, each on one line."""
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip()) if paragraph.strip("\b \n")]


def _in_paragraphs(paragraphs: list[str]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        yield _text(paragraph)


def _text(text: str) -> str:
    """A text on one line that troff prints as it is."""
    escaped = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def write(directory: Path) -> int:
    """Writes all pages below `directory`, a part of MANPATH. Returns how many there are."""
    place = directory / f"man{SECTION}"
    place.mkdir(parents=True, exist_ok=True)
    count = 0
    for program, name in ((submgr, "submgr"), (mec, "mec")):
        for context in commands(click.Context(program, info_name=name)):
            (place / f"{_name(context.command_path)}.{SECTION}").write_text(page(context), encoding="utf-8")
            count += 1
    return count


if __name__ == "__main__":
    target = Path(sys.argv[1])
    print(f"{write(target)} pages in {target}/man{SECTION}")
