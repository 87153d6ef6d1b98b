# SPDX-License-Identifier: Apache-2.0
"""Figures of this source beside those of another one, from rounds in turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import TypeVar

import msgspec

from submgr.bench.sources import THIS, Source

T = TypeVar("T")


class Comparison(msgspec.Struct, frozen=True):
    """One figure of both sources: the medians over all rounds, and this one's share of the other one's.

    `ratio` is that of the medians; `lowest` and `highest` are the least and the greatest ratio of a round.
    """

    this: float
    base: float
    ratio: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.ratio:.2f} ({self.lowest:.2f}..{self.highest:.2f})"


def compared(this: Sequence[float], base: Sequence[float]) -> Comparison:
    """Compares a figure of both sources, one of each for every round."""
    ratios = [_ratio(one, other) for one, other in zip(this, base, strict=True)]
    middle, other_middle = median(this), median(base)
    return Comparison(middle, other_middle, _ratio(middle, other_middle), min(ratios), max(ratios))


def rounded(comparison: Comparison) -> dict[str, float]:
    """For JSON."""
    return {name: round(getattr(comparison, name), 4) for name in Comparison.__struct_fields__}


def alternately(other: Source, rounds: int) -> Iterator[Source]:
    """Both sources, so many times. Who is first changes with each round: a machine becomes slower, or faster."""
    for number in range(rounds):
        yield from (THIS, other) if number % 2 == 0 else (other, THIS)


def _ratio(one: float, other: float) -> float:
    return one / other if other else float("inf") if one else 1.0
