# SPDX-License-Identifier: Apache-2.0
"""What a subscription costs a process that does nothing but its socket calls.

The bare process takes a request, asks a store, answers, and asks a store, a Routing Manager, an E2 Termination and an
xApp, in the order of a subscription and with messages of such sizes. It reads none of them, decides nothing and keeps
nothing. `python -m submgr.bench.floor` is that process; its peers, which answer octets with octets, and its clients
are in the process of the benchmark.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import gevent
import gevent.socket
from gevent.server import StreamServer
from msgspec import Struct

from submgr.bench.children import Child

REQUEST, ANSWER = 541, 189
"""Octets of an xApp's POST and of its 201, heads included."""


class Exchange(NamedTuple):
    """A message to a peer and its answer, in octets."""

    peer: str
    sent: int
    received: int


# the sizes are those of a daemon with redis
BEFORE = (Exchange("store", 921, 35),)
"""Between the request and its answer: the request is on record."""
AFTER = (
    Exchange("store", 1937, 35),  # nothing is sent to a node that is not on record
    Exchange("rtmgr", 232, 115),
    Exchange("e2term", 409, 367),
    Exchange("store", 1069, 35),  # the outcome is on record before it is told
    Exchange("xapp", 331, 38),
)
KINDS = {"blocking": "Python and blocking sockets", "gevent": "Python and gevent"}
"""How the bare process waits for its peers."""


class Floor(Struct, frozen=True):
    """CPU milliseconds of the bare process for one subscription."""

    kind: str
    clients: int
    count: int
    cpu_ms: float


def floor(kind: str, clients: int, count: int) -> Floor:
    """Measures one kind. Blocking sockets serve one client only."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="submgr-bench-"))
        ports = {one.peer: stack.enter_context(_peer(one.peer)) for one in (*BEFORE, *AFTER)}
        command = [
            sys.executable,
            "-m",
            "submgr.bench.floor",
            kind,
            *(f"{name}={port}" for name, port in ports.items()),
        ]
        bare = Child("floor", command, Path(directory) / "floor.log")
        stack.callback(bare.stop)
        bare.start()
        address = "127.0.0.1", bare.facts()["port"]
        connections = [stack.enter_context(gevent.socket.create_connection(address)) for _ in range(clients)]
        _ask(connections, clients)  # these make connections; what is after the last answer counts instead of the last's
        before = bare.cpu()
        _ask(connections, count)
        return Floor(kind, clients, count, round((bare.cpu() - before) * 1000 / count, 4))


def _ask(connections: list[Any], count: int) -> None:
    """All clients together make so many requests, each with the next one when it is answered."""
    left = iter(range(count))

    def client(connection: Any) -> None:
        for _ in left:
            connection.sendall(bytes(REQUEST))
            _read(connection, ANSWER)

    crew = [gevent.spawn(client, connection) for connection in connections]
    try:
        gevent.joinall(crew, raise_error=True)
    finally:
        gevent.killall(crew)


@contextmanager
def _peer(name: str) -> Iterator[int]:
    """A peer that answers each message that is due with its answer; yields its port."""
    due = [one for one in (*BEFORE, *AFTER) if one.peer == name]

    def serve(connection: Any, address: object) -> None:
        with suppress(ConnectionError):  # the bare process is ended in the middle of what it does
            while True:
                for one in due:
                    if not _read(connection, one.sent):
                        return
                    connection.sendall(bytes(one.received))

    server = StreamServer(("127.0.0.1", 0), serve)
    server.start()
    try:
        yield int(server.server_port)
    finally:
        server.stop(timeout=0)


def _read(connection: Any, size: int) -> bool:
    """Takes so many octets. False when the other side has closed the connection."""
    while size > 0:
        piece = connection.recv(65536)
        if not piece:
            return False
        size -= len(piece)
    return True


def _serve(module: Any, connection: Any, ports: dict[str, int]) -> None:
    """The bare process, for one client."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peers = {name: module.create_connection(("127.0.0.1", port)) for name, port in ports.items()}
    for peer in peers.values():
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    messages = {one: bytes(one.sent) for one in (*BEFORE, *AFTER)}
    answer = bytes(ANSWER)
    while _read(connection, REQUEST):
        for one in BEFORE:
            peers[one.peer].sendall(messages[one])
            _read(peers[one.peer], one.received)
        connection.sendall(answer)
        for one in AFTER:
            peers[one.peer].sendall(messages[one])
            _read(peers[one.peer], one.received)


def _main(kind: str, *peers: str) -> None:
    module = gevent.socket if kind == "gevent" else socket
    ports = {name: int(port) for name, _, port in (peer.partition("=") for peer in peers)}
    listener = module.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(f'{{"port": {listener.getsockname()[1]}}}', flush=True)
    while True:
        connection, _ = listener.accept()
        if kind == "gevent":
            gevent.spawn(_serve, module, connection, ports)
        else:
            _serve(module, connection, ports)


if __name__ == "__main__":
    _main(*sys.argv[1:])
