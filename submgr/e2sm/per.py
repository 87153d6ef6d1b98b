# SPDX-License-Identifier: Apache-2.0
"""The simple types of ASN.1 in aligned PER: each reads, writes and shows its values.

A type's `tree` is what people and programs see of a value: JSON objects, lists, numbers, words and hex.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from msgspec import Struct

from submgr.e2sm.bits import BitReader, BitWriter
from submgr.e2sm.errors import Unreadable, Unwritable


class PerType(ABC):
    """An ASN.1 type. `read` raises Unreadable, `write` raises Unwritable."""

    @abstractmethod
    def read(self, reader: BitReader) -> Any: ...

    @abstractmethod
    def write(self, writer: BitWriter, value: Any) -> None: ...

    def tree(self, value: Any) -> Any:
        return value


class Integer(PerType):
    """INTEGER, with bounds or without. `extensible`: numbers out of the bounds are possible, too."""

    def __init__(self, low: int | None = None, high: int = 0, extensible: bool = False) -> None:
        self._low, self._high, self._extensible = low, high, extensible

    def read(self, reader: BitReader) -> int:
        if self._low is None or (self._extensible and reader.bits(1)):
            return reader.integer()
        return reader.number(self._low, self._high)

    def write(self, writer: BitWriter, value: int) -> None:
        beyond = self._low is not None and not self._low <= value <= self._high
        if self._extensible:
            writer.bits(beyond, 1)
        if self._low is None or (beyond and self._extensible):
            writer.integer(value)
        else:
            writer.number(value, self._low, self._high)


class Boolean(PerType):
    def read(self, reader: BitReader) -> bool:
        return bool(reader.bits(1))

    def write(self, writer: BitWriter, value: bool) -> None:
        writer.bits(value, 1)


class Enumerated(PerType):
    """ENUMERATED; its values are words. `true` alone is shown as True."""

    def __init__(self, *words: str, extensible: bool = True) -> None:
        self._words, self._extensible = words, extensible

    def read(self, reader: BitReader) -> str:
        if self._extensible and reader.bits(1):
            raise Unreadable("a word of a later version")
        return self._words[reader.number(0, len(self._words) - 1)]

    def write(self, writer: BitWriter, value: str) -> None:
        if value not in self._words:
            raise Unwritable(f"{value!r} is none of {', '.join(self._words)}")
        writer.bits(0, self._extensible)
        writer.number(self._words.index(value), 0, len(self._words) - 1)


class Flag(PerType):
    """ENUMERATED {true, ...}: what is said by its being there. One bit, which is the marker."""

    def read(self, reader: BitReader) -> bool:
        if reader.bits(1):
            raise Unreadable("a word of a later version")
        return True

    def write(self, writer: BitWriter, value: bool) -> None:
        if value is not True:
            raise Unwritable("a flag is true or absent")
        writer.bits(0, 1)


class Null(PerType):
    """NULL: no bits."""

    def read(self, reader: BitReader) -> bool:
        return True

    def write(self, writer: BitWriter, value: bool) -> None:
        pass


class Octets(PerType):
    """OCTET STRING, of a fixed `size` or of any (X.691 17). Shown as hex."""

    def __init__(self, size: int | None = None) -> None:
        self._size = size

    def read(self, reader: BitReader) -> bytes:
        if self._size is None:
            return reader.octets(reader.length())
        if self._size <= 2:
            return reader.bits(8 * self._size).to_bytes(self._size)
        return reader.octets(self._size)

    def write(self, writer: BitWriter, value: bytes) -> None:
        if self._size is None:
            writer.length(len(value))
        elif len(value) != self._size:
            raise Unwritable(f"{len(value)} octets in place of {self._size}")
        if self._size is not None and self._size <= 2:
            writer.bits(int.from_bytes(value), 8 * self._size)
        elif value:
            writer.octets(value)

    def tree(self, value: bytes) -> str:
        return value.hex()


class BitString(Struct, frozen=True):
    """`value` in `bits` bits."""

    bits: int
    value: int


class FixedBits(PerType):
    """BIT STRING of a fixed size (X.691 16), as a number."""

    def __init__(self, size: int) -> None:
        self._size = size

    def read(self, reader: BitReader) -> int:
        if self._size > 16:
            reader.align()
        return reader.bits(self._size)

    def write(self, writer: BitWriter, value: int) -> None:
        if value >> self._size:
            raise Unwritable(f"{value} in {self._size} bits")
        if self._size > 16:
            writer.align()
        writer.bits(value, self._size)


class SizedBits(FixedBits):
    """BIT STRING of one fixed size among several that a choice offers: shown with its size."""

    def tree(self, value: int) -> dict[str, int]:
        return {"bits": self._size, "value": value}


class Bits(PerType):
    """BIT STRING whose size is between two bounds, or any."""

    def __init__(self, low: int = 0, high: int | None = None) -> None:
        self._low, self._high = low, high

    def read(self, reader: BitReader) -> BitString:
        size = reader.length() if self._high is None else reader.number(self._low, self._high)
        reader.align()
        return BitString(size, reader.bits(size))

    def write(self, writer: BitWriter, value: BitString) -> None:
        if self._high is None:
            writer.length(value.bits)
        else:
            writer.number(value.bits, self._low, self._high)
        writer.align()
        writer.bits(value.value, value.bits)

    def tree(self, value: BitString) -> dict[str, Any]:
        if self._high is not None:
            return {"bits": value.bits, "value": value.value}
        octets = (value.bits + 7) // 8
        return {"bits": value.bits, "hex": (value.value << (-value.bits & 7)).to_bytes(octets).hex()}


class Text(PerType):
    """PrintableString (X.691 30): eight bits for a character. `high`: its size, which may be exceeded.

    Names in use have characters that the type does not allow, such as `_`: any printable ASCII is taken.
    """

    def __init__(self, high: int | None = None) -> None:
        self._high = high

    def read(self, reader: BitReader) -> str:
        size = reader.length() if self._high is None or reader.bits(1) else reader.number(1, self._high)
        octets = reader.octets(size) if size else b""
        text = octets.decode("latin-1")
        if not text.isascii() or not text.isprintable():
            raise Unreadable(f"{octets[:40].hex()} is no printable text")
        return text

    def write(self, writer: BitWriter, value: str) -> None:
        if not value.isascii() or not value.isprintable():
            raise Unwritable(f"{value!r} is no printable ASCII")
        beyond = self._high is not None and not 1 <= len(value) <= self._high
        if self._high is not None:
            writer.bits(beyond, 1)
        if self._high is None or beyond:
            writer.length(len(value))
        else:
            writer.number(len(value), 1, self._high)
        if value:
            writer.octets(value.encode())


class ListOf(PerType):
    """SEQUENCE OF with at least `low` and at most `high` items (None: the bound is over 65535)."""

    def __init__(self, item: Any, high: int | None, low: int = 1) -> None:
        self._item, self._low, self._high = as_type(item), low, high

    def read(self, reader: BitReader) -> tuple[Any, ...]:
        count = reader.length() if self._high is None else reader.number(self._low, self._high)
        if not self._low <= count <= reader.left:
            raise Unreadable(f"a list of {count}, with {reader.left} bits left")
        read = self._item.read
        return tuple([read(reader) for _ in range(count)])

    def write(self, writer: BitWriter, value: tuple[Any, ...]) -> None:
        if len(value) < self._low:
            raise Unwritable(f"a list of {len(value)}")
        if self._high is None:
            writer.length(len(value))
        else:
            writer.number(len(value), self._low, self._high)
        for item in value:
            self._item.write(writer, item)

    def tree(self, value: tuple[Any, ...]) -> list[Any]:
        return [self._item.tree(item) for item in value]


class Later(PerType):
    """A type that is declared further down: `make` names it. For types that contain themselves."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def read(self, reader: BitReader) -> Any:
        return as_type(self._make()).read(reader)

    def write(self, writer: BitWriter, value: Any) -> None:
        as_type(self._make()).write(writer, value)

    def tree(self, value: Any) -> Any:
        return as_type(self._make()).tree(value)


TYPES: dict[type, PerType] = {}
"""The type of each dataclass that `submgr.e2sm.sequences.sequence` has declared."""


def as_type(of: Any) -> PerType:
    """A type as it is, or that of a dataclass."""
    return of if isinstance(of, PerType) else TYPES[of]


def read_open(reader: BitReader, content: bytes, of: PerType) -> Any:
    """The value in an open type (X.691 11.2), all of whose octets it must take."""
    within = reader.within(content)
    try:
        value = of.read(within)
        within.finish()
    finally:
        reader.since, reader.until = max(reader.since, within.since), min(reader.until, within.until)
    reader.doubtful = reader.doubtful or within.doubtful
    return value


def write_open(writer: BitWriter, of: PerType, value: Any) -> None:
    within = BitWriter(writer.layout)
    of.write(within, value)
    content = within.finish()
    writer.length(len(content))
    writer.octets(content)
