# SPDX-License-Identifier: Apache-2.0
"""Typed records in a namespace of the store."""

from __future__ import annotations

from mec.common.records import Records
from submgr.platform.store.base import Change
from submgr.platform.store.memory import MemoryStore


def test_records(store: MemoryStore) -> None:
    records = Records(store, "mec_ues", dict, "a/")
    other = Records(store, "mec_ues", dict, "b/")
    records.save("1", {"x": 1})
    other.save("1", {"x": 2})
    assert (records.load(), other.load()) == ({"1": {"x": 1}}, {"1": {"x": 2}})
    records.remove("1")
    assert records.load() == {}


def test_unreadable_record_is_left_and_counted(store: MemoryStore) -> None:
    store.write(Change("mec_ues", {"a/bad": b"{", "a/good": b'{"x":1}'}))
    records = Records(store, "mec_ues", dict, "a/")
    assert records.load() == {"good": {"x": 1}}
    assert records.unreadable == 1
    assert "a/bad" in store.keys("mec_ues")
