# SPDX-License-Identifier: Apache-2.0
"""The data file, and users in the store."""

from __future__ import annotations

import pytest

from mec.ams.uses import Uses
from mec.common.peer_client import PeerClient
from mec.common.settings import MecSettings
from mec.manager.data_file import DataFileLoader
from mec.manager.model import User
from mec.manager.schemas import Additional, data_file
from mec.manager.service import UnknownUser, Users
from submgr.platform.config.file import ConfigError
from submgr.platform.http.client import HttpClient
from submgr.platform.store.memory import MemoryStore

SEED = """{
  "users": [
    {
      "imsi": 1234567890,
      "subscriptionData": {
        "subscribedApps": [ 12345 ]
      }
    },
  ],

  "ues": [
    { "imsi": 12345678903, "mecId": 5, "appId": 12345, "state": { "count": 8 } },
    { "imsi": 12345678904, "mecId": 9, "appId": 12345, "state": { "count": 10 } }
  ]
}
"""


def users_of(store: MemoryStore, **changes: object) -> Users:
    settings = MecSettings(**{"mec_id": 5, "additional_bytes": 10, **changes})  # type: ignore[arg-type]
    return Users(settings, store, PeerClient(HttpClient()))


def test_seed_file() -> None:
    content = data_file(SEED)
    assert content.users == (User("1234567890", {"subscribedApps": [12345]}),)
    assert [(use.imsi, use.mec_id, use.app_id, use.state) for use in content.ues] == [
        ("12345678903", 5, "12345", b'{"count":8}'),
        ("12345678904", 9, "12345", b'{"count":10}'),
    ]


@pytest.mark.parametrize("text", ["{}", '{"users": null}', '{"users": [], "ues": []}'])
def test_file_with_nothing_in_it(text: str) -> None:
    assert data_file(text).users == ()


def test_every_mistake_is_told_with_line_and_field() -> None:
    text = """{"users": [
      {"imsi": "12a", "subscriptionData": {}},
      {"imsi": 5, "subscriptionData": []},
      {"imsi": "005", "subscriptionData": {}},
      7],
      "ues": [{"imsi": 1, "mecId": "x",
        "appId": ["?"]}]}"""
    with pytest.raises(ConfigError) as refused:
        data_file(text)
    found = {(problem.line, problem.path) for problem in refused.value.problems}
    assert found == {
        (2, "users[0].imsi"),
        (3, "users[1].subscriptionData"),
        (4, "users[2].imsi"),
        (5, "users[3]"),
        (6, "ues[0].mecId"),
        (7, "ues[0].appId"),
        (6, "ues[0].state"),
    }


def test_a_user_given_twice_is_told_by_its_place_in_the_list() -> None:
    user = '{"imsi": 5, "subscriptionData": {}}'
    with pytest.raises(ConfigError) as refused:
        data_file(f'{{"users": [\n7,\n{user},\n{user}]}}')
    assert [(problem.line, problem.path, problem.message) for problem in refused.value.problems] == [
        (2, "users[0]", "must be an object"),
        (4, "users[2].imsi", "this user is in the file already"),
    ]


@pytest.mark.parametrize("text", ["[]", "5", '{"users": {}}', '{"ues": "x"}'])
def test_file_of_another_form(text: str) -> None:
    with pytest.raises(ConfigError):
        data_file(text)


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_additional(size: int) -> None:
    pieces, length = Additional(size).answer(b'{"a":1}')
    whole = b"".join(pieces)
    assert whole == b'{"mainData":{"a":1},"additional":"' + b"1" * size + b'"}'
    assert length == len(whole)


def test_user_data(store: MemoryStore) -> None:
    users = users_of(store)
    users.replace((User("001010000000001", {"subscribedApps": [1]}),))
    data = users.data_of("1010000000001")
    assert b"".join(data.pieces) == b'{"mainData":{"subscribedApps":[1]},"additional":"1111111111"}'
    assert users.apps_of("001010000000001") == [1]
    with pytest.raises(UnknownUser):
        users.data_of("5")


def test_users_survive_a_restart_and_are_those_of_one_mec(store: MemoryStore) -> None:
    users_of(store).replace((User("1", {}), User("2", {})))
    users_of(store).load()
    again, other = users_of(store), users_of(store, mec_id=9)
    again.load()
    other.load()
    assert (len(again), len(other)) == (2, 0)
    again.replace((User("2", {"x": 1}),))
    third = users_of(store)
    third.load()
    assert len(third) == 1


def test_file_is_taken_whole_only_when_nothing_is_stored(store: MemoryStore, tmp_path: object) -> None:
    path = f"{tmp_path}/data.json"

    def start(text: str) -> tuple[Users, Uses]:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        users, uses = users_of(store), Uses(store, 5)
        data = DataFileLoader(path, 5, store, users, uses)
        data.start()
        assert data.loaded
        data.stop()
        return users, uses

    users, uses = start(SEED)
    assert (len(users), len(uses)) == (1, 2)
    uses.notified("12345678903", "12345", 7)
    users, uses = start(SEED.replace("1234567890,", "77777,"))  # changed while nobody looked
    assert users.apps_of("77777") == [12345] and len(users) == 1
    use = uses.find("12345678903", "12345")
    assert use is not None and use.mec_id == 7 and not use.stored


def test_file_with_mistakes_ends_the_start(store: MemoryStore, tmp_path: object) -> None:
    path = f"{tmp_path}/data.json"
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"users": [{"imsi": "x", "subscriptionData": {}}]}')
    with pytest.raises(ConfigError, match=r"data\.json.*line 1.*users\[0\]\.imsi"):
        DataFileLoader(path, 5, store, users_of(store), Uses(store, 5)).start()


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
    data = DataFileLoader(path, 5, store, users, uses)
    data.start()
    watcher = data._watcher
    assert watcher is not None
    write(SEED.replace("1234567890,", "55555,").replace("12345678903", "99999"))
    assert users.apps_of("55555") == [12345] and users.apps_of("1234567890") == []
    assert uses.find("12345678903", "12345") is not None and uses.find("99999", "12345") is None
    write('{"users": [')
    assert users.apps_of("55555") == [12345] and data.refused == 1
    write('{"users": []}')
    assert len(users) == 0
    data.stop()
    again = users_of(store)
    again.load()
    assert len(again) == 0
