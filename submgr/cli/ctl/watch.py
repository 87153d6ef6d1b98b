# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl watch`: a table that renews itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, count
from typing import TYPE_CHECKING

import click
import gevent
from msgspec import Struct

from submgr.cli.ctl import columns as c
from submgr.cli.ctl import status
from submgr.cli.ctl.command import Command
from submgr.cli.ctl.events import line
from submgr.cli.ctl.server import Server
from submgr.cli.tables import Column, Row, at_terminal, columns_of, drawn, plain, terminal

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_EVENTS = 10
_ROWS = 1000
"""Subscriptions that are asked for at most; no terminal is higher."""
_EVENT = (Column("EVENTS", line, folds=True, style=c.severity_style),)


class Part(Struct, frozen=True):
    """A table of a picture. `total`: how many rows there are, when not all were asked for."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    total: int = 0

    @property
    def hidden(self) -> int:
        """Rows that were not asked for."""
        return max(self.total - len(self.rows), 0)

    def cut(self, most: int) -> Part:
        """The first rows; at least one."""
        return Part(self.columns, self.rows[: max(most, 1)], max(self.total, len(self.rows)))


def _status(server: Server) -> Part:
    return Part(status.COLUMNS, list(status.lines(server.get("overview"))))


def _nodes(server: Server) -> Part:
    return Part(columns_of(c.NODES, False), server.get("overview/nodes"))


def _xapps(server: Server) -> Part:
    return Part(columns_of(c.XAPPS, False), server.get("overview/xapps"))


def _subs(server: Server) -> Part:
    found = server.get("overview/subscriptions", sort="-time", limit=_ROWS)
    return Part(columns_of(c.SUBSCRIPTIONS, False), found["Items"], found["Total"])


def _events(server: Server) -> Part:
    return Part(_EVENT, server.get("events", limit=_EVENTS))


PICTURES = {
    "all": (_status, _nodes, _events),
    "status": (_status,),
    "nodes": (_nodes,),
    "subs": (_subs,),
    "xapps": (_xapps,),
    "events": (_events,),
}


@click.command(cls=Command)
@click.argument("what", type=click.Choice(list(PICTURES)), default="all")
@click.option("-n", "--interval", type=click.FloatRange(0.2, 3600), default=2.0, show_default=True,
              help="Seconds between two looks.")  # fmt: skip
@click.option("--times", type=click.IntRange(1), help="End after so many looks; default: Ctrl-C ends it.")
@click.pass_obj
def watch(server: Server, what: str, interval: float, times: int | None) -> None:
    """Show status, E2 nodes and events, or one of the lists, and renew it until Ctrl-C.

    Subscriptions are shown the newest first. Into a pipe or a file each look is written behind the one before.
    """
    looks = _looks(server, what, interval, times)
    if at_terminal():
        _live(looks)
        return
    for at, parts in looks:
        click.echo(at)
        for part in parts:
            for text in plain(part.columns, part.rows):
                click.echo(text)
            if part.hidden:
                click.echo(f"and {part.hidden} more")
            click.echo()


Look = tuple[str, list[Part]]


def _looks(server: Server, what: str, interval: float, times: int | None) -> Iterator[Look]:
    """Raises click.ClickException when the first look fails; a later one says so in the place of what it would show."""
    seen: list[Part] = []
    for number in count(1):
        at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}  {server.url}"
        try:
            seen = [part(server) for part in PICTURES[what]]
        except click.ClickException as failed:
            if not seen:
                raise
            at += f"  {failed.message.splitlines()[0]}; what was seen last:"
        yield at, seen
        if number == times:
            return
        gevent.sleep(interval)


def _live(looks: Iterator[Look]) -> None:
    from rich.live import Live

    console = terminal()
    # before the screen is cleared: when nobody answers it stays as it is
    first = next(looks)
    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        for at, parts in chain([first], looks):
            live.update(_picture(console, at, parts), refresh=True)


def _picture(console: Console, at: str, parts: Sequence[Part]) -> RenderableType:
    """The parts one below the other; of the longest one as many rows as there is room for."""
    from rich.console import Group
    from rich.text import Text

    room = console.height - 1 - 3 * len(parts)
    lengths = sorted(len(part.rows) for part in parts)
    others = sum(lengths[:-1])
    shown: list[RenderableType] = [Text(at, style="dim", no_wrap=True, overflow="ellipsis")]
    for part in parts:
        fitting = part.cut(room - others) if len(part.rows) == lengths[-1] else part
        shown += [Text(), drawn(fitting.columns, fitting.rows)]
        if fitting.hidden:
            shown.append(Text(f"and {fitting.hidden} more", style="dim"))
    return Group(*shown)
