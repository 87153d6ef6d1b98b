# SPDX-License-Identifier: Apache-2.0
"""A change that others were faster with is decided anew, but not for ever."""

from __future__ import annotations

import pytest

from submgr.platform.shared.base import TRIES, SharedConflict, Swap, retried
from submgr.platform.store.base import InvalidKey


def test_until_it_is_made() -> None:
    tries = iter([None, None, False])
    assert retried(lambda: next(tries)) is False


def test_not_for_ever() -> None:
    tries: list[None] = []
    with pytest.raises(SharedConflict, match="20 times"):
        retried(lambda: tries.append(None))
    assert len(tries) == TRIES


@pytest.mark.parametrize(
    ("namespace", "expected", "values", "removed"),
    [
        ("a*", {}, {}, ()),
        ("a", {"\ud800": None}, {}, ()),
        ("a", {}, {"\ud800": b""}, ()),
        ("a", {}, {"k": b""}, ("k",)),
    ],
)
def test_what_no_database_can_hold(
    namespace: str, expected: dict[str, None], values: dict[str, bytes], removed: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidKey):
        Swap(namespace, expected, values, frozenset(removed))
