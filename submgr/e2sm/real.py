# SPDX-License-Identifier: Apache-2.0
"""REAL of aligned PER: the contents that DER has (X.690 8.5, 11.3) behind a length."""

from __future__ import annotations

import math

from submgr.e2sm.bits import BitReader, BitWriter
from submgr.e2sm.errors import Unreadable
from submgr.e2sm.per import PerType

_SPECIAL = {0x40: math.inf, 0x41: -math.inf, 0x42: math.nan, 0x43: -0.0}
_BASES = {0: 1, 1: 3, 2: 4}
"""Bits of an exponent's unit: base 2, 8 and 16."""


class Real(PerType):
    """REAL, as a float. Infinity and "not a number", which JSON does not have, are shown as words."""

    def read(self, reader: BitReader) -> float:
        content = reader.octets(reader.length())
        if len(content) > 40:
            raise Unreadable(f"a REAL of {len(content)} octets")
        try:
            return _number(content) if content else 0.0
        except (ValueError, LookupError, OverflowError) as error:
            raise Unreadable(f"{content.hex()} is no REAL") from error

    def write(self, writer: BitWriter, value: float) -> None:
        content = _content(value)
        writer.length(len(content))
        if content:
            writer.octets(content)

    def tree(self, value: float) -> float | str:
        return value if math.isfinite(value) else str(value)


def _number(content: bytes) -> float:
    first = content[0]
    if not first & 0x80:
        if first & 0x40:
            return _SPECIAL[int.from_bytes(content)]
        return float(content[1:].decode("ascii").replace(",", "."))
    size, at = (first & 3) + 1, 1
    if size == 4:
        size, at = content[1], 2
    exponent = int.from_bytes(content[at : at + size], signed=True) * _BASES[first >> 4 & 3] + (first >> 2 & 3)
    if at + size >= len(content):
        raise ValueError("no mantissa")
    mantissa = int.from_bytes(content[at + size :])
    return math.ldexp(-mantissa if first & 0x40 else mantissa, exponent)


def _content(value: float) -> bytes:
    """The shortest form in base 2: an odd mantissa."""
    if math.isnan(value):
        return b"\x42"
    if math.isinf(value):
        return b"\x40" if value > 0 else b"\x41"
    if not value:
        return b"" if math.copysign(1, value) > 0 else b"\x43"
    mantissa, denominator = abs(value).as_integer_ratio()
    exponent = 1 - denominator.bit_length()
    while not mantissa & 1:
        mantissa, exponent = mantissa >> 1, exponent + 1
    size = ((exponent if exponent >= 0 else ~exponent).bit_length() + 8) // 8
    head = 0x80 | (0x40 if value < 0 else 0) | (size - 1)
    return bytes([head]) + exponent.to_bytes(size, signed=True) + mantissa.to_bytes((mantissa.bit_length() + 7) // 8)
