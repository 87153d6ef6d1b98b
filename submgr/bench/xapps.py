# SPDX-License-Identifier: Apache-2.0
"""The xApps of a benchmark: clients with keep-alive, and the listener that takes their notifications.

They spend as little CPU as they can, since they share the machine with the processes that are measured.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import msgspec
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

from submgr.bench.children import BenchError

_PIECE = 65536
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_TIMEOUT = 30.0


def _message(sock: socket.socket, rest: bytes) -> tuple[bytes, bytes, bytes]:
    """Head and body of the next HTTP message, and the octets after it. The head is empty when the peer has closed."""
    while (end := rest.find(b"\r\n\r\n")) < 0:
        piece = sock.recv(_PIECE)
        if not piece:
            return b"", b"", b""
        rest += piece
    head, rest = rest[:end], rest[end + 4 :]
    length = 0
    at = head.lower().find(b"content-length:")
    if at >= 0:
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
    pieces = [rest]
    have = len(rest)
    while have < length:
        piece = sock.recv(_PIECE)
        if not piece:
            raise BenchError("a connection ended in the middle of a message")
        pieces.append(piece)
        have += len(piece)
    whole = b"".join(pieces)
    return head, whole[:length], whole[length:]


class Client:
    """One connection to the xApp interface, kept open."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._sock: socket.socket | None = None
        self._rest = b""

    def __enter__(self) -> Self:
        self._sock = socket.create_connection(self._address, timeout=_TIMEOUT)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sock is not None:
            self._sock.close()

    def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of the answer. Raises BenchError when there is none."""
        assert self._sock is not None
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        try:
            self._sock.sendall(head.encode() + b"\r\n" + body)
            answer, content, self._rest = _message(self._sock, self._rest)
        except OSError as failed:
            raise BenchError(f"{method} {path}: {failed}") from failed
        if not answer:
            raise BenchError(f"{method} {path}: the connection was closed without an answer")
        return int(answer[9:12]), content


class Instance(msgspec.Struct):
    """One SubscriptionInstance of a notification; E2EventInstanceId is 0 when it failed."""

    XappEventInstanceId: int
    E2EventInstanceId: int
    ErrorCause: str


class Notification(msgspec.Struct):
    """The body of a notification."""

    SubscriptionId: str
    SubscriptionInstances: list[Instance]


class Listener:
    """Takes notifications. `came` has when each came (monotonic seconds), by SubscriptionId; `failures` the causes."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        self.failures: list[str] = []
        self._waiting: dict[str, Event] = {}
        self._decode = msgspec.json.Decoder(Notification).decode
        self._server = StreamServer(("127.0.0.1", 0), self._serve)

    def __enter__(self) -> Self:
        self._server.init_socket()
        # accepted connections inherit it
        self._server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(timeout=0)

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def wait(self, subscription_id: str, seconds: float = _TIMEOUT) -> float:
        """Waits for the notification of a subscription; returns when it came. Raises BenchError when none comes."""
        if subscription_id not in self.came:
            event = self._waiting[subscription_id] = Event()
            if not event.wait(seconds):
                raise BenchError(f"{subscription_id} was not told how it ended for {seconds:g} s")
        return self.came[subscription_id]

    def forget(self) -> None:
        """Forgets the notifications so far."""
        self.came.clear()

    def _serve(self, sock: Any, address: object) -> None:
        rest = b""
        while True:
            try:
                head, body, rest = _message(sock, rest)
                if not head:
                    return
                sock.sendall(_OK)
            except OSError:
                return
            self._take(self._decode(body))

    def _take(self, notification: Notification) -> None:
        self.came[notification.SubscriptionId] = time.monotonic()
        self.failures.extend(i.ErrorCause for i in notification.SubscriptionInstances if not i.E2EventInstanceId)
        waiting = self._waiting.pop(notification.SubscriptionId, None)
        if waiting is not None:
            waiting.set()
