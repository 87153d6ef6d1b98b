# SPDX-License-Identifier: Apache-2.0
"""Instance ids at their limits."""

from __future__ import annotations

from submgr.core.ids import FIRST, LAST, InstanceIds


def test_all_65534_are_given_out_and_not_one_more() -> None:
    ids = InstanceIds()
    given = [ids.allocate("a") for _ in range(LAST)]
    assert given == list(range(FIRST, LAST + 1))
    assert ids.allocate("a") is None
    ids.release(40000)
    ids.release(7)
    assert [ids.allocate("a"), ids.allocate("a"), ids.allocate("a")] == [40000, 7, None]


def test_a_doubtful_id_is_the_last_one_given_out_also_before_its_first_use() -> None:
    ids = InstanceIds()
    ids.doubt(2)
    ids.claim(60000, "a")
    ids.release(60000, doubtful=True)
    given = [ids.allocate("a") for _ in range(LAST)]
    assert given[-2:] == [2, 60000]
    assert sorted(given) == list(range(FIRST, LAST + 1))


def test_an_id_is_in_one_pool_only() -> None:
    ids = InstanceIds()
    for _ in range(LAST):
        ids.allocate("a")
    ids.release(5)
    ids.doubt(5)
    ids.release(6)
    assert [ids.allocate("b"), ids.allocate("b"), ids.allocate("b")] == [6, 5, None]
