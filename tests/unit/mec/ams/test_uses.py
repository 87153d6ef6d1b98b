# SPDX-License-Identifier: Apache-2.0
"""Uses and states survive, and a newer notification makes a state void."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest
from gevent.event import Event

from mec.ams.model import ANY_APP, Use
from mec.ams.uses import Uses
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.memory import MemoryBackend, MemoryStore
from submgr.platform.turns import turn

IMSI = "001010000000001"


def use_of(uses: Uses, app: str = "1") -> Use:
    use = uses.find(IMSI, app)
    assert use is not None
    return use


def test_state_is_served_until_a_newer_notification(store: MemoryStore) -> None:
    uses = Uses(store, 5)
    uses.notified(IMSI, "1", 9)
    assert uses.state_of(use_of(uses)) is None
    assert uses.keep_state(use_of(uses), b'{"count":8}')
    assert uses.state_of(use_of(uses)) == b'{"count":8}'
    uses.notified(IMSI, "1", 9)
    assert uses.state_of(use_of(uses)) is None


def test_overtaken_state_is_not_kept(store: MemoryStore) -> None:
    uses = Uses(store, 5)
    uses.notified(IMSI, "1", 9)
    old = use_of(uses)
    uses.notified(IMSI, "1", 7)
    assert not uses.keep_state(old, b"1")
    assert uses.state_of(use_of(uses)) is None


def test_restart_keeps_uses_and_states(store: MemoryStore) -> None:
    uses = Uses(store, 5)
    uses.notified(IMSI, "1", 9)
    uses.notified(IMSI, "2", 9)
    uses.keep_state(use_of(uses), b'"s"')
    uses.notified(IMSI, "3", 9)
    again = Uses(store, 5)
    again.load()
    assert again.state_of(use_of(again)) == b'"s"'
    assert (use_of(again, "2").mec_id, use_of(again, "2").stored) == (9, False)
    assert Uses(store, 6).find(IMSI, "1") is None


def test_state_that_was_dropped_does_not_come_back_with_a_restart(store: MemoryStore) -> None:
    uses = Uses(store, 5)
    uses.notified(IMSI, "1", 9)
    uses.keep_state(use_of(uses), b'"s"')
    uses.notified(IMSI, "1", 9)
    again = Uses(store, 5)
    again.load()
    assert again.state_of(use_of(again)) is None
    assert not [key for key in store.keys("mec_ues") if "/state/" in key]


def test_notification_without_an_application_holds_for_all(store: MemoryStore) -> None:
    uses = Uses(store, 5)
    uses.notified(IMSI, "1", 9)
    uses.keep_state(use_of(uses), b'"s"')
    uses.notified(IMSI, None, 7)
    assert (use_of(uses, "1").mec_id, use_of(uses, "1").stored) == (7, False)
    assert use_of(uses, "unheard-of").mec_id == 7
    assert sorted(use.app_id for use in uses.of_ue(IMSI)) == [ANY_APP, "1"]


def test_state_found_through_a_general_notification_is_kept(store: MemoryStore) -> None:
    uses = Uses(store, 5)
    uses.notified(IMSI, None, 7)
    assert uses.keep_state(use_of(uses, "4"), b"4")
    assert uses.state_of(use_of(uses, "4")) == b"4"
    assert uses.state_of(use_of(uses, "5")) is None


def test_spelling_of_the_imsi_makes_no_difference(store: MemoryStore) -> None:
    uses = Uses(store, 5)
    uses.notified("1010000000001", "1", 9)
    assert use_of(uses).mec_id == 9


def test_memory_for_states_is_bounded(store: MemoryStore) -> None:
    uses = Uses(store, 5, cache_size=1000)
    for app in map(str, range(20)):
        uses.notified(IMSI, app, 9)
        uses.keep_state(use_of(uses, app), b"x" * 300)
    assert uses._states.held <= 1000
    assert all(uses.state_of(use_of(uses, str(app))) == b"x" * 300 for app in range(20))


class Hanging(MemoryBackend):
    """Once it `hangs` it takes writes, and does not say that they are done before it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = Event()
        self.goes_on.set()

    def hangs(self) -> None:
        self.goes_on.clear()

    def write(self, namespace: str, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        self.goes_on.wait()
        super().write(namespace, values, removals)


def test_states_that_wait_for_the_store_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mec.ams.uses.MAX_UNSAVED", 1000)
    database = Hanging()
    store = CommittingStore(database)
    store.start()
    uses = Uses(store, 5)
    for app in range(5):
        uses.notified(IMSI, str(app), 9)
    database.hangs()
    kept = []
    for app in range(5):
        kept.append(uses.keep_state(use_of(uses, str(app)), b"x" * 300))
        turn()
    assert kept == [True] * 3 + [False] * 2
    database.goes_on.set()
    store.stop()
    assert not uses._unsaved
