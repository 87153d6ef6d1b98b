# SPDX-License-Identifier: Apache-2.0
"""A socket that hands out octets given beforehand, in pieces of a given size, and then is closed by its peer."""

from __future__ import annotations

from collections.abc import Callable


class Octets:
    """`piece`: at most so many octets come at once. `before`: called before each of them, e.g. to let time pass."""

    def __init__(self, octets: bytes, piece: int = 65536, before: Callable[[], None] = lambda: None) -> None:
        self._octets = octets
        self._piece = piece
        self._before = before
        self._sock = self

    def settimeout(self, seconds: float) -> None:
        assert seconds >= 0

    def recv(self, most: int) -> bytes:
        self._before()
        most = min(most, self._piece)
        octets, self._octets = self._octets[:most], self._octets[most:]
        return octets
