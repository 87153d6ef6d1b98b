# SPDX-License-Identifier: Apache-2.0
"""Attacks on the RMR data port (`rmr`) and the port of route tables (`routes`)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from submgr.e2ap import codec
from submgr.e2ap.messages import RequestId, SubscriptionDeleteRequest
from submgr.rmr import mtypes
from submgr.rmr.framing import Framer
from support.hostile.ordeal import Attacker
from support.rmr.frames import frame

MANY = 20_000
ENTRIES = 100_000


def garbage_answers(attacker: Attacker, mtype: int) -> None:
    """Messages that claim to be E2AP and are none, as fast as they are taken."""
    sock = attacker.connect("rmr")
    attacker.flood(sock, frame(b"\xff\x00garbage\x85" * 40, mtype=mtype, meid=b"gnb_1") * 200)


def undecodable_kinds(attacker: Attacker) -> None:
    """A different garbage each time, of each type that is decoded: nothing remembered helps."""
    kinds = [
        mtypes.RIC_SUB_RESP,
        mtypes.RIC_SUB_FAILURE,
        mtypes.RIC_SUB_DEL_RESP,
        mtypes.RIC_SUB_REQ,
        mtypes.RIC_SUB_DEL_REQUIRED,
    ]
    good = codec.encode(SubscriptionDeleteRequest(RequestId(1, 1), 2))
    sock = attacker.connect("rmr")
    for number in itertools.count():
        if not attacker.goes_on:
            return
        octets = bytearray(good)
        octets[number % len(octets)] ^= 1 + number % 255
        sock.sendall(frame(bytes(octets), mtype=kinds[number % len(kinds)], meid=b"gnb_%d" % (number % 5)))


def unknown_types(attacker: Attacker) -> None:
    """The smallest frames there are, of types that nobody handles."""
    attacker.flood(attacker.connect("rmr"), b"".join(frame(mtype=50_000 + number) for number in range(1000)))


def broken_frames(attacker: Attacker) -> None:
    """A broken frame on one new connection after the other."""
    for broken in itertools.cycle([b"GET / HTTP/1.1\r\n\r\n" * 20, bytes(64), frame(total=-5), frame(b"ab", plen=-5)]):
        if not attacker.goes_on:
            return
        attacker.connect("rmr").sendall(broken)
        time.sleep(0.001)


def unfinished_frames(attacker: Attacker) -> None:
    """Three hundred connections, each with most of a frame of the largest size."""
    size = 1 << 20
    begun = frame(total=size)[:330] + bytes(size - 1000)
    socks = [attacker.connect("rmr") for _ in range(300)]
    for sock in socks:
        if attacker.goes_on:
            sock.settimeout(0.05)
            try:
                sock.sendall(begun)
            except OSError:
                continue
    attacker.hold()


def idle_connections(attacker: Attacker) -> None:
    """Two thousand connections that say nothing."""
    for _ in range(2000):
        attacker.connect("rmr")
    attacker.hold()


def deaf_peer(attacker: Attacker) -> None:
    """A peer that asks for a health check again and again and never reads the answers."""
    attacker.flood(attacker.connect("rmr"), frame(mtype=mtypes.RIC_HEALTH_CHECK_REQ) * 200)


def many_sources(attacker: Attacker) -> None:
    """Delete requests for what does not exist, each of another source: each source is to get an answer."""
    payload = codec.encode(SubscriptionDeleteRequest(RequestId(7, 0), 2))
    sock = attacker.connect("rmr")
    for first in range(0, MANY, 500):
        sock.sendall(b"".join(_from(source, payload) for source in _sources(first, 500)))
    attacker.hold()


def many_names(attacker: Attacker) -> None:
    """The same, of sources whose names have to be looked up."""
    payload = codec.encode(SubscriptionDeleteRequest(RequestId(7, 0), 2))
    sock = attacker.connect("rmr")
    for first in range(0, 4000, 500):
        names = [f"xapp-{number}.ricxapp.invalid:4560" for number in range(first, first + 500)]
        sock.sendall(b"".join(_from(name, payload) for name in names))
    attacker.hold()


def _sources(first: int, count: int) -> Iterator[str]:
    return (f"127.9.{number >> 8}.{number & 255}:{4560}" for number in range(first, first + count))


def _from(source: str, payload: bytes) -> bytes:
    return frame(payload, mtype=mtypes.RIC_SUB_DEL_REQ, src=source.encode(), xid=source[-32:].encode(), meid=b"gnb_1")


class Manager:
    """A route manager that sends tables, in messages of about 4 kB as the real one."""

    def __init__(self, attacker: Attacker) -> None:
        self._sock = attacker.connect("routes", timeout=30.0)
        self._framer = Framer(1 << 20)

    def send(self, *lines: str) -> None:
        """Sends the lines."""
        for first in range(0, len(lines), 60):
            text = "".join(f"{line}\n" for line in lines[first : first + 60])
            self._sock.sendall(frame(text.encode(), mtype=mtypes.RMRRM_TABLE_DATA))

    def state(self) -> str:
        """What the daemon answers to a table."""
        while True:
            for message in self._framer.feed(self._sock.recv(65536)):
                return message.payload.decode()


def _real(attacker: Attacker) -> list[str]:
    """The records by which the daemon reaches its E2 nodes."""
    return list(attacker.site.around.e2term.route_table().splitlines()[1:-1])


def _large(attacker: Attacker) -> list[str]:
    return [*_real(attacker), *(f"mse|12050|{number}|xapp-{number % 500}:4560" for number in range(ENTRIES))]


def large_table(attacker: Attacker) -> None:
    """A route table of 100,000 entries; `found`: what the daemon answered."""
    manager = Manager(attacker)
    lines = _large(attacker)
    manager.send("newrt|start|large", *lines, f"newrt|end|{len(lines)}")
    attacker.found = manager.state()


def one_line_updates(attacker: Attacker) -> None:
    """Updates of one line each, of the table of 100,000 entries."""
    manager = Manager(attacker)
    for number in itertools.count():
        if not attacker.goes_on:
            break
        manager.send(f"updatert|start|u{number}", f"mse|12050|{number}|xapp:4560", "updatert|end|1")
        attacker.found = manager.state()


def many_updates(attacker: Attacker) -> None:
    """The same without waiting for the answers."""
    manager = Manager(attacker)
    for number in range(300):
        if not attacker.goes_on:
            break
        manager.send(f"updatert|start|u{number}", f"mse|12050|{number}|xapp:4560", "updatert|end|1")
    attacker.hold()


def small_table(attacker: Attacker) -> None:
    """The table is small again; long lines and unknown records among its own."""
    manager = Manager(attacker)
    lines = _real(attacker)
    manager.send("newrt|start|small", "x" * 60_000, "|" * 60_000, *lines, f"newrt|end|{len(lines)}")
    attacker.found = manager.state()


def meid_maps(attacker: Attacker) -> None:
    """Maps of 50,000 Meids."""
    manager = Manager(attacker)
    lines = [
        f"mme_ar|e2term-{number % 50}:38000|" + " ".join(f"gnb_{number}_{each}" for each in range(50))
        for number in range(1000)
    ]
    manager.send("meid_map|start|m", *lines, f"meid_map|end|{len(lines)}")
    attacker.found = manager.state()
    manager.send("meid_map|start|n", "mme_del|gnb_0_0", "meid_map|end|1")
    manager.state()


def acknowledged(found: str) -> None:
    """The table was taken."""
    assert str(found).startswith("OK "), found
