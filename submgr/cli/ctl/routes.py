# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl routes`: the RMR route table as the Subscription Manager holds it."""

from __future__ import annotations

from typing import Any

import click

from submgr.cli.ctl.columns import ROUTES
from submgr.cli.ctl.command import Command
from submgr.cli.ctl.output import WITHOUT_NAMES, Output, answered, output_option
from submgr.cli.ctl.pages import pages
from submgr.cli.ctl.server import Server
from submgr.cli.tables import show


@click.command(cls=Command)
@click.option("--type", "mtype", type=click.IntRange(0, 1_000_000_000), help="Of this message type only (12010).")
@click.option("--instance", type=click.IntRange(-1, 65535), help="Of this E2 instance id only; -1: for any.")
@click.option("--limit", type=click.IntRange(1), help="The first so many only.")
@output_option(*WITHOUT_NAMES)
@click.pass_obj
def routes(server: Server, mtype: int | None, instance: int | None, limit: int | None, output: Output) -> None:
    """Show the routes of RMR messages that this process may send.

    Records for other senders, such as those by which E2 Termination sends indications to xApps, are not among them.
    """
    found = pages(server, "routes", limit, "", mtype=mtype, instance=instance)
    rows = sorted(found["Items"], key=lambda row: (row["MessageType"], row["E2EventInstanceId"] or -1))
    answered(output, found, lambda: show(ROUTES, rows))
    if output in (Output.TABLE, Output.WIDE):
        click.echo(summary(found), err=True)


def summary(found: dict[str, Any]) -> str:
    """What there is beside the routes that were asked for."""
    skipped = f", {found['Skipped']} records skipped" if found["Skipped"] else ""
    others = f", {found['ForOthers']} records for other senders" if found["ForOthers"] else ""
    return f"{len(found['Items'])} of {found['Records']} routes, {found['Meids']} meids{skipped}{others}"
