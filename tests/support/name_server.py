# SPDX-License-Identifier: Apache-2.0
"""A name server on a loopback port that knows a few names and is silent about others."""

from __future__ import annotations

import struct
from collections import Counter
from types import TracebackType

from gevent import socket
from gevent.server import DatagramServer

_TYPES = {1: socket.AF_INET, 28: socket.AF_INET6}


class NameServer:
    """Answers for `addresses`, is silent about names that begin with "hang", and denies all others.

    `asked` counts the questions by name. An IPv6 address has a colon.
    """

    def __init__(self, **addresses: str) -> None:
        self.addresses = {name.replace("_", "."): [value] for name, value in addresses.items()}
        self.broken: set[str] = set()
        """Names about which it says SERVFAIL."""
        self.asked: Counter[str] = Counter()
        self._server = DatagramServer("127.0.0.1:0", self._answer)
        self._server.start()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def __enter__(self) -> NameServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, bad: BaseException | None, at: TracebackType | None) -> None:
        self._server.stop()

    def _answer(self, question: bytes, asker: tuple[str, int]) -> None:
        name, end = _name(question)
        self.asked[name] += 1
        if name.startswith("hang"):
            return
        known = self.addresses.get(name)
        kind = struct.unpack_from(">H", question, end)[0]
        records = [_record(kind, address) for address in known or () if (":" in address) == (kind == 28)]
        flags = 0x8182 if name in self.broken else 0x8183 if known is None else 0x8180
        head = question[:2] + struct.pack(">5H", flags, 1, len(records), 0, 0)
        self._server.sendto(head + question[12 : end + 4] + b"".join(records), asker)


def _name(question: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while size := question[at]:
        labels.append(question[at + 1 : at + 1 + size].decode())
        at += 1 + size
    return ".".join(labels), at + 1


def _record(kind: int, address: str) -> bytes:
    """For 60 s."""
    packed = socket.inet_pton(_TYPES[kind], address)
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(packed)) + packed
