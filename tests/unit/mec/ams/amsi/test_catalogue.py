# SPDX-License-Identifier: Apache-2.0
"""Records that replicas share: all see the same ones, and read only those that have changed."""

from __future__ import annotations

import pytest
from support.store.shared import MemoryShared

from mec.ams.amsi.catalogue import Catalogue
from submgr.platform.shared.base import Entry, SharedConflict, Swap

NS = "mec_ues"


@pytest.fixture
def shared() -> MemoryShared:
    return MemoryShared()


def one(shared: MemoryShared) -> Catalogue[list[int]]:
    return Catalogue(shared, NS, list[int], "p/", "list")


def test_what_one_has_put_the_others_have(shared: MemoryShared) -> None:
    first, second = one(shared), one(shared)
    assert first.put("a", [1], new=True) and second.put("b", [2], new=True)
    assert first.all() == second.all() == {"a": [1], "b": [2]}
    assert first.put("b", [3], new=False)
    assert second.all() == {"a": [1], "b": [3]} and second.get("b") == [3]
    assert second.remove("a") and not first.remove("a")
    assert first.all() == {"b": [3]} and first.get("a") is None
    assert not second.put("a", [4], new=False)


def test_only_what_has_changed_is_read(shared: MemoryShared) -> None:
    catalogue, other = one(shared), one(shared)
    for key in "abc":
        catalogue.put(key, [0], new=True)
    catalogue.all()
    calls = shared.calls
    catalogue.all()
    assert shared.calls == calls + 1
    other.put("b", [1], new=False)
    calls = shared.calls
    assert catalogue.all() == {"a": [0], "b": [1], "c": [0]}
    assert shared.calls == calls + 2


def test_a_change_is_made_on_what_is_there(shared: MemoryShared) -> None:
    first, second = one(shared), one(shared)
    first.put("a", [1], new=True)
    once: list[int] = []

    def faster(swap: Swap) -> None:
        if not once:
            once.append(1)
            second.change("a", lambda now: [*now, 2])

    shared.before = faster
    first.change("a", lambda now: [*now, 3])
    assert first.all() == {"a": [1, 2, 3]}
    first.change("a", lambda now: None)
    first.change("none", lambda now: [*now, 3])
    assert second.all() == {"a": [1, 2, 3]}


def test_what_was_replaced_meanwhile_is_not_removed(shared: MemoryShared) -> None:
    catalogue = one(shared)
    catalogue.put("a", [1], new=True)
    assert not catalogue.remove("a", only=[0])
    assert catalogue.remove("a", Entry("log", b"gone"), only=[1])
    assert shared.read(NS, ["log/1"]) == {"log/1": b"gone"}


def test_who_is_never_fast_enough_is_told(shared: MemoryShared) -> None:
    first, second = one(shared), one(shared)
    shared.before = lambda swap: second.put("b", [0], new=True) and None
    with pytest.raises(SharedConflict):
        first.put("a", [1], new=True)


def test_records_without_a_list_are_listed_at_a_start(shared: MemoryShared) -> None:
    shared.swap(Swap(NS, {}, {"p/a": b"[1]", "p/b": b"\xff", "q": b""}))
    catalogue = one(shared)
    assert catalogue.all() == {}
    catalogue.load()
    assert catalogue.all() == {"a": [1]}
    shared.swap(Swap(NS, {}, {}, frozenset({"p/a"})))
    one(shared).load()
    assert catalogue.all() == {}
    assert b'"a"' not in shared.read(NS, ["list"])["list"]


def test_an_unreadable_list_is_made_anew(shared: MemoryShared) -> None:
    shared.swap(Swap(NS, {}, {"p/a": b"[1]", "list": b"{"}))
    catalogue = one(shared)
    catalogue.load()
    assert catalogue.all() == {"a": [1]}
