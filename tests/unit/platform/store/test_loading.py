# SPDX-License-Identifier: Apache-2.0
"""What is stored is read at once, or as soon as the database is there."""

from __future__ import annotations

import logging

import gevent
import pytest
from gevent.event import Event

from submgr.platform.store.base import StoreError
from submgr.platform.store.loading import PAUSE, Loader, load_until_there

log = logging.getLogger(__name__)


class Database:
    """Away for so many reads."""

    def __init__(self, away: int) -> None:
        self.away = away
        self.reads = 0
        self.read = Event()

    def load(self) -> str:
        self.reads += 1
        if self.reads <= self.away:
            raise StoreError("away")
        self.read.set()
        return "records"


class Pauses:
    """In the place of sleep: `next` ends the pause that is under way."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.begun = Event()
        self._over = Event()

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.begun.set()
        self._over.wait()
        self._over.clear()

    def next(self) -> None:
        assert self.begun.wait(5)
        self.begun.clear()
        self._over.set()


def test_tries_until_the_database_is_there() -> None:
    failures: list[tuple[str, int]] = []
    pauses: list[float] = []
    database = Database(away=2)
    loaded = load_until_there(
        database.load, lambda error, tries: failures.append((str(error), tries)), sleep=pauses.append
    )
    assert loaded == "records"
    assert failures == [("away", 1), ("away", 2)]
    assert pauses == [PAUSE, PAUSE]


def test_what_the_callback_raises_ends_the_tries() -> None:
    database = Database(away=10)

    def failed(error: StoreError, tries: int) -> None:
        if tries == 3:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        load_until_there(database.load, failed, sleep=lambda seconds: None)
    assert database.reads == 3


def loader(database: Database, pauses: Pauses) -> Loader:
    return Loader(lambda: (database.load(), None)[1], log, "somebody waits for the store", sleep=pauses)


def test_loads_at_once_when_the_database_is_there() -> None:
    database, pauses = Database(away=0), Pauses()
    made = loader(database, pauses)
    assert not made.done
    made.start()
    assert made.done and pauses.seconds == []


def test_goes_on_in_the_background(caplog: pytest.LogCaptureFixture) -> None:
    database, pauses = Database(away=2), Pauses()
    made = loader(database, pauses)
    made.start()
    assert not made.done
    pauses.next()
    pauses.next()
    assert database.read.wait(5)
    assert made.done and database.reads == 3
    warnings = [record for record in caplog.records if record.name == __name__]
    assert [record.getMessage() for record in warnings] == ["somebody waits for the store"], "once, not with each try"
    assert [vars(record)["why"] for record in warnings] == ["away"]


def test_a_second_start_does_not_double_the_tries() -> None:
    database, pauses = Database(away=1), Pauses()
    made = loader(database, pauses)
    made.start()
    made.start()
    assert database.reads == 1
    pauses.next()
    assert database.read.wait(5) and made.done


def test_loads_again_when_it_is_started_again() -> None:
    database, pauses = Database(away=0), Pauses()
    made = loader(database, pauses)
    made.start()
    made.start()
    assert made.done and database.reads == 2


def test_stop_ends_the_tries() -> None:
    database, pauses = Database(away=10), Pauses()
    made = loader(database, pauses)
    made.start()
    assert pauses.begun.wait(5)
    made.stop()
    gevent.idle()
    assert database.reads == 1 and not made.done
