# SPDX-License-Identifier: Apache-2.0
"""The users of several replicas."""

from __future__ import annotations

import pytest
from support.store.shared import MemoryShared

from mec.common.settings import MecSettings
from mec.manager.model import User
from mec.manager.shared_user_records import SharedUserRecords
from mec.manager.user_records import NAMESPACE, UserRecords
from submgr.platform.shared.base import SharedConflict, Swap
from submgr.platform.store.base import StoreUnavailable
from submgr.platform.store.memory import MemoryStore

ONE, TWO = User("001", {"subscribedApps": [1]}), User("2", {})


@pytest.fixture
def shared() -> MemoryShared:
    return MemoryShared()


def one(shared: MemoryShared, mec_id: int = 5, ttl: float = 300.0) -> SharedUserRecords:
    return SharedUserRecords(MecSettings(mec_id=mec_id, users_ttl=ttl), shared, lambda: 1000.0 + shared.now)


def test_users_of_one_replica_are_those_of_all(shared: MemoryShared) -> None:
    first, second = one(shared), one(shared)
    assert first.empty() and first.taken() == ""
    first.replace((ONE, TWO), "a")
    assert second.find("1") == (ONE, None) and second.find("2") == (TWO, None) and second.taken() == "a"
    second.replace((TWO,), "b")
    assert first.find("1") == (None, None) and first.taken() == "b" and not first.empty()
    assert one(shared, mec_id=9).empty()


def test_the_same_file_is_taken_once(shared: MemoryShared) -> None:
    one(shared).replace((ONE,), "a")
    calls = shared.calls
    one(shared).replace((ONE,), "a")
    assert shared.calls == calls + 1


def test_a_file_that_another_replica_takes_meanwhile_comes_first(shared: MemoryShared) -> None:
    first, second = one(shared), one(shared)
    first.replace((ONE,), "a")
    once: list[int] = []

    def faster(swap: Swap) -> None:
        if not once:
            once.append(1)
            second.replace((User("3", {}),), "b")

    shared.before = faster
    first.replace((TWO,), "c")
    assert (second.taken(), second.find("3")[0], second.find("2")[0]) == ("c", None, TWO)


def test_two_that_never_agree_are_told(shared: MemoryShared) -> None:
    second = one(shared)
    number = iter(range(1000))
    shared.before = lambda swap: second.replace((), f"other {next(number)}")
    with pytest.raises(SharedConflict):
        one(shared).replace((ONE,), "a")


def test_thousands_of_users(shared: MemoryShared) -> None:
    records = one(shared)
    users = tuple(User(str(number), {"n": number}) for number in range(1, 1800))
    records.replace(users, "a")
    assert records.find("1799")[0] == users[-1]
    records.replace(users[:3], "b")
    assert len(shared.keys(NAMESPACE, "5/user/")) == 3


def test_what_the_home_mec_told_holds_for_all_for_its_time(shared: MemoryShared) -> None:
    first, second = one(shared, mec_id=9), one(shared, mec_id=9)
    first.remember("1", b'{"x":1}')
    assert second.find("1") == (None, b'{"x":1}')
    second.remember("1", b'{"x":2}')
    assert first.find("1") == (None, b'{"x":2}')
    shared.now += 300
    assert first.find("1") == (None, None)
    never = one(shared, mec_id=9, ttl=0.0)
    never.remember("1", b"{}")
    assert never.find("1") == (None, None)


def test_a_database_that_is_away(shared: MemoryShared) -> None:
    records = one(shared)
    shared.away = True
    records.remember("1", b"{}")
    for call in (lambda: records.find("1"), records.load, records.taken, lambda: records.replace((), "a")):
        with pytest.raises(StoreUnavailable):
            call()


def test_records_of_a_process_alone(shared: MemoryShared) -> None:
    store = MemoryStore()
    store.start()
    UserRecords(MecSettings(mec_id=5), store).replace((ONE,), "a")
    shared.swap(Swap(NAMESPACE, {}, {**store.read_all(NAMESPACE), "5/user/7": b"\xff"}))
    store.stop()
    assert one(shared).find("1")[0] == ONE and one(shared).taken() == "a"
    assert one(shared).find("7") == (None, None)
