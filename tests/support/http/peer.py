# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server on the loopback that answers as a test wants it to: well, late, badly or never."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer

from support.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` with names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = Callable[[Request], bytes | Iterator[bytes] | None]


class HttpPeer:
    """Answers each request with the bytes that `answer` gives, at once or in pieces, and closes the connection when
    it gives None.

    `answer` runs in the greenlet of the connection and may wait. A connection is kept for the next request, unless
    the end of a body is told by closing (no length, not chunked).
    """

    def __init__(self, answer: Answer | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.answer: Answer = answer or (lambda request: OK)
        self.requests: list[Request] = []
        self.connections = 0
        self.host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
        self.port: int = listener.getsockname()[1]
        self._server = StreamServer(listener, self._handle, spawn=Pool())
        self._server.start()

    def stop(self) -> None:
        """No new connections, and those that are open end."""
        self._server.stop(timeout=0)

    def until(self, requests: int, seconds: float = 10.0) -> list[Request]:
        """Wait for so many requests in all; fails when there are fewer in time."""
        eventually(
            lambda: len(self.requests) >= requests,
            seconds,
            what=lambda: f"{requests} requests awaited, {len(self.requests)} came",
        )
        return self.requests

    def _handle(self, sock: socket.socket, address: object) -> None:
        self.connections += 1
        with sock, sock.makefile("rb") as file:
            try:
                while (request := _read(file)) is not None:
                    self.requests.append(request)
                    data = self.answer(request)
                    if data is None:
                        return
                    for piece in [data] if isinstance(data, bytes) else data:
                        sock.sendall(piece)
                    if isinstance(data, bytes) and _ends_by_closing(data):
                        return
            except OSError:
                return


def _read(file: Any) -> Request | None:
    line = file.readline().decode()
    if not line:
        return None
    method, path, _ = line.split()
    headers = {}
    while (line := file.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, path, headers, file.read(int(headers.get("content-length", 0))))


def _ends_by_closing(data: bytes) -> bool:
    head, end, _ = data.lower().partition(b"\r\n\r\n")
    return bool(end) and b"content-length" not in head and b"chunked" not in head
