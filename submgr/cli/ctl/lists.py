# SPDX-License-Identifier: Apache-2.0
"""Commands that list what there is: E2 nodes, xApps, subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click

from submgr.cli.ctl import columns as c
from submgr.cli.ctl.command import Command
from submgr.cli.ctl.output import EVERY_FORM, Output, answered, output_option
from submgr.cli.ctl.pages import pages
from submgr.cli.ctl.server import Server
from submgr.cli.tables import columns_of, show

STATES = ("pending", "established", "partly", "failed", "deleting")
SORTS = ("id", "node", "xapp", "state", "function", "time")


@click.command(cls=Command)
@output_option(*EVERY_FORM)
@click.pass_obj
def nodes(server: Server, output: Output) -> None:
    """List the E2 nodes that are known; -o wide: also what each of them offers."""
    found = server.get("overview/nodes")

    def table() -> None:
        show(columns_of(c.NODES, output.wide), found)
        if output.wide and (functions := list(_functions(server, found))):
            click.echo()
            show(c.FUNCTIONS, functions)

    answered(output, found, table, (node["Meid"] for node in found))


def _functions(server: Server, nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The RAN functions of all these E2 nodes."""
    for node in nodes:
        for function in server.get(f"nodes/{quote(node['Meid'], safe='')}/functions"):
            yield {"Meid": node["Meid"], **function}


@click.command(cls=Command)
@output_option(*EVERY_FORM)
@click.pass_obj
def xapps(server: Server, output: Output) -> None:
    """List the xApps that have subscriptions."""
    found = server.get("overview/xapps")
    names = (xapp["XApp"] for xapp in found)
    answered(output, found, lambda: show(columns_of(c.XAPPS, output.wide), found), names)


@click.command(cls=Command)
@click.option("--node", metavar="MEID", help="Of this E2 node only.")
@click.option("--xapp", metavar="HOST", help="Of this xApp only.")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="In this state only; again: or this.")
@click.option("--function", type=click.IntRange(0, 4095), help="Of the RAN function with this id only.")
@click.option("-q", "--search", metavar="TEXT", help="With this text in one of their fields only.")
@click.option("--sort", type=click.Choice([*SORTS, *(f"-{name}" for name in SORTS)]), default="id", show_default=True,
              help="By what; - before it: from the end.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="The first so many only.")
@output_option(*EVERY_FORM)
@click.pass_obj
def subs(
    server: Server,
    node: str | None,
    xapp: str | None,
    states: tuple[str, ...],
    function: int | None,
    search: str | None,
    sort: str,
    limit: int | None,
    output: Output,
) -> None:
    """List the subscriptions. All of those that are asked for are fetched, in pages."""
    state = ",".join(states) or None
    filters = {"node": node, "xapp": xapp, "state": state, "function": function, "q": search, "sort": sort}
    found = pages(server, "overview/subscriptions", limit, "SubscriptionId", **filters)
    rows = found["Items"]
    names = (row["SubscriptionId"] for row in rows if row["SubscriptionId"] is not None)
    answered(output, found, lambda: show(columns_of(c.SUBSCRIPTIONS, output.wide), rows), names)
    if limit is not None and len(rows) < found["Total"]:
        click.echo(f"{len(rows)} of {found['Total']} subscriptions", err=True)
