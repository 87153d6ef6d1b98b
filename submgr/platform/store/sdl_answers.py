# SPDX-License-Identifier: Apache-2.0
# redis-py annotates nothing of its parsers.
# mypy: allow-untyped-calls, disallow-subclassing-any=False
"""Reads the answers of redis (RESP2) within bounds: however a server answers, it holds nobody up.

redis-py's own parser takes any length, any depth and any type for what it says, and never gives others their turn
while bytes keep coming: a time limit would not end it.
"""

from __future__ import annotations

from io import SEEK_END
from typing import Any

from redis._parsers import _RESP2Parser
from redis._parsers.socket import SocketBuffer
from redis.exceptions import ConnectionError, InvalidResponse

from submgr.platform.turns import Budget, turn

LONGEST_LINE = 1 << 16
LARGEST_ANSWER = 1 << 28
"""Bytes of one answer. The store asks for 250 values at a time."""
LARGEST_VALUE = 1 << 25
"""Bytes of one value, whose pieces are put together at once. The largest are states of the MEC services, of 16 MiB."""
MOST_ELEMENTS = 1 << 17
"""Of all arrays in one answer. The longest one that is asked for is a set of R-NIB, a member for each E2 node."""
DEEPEST = 8
"""Arrays within arrays. The deepest answer that is asked for, that of SENTINEL MASTERS, has two."""
_DIGITS = 19
"""Of the largest number in RESP2, one of 64 bits."""


class _Buffer(SocketBuffer):
    """Gives others their turn while data keeps coming, so that time limits hold."""

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        self.budget = Budget(give=turn)
        """With `pause` each answer, that to the lease, too, would queue behind all long work."""
        self.left = LARGEST_ANSWER
        """Bytes that the answer at hand may still have."""

    def read(self, length: int) -> bytes:
        if length > LARGEST_VALUE:
            raise InvalidResponse(f"a value of more than {LARGEST_VALUE} bytes")
        self._take(length)
        data: bytes = self._buffer.read(length + 2)
        pieces = [data]
        missing = length + 2 - len(data)
        while missing:
            self._wait_for_data()
            data = self._buffer.read(missing)
            pieces.append(data)
            missing -= len(data)
        return b"".join(pieces)[:-2]

    def readline(self) -> bytes:
        data: bytes = self._buffer.readline()
        while not data.endswith(b"\r\n"):
            if len(data) > LONGEST_LINE:
                raise InvalidResponse(f"a line of more than {LONGEST_LINE} bytes")
            self._wait_for_data()
            data += self._buffer.readline()
        self._take(len(data))
        return data[:-2]

    def put(self, data: bytes) -> None:
        """Adds bytes that somebody else has read from the socket."""
        place = self._buffer.tell()
        self._buffer.seek(0, SEEK_END)
        self._buffer.write(data)
        self._buffer.seek(place)

    def _take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise InvalidResponse(f"an answer of more than {LARGEST_ANSWER} bytes")

    def _wait_for_data(self) -> None:
        self._read_from_socket()
        self.budget.spend()


class BoundedParser(_RESP2Parser):
    """redis-py's parser of RESP2 with bounds. Raises InvalidResponse for what is no RESP2, or too large."""

    def on_connect(self, connection: Any) -> None:
        super().on_connect(connection)
        self._buffer = _Buffer(self._sock, self.socket_read_size, connection.socket_timeout)

    def unread(self) -> int:
        """Bytes that have come and are not read yet."""
        return 0 if self._buffer is None else self._buffer.unread_bytes()

    def put(self, data: bytes) -> None:
        """Adds bytes that somebody else has read from the socket. Raises ConnectionError when it is closed by now."""
        if self._buffer is None:
            raise ConnectionError("Connection closed")
        self._buffer.put(data)

    def read_response(self, disable_decoding: bool = False) -> Any:
        buffer = self._buffer
        if buffer is not None:
            buffer.left = LARGEST_ANSWER
            if not buffer.unread_bytes():  # others have their turn while it is waited for
                buffer.budget.renew()
        self._elements = MOST_ELEMENTS
        return super().read_response(disable_decoding=disable_decoding)

    def _read_response(self, disable_decoding: bool = False, depth: int = 0) -> Any:
        buffer: Any = self._buffer
        line = buffer.readline()
        kind, text = line[:1], line[1:]
        if kind == b"+":
            return text
        if kind == b"-":
            error = self.parse_error(text.decode("utf-8", errors="replace"))
            if isinstance(error, ConnectionError):
                raise error
            return error
        if kind == b":":
            return _number(text)
        if kind == b"$":
            return None if text == b"-1" else buffer.read(_length(text))
        if kind == b"*":
            return None if text == b"-1" else self._array(_length(text), disable_decoding, depth + 1)
        raise InvalidResponse(f"no answer in RESP2: {line[:80]!r}")

    def _array(self, length: int, disable_decoding: bool, depth: int) -> list[Any]:
        self._elements -= length
        if depth > DEEPEST or self._elements < 0:
            raise InvalidResponse(f"an array in {depth - 1} others, or with too many elements ({length})")
        buffer: Any = self._buffer
        answer = []
        for _ in range(length):
            answer.append(self._read_response(disable_decoding, depth))
            buffer.budget.spend()
        return answer


def _number(text: bytes) -> int:
    digits = text.removeprefix(b"-")
    if not digits.isdigit() or len(digits) > _DIGITS:
        raise InvalidResponse(f"no number: {text[:80]!r}")
    return int(text)


def _length(text: bytes) -> int:
    if not text.isdigit():
        raise InvalidResponse(f"no length: {text[:80]!r}")
    return _number(text)
