# SPDX-License-Identifier: Apache-2.0
"""A client of server-sent events, on a plain socket: it reads when it is told to, and no more."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

import gevent
from gevent import socket

from support.waiting import eventually


class EventStream:
    """`status`: of the answer. `events`: those that have been read, each as (id, kind, data). `comments`: how many."""

    def __init__(self, port: int, query: str = "", **headers: str) -> None:
        self.status = 0
        self.events: list[tuple[str, str, Any]] = []
        self.comments = 0
        self.ended = False
        self.head = ""
        self._left = b""
        self.sock = socket.create_connection(("127.0.0.1", port))
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = [f"GET /ric/v1/events{query} HTTP/1.1", "Host: localhost", *lines]
        self.sock.sendall("\r\n".join([*head, "", ""]).encode())

    def __enter__(self) -> EventStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()

    def until(self, count: int, seconds: float = 20.0) -> list[tuple[str, str, Any]]:
        """Reads until there are so many events."""
        eventually(lambda: self.read() and len(self.events) >= count, seconds, what=lambda: self.events)
        return self.events

    def read(self) -> bool:
        """Reads what has come. Always true."""
        self.sock.settimeout(0.05)
        try:
            while piece := self.sock.recv(65536):
                self._take(piece)
            self.ended = True
        except TimeoutError:
            gevent.sleep(0)
        return True

    def _take(self, piece: bytes) -> None:
        self._left += piece
        if not self.status and b"\r\n\r\n" in self._left:
            head, _, self._left = self._left.partition(b"\r\n\r\n")
            self.head = head.decode()
            self.status = int(head.split()[1])
        while self.status == 200 and b"\r\n" in self._left:
            size, _, rest = self._left.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                return
            self._chunk(rest[:length].decode())
            self._left = rest[length + 2 :]

    def _chunk(self, text: str) -> None:
        for block in filter(None, text.split("\n\n")):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "data" in fields:
                self.events.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
            else:
                self.comments += 1
