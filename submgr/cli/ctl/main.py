# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl`: what an operator asks of a running Subscription Manager."""

from __future__ import annotations

import os

import click

from submgr.cli.ctl.records import export, import_, reconcile
from submgr.cli.ctl.server import DEFAULT, SERVER_VARIABLE, Server, token_of
from submgr.platform.tls import client_files


@click.group()
@click.option("--server", default=DEFAULT, envvar=SERVER_VARIABLE, show_default=True, help="Its platform interface.")
@click.option("--token-file", help="File with the token; default: the token in SUBMGR_DEBUG_TOKEN, if any.")
@click.option("--ca", help="PEM file with the authorities that are trusted for https; default: the system's.")
@click.option("--cert", help="PEM file with a certificate to show, where tls.clientCa asks for one.")
@click.option("--key", help="PEM file with its private key; default: it is in the file of --cert.")
@click.pass_context
def ctl(
    context: click.Context, server: str, token_file: str | None, ca: str | None, cert: str | None, key: str | None
) -> None:
    """Ask a running Subscription Manager, over its platform port.

    Exit status: 0 done; 1 refused, or differences were found; 2 wrong command line; 3 nobody answers.
    """
    if "://" not in server:
        server = f"http://{server}"
    context.obj = Server(server, token_of(token_file, os.environ), client_files(ca, cert, key))


for command in (reconcile, export, import_):
    ctl.add_command(command)
