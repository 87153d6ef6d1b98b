# SPDX-License-Identifier: Apache-2.0
"""Commands about the records: compare them with what is known, back them up, bring them back."""

from __future__ import annotations

import gzip
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import gevent

from submgr.cli.ctl.command import Command
from submgr.cli.ctl.files import of_file, whole
from submgr.cli.ctl.server import REFUSED, Server
from submgr.platform.progress import Progress

END = re.compile(rb'\n\{"end":true[^\n]*\}\n\Z')
"""The last line of a file that is complete."""
GZIP = b"\x1f\x8b"
RESTART = 120.0
"""Seconds after which a restart that is not over is told as a failure."""
LOOK = 0.5


@click.command(cls=Command)
@click.option("--dry-run", is_flag=True, help="Show the differences only.")
@click.pass_obj
def reconcile(server: Server, dry_run: bool) -> None:
    """Compare subscriptions, database and Routing Manager; repair what differs."""
    differences = server.json("GET" if dry_run else "POST", "reconcile")
    for each in differences:
        repaired = ": repaired" if each["Repaired"] else ""
        click.echo(f"{each['What']} {each['Key']} {each['Meid']}: {each['Why']}{repaired}")
    click.echo(f"{len(differences)} differences" if differences else "no differences", err=True)
    if any(not each["Repaired"] for each in differences):
        sys.exit(REFUSED)


@click.command(cls=Command)
@click.argument("file", default="-")
@click.pass_obj
def export(server: Server, file: str) -> None:
    """Write all records to FILE, as lines of JSON (- or nothing: standard output; *.gz: packed)."""
    last = b""
    with whole(file, packs=True) as out, of_file(file, "bytes of records") as progress:
        for chunk in server.chunks("export"):
            out.write(chunk)
            progress.step(len(chunk))
            last = (last + chunk)[-200:]
        if not END.search(last):
            raise click.ClickException("the export broke off: the log of the Subscription Manager says why")
    if file != "-":
        click.echo(f"written to {file}", err=True)


@click.command("import", cls=Command)
@click.argument("file", default="-")
@click.option("--dry-run", is_flag=True, help="Check the file only.")
@click.option("--skip-unreadable", is_flag=True, help="Leave out records that cannot be read.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until the restart is over.")
@click.pass_obj
def import_(server: Server, file: str, dry_run: bool, skip_unreadable: bool, wait: bool) -> None:
    """Bring the records of FILE (- or nothing: standard input) back.

    Its ids must not be in use: an empty RIC, or other subscriptions. The Subscription Manager restarts, which makes
    live subscriptions of them.
    """
    body = _read(file)
    packed = body if body.startswith(GZIP) else gzip.compress(body, 6)
    flags = f"dryRun={str(dry_run).lower()}&skipUnreadable={str(skip_unreadable).lower()}"
    with Progress() as progress:
        progress.says(f"{len(packed):,} bytes are checked{'' if dry_run else ' and written'}")
        answer = server.json("POST", f"import?{flags}", packed, **{"Content-Type": "application/x-ndjson"})
    for line in summary(answer):
        click.echo(line)
    if answer["Restarting"] and wait:
        click.echo("the Subscription Manager restarts", err=True)
        with Progress() as progress:
            progress.says("it restarts, which makes live subscriptions of the records")
            took = _wait_for_restart(server, time.monotonic, gevent.sleep)
        click.echo(f"ready again after {took:.0f} s", err=True)


def summary(answer: dict[str, Any]) -> Iterator[str]:
    """The answer to an import in words."""
    verb = "imported" if answer["Restarting"] else "could be imported"
    for what, count in sorted(answer["Records"].items()):
        yield f"{count} {what}: {verb}"
    if not answer["Records"]:
        yield f"nothing {verb}: the file has no records"
    if answer["Skipped"]:
        yield f"{answer['Skipped']} records cannot be read: skipped"


def _wait_for_restart(server: Server, clock: Callable[[], float], sleep: Callable[[float], object]) -> float:
    """Returns how many seconds it took."""
    begin = clock()
    gone = False
    while clock() - begin < RESTART:
        ready = server.ready()
        gone = gone or not ready
        if ready and gone:
            return clock() - begin
        sleep(LOOK)
    raise click.ClickException(f"it was not ready again within {RESTART:.0f} s; does anything start it after it ends?")


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from error
