# SPDX-License-Identifier: Apache-2.0
"""Figures of two sources beside each other."""

from __future__ import annotations

import pytest

from submgr.bench.comparing import alternately, compared, rounded
from submgr.bench.sources import THIS, Source

OTHER = Source("v1", "/v1")


def test_the_ratio_is_of_the_medians_and_the_spread_of_the_rounds() -> None:
    found = compared([1.0, 3.0, 2.0], [4.0, 4.0, 5.0])
    assert (found.this, found.base, found.ratio) == (2.0, 4.0, 0.5)
    assert (found.lowest, found.highest) == (0.25, 0.75)
    assert str(found) == "0.50 (0.25..0.75)"
    assert rounded(found) == {"this": 2.0, "base": 4.0, "ratio": 0.5, "lowest": 0.25, "highest": 0.75}


def test_a_figure_that_is_nothing_on_one_side() -> None:
    assert compared([0.0], [0.0]).ratio == 1.0
    assert compared([1.0], [0.0]).ratio == float("inf")


@pytest.mark.parametrize("rounds", [1, 3])
def test_who_is_first_changes_with_each_round(rounds: int) -> None:
    turns = list(alternately(OTHER, rounds))
    assert turns == [THIS, OTHER, OTHER, THIS, THIS, OTHER][: 2 * rounds]
