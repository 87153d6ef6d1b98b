# SPDX-License-Identifier: Apache-2.0
"""Whether the database answers."""

from __future__ import annotations

import pytest
from gevent.event import Event
from support.store.database import NS, Database, Fate, Watcher, settled, until

from submgr.platform.store.base import Change, StoreRefusesWrites, StoreTimeout
from submgr.platform.store.committing import CommittingStore


def test_a_look_that_began_before_a_timeout_does_not_vouch_for_that_write(watcher: Watcher) -> None:
    class SlowToAnswer(Database):
        asked_first = Event()
        answered = Event()

        def probe(self) -> None:
            super().probe()
            self.asked_first.set()
            self.answered.wait()

    database = SlowToAnswer()
    database.answered.set()
    store = CommittingStore(database, probe_interval=0.01, observer=watcher)
    store.start()
    try:
        database.answered.clear()
        database.asked_first.clear()
        looks = watcher.latencies.count("probe")
        assert database.asked_first.wait(5)
        database.fates = [Fate.DONE_LATE]
        with pytest.raises(StoreTimeout):
            store.write(Change(NS, {"a": b"1"}))
        database.answered.set()
        settled(store)
        assert watcher.latencies.count("probe") >= looks + 2
        assert database.read_all(NS) == {}
    finally:
        store.stop()


def test_a_database_that_takes_no_writes_is_readable_and_says_why(
    store: CommittingStore, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(Change(NS, {"a": b"1"}))
    assert store.trouble() is None
    database.read_only = True
    with pytest.raises(StoreRefusesWrites, match="READONLY"):
        store.write(Change(NS, {"a": b"2"}))
    assert store.reachable()
    assert store.read_all(NS) == {"a": b"1"}
    assert store.trouble() == "the database takes no writes: READONLY"
    database.read_only = False
    until(lambda: store.trouble() is None)
    database.read_only = True
    until(lambda: store.trouble() is not None)
    assert caplog.text.count("the database takes no writes") == 1, "it comes and goes"


def test_a_database_that_is_away_says_why(store: CommittingStore, database: Database) -> None:
    database.away = True
    until(lambda: not store.reachable())
    assert store.trouble() == "the database does not answer: away"
    database.away = False
    until(lambda: store.trouble() is None)
