# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl symptom`: what a report about a fault needs, in one file."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from submgr.cli.ctl.command import Command
from submgr.cli.ctl.files import of_file, whole
from submgr.cli.ctl.server import Server


@click.command(cls=Command)
@click.argument("file", required=False)
@click.pass_obj
def symptom(server: Server, file: str | None) -> None:
    """Write symptom data, a zip, to FILE (-: standard output; nothing: a name with the time).

    It has subscriptions, contents, configuration without secrets, metrics and the newest lines of the log.
    """
    name = file or f"submgr-symptom-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip"
    size = 0
    with whole(name) as out, of_file(name, "bytes of symptom data") as progress:
        for chunk in server.chunks("symptomdata"):
            size += out.write(chunk)
            progress.step(len(chunk))
    if name != "-":
        click.echo(f"written to {name}, {size} bytes", err=True)
