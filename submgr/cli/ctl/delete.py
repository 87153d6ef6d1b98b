# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl delete`: deletes subscriptions as their xApp would, and waits until nothing is left of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

import click
import gevent
from msgspec import Struct

from submgr.cli.ctl.command import Command
from submgr.cli.ctl.server import REFUSED, Refused, Server
from submgr.cli.tables import printed

LOOK = 0.3
"""Seconds between two looks whether something is left."""


class Target(Struct, frozen=True):
    """What is deleted: its name in words, the path of the DELETE, and the path that lists what is left of it.

    `parts`: what the list has. A REST subscription is there as long as it has a list, also an empty one.
    """

    words: str
    path: str
    left_path: str
    parts: str

    def __str__(self) -> str:
        return printed(self.words)

    def left(self, server: Server) -> int | None:
        """How many parts are left; None when it is gone."""
        try:
            count = len(server.get(self.left_path))
        except Refused as refused:
            if refused.status != 404:
                raise
            return None
        return count or (0 if self.parts == _E2 else None)


_E2, _REST = "E2 subscriptions", "REST subscriptions"


def rest_subscription(subscription_id: str) -> Target:
    quoted = quote(subscription_id, safe="")
    words = f"REST subscription {subscription_id}"
    return Target(words, f"subscriptions/{quoted}", f"get_e2subscriptions/{quoted}", _E2)


def of_node(meid: str) -> Target:
    quoted = quote(meid, safe="")
    words = f"all subscriptions of E2 node {meid}"
    return Target(words, f"delete_all_e2node_subscriptions/{quoted}", f"get_e2node_rest_subscriptions/{quoted}", _REST)


def of_xapp(host: str) -> Target:
    quoted = quote(host, safe="")
    words = f"all subscriptions of xApp {host}"
    return Target(words, f"delete_all_xapp_subscriptions/{quoted}", f"get_xapp_rest_restsubscriptions/{quoted}", _REST)


@click.command(cls=Command)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--node", "nodes", multiple=True, metavar="MEID", help="Those of this E2 node; may be repeated.")
@click.option("--xapp", "xapps", multiple=True, metavar="HOST", help="Those of this xApp; may be repeated.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until nothing is left of them.")
@click.option("--timeout", type=click.FloatRange(0), default=30.0, show_default=True, help="Seconds to wait at most.")
@click.pass_obj
def delete(
    server: Server,
    ids: Sequence[str],
    nodes: Sequence[str],
    xapps: Sequence[str],
    yes: bool,
    wait: bool,
    timeout: float,
) -> None:
    """Delete REST subscriptions by their ID, or those of an E2 node or xApp.

    It asks before, unless --yes is given. What is deleted is undone at the E2 node and at the Routing Manager; when
    that takes longer than --timeout it goes on, and the exit status is 1.
    """
    targets = [*map(rest_subscription, ids), *map(of_node, nodes), *map(of_xapp, xapps)]
    if not targets:
        raise click.UsageError("what? Give an ID, --node or --xapp")
    if not yes and not _agreed(server, targets):
        return
    accepted = [target for target in targets if _accepted(server, target)]
    done = len(accepted) == len(targets)
    if wait:
        done = _gone(server, accepted, timeout, time.monotonic, gevent.sleep) and done
    if not done:
        sys.exit(REFUSED)


def _agreed(server: Server, targets: Sequence[Target]) -> bool:
    """Shows what would be deleted, and asks. Nothing at all needs no question."""
    found = False
    for target in targets:
        left = target.left(server)
        found = found or left is not None
        click.echo(f"{target}: {'there is nothing' if left is None else f'{left} {target.parts}'}", err=True)
    if not found:
        sys.exit(REFUSED)
    return click.confirm("Delete?", abort=True, err=True)


def _accepted(server: Server, target: Target) -> bool:
    """Asks for the deletion, and tells what came of it."""
    try:
        server.json("DELETE", target.path)
    except Refused as refused:
        click.echo(f"{target}: {refused.message}", err=True)
        return False
    click.echo(f"{target}: being deleted")
    return True


def _gone(
    server: Server,
    targets: Sequence[Target],
    timeout: float,
    clock: Callable[[], float],
    sleep: Callable[[float], object],
) -> bool:
    """Tells of each when it is gone; whether all are, in time."""
    until = clock() + timeout
    waiting = list(targets)
    while waiting:
        for target in [target for target in waiting if target.left(server) is None]:
            click.echo(f"{target}: gone")
            waiting.remove(target)
        if clock() >= until:
            break
        if waiting:
            sleep(LOOK)
    for target in waiting:
        click.echo(f"{target}: still being undone")
    return not waiting
