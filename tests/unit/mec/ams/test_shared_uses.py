# SPDX-License-Identifier: Apache-2.0
"""Uses and states of several replicas: what one was told all know, and nobody undoes what another one did."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.store.shared import MemoryShared

from mec.ams.model import ANY_APP, Use
from mec.ams.shared_uses import SharedUses
from mec.ams.uses import NAMESPACE, Uses
from submgr.platform.shared.base import Entry, SharedConflict, Swap
from submgr.platform.store.base import Change, StoreUnavailable
from submgr.platform.store.memory import MemoryStore

IMSI = "001010000000001"


class Replicas:
    """As many as are asked for, on one store. `events`: what was stored with the uses."""

    def __init__(self) -> None:
        self.shared = MemoryShared()

    def one(self, cache_size: int = 1000) -> SharedUses:
        return SharedUses(self.shared, 5, self.describe, cache_size)

    @staticmethod
    def describe(uses: Sequence[Use], adjacent: Sequence[str]) -> Entry:
        return Entry("log", f"{sorted(use.app_id for use in uses)} {list(adjacent)}".encode(), 3)

    @property
    def events(self) -> list[str]:
        last = int(self.shared.read(NAMESPACE, ["log/next"]).get("log/next", 0))
        return [self.shared.read(NAMESPACE, [f"log/{n}"])[f"log/{n}"].decode() for n in range(1, last + 1)]


def use_of(uses: SharedUses, app: str = "1") -> Use:
    use = uses.find(IMSI, app)
    assert use is not None
    return use


@pytest.fixture
def replicas() -> Replicas:
    return Replicas()


def test_what_one_was_told_the_others_know(replicas: Replicas) -> None:
    first, second = replicas.one(), replicas.one()
    assert second.find(IMSI, "1") is None and first.empty()
    first.notified(IMSI, "1", 9)
    assert use_of(second).mec_id == 9 and not second.empty()
    assert first.keep_state(use_of(first), b'"s"')
    assert second.state_of(use_of(second)) == b'"s"'
    second.notified("1010000000001", "1", 7)
    assert first.state_of(use_of(first)) is None
    assert (use_of(first).mec_id, use_of(first).stored) == (7, False)
    assert not [key for key in replicas.shared.keys(NAMESPACE, "") if "/state/" in key]


def test_a_cached_state_is_served_only_for_its_use(replicas: Replicas) -> None:
    first, second = replicas.one(), replicas.one()
    first.notified(IMSI, "1", 9)
    first.keep_state(use_of(first), b'"old"')
    assert second.state_of(use_of(second)) == b'"old"'
    first.notified(IMSI, "1", 9)
    first.keep_state(use_of(first), b'"new"')
    assert second.state_of(use_of(second)) == b'"new"'
    calls = replicas.shared.calls
    assert second.state_of(use_of(second)) == b'"new"'
    assert replicas.shared.calls == calls + 1  # the use is read, the state is not


def test_a_state_that_was_overtaken_by_another_replica_is_not_kept(replicas: Replicas) -> None:
    first, second = replicas.one(), replicas.one()
    first.notified(IMSI, "1", 9)
    old = use_of(first)
    second.notified(IMSI, "1", 9)
    assert not first.keep_state(old, b"1")
    assert not first.is_current(old) and second.is_current(use_of(second))
    assert first.state_of(use_of(first)) is None


def test_a_notification_between_the_look_and_the_change_wins(replicas: Replicas) -> None:
    first, second = replicas.one(), replicas.one()
    first.notified(IMSI, "1", 9)
    old = use_of(first)

    def faster(swap: Swap) -> None:
        replicas.shared.before = lambda swap: None
        second.notified(IMSI, "1", 7)

    replicas.shared.before = faster
    assert not first.keep_state(old, b"1")
    assert use_of(first).mec_id == 7


def test_general_notifications_reach_applications_that_come_up_meanwhile(replicas: Replicas) -> None:
    first, second = replicas.one(), replicas.one()
    first.notified(IMSI, "1", 9)
    once: list[int] = []

    def faster(swap: Swap) -> None:
        if not once:
            once.append(1)
            second.notified(IMSI, "2", 9)

    replicas.shared.before = faster
    first.notified(IMSI, None, 7)
    assert {use.app_id: use.mec_id for use in second.of_ue(IMSI)} == {"1": 7, "2": 7, ANY_APP: 7}
    assert use_of(second, "unheard-of").mec_id == 7
    assert second.keep_state(use_of(second, "3"), b"3")
    assert sorted(use.app_id for use in first.of_ue(IMSI)) == [ANY_APP, "1", "2", "3"]
    assert len(first.all()) == 4


def test_each_notification_is_one_event_and_a_new_place_is_told_once(replicas: Replicas) -> None:
    first, second = replicas.one(), replicas.one()
    first.notified(IMSI, "1", 9)
    second.notified(IMSI, "1", 9)
    second.notified(IMSI, None, 7)
    assert replicas.events == ["['1'] ['1']", "['1'] []", "['*', '1'] ['1']"]
    first.notified(IMSI, "1", 9)
    assert first.counts["events dropped"] == 1 and len(replicas.events) == 3


def test_who_is_never_fast_enough_is_told_so(replicas: Replicas) -> None:
    first, second = replicas.one(), replicas.one()
    first.notified(IMSI, "1", 9)
    replicas.shared.before = lambda swap: second.notified(IMSI, "1", 7) and None
    with pytest.raises(SharedConflict):
        first.notified(IMSI, "1", 9)


def test_a_database_that_is_away(replicas: Replicas) -> None:
    uses = replicas.one()
    uses.notified(IMSI, "1", 9)
    use = use_of(uses)
    replicas.shared.away = True
    for call in (lambda: uses.find(IMSI, "1"), lambda: uses.notified(IMSI, "1", 7), uses.all, uses.load):
        with pytest.raises(StoreUnavailable):
            call()
    assert not uses.keep_state(use, b"1")
    replicas.shared.away = False
    assert use_of(uses) == use


def test_the_data_file_is_taken_by_one_and_never_over_what_is_newer(replicas: Replicas) -> None:
    first, second = replicas.one(), replicas.one()
    second.notified(IMSI, "2", 7)
    for replica in (first, second):
        replica.take([(Use(IMSI, "1", 9), b"1"), (Use(IMSI, "2", 9), b"2")])
    assert second.state_of(use_of(second, "1")) == b"1"
    assert (use_of(first, "2").mec_id, first.state_of(use_of(first, "2"))) == (7, None)


def test_what_a_process_alone_has_left_is_taken_up_and_the_other_way_round(replicas: Replicas) -> None:
    store = MemoryStore()
    store.start()
    alone = Uses(store, 5)
    alone.notified(IMSI, "1", 9)
    alone.notified(IMSI, "2", 7)
    use = alone.find(IMSI, "1")
    assert use is not None and alone.keep_state(use, b'"s"')
    alone.notified("2", None, 9)
    replicas.shared.swap(Swap(NAMESPACE, {}, store.read_all(NAMESPACE)))
    uses = replicas.one()
    uses.load()
    assert {each.app_id: each.mec_id for each in uses.of_ue(IMSI)} == {"1": 9, "2": 7}
    assert uses.state_of(use_of(uses, "1")) == b'"s"'
    uses.notified(IMSI, None, 9)
    assert replicas.events == ["['*', '1', '2'] ['2']"]
    kept = replicas.shared.read(NAMESPACE, replicas.shared.keys(NAMESPACE, ""))
    store.write(Change(NAMESPACE, kept))
    again = Uses(store, 5)
    again.load()
    assert {each.app_id for each in again.of_ue(IMSI)} == {"1", "2", ANY_APP}
    assert len(again) == 4
    store.stop()


def test_an_unreadable_use_is_none(replicas: Replicas) -> None:
    replicas.shared.swap(Swap(NAMESPACE, {}, {f"ams/5/use/{IMSI.lstrip('0')}/1": b"\xff"}))
    uses = replicas.one()
    uses.load()
    assert uses.find(IMSI, "1") is None
    uses.notified(IMSI, "1", 9)
    assert use_of(uses).mec_id == 9
