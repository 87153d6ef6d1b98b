# SPDX-License-Identifier: Apache-2.0
"""The command group `rmr`: tools for whoever has to find out why a message does not arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click
import gevent
from gevent.event import Event
from gevent.queue import Empty, Queue

from submgr.rmr import mtypes
from submgr.rmr.addresses import AddressError, split_address
from submgr.rmr.message import NO_SUB_ID, Message, Status
from submgr.rmr.routing.reader import parse_routes
from submgr.rmr.routing.table import RouteTableError
from submgr.rmr.transport import TransportConfig, TransportError
from submgr.rmr.wire.transport import WireTransport

_SHOWN = 32


@click.group()
def rmr() -> None:
    """Send, watch and check RMR messages and route tables."""


@rmr.command()
@click.argument("endpoint", callback=lambda _context, _option, value: _endpoint(value))
@click.option("--mtype", type=int, required=True, help="Message type, for example 12010.")
@click.option("--payload", default="", help="The payload as text.")
@click.option("--file", "source", type=click.File("rb"), help="File with the payload, - for standard input.")
@click.option("--meid", default="", help="The E2 node it is about.")
@click.option("--sub-id", type=int, default=NO_SUB_ID, show_default=True)
@click.option("--xid", default="", help="Transaction id, at most 32 bytes.")
@click.option("--name", default="127.0.0.1", show_default=True, help="Host under which the peer can answer us.")
@click.option("--port", type=int, default=0, help="Port for the answer; 0 = any that is free.")
@click.option("--wait", type=float, default=0.0, show_default=True, help="Seconds to wait for answers.")
def send(
    endpoint: str,
    mtype: int,
    payload: str,
    source: BinaryIO | None,
    meid: str,
    sub_id: int,
    xid: str,
    name: str,
    port: int,
    wait: float,
) -> None:
    """Send one message to ENDPOINT (host:port) and print what is answered."""
    body = payload.encode() if source is None else source.read()
    message = Message(mtype, body, sub_id, xid.encode(), meid)
    with _transport(_reachable(name), port, name) as (transport, received):
        _send(transport, endpoint, message)
        with gevent.Timeout(max(wait, 0.001), False):
            while True:
                click.echo(describe(received.get()))


@rmr.command()
@click.argument("endpoint", callback=lambda _context, _option, value: _endpoint(value))
@click.option("--name", default="127.0.0.1", show_default=True, help="Host under which the peer can answer us.")
@click.option("--wait", type=float, default=3.0, show_default=True, help="Seconds to wait for the answer.")
def probe(endpoint: str, name: str, wait: float) -> None:
    """Ask ENDPOINT (host:port) for its health, as Kubernetes probes do; exit 1 unless it says OK."""
    with _transport(_reachable(name), 0, name, wait) as (transport, received):
        _send(transport, endpoint, Message(mtypes.RIC_HEALTH_CHECK_REQ, xid=b"probe"))
        try:
            answer = received.get(timeout=wait)
        except Empty:
            raise click.ClickException(f"{endpoint} has not answered within {wait:g} s") from None
    text = answer.payload.rstrip(b"\0\n").decode(errors="replace")
    click.echo(text)
    if answer.mtype != mtypes.RIC_HEALTH_CHECK_RESP or not text.startswith("OK"):
        raise click.ClickException(f"{endpoint} answered with type {mtypes.name_of(answer.mtype)}")


@rmr.command()
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, default=4560, show_default=True)
@click.option("--count", type=int, default=0, help="End after so many messages; 0 = never.")
def listen(host: str, port: int, count: int) -> None:
    """Print every message that comes, one line each."""
    with _transport(host, port, "") as (transport, received):
        click.echo(f"listening on {transport.name}", err=True)
        seen = 0
        while not count or seen < count:
            click.echo(describe(received.get()))
            seen += 1


@rmr.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--own", multiple=True, help='A "host:port" of the process the table is for; may be repeated.')
def routes(file: Path, own: tuple[str, ...]) -> None:
    """Print what of a route table FILE is taken, and what is skipped and why.

    A record for other senders is not looked at: give the name of the process with --own.
    """
    text = file.read_bytes().decode(errors="replace")
    try:
        table = parse_routes(text, frozenset(own))
    except RouteTableError as bad:
        raise click.ClickException(f"{file}: {bad}") from bad
    for (sub_id, mtype), route in sorted(table.routes.items()):
        groups = "the owner of its meid" if route.by_meid else " and ".join(" or ".join(some) for some in route.groups)
        which = "" if sub_id == NO_SUB_ID else f" with sub id {sub_id}"
        click.echo(f"{mtypes.name_of(mtype)}{which} -> {groups or 'nobody (ourselves only)'}")
    for meid, owner in sorted(table.meids.items()):
        click.echo(f"meid {meid} -> {owner}")
    skipped = table.unread
    for record in skipped.first:
        click.echo(f"skipped: {record}")
    if more := skipped.count - len(skipped.first):
        click.echo(f"skipped: {more} more")
    verdict = f"{skipped.count} records skipped" if skipped.count else "good"
    others = f", {table.for_others} records for other senders" if table.for_others else ""
    click.echo(f"{file}: {verdict}, {len(table.routes)} routes, {len(table.meids)} meids{others}")


def describe(message: Message) -> str:
    """A message on one line."""
    shown = message.payload[:_SHOWN]
    more = "..." if len(message.payload) > _SHOWN else ""
    name = mtypes.name_of(message.mtype)
    fields = [
        f"{datetime.now():%H:%M:%S.%f}"[:-3],
        str(message.mtype),
        "" if name == str(message.mtype) else name,
        f"from {message.src or '?'}",
        f"sub_id {message.sub_id}",
        f"meid {message.meid}" if message.meid else "",
        f"xid {message.transaction.hex()}" if message.transaction else "",
        f"{len(message.payload)} bytes {shown.hex()}{more}",
    ]
    return " ".join(field for field in fields if field)


def _reachable(name: str) -> str:
    """The address to listen on for answers to `name`: itself when it is an address of this host alone, else all."""
    return name if name.startswith("127.") else "0.0.0.0"


def _endpoint(name: str) -> str:
    try:
        split_address(name)
    except AddressError as bad:
        raise click.BadParameter(str(bad)) from bad
    return name


@contextmanager
def _transport(
    host: str, port: int, name: str, send_timeout: float = 2.0
) -> Iterator[tuple[WireTransport, Queue[Message]]]:
    """A running transport and the queue of what it receives."""
    received: Queue[Message] = Queue()
    on_message: Callable[[Message], None] = received.put
    transport = WireTransport(TransportConfig(host=host, port=port, name=name, send_timeout=send_timeout), on_message)
    try:
        transport.start()
    except TransportError as bad:
        raise click.ClickException(str(bad)) from bad
    try:
        yield transport, received
    finally:
        transport.stop()


def _send(transport: WireTransport, endpoint: str, message: Message) -> None:
    """Sends, and waits until the message is out; ends the command when it cannot be."""
    lost: list[str] = []
    over = Event()

    def failed(reason: str) -> None:
        lost.append(reason)
        over.set()

    status = transport.send_to(endpoint, message, failed)
    if status is not Status.OK:
        raise click.ClickException(f"not sent: {status.name}")
    while not over.is_set() and not transport.stats().transmitted:
        gevent.sleep(0.005)
    if lost:
        raise click.ClickException(f"not sent: {lost[0]}")
