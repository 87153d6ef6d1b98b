# SPDX-License-Identifier: Apache-2.0
"""`mec replay`: recorded S1AP into a controller, one connection per association."""

import time
from pathlib import Path

import click
import gevent
from gevent import socket

from mec.controller.recordings.captures import CaptureError, recorded
from mec.controller.recordings.report import Report
from submgr.platform.http.listen import parse_listen

_CONNECT = 5.0
_SEND = 30.0


class ReplayError(Exception):
    """The controller cannot be reached or does not take what it is sent."""


class Replayer:
    """Sends PDUs to a controller; with `speed` as far apart as they were recorded, that many times as fast."""

    def __init__(self, host: str, port: int, lengths: bool = False, speed: float = 0.0) -> None:
        self._address = (host, port)
        self._lengths = lengths
        self._speed = speed
        self._connections: dict[str, socket.socket] = {}
        self._begun: tuple[float, float] | None = None

    def send(self, association: str, pdu: bytes, at: float = 0.0) -> None:
        """One PDU of an association by any name. Raises ReplayError."""
        self._wait(at)
        try:
            sock = self._connections.get(association)
            if sock is None:
                sock = self._connections[association] = socket.create_connection(self._address, timeout=_CONNECT)
                sock.settimeout(_SEND)
            sock.sendall((len(pdu).to_bytes(4, "big") if self._lengths else b"") + pdu)
        except OSError as exc:
            raise ReplayError("{}:{}: {}".format(*self._address, exc.strerror or exc)) from exc

    def finish(self, hold: float = 0.0) -> None:
        """Keep the connections open for `hold` s, tell the controller that nothing more comes, and wait for it."""
        gevent.sleep(hold)
        for sock in self._connections.values():
            try:
                sock.shutdown(socket.SHUT_WR)
                sock.recv(1)
            except OSError as exc:
                raise ReplayError("{}:{} broke off: {}".format(*self._address, exc.strerror or exc)) from exc
            finally:
                sock.close()
        self._connections.clear()

    def close(self) -> None:
        """Break off."""
        for sock in self._connections.values():
            sock.close()
        self._connections.clear()

    def _wait(self, at: float) -> None:
        if not self._speed:
            return
        now = time.monotonic()
        if self._begun is None:
            self._begun = (now, at)
        due = self._begun[0] + (at - self._begun[1]) / self._speed
        if due > now:
            gevent.sleep(due - now)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", default="127.0.0.1:9001", show_default=True, help="The controller, host:port.")
@click.option("--framing", type=click.Choice(["raw", "len32"]), default="raw", show_default=True,
              help="As the controller expects it.")  # fmt: skip
@click.option("--speed", type=click.FloatRange(0.0), default=0.0, show_default=True,
              help="Times as fast as it was recorded; 0 is as fast as possible.")  # fmt: skip
@click.option("--hold", type=click.FloatRange(0.0), default=0.0, show_default=True,
              help="Seconds to keep the connections open at the end.")  # fmt: skip
def replay(file: Path, to: str, framing: str, speed: float, hold: float) -> None:
    """Feed recorded S1AP to a controller.

    FILE has a PDU in hexadecimal digits on each line ("#" begins a comment; a name before the digits tells several
    associations apart), or is a packet capture (pcap or pcapng) with SCTP, or with S1AP alone (link types 150 and 252).

    The last line counts what was sent, and what was skipped and why. The exit status is 1 when S1AP was lost because
    packets were cut or are missing in the recording.
    """
    try:
        host, port = parse_listen(to)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--to") from exc
    replayer = Replayer(host or "127.0.0.1", port, framing == "len32", speed)
    number, associations, report = 0, set(), Report()
    try:
        for each in recorded(file, report):
            replayer.send(each.association, each.pdu, each.at)
            number += 1
            associations.add(each.association)
        replayer.finish(hold)
    except (CaptureError, ReplayError) as exc:
        raise click.ClickException(str(exc)) from exc
    for name in report.one_way:
        click.echo(f"association {name}: one direction only was recorded; most UEs stay unknown without the other")
    if report.lost:
        click.echo(f"lost: {report.lost_in_words()}", err=True)
    skipped = report.skipped_in_words()
    click.echo(
        f"{number} PDUs of {len(associations)} associations"
        + (f", lost messages: {len(report.lost)}" if report.lost else "")
        + (f"; skipped: {skipped}" if skipped else "")
    )
    if report.lost:
        raise SystemExit(1)
