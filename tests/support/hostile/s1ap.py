# SPDX-License-Identifier: Apache-2.0
"""Attacks on the controller's port for mirrored S1AP (`s1ap`)."""

from __future__ import annotations

import itertools
import random

from mec.controller.recordings.calls import Call, attach, set_up
from support.hostile.http_in import head, status_of
from support.hostile.ordeal import Attacker

IMSI = "001014444444444"


def idle_connections(attacker: Attacker) -> None:
    """Connections that say nothing, more than the controller has room for; `found`: whether an eNB still gets in."""
    for _ in range(1200):
        attacker.connect("s1ap")
    attacker.connect("s1ap").sendall(b"".join([*set_up(), *attach(Call(1, 800_001, IMSI, ["10.8.0.1"]))]))
    attacker.extend(5.0)
    while not attacker.found and attacker.goes_on:
        attacker.found = status_of(attacker.exchange("http", head(f"GET /ues/{IMSI}", "Connection: close"))) == 200
        attacker.pause(0.02)


def unfinished_pdus(attacker: Attacker) -> None:
    """Two hundred connections, each with a PDU of 16 kB of which the last octet does not come."""
    for _ in range(200):
        attacker.connect("s1ap").sendall(b"\x00\x0c\x40\xbf\xff" + b"\0" * 16_382)
    attacker.hold()


def garbage(attacker: Attacker) -> None:
    """PDUs with a correct header and a content that is none, as fast as they are taken."""
    noise = random.Random(1)
    pdus = [b"\x00" + bytes([code, 0x40, 100]) + noise.randbytes(100) for code in (9, 11, 12, 13, 5, 23, 3, 14, 17)]
    attacker.flood(attacker.connect("s1ap"), b"".join(pdus * 50))


def broken_heads(attacker: Attacker) -> None:
    """One connection after the other, with a header that cannot be."""
    for _ in itertools.count():
        if not attacker.goes_on:
            return
        attacker.connect("s1ap").sendall(b"\xff" * 100)
        attacker.pause(0.002)


def wrong_bits(attacker: Attacker) -> None:
    """Attaches with some bits wrong: NAS and S1AP that nearly decode."""
    noise = random.Random(2)
    good = b"".join(attach(Call(5, 100, "001010000000001", ["192.168.3.2"])))
    sock = attacker.connect("s1ap")
    sock.sendall(b"".join(set_up()))
    while attacker.goes_on:
        octets = bytearray(good)
        for _ in range(10):
            octets[noise.randrange(60, len(octets))] ^= 1 << noise.randrange(8)
        try:
            sock.sendall(octets)
        except OSError:
            sock = attacker.connect("s1ap")


def attaches(attacker: Attacker) -> None:
    """UEs that attach as fast as the controller takes it."""
    sock = attacker.connect("s1ap")
    sock.sendall(b"".join(set_up()))
    octets = b"".join(
        b"".join(attach(Call(number, number + 100_000, f"00101{number:010}", [f"10.0.{number >> 8}.{number & 255}"])))
        for number in range(1, 40)
    )
    attacker.flood(sock, octets)


def got_in(found: bool) -> None:
    """Room was made for the eNB."""
    assert found, "an eNB found no place"
