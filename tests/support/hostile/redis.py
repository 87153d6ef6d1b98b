# SPDX-License-Identifier: Apache-2.0
"""Attacks through the database: floods on its channel, and a way to it that spoils the answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from submgr.simulators.nodes import NodeState
from submgr.simulators.rnib import nb_identity, node_key, nodeb_info
from support.hostile.native_server import NativeServer
from support.hostile.ordeal import Attacker

CHANNEL = b"{e2Manager},RAN_CONNECTION_STATUS_CHANGE"
NODES = b"{e2Manager},GNB"

Spoil = Callable[[bytes], bytes]


class Relay(NativeServer):
    """Stands between the daemon and redis. While `spoil` is set, it makes the answers of redis into others."""

    def __init__(self, redis_port: int) -> None:
        self.spoil: Spoil | None = None
        self._redis_port = redis_port
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._redis_port))
        except OSError:
            sock.close()
            self.open.discard(sock)
            return
        self.open.add(server)
        threading.Thread(target=self._relay, args=(sock, server, False), daemon=True).start()
        self._relay(server, sock, True)

    def _relay(self, source: socket.socket, sink: socket.socket, spoiled: bool) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                spoil = self.spoil
                sink.sendall(spoil(octets) if spoiled and spoil is not None else octets)
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            self.open.discard(sock)


SPOILED: dict[str, Spoil] = {
    "a length that is no number": lambda octets: b"$abc\r\n",
    "a list's length that is no number": lambda octets: b"*x\r\n",
    "an unknown kind": lambda octets: b"?what\r\n",
    "no text at all": lambda octets: b"\xff\xfe\x00\r\n",
    "a negative length": lambda octets: b"*-7\r\n",
    "nested lists": lambda octets: b"*1\r\n" * 5000,
    "a number that is none": lambda octets: b":12a\r\n",
    "an unknown error": lambda octets: b"-WHAT is this\r\n",
    "the answer of somebody else": lambda octets: b"+QUEUED\r\n",
    "a huge length": lambda octets: b"$99999999999\r\nx",
    "one octet less": lambda octets: octets[:-1],
}


def spoiled_answers(attacker: Attacker) -> None:
    """Every answer of redis is spoiled in one way after the other, each for a while."""
    relay: Relay = attacker.site.relay
    for spoil in SPOILED.values():
        relay.spoil = spoil
        attacker.pause(0.25)
    relay.spoil = None
    relay.hang_up()


def endless_answer(attacker: Attacker) -> None:
    """Redis answers with a text that never ends."""
    relay: Relay = attacker.site.relay
    relay.spoil = lambda octets: b"$536870912\r\n" + b"x" * (1 << 20)
    attacker.hold()
    relay.spoil = None
    relay.hang_up()


def _command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def _flood(attacker: Attacker, payloads: list[bytes]) -> None:
    """Publishes as fast as redis takes it."""
    sock = attacker.connect("redis")
    octets = b"".join(_command(b"PUBLISH", CHANNEL, payload) for payload in payloads)

    def drain() -> None:
        sock.settimeout(0.5)
        while attacker.goes_on and sock.recv(1 << 20):
            pass

    attacker.together(lambda: attacker.flood(sock, octets), drain)


def events(attacker: Attacker) -> None:
    """Events of a node that is connected, again and again."""
    _flood(attacker, [b"gnb_1_CONNECTED"] * 500)


def events_of_many(attacker: Attacker) -> None:
    """Events of nodes that do not exist, ten in a payload."""
    _flood(
        attacker,
        [b"___".join(b"ghost_%d_DISCONNECTED" % (first + each) for each in range(10)) for first in range(0, 5000, 10)],
    )


def garbage_events(attacker: Attacker) -> None:
    """Payloads that mean nothing."""
    _flood(attacker, [b"\xff\x00___" * 100, b"_" * 5000, b"", b"gnb_1_WHAT"] * 50)


def many_nodes(attacker: Attacker) -> None:
    """R-NIB gets 2,000 more nodes, and its readers have to read it anew three times."""
    sock = attacker.connect("redis")
    commands = []
    for number in range(2000):
        name = f"gnb_more_{number}"
        commands.append(_command(b"SADD", NODES, nb_identity(name, NodeState.CONNECTED)))
        commands.append(_command(b"SET", node_key(name).encode(), nodeb_info(name, NodeState.CONNECTED)))
    sock.sendall(b"".join(commands))
    for _ in range(3):
        attacker.site.relay.hang_up()
        attacker.pause(0.6)


def large_records(attacker: Attacker) -> None:
    """R-NIB's entry of a node, and one of its set, has 20 MB."""
    sock = attacker.connect("redis")
    sock.sendall(_command(b"SADD", NODES, b"\x0a\x80\x80\x80\x0a" + b"x" * 20_000_000))
    sock.sendall(_command(b"SET", b"{e2Manager},RAN:gnb_big", b"\x00" * 20_000_000))
    attacker.site.relay.hang_up()
    attacker.pause(0.8)
    sock.sendall(_command(b"SREM", NODES, b"\x0a\x80\x80\x80\x0a" + b"x" * 20_000_000))
