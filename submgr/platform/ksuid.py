# SPDX-License-Identifier: Apache-2.0
"""K-sortable unique ids (KSUID): 4 bytes of seconds since 2014-05-13, 16 random bytes, written as 27 base62 digits.

Random are digits here, not bytes: all but the first six may be any, and the id is still one of its second. They are as
hard to guess as 119 random bits.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

EPOCH = 1_400_000_000
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 27

_FIRST = 6
_RANDOM = LENGTH - _FIRST
_DIGIT_OF = bytes(ord(DIGITS[octet % 62]) for octet in range(256))


def new_ksuid() -> str:
    """A new id: URL-safe, globally unique, in order of time to the second; before the first second all are of that."""
    return first_digits(max(int(time.time()) - EPOCH, 0)) + os.urandom(_RANDOM).translate(_DIGIT_OF).decode()


@lru_cache(maxsize=2)
def first_digits(second: int) -> str:
    """What the ids of a second begin with: whatever digits follow, the 4 bytes of seconds are these."""
    number, digits = (second << 128) // 62**_RANDOM + 1, ""
    for _ in range(_FIRST):
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits
