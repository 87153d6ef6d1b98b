# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl`: what an operator asks of a running Subscription Manager."""

from __future__ import annotations

import click

from submgr.cli.ctl.command import server_options
from submgr.platform.commands import Program, Programs

_HERE = "submgr.cli.ctl"
_COMMANDS = {
    "export": Program(f"{_HERE}.records", "export", "Write all records to FILE, as lines of JSON."),
    "import": Program(f"{_HERE}.records", "import_", "Bring the records of FILE back."),
    "nodes": Program(f"{_HERE}.contents", "nodes", "List the E2 nodes that are connected."),
    "reconcile": Program(f"{_HERE}.records", "reconcile", "Compare with database and Routing Manager; repair."),
    "show": Program(f"{_HERE}.contents", "show", "Say what E2 subscriptions ask for."),
}


@click.group(cls=Programs, programs=_COMMANDS, params=server_options())
@click.pass_context
def ctl(context: click.Context, /, **options: str | None) -> None:
    """Ask a running Subscription Manager, over its platform port.

    Exit status: 0 done; 1 refused, or differences were found; 2 wrong command line; 3 nobody answers.
    """
    context.obj = options
