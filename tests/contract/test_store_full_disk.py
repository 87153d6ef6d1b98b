# SPDX-License-Identifier: Apache-2.0
"""The store in a SQLite file on a disk that is full for a while."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.store.small_disk import Disk, small_disk
from support.waiting import eventually

from submgr.platform.store.base import Change, StoreError, StoreRefusesWrites
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.sqlite import SqliteBackend

NS = "submgr_e2SubsDb"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path) as disk:
        yield disk


def opened(disk: Disk) -> CommittingStore:
    store = CommittingStore(SqliteBackend(disk.path / "submgr.db"), probe_interval=0.05)
    store.start()
    return store


def test_what_was_removed_on_a_full_disk_is_removed_when_there_is_room(disk: Disk) -> None:
    store = opened(disk)
    store.write(Change(NS, {str(number): bytes(1000) for number in range(100)}))
    assert store.trouble() is None
    disk.fill()
    with pytest.raises(StoreRefusesWrites, match="make room on its disk"):
        for number in range(1000):
            store.write(Change(NS, {f"new {number}": bytes(10_000)}))
    eventually(lambda: "make room on its disk" in str(store.trouble()))
    assert store.reachable()
    refused = 0
    for number in range(100):
        try:
            store.write(Change(NS, remove=frozenset((str(number),))), persistent=True)
        except StoreError:
            refused += 1
    assert refused, "a disk so full that it takes no removals either"
    assert not store.read(NS, [str(number) for number in range(100)]), "they count as removed from now on"
    disk.make_room()
    eventually(lambda: store.trouble() is None and not store.stats().repairs_pending)
    store.stop()
    again = opened(disk)
    assert not again.keys(NS) & {str(number) for number in range(100)}
    again.stop()
    with closing(sqlite3.connect(disk.path / "submgr.db")) as file:
        assert file.execute("SELECT DISTINCT namespace FROM entry").fetchall() == [], "what was tried is gone"


def test_a_start_on_a_full_disk_waits_for_room(disk: Disk) -> None:
    disk.fill()
    store = opened(disk)
    assert "make room on its disk" in str(store.trouble())
    with pytest.raises(StoreError):
        store.read_all(NS)
    with pytest.raises(StoreError):
        store.write(Change(NS, {"a": b"1"}))
    disk.make_room()
    eventually(lambda: store.trouble() is None)
    store.write(Change(NS, {"a": b"2"}))
    assert store.read_all(NS) == {"a": b"2"}
    store.stop()


def test_a_start_with_records_on_a_full_disk_reads_them_and_is_not_ready(disk: Disk) -> None:
    store = opened(disk)
    store.write(Change(NS, {"a": b"1"}))
    store.stop()
    disk.fill()
    again = opened(disk)
    assert again.read_all(NS) == {"a": b"1"}
    eventually(lambda: "make room on its disk" in str(again.trouble()))
    disk.make_room()
    eventually(lambda: again.trouble() is None)
    again.stop()
