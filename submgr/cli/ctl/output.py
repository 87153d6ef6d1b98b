# SPDX-License-Identifier: Apache-2.0
"""The forms of an answer: a table, a wide one, names alone, JSON and YAML."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, TypeVar

import click
import yaml

from submgr.cli.tables import printed

F = TypeVar("F", bound=Callable[..., Any])


class Output(StrEnum):
    """What `-o` says."""

    TABLE = "table"
    WIDE = "wide"
    NAME = "name"
    JSON = "json"
    YAML = "yaml"

    @property
    def wide(self) -> bool:
        return self is Output.WIDE


_HELP = {
    Output.TABLE: "for people",
    Output.WIDE: "with more columns",
    Output.NAME: "one name a line",
    Output.JSON: "the answer of the interface",
    Output.YAML: "the same",
}


def output_option(*forms: Output) -> Callable[[F], F]:
    """The option `-o` of a command that has these forms; the first one is the default."""
    words = ", ".join(f"{form}: {_HELP[form]}" for form in forms)
    return click.option(
        "-o",
        "--output",
        type=click.Choice([str(form) for form in forms]),
        default=str(forms[0]),
        show_default=True,
        callback=lambda _ctx, _option, value: Output(value),
        help=f"{words}.",
    )


EVERY_FORM = (Output.TABLE, Output.WIDE, Output.NAME, Output.JSON, Output.YAML)
WITHOUT_NAMES = (Output.TABLE, Output.WIDE, Output.JSON, Output.YAML)


def answered(output: Output, answer: Any, table: Callable[[], None], names: Iterable[object] = ()) -> None:
    """Prints an answer in the form that is asked for: as it is, or by `table`, or its `names`."""
    if output in (Output.JSON, Output.YAML):
        click.echo(encoded(output, answer))
    elif output is Output.NAME:
        for name in names:
            click.echo(printed(name))
    else:
        table()


def encoded(output: Output, answer: Any) -> str:
    """An answer as JSON or YAML, in ASCII: nothing in it is obeyed by a terminal."""
    if output is Output.JSON:
        return json.dumps(answer, indent=2)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(answer, Dumper=dumper, sort_keys=False, default_flow_style=False, width=120)).rstrip("\n")
