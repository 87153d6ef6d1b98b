# SPDX-License-Identifier: Apache-2.0
"""A socket with a read buffer, from which the HTTP server and the HTTP client read their messages.

The clock is looked at before each wait for the peer and at each line, so a peer that sends slowly gains no time, and a
peer that sends quickly keeps neither the deadline from being noticed nor others from their turn. Everything of a
message but the data of its body is charged to one allowance of 64 KiB: heads, interim answers, chunk sizes with their
extensions, trailers.
"""

import re
import time
from contextlib import suppress

from gevent import socket

from submgr.platform.turns import Budget, turn

MAX_FRAMING = 64 * 1024
"""Bytes that one message may need beside the data of its body."""

_PIECE = 64 * 1024
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

    Every method that waits for the peer raises TimeoutError at the deadline and OSError when the connection is lost.
    """

    __slots__ = ("_allowance", "_at", "_budget", "_data", "_deadline", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._data = b""
        self._at = 0
        self._deadline = 0.0
        self._allowance = MAX_FRAMING
        self._budget = Budget(give=turn)

    def begin(self, seconds: float) -> None:
        """A new message, which must be complete in `seconds`."""
        self._allowance = MAX_FRAMING
        self._budget.renew()
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """Sets the deadline anew, `seconds` from now."""
        self._deadline = time.monotonic() + seconds

    @property
    def pending(self) -> bool:
        """Whether bytes have been received that nobody has read yet."""
        return self._at < len(self._data)

    def send(self, payload: bytes) -> None:
        """Sends all of `payload`."""
        view = memoryview(payload)
        while view:
            self._wait_until_deadline()
            view = view[self.sock.send(view) :]

    def fill(self) -> bool:
        """Receives at least one more byte into the buffer. Returns False when the peer has closed."""
        self._budget.spend()  # a peer that always has more to send would never let go of the event loop
        self._wait_until_deadline()
        piece = self.sock.recv(_PIECE)
        self._data = self._data[self._at :] + piece if self._at < len(self._data) else piece
        self._at = 0
        return bool(piece)

    def line(self, limit: int = MAX_FRAMING) -> bytes:
        """A line with its end. Raises TooLong when it has more than `limit` bytes, PeerClosed when it has no end."""
        self._budget.spend()  # one piece from the socket may have ten thousand lines
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

    def some(self, most: int) -> bytes:
        """Data of a body: 1 to `most` bytes, b"" when the peer has closed."""
        if self._at >= len(self._data):
            self.fill()
        start, self._at = self._at, min(self._at + most, len(self._data))
        return self._data[start : self._at]

    def refund(self, octets: int) -> None:
        """Gives back what has been charged for framing that is in proportion to its data."""
        self._allowance += octets

    def discard(self, most: int) -> None:
        """Reads and forgets what comes until the peer closes, the deadline passes, or `most` bytes have come."""
        with suppress(TimeoutError):
            while most > 0 and self.fill():
                most -= len(self._data)
                self._data = b""

    def _wait_until_deadline(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self.sock.settimeout(left)

    def _fill_up_to(self, limit: int) -> None:
        if len(self._data) - self._at >= limit:
            raise TooLong(f"{limit} bytes without an end")
        if not self.fill():
            raise PeerClosed("the connection ended in the middle of a message")

    def _framing(self, end: int) -> bytes:
        """The bytes up to `end`, charged to the allowance."""
        octets, self._at = self._data[self._at : end], end
        self._allowance -= len(octets)
        if self._allowance < 0:
            raise TooLong(f"more than {MAX_FRAMING} bytes beside the data of the body")
        return octets


class ChunkedBody:
    """A body in the chunked transfer coding (RFC 9112 section 7.1). Extensions and trailers are read and ignored.

    `complete`: the chunk of size 0 has been read.
    """

    def __init__(self, source: BufferedSocket) -> None:
        self._source = source
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
                self._source.header_lines()
            self.complete = True
        return size

    def _two_bytes(self) -> bytes:
        first = self._source.some(2)
        return first if len(first) != 1 else first + self._source.some(1)
