# SPDX-License-Identifier: Apache-2.0
"""Instance ids at their limits."""

from __future__ import annotations

from support.core.world import World, content, request

from submgr.core.failures import NO_INSTANCE_ID
from submgr.core.model import Detail
from submgr.core.registry import FIRST, LAST, InstanceIds


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


def test_without_a_free_id_each_detail_is_told_so_and_the_next_one_that_is_freed_is_used() -> None:
    world = World()
    known = world.subscribed(request())
    while world.registry.ids.allocate("another") is not None:
        pass
    world.subscribed(request(*(Detail(n, content(bytes([n]))) for n in (7, 8)), host="b-http"))
    failed = [note for note in world.told if note.failure is not None]
    assert [note.failure for note in failed] == [NO_INSTANCE_ID, NO_INSTANCE_ID]
    assert not world.node.procedures_running and world.registry.quota.total() == 0
    shared = world.subscribed(request(host="c-http"))
    assert world.told[-1].instance_id == 1, "a merge needs none"
    for subscription_id in (known, shared):
        world.delete(subscription_id)
        world.settle()
    world.subscribed(request(Detail(9, content(b"\x09")), host="d-http"))
    assert world.told[-1].instance_id == 1
