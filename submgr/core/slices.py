# SPDX-License-Identifier: Apache-2.0
"""Work on very many things, in pieces: whoever performs it lets others have their turn in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

PIECE = 50
"""Things of one piece: with what comes of them, a few milliseconds."""


def paced(things: Iterable[T]) -> Iterator[tuple[bool, T]]:
    """Each thing, and whether a piece is complete with it."""
    for n, thing in enumerate(things, 1):
        yield n % PIECE == 0, thing
