# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.store.database import Database, Watcher

from submgr.platform.store.committing import CommittingStore


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def store(database: Database, watcher: Watcher) -> Iterator[CommittingStore]:
    store = CommittingStore(database, probe_interval=0.01, observer=watcher)
    store.start()
    yield store
    database.gate.set()
    store.stop()
