# SPDX-License-Identifier: Apache-2.0
"""Cuts a stream of bytes into S1AP PDUs: back to back, or each behind a length of its own."""

import re
from collections.abc import Iterator

_CHOICES = (0x00, 0x20, 0x40)
_CRITICALITIES = (0x00, 0x40, 0x80)
_ZEROS = re.compile(rb"\0*")
_SEEN = 8
"""Octets that `_begins_pdu` looks at."""
MAX_FRAME = 1024 * 1024
"""Bytes of one PDU behind a length of its own."""


class FramingError(ValueError):
    """A stream in which the next PDU cannot be found any more."""


class Framer:
    """Cuts a stream into PDUs, which may arrive in pieces of any size and several at a time.

    Without `lengths` PDUs stand back to back and each delimits itself: choice, procedure code, criticality, then a
    length of one or two octets. Fragmented lengths (16 KiB and more) are refused. With `lengths` each PDU has its
    size before it, in four octets. What stands behind a PDU's own end is skipped: zero octets before the next PDU, or
    whatever is left of the size.

    `skipped` counts octets that were passed over, `short` sizes that no PDU has.
    """

    def __init__(self, lengths: bool = False) -> None:
        self._next = self._framed if lengths else self._self_delimiting
        self._buffer = bytearray()
        self._need = 4
        self.skipped = 0
        self.short = 0

    @property
    def pending(self) -> int:
        """Bytes that are kept: those of a PDU that is not complete."""
        return len(self._buffer)

    @property
    def unfinished(self) -> bool:
        """Whether a PDU has begun and not ended; zero octets may still turn out to be none."""
        zeros = _ZEROS.match(self._buffer)
        return zeros is not None and zeros.end() < len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The PDUs that are complete with `data`. Raises FramingError after those before the fault."""
        buffer = self._buffer
        buffer += data
        if len(buffer) < self._need:
            return
        whole = bytes(buffer)
        start = 0
        try:
            while len(whole) - start >= 4:
                begin, end, following = self._next(whole, start)
                if following > len(whole):
                    self._need = following - start
                    break
                start = following
                if end > begin:
                    yield whole[begin:end]
            else:
                self._need = 4
        finally:
            del buffer[:start]

    def _self_delimiting(self, data: bytes, start: int) -> tuple[int, int, int]:
        """Where the PDU at `start` begins and ends, and where the next one begins; an empty one is no PDU."""
        if data[start] == 0 and data[start + 1] in _CHOICES and (begun := _after_padding(data, start)) != start:
            if begun > len(data):
                return start, start, begun
            self.skipped += begun - start
            return start, start, begun
        criticality, length = data[start + 2], data[start + 3]
        if data[start] not in _CHOICES or criticality not in _CRITICALITIES:
            raise FramingError(f"no S1AP PDU begins with {data[start : start + 4].hex()}")
        if length >= 0xC0:
            raise FramingError("a PDU with a fragmented length (16 KiB or more)")
        end = start + _own_size(data, start)
        return start, end, end

    def _framed(self, data: bytes, start: int) -> tuple[int, int, int]:
        size = int.from_bytes(data[start : start + 4], "big")
        if size > MAX_FRAME:
            raise FramingError(f"a PDU of {size} bytes")
        begin, end = start + 4, start + 4 + size
        if size < 4:
            if end <= len(data):
                self.short += 1
            return begin, begin, end
        if end > len(data):
            return begin, end, end
        own = _own_size(data, begin)
        if own < size:
            self.skipped += size - own
            return begin, begin + own, end
        return begin, end, end


def _own_size(data: bytes, start: int) -> int:
    """The size of the PDU at `start` by its own length; at least five octets are there, or five are the least it is."""
    length = data[start + 3]
    if length < 0x80:
        return 4 + length
    if len(data) - start < 5:
        return 5  # not there yet: the least it can be
    return 5 + ((length & 0x3F) << 8 | data[start + 4])


def _after_padding(data: bytes, start: int) -> int:
    """Where the PDU behind zero octets begins; beyond `data` when that is not to be seen yet.

    A PDU may begin with zeros: none for a response, else one, up to three in a Handover Required.
    """
    zeros = _ZEROS.match(data, start)
    behind = zeros.end() if zeros is not None else start
    for at in range(max(start, behind - 3), behind + 1):
        if len(data) - at < _SEEN:
            return at if at > start else at + _SEEN
        if _begins_pdu(data, at):
            return at
    return behind - 1


def _begins_pdu(data: bytes, at: int) -> bool:
    """Whether the octets may begin a PDU: a header, then as many IEs as have room (at least four octets each)."""
    if data[at] not in _CHOICES or data[at + 2] not in _CRITICALITIES:
        return False
    length = data[at + 3]
    long = length >= 0x80
    size = (length & 0x3F) << 8 | data[at + 4] if long else length
    content = at + 5 if long else at + 4
    count = data[content + 1] << 8 | data[content + 2]
    return size >= 3 and data[content] & 0x7F == 0 and 4 * count <= size - 3
