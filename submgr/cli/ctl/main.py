# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl`: what an operator asks of a running Subscription Manager."""

from __future__ import annotations

import click

from submgr.cli.ctl.command import server_options
from submgr.platform.commands import Program, Programs

_HERE = "submgr.cli.ctl"
_COMMANDS = {
    "delete": Program(f"{_HERE}.delete", "delete", "Delete subscriptions, and wait until they are gone."),
    "events": Program(f"{_HERE}.events", "events", "Show what has happened; -f: and what happens."),
    "export": Program(f"{_HERE}.records", "export", "Write all records to FILE, as lines of JSON."),
    "import": Program(f"{_HERE}.records", "import_", "Bring the records of FILE back."),
    "nodes": Program(f"{_HERE}.lists", "nodes", "List the E2 nodes, and what they offer."),
    "reconcile": Program(f"{_HERE}.records", "reconcile", "Compare with database and Routing Manager; repair."),
    "routes": Program(f"{_HERE}.routes", "routes", "Show the RMR route table."),
    "show": Program(f"{_HERE}.contents", "show", "Say what subscriptions ask for, and how they went."),
    "status": Program(f"{_HERE}.status", "status", "Say whether it is ready, and how much it has to do."),
    "subs": Program(f"{_HERE}.lists", "subs", "List the subscriptions."),
    "symptom": Program(f"{_HERE}.symptom", "symptom", "Write symptom data to a file."),
    "watch": Program(f"{_HERE}.watch", "watch", "Show status, lists and events, renewed until Ctrl-C."),
    "xapps": Program(f"{_HERE}.lists", "xapps", "List the xApps that have subscriptions."),
}


@click.group(cls=Programs, programs=_COMMANDS, params=server_options())
@click.pass_context
def ctl(context: click.Context, /, **options: str | None) -> None:
    """Ask a running Subscription Manager, over its platform port.

    Exit status: 0 done; 1 refused, or what was asked for is not so; 2 wrong command line; 3 nobody answers; 130 ended
    by Ctrl-C; 141 nobody reads what it writes.
    """
    context.obj = options
