# SPDX-License-Identifier: Apache-2.0
"""Commands that say in words what is subscribed, and what E2 nodes offer."""

from __future__ import annotations

from urllib.parse import quote

import click

from submgr.cli.ctl.command import Command
from submgr.cli.ctl.server import Server
from submgr.e2sm.outline import outline


@click.command(cls=Command)
@click.argument("instance_id", required=False, type=click.IntRange(0, 65535))
@click.pass_obj
def show(server: Server, instance_id: int | None) -> None:
    """Say what E2 subscriptions ask for: each in a line, or one (by its INSTANCE_ID) with the tree behind it."""
    if instance_id is None:
        for each in server.json("GET", "contents"):
            click.echo(f"{each['SubscriptionId']}\t{each['Meid']}\t{each['RANFunctionID']}\t{each['Words']}")
        return
    whole = server.json("GET", f"contents/{instance_id}")
    click.echo(f"E2 subscription {instance_id} at {whole['Meid']}, RAN function {whole['RANFunctionID']}")
    _tell("event trigger", whole["EventTrigger"])
    for action in whole["Actions"]:
        _tell(f"action {action['ActionID']}", action["Definition"] or {"Words": "no definition"})


def _tell(name: str, body: dict[str, object]) -> None:
    click.echo(f"{name}: {body['Words']}")
    for line in outline(body.get("Content", {}), "  "):
        click.echo(line)


@click.command(cls=Command)
@click.option("-o", "--output", type=click.Choice(["name", "wide"]), default="name", help="wide: with RAN functions.")
@click.pass_obj
def nodes(server: Server, output: str) -> None:
    """List the E2 nodes that are connected."""
    for name in server.json("GET", "get_all_e2nodes"):
        click.echo(name)
        if output == "wide":
            for one in server.json("GET", f"nodes/{quote(name, safe='')}/functions"):
                said = one["Definition"]["Words"]
                click.echo(f"  {one['RANFunctionID']}\trevision {one['Revision']}\t{one['OID'] or 'no OID'}\t{said}")
