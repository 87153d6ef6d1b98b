# SPDX-License-Identifier: Apache-2.0
"""What lines in words are made of: octets, and lists that are cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

MOST_NAMED = 8
"""Names, ids and conditions that a line has of each list."""
MOST_HEX = 32
"""Octets that a line shows of a body that cannot be decoded."""


def hexadecimal(octets: bytes) -> str:
    """Octets in hexadecimal digits, no more than MOST_HEX of them."""
    rest = f"... of {len(octets)} octets" if len(octets) > MOST_HEX else ""
    return f"{octets[:MOST_HEX].hex()}{rest}"


def some(items: Sequence[Any], show: Callable[[Any], str] = str) -> str:
    """The first MOST_NAMED items, and how many more there are."""
    more = f" and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return f"{', '.join(show(item) for item in items[:MOST_NAMED])}{more}"


def count(items: Sequence[Any] | None, name: str) -> str:
    """`1 cell`, `2 cells`."""
    return f"{len(items or ())} {name}{'' if len(items or ()) == 1 else 's'}"
