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

LOOPBACK = "127.0.0.1"
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
    lowered = head.lower()
    at = lowered.find(b"content-length:")
    if at >= 0:
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
    elif b"transfer-encoding: chunked" in lowered:
        return (head, *_chunks(sock, rest))
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


def _chunks(sock: socket.socket, rest: bytes) -> tuple[bytes, bytes]:
    """The body of a message in chunks, as other implementations send it, and the octets after it."""
    body = b""
    while True:
        while (end := rest.find(b"\r\n")) < 0:
            rest += _more(sock)
        size = int(rest[:end].split(b";")[0], 16)
        rest = rest[end + 2 :]
        while len(rest) < size + 2:
            rest += _more(sock)
        body += rest[:size]
        rest = rest[size + 2 :]  # trailers are not sent by anybody
        if not size:
            return body, rest


def _more(sock: socket.socket) -> bytes:
    piece = sock.recv(_PIECE)
    if not piece:
        raise BenchError("a connection ended in the middle of a message")
    return bytes(piece)


class Client:
    """One connection to the xApp interface, kept open as long as the other side keeps it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._sock: socket.socket | None = None
        self._rest = b""

    def __enter__(self) -> Self:
        self._connect()
        return self

    def _connect(self) -> None:
        try:
            self._sock = socket.create_connection(self._address, timeout=_TIMEOUT)
        except OSError as failed:
            raise BenchError(
                "nothing answers at {}:{}: {}".format(*self._address, failed.strerror or failed)
            ) from failed
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sock is not None:
            self._sock.close()

    def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of the answer. Raises BenchError when there is none."""
        if self._sock is None:
            self._connect()
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
        if not answer.startswith(b"HTTP/1.") or not answer[9:12].isdigit():
            raise BenchError(f"{method} {path}: the answer is no HTTP")
        if b"\nconnection: close" in answer.lower():
            self._sock.close()
            self._sock = None
        return int(answer[9:12]), content


class Instance(msgspec.Struct):
    """One SubscriptionInstance of a notification; E2EventInstanceId is 0 or absent when it failed."""

    XappEventInstanceId: int | None = None
    E2EventInstanceId: int | None = None
    ErrorCause: str | None = None


class Notification(msgspec.Struct):
    """The body of a notification."""

    SubscriptionId: str
    SubscriptionInstances: list[Instance] = []


class Listener:
    """Takes notifications. `came` has when each came (monotonic seconds), by SubscriptionId; `failures` the causes."""

    def __init__(self, host: str = LOOPBACK) -> None:
        self.host = host
        self.came: dict[str, float] = {}
        self.failures: list[str] = []
        self._waiting: dict[str, Event] = {}
        self._decode = msgspec.json.Decoder(Notification).decode
        self._server = StreamServer((host, 0), self._serve)

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
                came = time.monotonic()
                sock.sendall(_OK)
            except (OSError, BenchError):
                return
            try:
                self._take(self._decode(body), came)
            except msgspec.DecodeError as wrong:
                self.failures.append(f"a notification cannot be read: {wrong}")

    def _take(self, notification: Notification, came: float) -> None:
        self.came[notification.SubscriptionId] = came
        failed = [one for one in notification.SubscriptionInstances if not one.E2EventInstanceId]
        self.failures.extend(one.ErrorCause or "no cause is given" for one in failed)
        waiting = self._waiting.pop(notification.SubscriptionId, None)
        if waiting is not None:
            waiting.set()
