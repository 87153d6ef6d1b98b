# SPDX-License-Identifier: Apache-2.0
"""Measures the wire transport between two processes on the loopback interface.

`python -m submgr.rmr.tools.bench` is the receiving process; the command `rmr` starts it and does the rest.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import click
import gevent
from gevent.event import Event
from gevent.queue import Queue

from submgr.platform.progress import Progress
from submgr.platform.turns import turn
from submgr.rmr.message import Message, Status
from submgr.rmr.tools.soak import soak
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.transport import WireTransport

_COUNTED, _ECHOED, _HOW_MANY, _ANSWER, _END = 1, 2, 3, 4, 5
_BURST = 256
"""Messages that a sender hands to its transport before the transport has its turn."""
_LONGEST_RUN = 600


def local_transport(on_message: Callable[[Message], None]) -> WireTransport:
    """A running transport on a free port of the loopback interface."""
    config = TransportConfig(host="127.0.0.1", port=0, name="127.0.0.1", send_timeout=30.0)
    transport = WireTransport(config, on_message)
    transport.start()
    return transport


def receive() -> None:
    """The receiving process: it counts or echoes messages, and tells its count, until the message that ends it."""
    ended = Event()
    counted = 0

    def on_message(message: Message) -> None:
        nonlocal counted
        if message.mtype == _COUNTED:
            counted += 1
        elif message.mtype == _ECHOED:
            transport.reply(message, _ANSWER, message.payload)
        elif message.mtype == _HOW_MANY:
            transport.reply(message, _ANSWER, str(counted).encode())
        elif message.mtype == _END:
            ended.set()

    transport = local_transport(on_message)
    print(transport.name, flush=True)
    ended.wait()
    transport.stop()


@contextmanager
def receiver() -> Iterator[str]:
    """Runs the receiving process; yields where it listens."""
    with subprocess.Popen(
        [sys.executable, "-m", "submgr.rmr.tools.bench"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Sender:
    """One sending transport, and the answers it gets."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._answers: Queue[Message] = Queue()
        self.transport = local_transport(self._answers.put)

    def ask(self, mtype: int, payload: bytes = b"") -> Message:
        """Sends a message and waits for its answer."""
        while self.transport.send_to(self._peer, Message(mtype, payload)) is not Status.OK:
            gevent.sleep(0.001)
        answer: Message = self._answers.get()
        return answer

    def flood(self, count: int, size: int) -> None:
        """Sends `count` messages as fast as they are taken, and waits until all are out."""
        message = Message(_COUNTED, bytes(size), meid="gnb_208_092_000001")
        sent = 0
        while sent < count:
            if self.transport.send_to(self._peer, message) is Status.OK:
                sent += 1
                if sent % _BURST == 0:
                    turn()
            else:
                gevent.sleep(0.0005)

    def round_trips(self, count: int, size: int) -> list[float]:
        """Seconds of `count` exchanges, one after the other."""
        payload, took = bytes(size), []
        for _ in range(count):
            began = perf_counter()
            self.ask(_ECHOED, payload)
            took.append(perf_counter() - began)
        return took


def measure(peer: str, senders: int, size: int, messages: int, exchanges: int) -> dict[str, Any]:
    """Messages a second, messages lost and round-trip times in microseconds."""
    crew = [Sender(peer) for _ in range(senders)]
    try:
        before = int(crew[0].ask(_HOW_MANY).payload)
        for one in crew:
            one.ask(_ECHOED)
        began = perf_counter()
        gevent.joinall([gevent.spawn(one.flood, messages // senders, size) for one in crew], raise_error=True)
        counted = 0
        for one in crew:
            counted = int(one.ask(_HOW_MANY).payload) - before
        took = perf_counter() - began
        jobs = [gevent.spawn(one.round_trips, exchanges // senders, size) for one in crew]
        gevent.joinall(jobs, raise_error=True)
        trips = sorted(trip for job in jobs for trip in job.value)
    finally:
        for one in crew:
            one.transport.stop()
    sent = messages // senders * senders
    return {
        "per_second": counted / took,
        "lost": sent - counted,
        "p50": percentile(trips, 0.50) * 1e6,
        "p99": percentile(trips, 0.99) * 1e6,
        "longest": trips[-1] * 1e6,
    }


def percentile(ordered: list[float], share: float) -> float:
    """The value below which a share of the ordered values lies."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@click.command("rmr")
@click.option("--messages", default=300_000, show_default=True, help="Messages of a flood at 256 B; a quarter at 4 KB.")
@click.option("--exchanges", default=20_000, show_default=True, help="Round trips of each measurement.")
@click.option("--soak", "soaked", default=0, show_default=True, help="Exchange so many messages over cut connections.")
def rmr(messages: int, exchanges: int, soaked: int) -> None:
    """RMR between two processes on the loopback interface: messages a second and round-trip times."""
    if soaked:
        for cuts in (False, True):
            with Progress(soaked) as progress:
                progress.says("soak over cut connections" if cuts else "soak")
                result = soak(soaked, cuts=cuts, progress=progress)
            click.echo(result.text())
        return
    click.echo(f"{'senders':>7} {'bytes':>6} {'messages/s':>11} {'lost':>5} {'p50 us':>8} {'p99 us':>8} {'max us':>8}")
    with receiver() as peer, gevent.Timeout(_LONGEST_RUN), Progress(4) as progress:
        for senders in (1, 16):
            for size, count in ((256, messages), (4096, messages // 4)):
                progress.says(f"{senders} senders, {size} bytes")
                got = measure(peer, senders, size, count, exchanges)
                progress.prints(
                    f"{senders:>7} {size:>6} {got['per_second']:>11.0f} {got['lost']:>5} "
                    f"{got['p50']:>8.0f} {got['p99']:>8.0f} {got['longest']:>8.0f}"
                )
                progress.step()


if __name__ == "__main__":
    receive()
