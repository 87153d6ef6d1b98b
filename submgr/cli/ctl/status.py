# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl status`: how the Subscription Manager is, and by its exit status whether it is ready."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from submgr.cli.ctl.columns import BAD, GOOD
from submgr.cli.ctl.command import Command
from submgr.cli.ctl.output import WITHOUT_NAMES, Output, answered, output_option
from submgr.cli.ctl.server import REFUSED, Server
from submgr.cli.ctl.times import age, span
from submgr.cli.tables import Column, counted, show

Line = tuple[str, str, str]
"""A name, what there is to say of it, and the style of that."""

COLUMNS = (
    Column("", lambda line: line[0]),
    Column("", lambda line: line[1], folds=True, style=lambda line: str(line[2])),
)


@click.command(cls=Command)
@output_option(*WITHOUT_NAMES)
@click.pass_obj
def status(server: Server, output: Output) -> None:
    """Say whether it is ready, what it is connected to, and how much it has to do.

    Exit status: 0 ready; 1 not ready, also a standby; 3 nobody answers.
    """
    overview = server.get("overview")
    answered(output, overview, lambda: show(COLUMNS, lines(overview)))
    if not overview["Ready"]:
        sys.exit(REFUSED)


def lines(overview: dict[str, Any]) -> Iterator[Line]:
    """What an overview says, line by line."""
    counts, rates = overview["Counts"], overview["Rates"]
    ready = "ready" if overview["Ready"] else "not ready"
    yield "state", f"{ready}, {overview['Role']}", GOOD if overview["Ready"] else BAD
    for why in overview["NotReady"]:
        yield "not ready", why, BAD
    for warning in overview.get("Warnings", ()):
        yield "warning", warning, "yellow"
    yield "process", f"{overview['Name']}, version {overview['Version']}, for {age(overview['Since'])}", ""
    yield from _around(overview)
    yield "E2 nodes", f"{counts['ConnectedNodes']} of {counts['Nodes']} connected", ""
    yield "xApps", str(counts["XApps"]), ""
    states = ", ".join(f"{counts[name]} {name.lower()}" for name in ("Established", "Pending", "Failed"))
    yield "subscriptions", f"{counts['RestSubscriptions']} REST, {counts['E2Subscriptions']} E2 ({states})", ""
    yield "queues", f"{counted(counts['Waiting'], 'procedure')} waiting", ""
    told = ", ".join(f"{rates[f'{name}PerSecond']:g} {name.lower()}" for name in ("Subscribes", "Deletes", "Failures"))
    yield "per second", f"{told} (last minute)", ""
    yield "event loop", f"{overview['LoopStallLongestMilliseconds']:g} ms was its longest stall", ""
    yield "memory", f"{overview['Memory'] / 1_000_000:.0f} MB", ""


def _around(overview: dict[str, Any]) -> Iterator[Line]:
    """The database, the routes and the neighbours."""
    store, routes = overview["Store"], overview["Routes"]
    yield _neighbour("database", store, store["Kind"])
    since = "" if routes["Age"] is None else f", {span(routes['Age'])} old"
    records = "not known" if routes["Records"] is None else counted(routes["Records"], "record")
    known = f"{records}, {counted(routes['E2Termination'], 'endpoint')} of E2 Termination{since}"
    yield "RMR routes", known, "" if routes["E2Termination"] else BAD
    for neighbour in overview["Neighbours"]:
        yield _neighbour("neighbour", neighbour, neighbour["Name"])


def _neighbour(what: str, answer: dict[str, Any], name: str) -> Line:
    if answer["Up"]:
        return what, f"{name} up", GOOD
    return what, f"{name} down: {answer['Words']}", BAD
