# SPDX-License-Identifier: Apache-2.0
"""Two processes exchange numbered messages over connections that are cut up or cut off at random.

Between them stands a proxy that passes the bytes on in pieces of any size and, if wanted, resets connections in the
middle. RMR itself acknowledges nothing: when a connection breaks, the messages in its sockets are gone. So a message
without an answer is sent again, as every RMR application does.
`python -m submgr.rmr.tools.soak` is the answering process.
"""

from __future__ import annotations

import random
import socket as stdsocket
import struct
import subprocess
import sys
from time import perf_counter
from typing import Any

import gevent
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer
from msgspec import Struct

from submgr.platform.progress import Progress
from submgr.platform.turns import Budget
from submgr.rmr.message import Message, Status
from submgr.rmr.transport import Stats, TransportConfig
from submgr.rmr.wire.transport import WireTransport

_REQUEST, _ANSWER = 1, 2
_NUMBER = struct.Struct(">Q")
_WINDOW = 2000
_AGAIN_AFTER = 1.0
_BYTES_BETWEEN_CUTS = 1 << 20
_RESET = struct.pack("ii", 1, 0)
_NAMED = TransportConfig(host="127.0.0.1", port=0, name="127.0.0.1", send_timeout=30.0, backoff_min=0.01)


class Result(Struct, frozen=True):
    """The figures of an exchange."""

    messages: int
    answered: int
    """Different numbers that were answered."""
    sent_again: int
    answered_twice: int
    out_of_order: int
    cuts: int
    seconds: float
    sender: Stats

    def text(self) -> str:
        """One line."""
        return (
            f"{self.answered} of {self.messages} answered in {self.seconds:.1f} s over {self.cuts} cut connections: "
            f"{self.messages - self.answered} lost, {self.sent_again} sent again, "
            f"{self.answered_twice} answered twice, {self.out_of_order} out of order, "
            f"{sum(self.sender.receive_error.values())} bad frames"
        )


class Cutter:
    """A proxy to a port that passes bytes on in random pieces and, with `cuts`, resets connections."""

    def __init__(self, port: int, chance: random.Random, cuts: bool) -> None:
        self.cuts = 0
        self._port = port
        self._chance = chance
        self._cutting = cuts
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.name = f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stops passing anything on."""
        self._server.stop(timeout=0)

    def _serve(self, near: Any, address: Any) -> None:
        far = socket.create_connection(("127.0.0.1", self._port))
        for sock in (near, far):
            sock.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_NODELAY, 1)
        back = gevent.spawn(self._pass_on, far, near, sys.maxsize)
        left = int(self._chance.expovariate(1 / _BYTES_BETWEEN_CUTS)) if self._cutting else sys.maxsize
        try:
            if self._pass_on(near, far, left):
                self.cuts += 1
                for sock in (near, far):
                    sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, _RESET)
        finally:
            back.kill()
            far.close()
            near.close()

    def _pass_on(self, source: Any, target: Any, left: int) -> bool:
        """Passes on until the end, or for `left` bytes: True when it was these."""
        budget = Budget()
        try:
            while data := source.recv(65536):
                at = 0
                while at < len(data):
                    piece = min(self._chance.choice((1, 40, 333, 1000, 5000, 20000, 65536)), left)
                    if not piece:
                        return True
                    target.sendall(data[at : at + piece])
                    at += piece
                    left -= piece
                budget.spend()
        except OSError:
            return False
        return False


def answer(listening: Event) -> None:
    """The answering process: echoes to the address it reads from its standard input, for ever."""
    back = ""

    def on_message(message: Message) -> None:
        while transport.send_to(back, Message(_ANSWER, message.payload)) is not Status.OK:
            gevent.sleep(0.001)

    transport = WireTransport(_NAMED, on_message)
    transport.start()
    print(transport.port, flush=True)
    back = sys.stdin.readline().strip()
    listening.wait()


def soak(messages: int, cuts: bool, seed: int = 1, progress: Progress | None = None) -> Result:
    """Exchanges so many messages and counts what became of them. `progress`: is told of each that is sent."""
    chance = random.Random(seed)
    unanswered: dict[int, float] = {}
    moved = Event()
    answered = twice = disorder = again = last = 0

    def on_answer(message: Message) -> None:
        nonlocal answered, twice, disorder, last
        (number,) = _NUMBER.unpack_from(message.payload)
        if unanswered.pop(number, None) is None:
            twice += 1
        else:
            answered += 1
        disorder += number < last
        last = number
        moved.set()

    transport = WireTransport(_NAMED, on_answer)
    transport.start()
    command = [sys.executable, "-m", "submgr.rmr.tools.soak"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        there = Cutter(int(process.stdout.readline()), chance, cuts)
        back = Cutter(transport.port, chance, cuts)
        process.stdin.write(f"{back.name}\n")
        process.stdin.flush()

        def send(number: int) -> None:
            payload = _NUMBER.pack(number) + bytes(chance.randrange(400))
            while transport.send_to(there.name, Message(_REQUEST, payload)) is not Status.OK:
                gevent.sleep(0.001)
            unanswered[number] = perf_counter()

        began = perf_counter()
        budget = Budget()
        for number in range(messages):
            while len(unanswered) >= _WINDOW:
                moved.clear()
                if not moved.wait(_AGAIN_AFTER):
                    again += _again(unanswered, send)
            send(number)
            if progress is not None:
                progress.step()
            budget.spend()
        while unanswered:
            gevent.sleep(0.05)
            again += _again(unanswered, send)
        took = perf_counter() - began
        result = Result(messages, answered, again, twice, disorder, there.cuts + back.cuts, took, transport.stats())
        process.terminate()
    for part in (there, back):
        part.close()
    transport.stop(timeout=0)
    return result


def _again(unanswered: dict[int, float], send: Any) -> int:
    """Sends again every message that has waited too long for its answer. Returns how many there were."""
    late = perf_counter() - _AGAIN_AFTER
    overdue = [number for number, since in unanswered.items() if since < late]
    for number in overdue:
        send(number)
    return len(overdue)


if __name__ == "__main__":
    answer(Event())
