# SPDX-License-Identifier: Apache-2.0
"""The half of a connection's handler that sends what the application answers (PEP 3333).

In place of pywsgi's: that one looks at each header field four times, sends head and body apart, and makes the date of
each answer anew.
"""

import time
from collections.abc import Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any

from gevent.pywsgi import WSGIHandler, format_date_time

from submgr.platform.http.buffered_socket import BufferedSocket
from submgr.platform.http.connections import Connections
from submgr.platform.http.plain_answers import PlainAnswer, head_of
from submgr.platform.http.request_head import Refused
from submgr.platform.http.request_reader import RETRY

_ONE_PIECE = 64 * 1024
_WITHOUT_BODY = (204, 304)

ErrorTriple = tuple[type[BaseException], BaseException, TracebackType]


class AnsweringHandler(WSGIHandler):  # type: ignore[misc]
    """See the module. What it uses of the reading half is declared here."""

    connections: Connections
    code: int | None
    status: str | None
    fields: Sequence[tuple[str, str]]
    result: Any
    _source: BufferedSocket
    _placed: bool

    def start_response(
        self, status: str, headers: Sequence[tuple[str, str]], exc_info: ErrorTriple | None = None
    ) -> Any:
        """Takes the head of the answer, which is sent with the first piece of the body."""
        if exc_info is not None and self.headers_sent:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status, self.code, self.fields = status, int(status[:3]), headers
        return self.write

    def send_plain(self, answer: PlainAnswer) -> None:
        """Answers the request."""
        length = answer.length
        if length > _ONE_PIECE:
            self.result = answer.send(self.start_response)
            try:
                self.process_result()
            finally:
                self.result = None  # it would be kept until the next request
            return
        self.code = status = answer.status
        head = _plain_head(status, answer.content_type, length, self._connection_option(), int(time.time()))
        self._sendall(head + b"".join(answer.pieces))

    def _head(self) -> bytes:
        """The head with the fields that the application left out. Raises ValueError when a field has an end of a line
        in it: what follows would be another field, or another answer."""
        given = {name.lower(): value for name, value in self.fields}
        lines = [f"HTTP/1.1 {self.status}", *[f"{name}: {value}" for name, value in self.fields]]
        if "date" not in given:
            lines.append(_date(int(time.time())))
        if "content-length" not in given and self.code not in _WITHOUT_BODY:
            self._tell_length(lines)
        if given.get("connection") == "close":
            self.close_connection = True
        option = self._connection_option()
        if option == "close":
            lines = [line for line in lines if not line.lower().startswith("connection:")]
        if option == "close" or (option and "connection" not in given):
            lines.append(f"Connection: {option}")
        head = "\r\n".join(lines)
        if head.count("\n") >= len(lines) or head.count("\r") >= len(lines):
            raise ValueError("a header field with the end of a line in it")
        return f"{head}\r\n\r\n".encode("latin-1")

    def _connection_option(self) -> str:
        """Whether the connection goes on after this answer, where the client does not know by itself."""
        if self.connections.stopping or not self._placed:
            self.close_connection = True
        if self.close_connection:
            return "close"
        return "keep-alive" if self.request_version == "HTTP/1.0" else ""

    def _tell_length(self, lines: list[str]) -> None:
        if hasattr(self.result, "__len__"):
            lines.append(f"Content-Length: {sum(map(len, self.result))}")
        elif self.request_version != "HTTP/1.0":
            self.response_use_chunked = True
            lines.append("Transfer-Encoding: chunked")
        else:
            self.close_connection = True  # its end is the end of the connection

    def _write_with_headers(self, data: bytes) -> None:
        """Sends the head and a small body, or the first piece of it, in one piece."""
        head = self._head()
        self.headers_sent = True
        if len(data) > _ONE_PIECE:
            self._hold(data)
            self._sendall(head)
            self._write(data)
        elif self.response_use_chunked and data:
            self._hold(data)
            self._sendall(b"%b%x\r\n%b\r\n" % (head, len(data), data))
        else:
            self._sendall(head + data)

    def _hold(self, data: bytes | memoryview) -> None:
        if not self.connections.sends(self, data):
            raise no_room()

    def _sendall(self, data: bytes | memoryview) -> None:
        """Sends a piece of the answer."""
        try:
            sent = self._source.send_at_once(data)
            self.response_length += sent
            if sent < len(data):
                self._send_slowly(data, sent)
        except OSError:
            self.code = -abs(self.code or 0)  # pywsgi's mark for "could not be sent"
            raise

    def _send_slowly(self, data: bytes | memoryview, sent: int) -> None:
        """Waits for the client to take the rest. Meanwhile it may lose its connection to others."""
        self._hold(data)
        self.connections.slow(self)
        self._source.allow(self.connections.limits.write)
        try:
            self._source.send_slowly(memoryview(data)[sent:])
        finally:
            self.connections.works(self)
        self.response_length += len(data) - sent


@lru_cache(maxsize=256)
def _plain_head(status: int, content_type: str, length: int, option: str, second: int) -> bytes:
    """The head of a plain answer. Of those of one second many are alike."""
    lines = [*head_of(status, content_type, length), _date(second)]
    if option:
        lines.append(f"Connection: {option}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return f"Date: {format_date_time(second).decode()}"


def no_room() -> Refused:
    """The answer when too many bytes are in flight."""
    return Refused(503, "too many bytes are in flight", RETRY)
