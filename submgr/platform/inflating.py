# SPDX-License-Identifier: Apache-2.0
"""Unpacks what was packed by zlib or gzip piece by piece, since a few bytes may hold gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE = 64 * 1024
"""Bytes of one piece at most."""
ZLIB, GZIP = zlib.MAX_WBITS, zlib.MAX_WBITS | 16
"""The forms that `inflated` knows."""


def inflated(packed: bytes, form: int, largest: int) -> Iterator[bytes]:
    """The pieces of what was packed.

    Raises zlib.error for what is not of this form, and ValueError for what is cut off or has more than `largest` bytes
    unpacked.
    """
    inflate, size = zlib.decompressobj(form), 0
    for start in range(0, len(packed), PIECE):  # what is left of all of it would be copied for each piece
        rest = packed[start : start + PIECE]
        while rest and not inflate.eof:
            piece = inflate.decompress(rest, PIECE)
            rest = inflate.unconsumed_tail
            size += len(piece)
            if size > largest:
                raise ValueError(f"more than {largest} bytes unpacked")
            yield piece
    yield inflate.flush()
    if not inflate.eof:
        raise ValueError("the packed bytes have no end")
