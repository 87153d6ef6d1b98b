# SPDX-License-Identifier: Apache-2.0
"""The users of a MEC."""

from __future__ import annotations

import pytest

from mec.common.peer_client import PeerClient
from mec.common.settings import MecSettings
from mec.manager.model import User
from mec.manager.service import UnknownUser, Users
from mec.manager.user_records import UserRecords
from submgr.platform.http.client import HttpClient
from submgr.platform.store.memory import MemoryStore
from submgr.platform.turns import turn


def users_of(store: MemoryStore, **changes: object) -> Users:
    settings = MecSettings(**{"mec_id": 5, "additional_bytes": 10, **changes})  # type: ignore[arg-type]
    return Users(settings, UserRecords(settings, store), PeerClient(HttpClient()))


def test_user_data(store: MemoryStore) -> None:
    users = users_of(store)
    users.known.replace((User("001010000000001", {"subscribedApps": [1]}),), "")
    data = users.data_of("1010000000001")
    assert b"".join(data.pieces) == b'{"mainData":{"subscribedApps":[1]},"additional":"1111111111"}'
    assert users.apps_of("001010000000001") == [1]
    with pytest.raises(UnknownUser):
        users.data_of("5")


def test_users_survive_a_restart_and_are_those_of_one_mec(store: MemoryStore) -> None:
    def start(mec_id: int = 5) -> UserRecords:
        records = UserRecords(MecSettings(mec_id=mec_id), store)
        records.load()
        return records

    start().replace((User("1", {}), User("2", {})), "digest")
    again, other = start(), start(9)
    assert (len(again), len(other)) == (2, 0)
    assert (again.taken(), other.taken()) == ("digest", "")
    again.replace((User("2", {"x": 1}),), "another")
    assert len(start()) == 1


def test_answer_of_the_home_mec_ends_with_its_time_also_over_a_restart(store: MemoryStore) -> None:
    now = 1000.0
    settings = MecSettings(mec_id=9, network="foreign", additional_bytes=10, users_ttl=300.0)

    def start() -> Users:
        records = UserRecords(settings, store, lambda: now)
        records.load()
        return Users(settings, records, PeerClient(HttpClient()))

    start().known.remember("1010000000001", b'{"subscribedApps":[1]}')
    while store.stats().waiting:
        turn()
    now += 299.0
    assert start().apps_of("1010000000001") == [1]
    now += 1.0
    assert start().apps_of("1010000000001") == []
    now = 10.0  # a clock that jumped back
    assert start().apps_of("1010000000001") == []
