# SPDX-License-Identifier: Apache-2.0
"""Whether the database answers."""

from __future__ import annotations

import pytest
from gevent.event import Event
from support.store.database import NS, Database, Fate, Watcher, settled

from submgr.platform.store.base import Change, StoreTimeout
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
