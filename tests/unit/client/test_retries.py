# SPDX-License-Identifier: Apache-2.0
"""Pauses grow, are bounded, and differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from submgr.client.retries import Retries


@given(st.integers(1, 10_000), st.none() | st.floats(-1e9, 1e9))
def test_pauses_are_bounded(tried: int, told: float | None) -> None:
    retries = Retries(first=0.5, most=10.0)
    assert 0 <= retries.pause(tried, told) <= 1.5 * retries.most


def test_pauses_grow_and_differ() -> None:
    retries = Retries(first=1.0, most=100.0)
    pauses = [{retries.pause(tried) for _ in range(50)} for tried in (1, 2, 3, 4)]
    assert all(len(some) > 1 for some in pauses)
    assert [0.5 * 2**tried <= min(some) <= max(some) <= 2**tried for tried, some in enumerate(pauses)] == [True] * 4


def test_what_was_asked_for_is_waited() -> None:
    assert Retries(first=1.0, most=100.0).pause(1, 7.0) >= 7.0
