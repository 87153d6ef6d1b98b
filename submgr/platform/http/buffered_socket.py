# SPDX-License-Identifier: Apache-2.0
"""A socket with a read buffer, from which the HTTP server and the HTTP client read their messages.

The clock is looked at before each wait for the peer, so a peer that sends slowly gains no time, and a peer that sends
quickly cannot keep the deadline from being noticed. Everything of a message but the data of its body is charged to
one allowance of 64 KiB: heads, interim answers, chunk sizes with their extensions, trailers. All peers together share
a slice of each turn of the event loop (`submgr/platform/fair.py`), however their messages are cut into pieces.
"""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gevent import socket, ssl

from submgr.platform.fair import Share
from submgr.platform.readable import silence, wait_until_readable_within

MAX_FRAMING = 64 * 1024
"""Bytes that one message may need beside the data of its body."""

_PIECE = 64 * 1024
_NO_WAIT = 0.0002
"""Seconds. Receiving takes longer only when nothing had come yet: others have had their turn meanwhile."""
_SHORT = 1024
"""Bytes of a head that is looked for in one piece. Nearly all are shorter."""
_EMPTY_LINE = re.compile(rb"\r?\n")
_END_OF_FIELDS = re.compile(rb"\n(\r?\n)")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class PeerClosed(ConnectionError):
    """The peer closed the connection before its message was complete."""


class Malformed(ValueError):
    """The message is not framed as HTTP/1.1 frames messages."""


class TooLong(Malformed):
    """The message needs more than `MAX_FRAMING` bytes beside the data of its body, or a line exceeds its limit."""


class BufferedSocket:
    """Reads one message after the other from `sock`. Call `begin` before each message.

    `received` is called with the number of bytes whenever some have come. Every method that waits for the peer raises
    TimeoutError at the deadline and OSError when the connection is lost. Else the socket does not wait: its timeout
    is 0.
    """

    __slots__ = (
        "_allowance", "_at", "_data", "_deadline", "_has_tls", "_kernel", "_received", "_share", "_silence", "sock"
    )  # fmt: skip

    def __init__(self, sock: socket.socket, received: Callable[[int], None] | None = None) -> None:
        sock.settimeout(0.0)
        self.sock = sock
        self._has_tls = isinstance(sock, ssl.SSLSocket)
        self._kernel: Any = sock if self._has_tls else sock._sock
        """What is asked without waiting: the socket below gevent's, which does not know of TLS."""
        self._silence: Callable[[], bool] | None = None
        self._received = received
        self._share = Share()
        self._data = b""
        self._at = 0
        self._deadline = 0.0
        self._allowance = MAX_FRAMING

    def begin(self, seconds: float) -> None:
        """A new message, which must be complete in `seconds`."""
        self._allowance = MAX_FRAMING
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """Sets the deadline anew, `seconds` from now."""
        self._deadline = time.monotonic() + seconds

    def spend(self) -> None:
        """Gives others their turn when this one is used up."""
        self._share.spend()

    @property
    def pending(self) -> int:
        """The number of bytes that have been received and that nobody has read yet."""
        return len(self._data) - self._at

    def send(self, payload: bytes) -> bool:
        """Sends all of `payload`. Returns whether the peer took it without being waited for."""
        sent = self.send_at_once(payload)
        if sent < len(payload):
            self.send_slowly(memoryview(payload)[sent:])
            return False
        return True

    def send_at_once(self, payload: bytes | memoryview) -> int:
        """Sends what the kernel takes without waiting for the peer. Returns the number of bytes."""
        try:
            sent: int = self._kernel.send(payload)
        except BlockingIOError:
            return 0
        return sent

    def send_slowly(self, payload: memoryview) -> None:
        """Sends all of it to a peer that takes it bit by bit."""
        while payload:
            began = self._wait_until_deadline()
            try:
                payload = payload[self.sock.send(payload) :]
            finally:
                self.sock.settimeout(0.0)
            self._renew_if_waited(began)
            if payload:
                self.spend()

    def fill(self) -> bool:
        """Receives at least one more byte into the buffer. Returns False when the peer has closed."""
        began = self._wait_until_deadline()
        try:
            piece = self.sock.recv(_PIECE)
        finally:
            self.sock.settimeout(0.0)
        self._renew_if_waited(began)
        return self._add(piece)

    def fill_later(self, seconds: float) -> bool:
        """As `fill`, when the peer begins something and nothing can have come yet: within `seconds` from now."""
        self._share.renew()
        if self._has_tls:
            self.allow(seconds)
            return self.fill()
        wait_until_readable_within(self.sock, seconds)
        try:
            piece = self._kernel.recv(_PIECE)
        except BlockingIOError:  # woken for nothing
            self.allow(seconds)
            return self.fill()
        return self._add(piece)

    def _add(self, piece: bytes) -> bool:
        self._data = self._data[self._at :] + piece if self._at < len(self._data) else piece
        self._at = 0
        if self._received is not None:
            self._received(len(piece))
        return bool(piece)

    def short_head(self) -> bytes | None:
        """The lines up to the empty line, which is read and left out, when all have come and are short; else None, and
        nothing is read. The first of them counts as a line, also where it is the empty one."""
        at = self._at
        end = _END_OF_FIELDS.search(self._data, at, at + _SHORT)
        if end is None:
            return None
        self._charge_until(end.end())
        return self._data[at : end.start(1)]

    def line(self, limit: int = MAX_FRAMING) -> bytes:
        """A line with its end. Raises TooLong when it has more than `limit` bytes, PeerClosed when it has no end."""
        limit = min(limit, self._allowance)
        searched = 0
        while (end := self._data.find(b"\n", self._at + searched) + 1) == 0:
            searched = len(self._data) - self._at
            self._fill_up_to(limit)
        if end - self._at > limit:
            raise TooLong(f"a line of more than {limit} bytes")
        return self._framing(end)

    def header_lines(self) -> bytes:
        """The lines up to the empty line, which is read and left out. Raises TooLong or PeerClosed."""
        searched = 0
        while True:
            if empty := _EMPTY_LINE.match(self._data, self._at):
                self._framing(empty.end())
                return b""
            if last := _END_OF_FIELDS.search(self._data, self._at + searched):
                return self._framing(last.end())[: last.start(1) - last.end()]
            searched = max(len(self._data) - self._at - 2, 0)  # the end may have come in part
            self._fill_up_to(self._allowance)

    def whole(self, length: int) -> bytes | None:
        """The next `length` bytes, when all of them have come; else None, and nothing is read."""
        start, end = self._at, self._at + length
        if end > len(self._data):
            return None
        self._at = end
        return self._data[start:end]

    def some(self, most: int) -> bytes:
        """Data of a body: 1 to `most` bytes, b"" when the peer has closed."""
        if self._at >= len(self._data):
            self.spend()  # a peer that always has more to send would never let go of the event loop
            self.fill()
        start, self._at = self._at, min(self._at + most, len(self._data))
        return self._data[start : self._at]

    def refund(self, octets: int) -> None:
        """Gives back what has been charged for framing that is in proportion to its data."""
        self._allowance += octets

    def discard(self, most: int) -> None:
        """Reads and forgets what comes until the peer closes, the deadline passes, or `most` bytes have come."""
        self.forget()
        with suppress(TimeoutError):
            while most > 0 and self.fill():
                most -= len(self._data)
                self.forget()
                self.spend()

    def forget(self) -> None:
        """Throws away what has been received and not been read."""
        self._data, self._at = b"", 0

    def is_silent(self) -> bool:
        """Whether nothing has come that nobody has asked for, neither bytes nor the end of the connection."""
        if self._silence is None:
            self._silence = silence(self.sock)
        return self._silence()

    def close(self) -> None:
        """Ends the connection."""
        self.sock.close()

    def _wait_until_deadline(self) -> float:
        """The present time. Lets the socket wait until the deadline; raises TimeoutError when it is too late."""
        now = time.monotonic()
        left = self._deadline - now
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self.sock.settimeout(left)
        return now

    def _renew_if_waited(self, began: float) -> None:
        if time.monotonic() - began > _NO_WAIT:
            self._share.renew()

    def _fill_up_to(self, limit: int) -> None:
        self.spend()
        if len(self._data) - self._at >= limit:
            raise TooLong(f"{limit} bytes without an end")
        if not self.fill():
            raise PeerClosed("the connection ended in the middle of a message")

    def _framing(self, end: int) -> bytes:
        """The bytes up to `end`, charged to the allowance."""
        at = self._at
        self._charge_until(end)
        return self._data[at:end]

    def _charge_until(self, end: int) -> None:
        self._allowance -= end - self._at
        self._at = end
        if self._allowance < 0:
            raise TooLong(f"more than {MAX_FRAMING} bytes beside the data of the body")


class ChunkedBody:
    """A body in the chunked transfer coding (RFC 9112 section 7.1). Extensions are read and ignored.

    `complete`: the chunk of size 0 has been read. `trailers`: the lines after it.
    """

    def __init__(self, source: BufferedSocket) -> None:
        self._source = source
        self.trailers = b""
        self._left: int | None = None
        self.complete = False

    def some(self, most: int) -> bytes:
        """1 to `most` bytes, b"" when the body is complete. Raises Malformed, TooLong or PeerClosed."""
        if not self._left and not self.complete:
            self._left = self._next_size()
        if self.complete:
            return b""
        assert self._left
        piece = self._source.some(min(most, self._left))
        if not piece:
            raise PeerClosed(f"closed with {self._left} bytes of a chunk missing")
        self._left -= len(piece)
        return piece

    def _next_size(self) -> int:
        self._source.spend()  # the next thousands may have come already
        if self._left is not None and self._two_bytes() != b"\r\n":
            raise Malformed("a chunk is longer than its size")
        line = self._source.line()
        found = _CHUNK_SIZE.fullmatch(line)
        if not found:
            raise Malformed(f"not the size of a chunk: {line[:40]!r}")
        size = int(found[1], 16)
        if size:  # small chunks are in order, whatever their digits need; long extensions to them are not
            self._source.refund(found.end(1) + 2)
        if size == 0:
            with suppress(PeerClosed):  # RFC 9112 section 8: the body is complete by its last chunk
                self.trailers = self._source.header_lines()
            self.complete = True
        return size

    def _two_bytes(self) -> bytes:
        first = self._source.some(2)
        return first if len(first) != 1 else first + self._source.some(1)
