# SPDX-License-Identifier: Apache-2.0
"""Reads the parts that aligned PER is made of, bit after bit (ITU-T X.691)."""

from __future__ import annotations

from submgr.e2ap.errors import DecodeError

_FRAGMENT = 16384
_LARGEST = 4
"""Octets of a number that is normally small: none has ever needed two."""


class Bits:
    """A place in octets. Each method reads one part and moves on. Raises DecodeError where there is none."""

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._end = 8 * len(data)

    def bits(self, count: int) -> int:
        """A number of so many bits."""
        at, end = self._at, self._at + count
        if end > self._end:
            raise DecodeError(f"overflow: {count} bits wanted, {self._end - at} are there")
        last = (end + 7) // 8
        self._at = end
        return int.from_bytes(self._data[at // 8 : last], "big") >> (8 * last - end) & (1 << count) - 1

    def octet(self) -> int:
        """An aligned INTEGER (0..255)."""
        return self._octets(1)[0]

    def pair(self) -> int:
        """An aligned INTEGER of two octets, or the number of items of a long list (10.5.7.3)."""
        return int.from_bytes(self._octets(2), "big")

    def alternative(self, count: int, what: str) -> tuple[int, bool]:
        """Which one of `count` before an extension mark, or which one behind it; and whether it stands behind it.

        `what`: CHOICE (23) or ENUMERATED (14).
        """
        if self.bits(1):
            return self._small(), True
        number = self.bits((count - 1).bit_length())
        if number >= count:
            raise DecodeError(f"invalid {what} index {number}, there are {count}")
        return number, False

    def whole(self) -> bytes:
        """An OCTET STRING without a bound, or an open type: a length, then the octets (11.9, 17.8)."""
        parts = []
        while True:
            first = self.octet()
            if first < 0x80:
                size = first
            elif first < 0xC0:
                size = (first & 0x3F) << 8 | self.octet()
            else:
                size = self._fragments(first) * _FRAGMENT
            parts.append(self._octets(size))
            if first < 0xC0:
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> None:
        """Raises DecodeError when octets are left: something in them says another length than it has."""
        if self._end - self._at >= 8:
            raise DecodeError(f"{(self._end - self._at) // 8} octets are left over")

    def rest(self) -> bytes:
        """All octets from here on."""
        return self._octets(len(self._data) - (self._at + 7) // 8)

    @staticmethod
    def _fragments(first: int) -> int:
        count = first & 0x3F
        if not 1 <= count <= 4:
            raise DecodeError(f"invalid undef count: {count} fragments")
        return count

    def additions(self, there: int) -> None:
        """Passes over what later releases have added to a SEQUENCE. `there`: its extension bit (19.7 to 19.9)."""
        if there:
            count = self._small() + 1
            for present in format(self.bits(count), f"0{count}b"):
                if present == "1":
                    self.whole()

    def _small(self) -> int:
        """A number that is normally small (11.6)."""
        if not self.bits(1):
            return self.bits(6)
        octets = self.whole()
        if len(octets) > _LARGEST:
            raise DecodeError(f"a number of {len(octets)} octets in place of a small one")
        return int.from_bytes(octets, "big")

    def _octets(self, count: int) -> bytes:
        at = (self._at + 7) // 8
        if at + count > len(self._data):
            raise DecodeError(f"overflow: {count} octets wanted, {max(len(self._data) - at, 0)} are there")
        self._at = 8 * (at + count)
        return self._data[at : at + count]
