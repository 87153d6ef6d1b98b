# SPDX-License-Identifier: Apache-2.0
"""A database that loses what it has acknowledged: what is written back, when, and what is told meanwhile."""

from __future__ import annotations

import pytest
from support.store.database import NS, Database, removal, until

from submgr.platform.store.base import Change, StoreError
from submgr.platform.store.committing import CommittingStore


def complete_again(store: CommittingStore) -> None:
    until(lambda: store.stats().losses > 0 and store.trouble() is None)


def test_a_write_that_finds_the_loss_is_done_after_all(store: CommittingStore, database: Database) -> None:
    store.write(Change(NS, {"old": b"1", "gone": b"1"}))
    store.write(removal("gone"))
    database.lose()
    store.write(Change(NS, {"new": b"1"}))
    complete_again(store)
    assert database.read_all(NS) == {"old": b"1", "new": b"1"}
    assert (store.stats().losses, store.stats().written_back) == (1, 1)


def test_a_look_finds_it_too(store: CommittingStore, database: Database) -> None:
    store.write(Change(NS, {"old": b"1"}))
    database.lose()
    complete_again(store)
    assert database.read_all(NS) == {"old": b"1"}


def test_reads_meanwhile_show_what_is_going_to_be_there(store: CommittingStore, database: Database) -> None:
    store.write(Change(NS, {"old": b"1"}))
    database.gate.clear()
    database.lose()
    until(lambda: store.trouble() is not None)
    until(lambda: bool(store.stats().repairs_pending))
    assert store.trouble() == "the database has lost writes: 1 keys are still to be written back"
    assert store.read_all(NS) == {"old": b"1"}
    database.gate.set()
    complete_again(store)


def test_it_is_no_success_before_all_is_back(store: CommittingStore, database: Database) -> None:
    store.write(Change(NS, {"old": b"1"}))
    database.refuses_values = True
    database.lose()
    with pytest.raises(StoreError, match="full"):
        store.write(Change(NS, {"new": b"1"}))
    assert "1 keys are still to be written back" in str(store.trouble())
    database.refuses_values = False
    complete_again(store)
    assert database.read_all(NS) == {"old": b"1"}


def test_lost_once_more_in_the_middle(store: CommittingStore, database: Database) -> None:
    store.read_all(NS)
    store.write(Change(NS, {f"{number}": b"" for number in range(1000)}))
    asked = len(database.asked)
    database.lose()
    until(lambda: len(database.asked) > asked + 1)
    database.lose()
    until(lambda: store.stats().losses == 2 and store.trouble() is None)
    assert len(database.read_all(NS)) == 1000


def test_each_piece_lets_one_group_pass(store: CommittingStore, database: Database) -> None:
    store.read_all(NS)
    store.write(Change(NS, {f"{number}": b"" for number in range(1000)}))
    database.gate.clear()
    asked = len(database.asked)
    database.lose()
    until(lambda: len(database.asked) > asked)  # the first piece is on its way
    told: list[int] = []
    store.submit(Change(NS, {"first": b""}), lambda error: told.append(len(database.asked)))
    database.gate.set()
    complete_again(store)
    assert told == [asked + 2]
    assert len(database.asked) == asked + 5


def test_nothing_is_written_back_after_it_was_emptied_by_hand(store: CommittingStore, database: Database) -> None:
    store.write(Change(NS, {"old": b"1"}))
    store.pause_repairs()
    database.lose()
    store.write(Change(NS, {"new": b"1"}))
    complete_again(store)
    assert database.read_all(NS) == {"new": b"1"}
