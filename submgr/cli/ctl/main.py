# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl`: what an operator asks of a running Subscription Manager."""

from __future__ import annotations

import click

from submgr.cli.ctl.command import server_options
from submgr.cli.ctl.contents import nodes, show
from submgr.cli.ctl.records import export, import_, reconcile


@click.group(params=server_options())
@click.pass_context
def ctl(context: click.Context, /, **options: str | None) -> None:
    """Ask a running Subscription Manager, over its platform port.

    Exit status: 0 done; 1 refused, or differences were found; 2 wrong command line; 3 nobody answers.
    """
    context.obj = options


for command in (show, nodes, reconcile, export, import_):
    ctl.add_command(command)
