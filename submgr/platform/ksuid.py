# SPDX-License-Identifier: Apache-2.0
"""K-sortable unique ids (KSUID): 4 bytes of seconds since 2014-05-13, 16 random bytes, written as 27 base62 digits."""

from __future__ import annotations

import os
import time

EPOCH = 1_400_000_000
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 27

_PAIRS = [high + low for high in DIGITS for low in DIGITS]
_TWO_DIGITS = 62**2
_FOUR_DIGITS = 62**4


def new_ksuid() -> str:
    """A new id: URL-safe, globally unique, in order of time to the second."""
    seconds = int(time.time()) - EPOCH
    return encode(seconds.to_bytes(4, "big") + os.urandom(16))


def encode(raw: bytes) -> str:
    """20 bytes as 27 base62 digits; the order of the bytes is that of the text."""
    number = int.from_bytes(raw, "big")
    text = ""
    while number:
        number, four = divmod(number, _FOUR_DIGITS)
        text = _PAIRS[four // _TWO_DIGITS] + _PAIRS[four % _TWO_DIGITS] + text
    return text[-LENGTH:].rjust(LENGTH, DIGITS[0])
