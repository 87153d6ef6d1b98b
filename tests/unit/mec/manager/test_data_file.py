# SPDX-License-Identifier: Apache-2.0
"""The data file is taken into the store, and its users whenever it has changed."""

from __future__ import annotations

import pytest
from support.mec.data_file import SEED

from mec.ams.uses import Uses
from mec.common.peer_client import PeerClient
from mec.common.settings import MecSettings
from mec.manager.data_file import DataFileLoader
from mec.manager.service import Users
from mec.manager.user_records import KnownUsers, UserRecords
from submgr.platform.config.file import ConfigError
from submgr.platform.http.client import HttpClient
from submgr.platform.store.memory import MemoryStore


def users_of(store: MemoryStore, **changes: object) -> UserRecords:
    settings = MecSettings(**{"mec_id": 5, "additional_bytes": 10, **changes})  # type: ignore[arg-type]
    return UserRecords(settings, store)


def apps_of(users: KnownUsers, imsi: str) -> list[object]:
    return Users(MecSettings(mec_id=5), users, PeerClient(HttpClient())).apps_of(imsi)


def test_file_is_taken_whole_only_when_nothing_is_stored(store: MemoryStore, tmp_path: object) -> None:
    path = f"{tmp_path}/data.json"

    def start(text: str) -> tuple[UserRecords, Uses]:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        users, uses = users_of(store), Uses(store, 5)
        data = DataFileLoader(path, users, uses)
        data.start()
        assert data.loaded
        data.stop()
        return users, uses

    users, uses = start(SEED)
    assert (len(users), len(uses)) == (1, 2)
    uses.notified("12345678903", "12345", 7)
    users, uses = start(SEED.replace("1234567890,", "77777,"))  # changed while nobody looked
    assert apps_of(users, "77777") == [12345] and len(users) == 1
    use = uses.find("12345678903", "12345")
    assert use is not None and use.mec_id == 7 and not use.stored


def test_file_with_mistakes_ends_the_start(store: MemoryStore, tmp_path: object) -> None:
    path = f"{tmp_path}/data.json"
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"users": [{"imsi": "x", "subscriptionData": {}}]}')
    with pytest.raises(ConfigError, match=r"data\.json.*line 1.*users\[0\]\.imsi"):
        DataFileLoader(path, users_of(store), Uses(store, 5)).start()


def test_changed_file_replaces_the_users_only(store: MemoryStore, tmp_path: object) -> None:
    path = f"{tmp_path}/data.json"

    def write(text: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        watcher.look()
        watcher.look()

    with open(path, "w", encoding="utf-8") as file:
        file.write(SEED)
    users, uses = users_of(store), Uses(store, 5)
    data = DataFileLoader(path, users, uses)
    data.start()
    watcher = data._watcher
    assert watcher is not None
    write(SEED.replace("1234567890,", "55555,").replace("12345678903", "99999"))
    assert apps_of(users, "55555") == [12345] and apps_of(users, "1234567890") == []
    assert uses.find("12345678903", "12345") is not None and uses.find("99999", "12345") is None
    write('{"users": [')
    assert apps_of(users, "55555") == [12345] and data.refused == 1
    write('{"users": []}')
    assert len(users) == 0
    data.stop()
    again = users_of(store)
    again.load()
    assert len(again) == 0
