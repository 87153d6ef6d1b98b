# SPDX-License-Identifier: Apache-2.0
"""Bits, lengths and numbers of aligned PER (X.691 11): the level below the ASN.1 types."""

from __future__ import annotations

from submgr.e2sm.errors import TooMuch, Unreadable, Unwritable
from submgr.e2sm.layouts import Layout, Level

MOST_STEPS = 1_600
"""Elements that a reader takes of one body, in all layouts together: up to 5 ms of work, and some 140 measurements."""
DEEPEST = 64
"""Structures within structures; the recursive parameters of RC need five levels for each of theirs."""


class Budget:
    """What is left to one reading: `steps`, shared by all readers of the same octets."""

    __slots__ = ("steps",)

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self.steps = steps


class BitReader:
    """Reads octets as bits. `layout`: which version and dialect the types are to follow.

    `notes` collects what a later version added and is left out. `doubtful`: something that was read makes no sense.
    `since`, `until`: the levels from which and before which all that was read is written in the same way.
    Raises Unreadable when the octets end too early.
    """

    __slots__ = ("_data", "_end", "budget", "depth", "doubtful", "layout", "notes", "position", "since", "until")

    def __init__(self, data: bytes, layout: Layout, budget: Budget | None = None) -> None:
        self._data = data
        self._end = 8 * len(data)
        self.layout = layout
        self.budget = budget or Budget()
        self.position = self.depth = 0
        self.notes: list[str] = []
        self.doubtful = False
        self.since: int = Level.V2_00
        self.until: int = Level.V2_03 + 1

    def within(self, data: bytes) -> BitReader:
        """A reader of the octets of an open type, which shares this one's budget, depth and notes."""
        reader = BitReader(data, self.layout, self.budget)
        reader.depth, reader.notes = self.depth, self.notes
        return reader

    def step(self, count: int = 1) -> None:
        """Counts more elements. Raises TooMuch when there were enough."""
        self.budget.steps -= count
        if self.budget.steps < 0:
            raise TooMuch(f"more than {MOST_STEPS} elements, which are too many for a look")

    def enter(self) -> None:
        self.step()
        self.depth += 1
        if self.depth > DEEPEST:
            raise TooMuch(f"nested deeper than {DEEPEST} levels")

    def bits(self, count: int) -> int:
        start, end = self.position, self.position + count
        if end > self._end:
            raise Unreadable(f"the octets end after {self._end // 8}")
        self.position = end
        last = (end + 7) >> 3
        return int.from_bytes(self._data[start >> 3 : last]) >> (8 * last - end) & ((1 << count) - 1)

    def varies(self, level: Level) -> None:
        """Notes that what is being read is written otherwise before this level."""
        if level <= self.layout.level:
            self.since = max(self.since, level)
        else:
            self.until = min(self.until, level)

    @property
    def left(self) -> int:
        """How many bits are left."""
        return self._end - self.position

    def peek(self) -> int:
        """The next bit, which stays the next one."""
        bit = self.bits(1)
        self.position -= 1
        return bit

    def align(self) -> None:
        """Goes to the next octet. What is passed over must be zero: otherwise this is another layout."""
        if self.position & 7 and self.bits(-self.position & 7):
            raise Unreadable(f"a bit is set in the padding before octet {self.position // 8}")

    def octets(self, count: int) -> bytes:
        """`count` octets from the next octet on."""
        self.align()
        start = self.position >> 3
        self.position += 8 * count
        if self.position > self._end:
            raise Unreadable(f"the octets end after {self._end // 8}")
        return self._data[start : start + count]

    def length(self) -> int:
        """A length without an upper bound (X.691 11.9.3.5). Nothing here is long enough to come in fragments."""
        first = self.octets(1)[0]
        if first < 0x80:
            return first
        if first < 0xC0:
            return (first & 0x3F) << 8 | self.octets(1)[0]
        raise TooMuch("a length in fragments")

    def small(self) -> int:
        """A normally small number (X.691 11.6)."""
        if self.bits(1):
            return int.from_bytes(self.octets(self.length()))
        return self.bits(6)

    def number(self, low: int, high: int) -> int:
        """A number between two bounds (X.691 11.5.7)."""
        span = high - low
        if span < 255:
            number = self.bits(span.bit_length())
        elif span < 65536:
            number = int.from_bytes(self.octets(1 if span == 255 else 2))
        else:
            most = (span.bit_length() + 7) // 8
            size = self.bits((most - 1).bit_length()) + 1
            number = int.from_bytes(self.octets(size))
        if number > span:
            raise Unreadable(f"{number + low} is more than {high}")
        return number + low

    def integer(self) -> int:
        """A number without bounds: length, then two's complement (X.691 11.8). JSON has 64 bits for it."""
        size = self.length()
        if not 0 < size <= 8:
            raise Unreadable(f"a number of {size} octets")
        return int.from_bytes(self.octets(size), signed=True)

    def finish(self) -> None:
        """Raises Unreadable when anything but padding is left: a sign of another layout."""
        self.align()
        left = (self._end - self.position) // 8
        if left and not (self._data == b"\0" and not self.position):
            raise Unreadable(f"{left} of {self._end // 8} octets are left over")


class BitWriter:
    """Writes what `BitReader` reads. Raises Unwritable for a number out of its bounds."""

    __slots__ = ("_bits", "_count", "layout")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._bits = self._count = 0

    def bits(self, value: int, count: int) -> None:
        self._bits = self._bits << count | value
        self._count += count

    def align(self) -> None:
        self.bits(0, -self._count & 7)

    def octets(self, data: bytes) -> None:
        self.align()
        self.bits(int.from_bytes(data), 8 * len(data))

    def length(self, length: int) -> None:
        if length >= 1 << 14:
            raise Unwritable(f"a length of {length}")
        self.octets(length.to_bytes(1) if length < 0x80 else (0x8000 | length).to_bytes(2))

    def small(self, number: int) -> None:
        if number > 63:
            raise Unwritable(f"{number} is no small number")
        self.bits(number, 7)

    def number(self, value: int, low: int, high: int) -> None:
        if not low <= value <= high:
            raise Unwritable(f"{value} is not between {low} and {high}")
        span, offset = high - low, value - low
        if span < 255:
            self.bits(offset, span.bit_length())
        elif span < 65536:
            self.octets(offset.to_bytes(1 if span == 255 else 2))
        else:
            most = (span.bit_length() + 7) // 8
            size = max(1, (offset.bit_length() + 7) // 8)
            self.bits(size - 1, (most - 1).bit_length())
            self.octets(offset.to_bytes(size))

    def integer(self, value: int) -> None:
        size = ((value if value >= 0 else ~value).bit_length() + 8) // 8
        self.length(size)
        self.octets(value.to_bytes(size, signed=True))

    def finish(self) -> bytes:
        self.align()
        return self._bits.to_bytes(self._count // 8) or b"\0"
