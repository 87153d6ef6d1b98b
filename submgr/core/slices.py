# SPDX-License-Identifier: Apache-2.0
"""Long work in slices: the core stops after each slice, so that the worker can give other greenlets their turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

SLICE = 50
"""Things in one slice: with the commands that follow from them, a few milliseconds of work."""


def in_slices(things: Iterable[T]) -> Iterator[tuple[bool, T]]:
    """Yields each thing, and whether a slice is complete with it."""
    for n, thing in enumerate(things, 1):
        yield n % SLICE == 0, thing
