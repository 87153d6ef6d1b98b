# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl events`: what has happened, and what happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click
import gevent

from submgr.cli.ctl.columns import severity_style
from submgr.cli.ctl.command import Command
from submgr.cli.ctl.event_stream import Follower, told
from submgr.cli.ctl.output import WITHOUT_NAMES, Output, encoded, output_option
from submgr.cli.ctl.server import Server
from submgr.cli.tables import at_terminal, printed, terminal

KINDS = (
    "subscription",
    "node",
    "route",
    "notification",
    "leadership",
    "configuration",
    "store",
    "repair",
    "start",
)
SEVERITIES = ("info", "warning", "error")
_MORE = (
    ("id", "Id"),
    ("meid", "Meid"),
    ("function", "RANFunctionID"),
    ("subscription", "SubscriptionId"),
    ("instance", "E2EventInstanceId"),
    ("xapp", "XApp"),
    ("procedure", "Procedure"),
    ("outcome", "Outcome"),
    ("source", "Source"),
    ("ms", "Milliseconds"),
)
"""What a wide line has behind the words: name and member of the event."""

Print = Callable[[dict[str, Any]], None]


@click.command(cls=Command)
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option("--since", metavar="ID", help="What came after the event with this id (-o wide and json tell ids).")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="The newest so many.")
@click.option("--kind", type=click.Choice(KINDS), help="Of this kind only.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="This bad or worse only.")
@click.option("--node", metavar="MEID", help="About this E2 node only.")
@click.option("--subscription", metavar="ID", help="About this REST subscription only.")
@click.option("--xapp", metavar="HOST", help="About this xApp only.")
@output_option(*WITHOUT_NAMES)
@click.pass_obj
def events(
    server: Server,
    follow: bool,
    since: str | None,
    limit: int,
    kind: str | None,
    severity: str | None,
    node: str | None,
    subscription: str | None,
    xapp: str | None,
    output: Output,
) -> None:
    """Show what has happened; -f: and what happens.

    With -f a connection that breaks is made again, and goes on behind the last event that was shown. -o json is one
    line for each event then, -o yaml a document.
    """
    filters = {"kind": kind, "severity": severity, "meid": node, "subscriptionId": subscription, "xapp": xapp}
    found = server.get("events", since=since, limit=limit, **filters)
    if output in (Output.JSON, Output.YAML) and not follow:
        click.echo(encoded(output, found))
        return
    show = printer(output)
    for event in found:
        show(event)
    if follow:
        last = found[-1]["Id"] if found else since
        for event in Follower(server, filters, last, told, gevent.sleep, answers=True).events():
            show(event)


def printer(output: Output) -> Print:
    """What prints one event, at once."""
    if output is Output.JSON:
        return lambda event: click.echo(json.dumps(event))
    if output is Output.YAML:
        return lambda event: click.echo(f"---\n{encoded(output, event)}")
    if not at_terminal():
        return lambda event: click.echo(line(event, output.wide))
    console = terminal()
    return lambda event: console.print(line(event, output.wide), style=severity_style(event), soft_wrap=True)


def line(event: dict[str, Any], wide: bool = False) -> str:
    """An event on one line."""
    words = [event["Time"], f"{event['Severity']:<7}", f"{event['Kind']:<13}", event["Words"]]
    if wide:
        words += [f"{name}={event[member]}" for name, member in _MORE if event.get(member) not in (None, "")]
    return printed("  ".join(words))
