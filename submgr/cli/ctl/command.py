# SPDX-License-Identifier: Apache-2.0
"""A command of `submgr ctl`: says which Subscription Manager it asks, before or behind its own name."""

from __future__ import annotations

import os
from typing import Any

import click

from submgr.cli.ctl.server import DEFAULT, SERVER_VARIABLE, Server, token_of
from submgr.platform.tls import client_files


def server_options() -> list[click.Parameter]:
    """The options that name the Subscription Manager."""
    return [
        click.Option(["--server"], help=f"Its platform interface; default: {SERVER_VARIABLE}, else {DEFAULT}."),
        click.Option(["--token-file"], help="File with the token; default: the token in SUBMGR_DEBUG_TOKEN, if any."),
        click.Option(["--ca"], help="PEM file with the authorities trusted for https; default: the system's."),
        click.Option(["--cert"], help="PEM file with a certificate to show, where tls.clientCa asks for one."),
        click.Option(["--key"], help="PEM file with its private key; default: it is in the file of --cert."),
    ]


class Command(click.Command):
    """Hands a `Server` to its function, as click's object. The options behind its name count more than those before."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params += server_options()

    def invoke(self, ctx: click.Context) -> Any:
        """Raises click.ClickException."""
        given = {name: value for name in ctx.obj if (value := ctx.params.pop(name)) is not None}
        wanted = {**ctx.obj, **given}
        url = wanted["server"] or os.environ.get(SERVER_VARIABLE) or DEFAULT
        url = url if "://" in url else f"http://{url}"
        https = client_files(wanted["ca"], wanted["cert"], wanted["key"])
        ctx.obj = Server(url, token_of(wanted["token_file"], os.environ), https)
        return super().invoke(ctx)
