# SPDX-License-Identifier: Apache-2.0
"""The data file as it is read, and the additional data of a user."""

from __future__ import annotations

import pytest
from support.mec.data_file import SEED

from mec.manager.model import User
from mec.manager.schemas import Additional, changed_users, data_file
from submgr.platform.config.file import ConfigError


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


def test_a_changed_file_is_taken_but_for_its_broken_entries() -> None:
    """The user of a broken entry stays as he was; one who is not in the file any more goes."""
    before = User("001010000000001", {"subscribedApps": ["old"]})
    known = {before.key: before}.get
    text = """{"users": [
        {"imsi": "001010000000001", "subscriptionData": "broken"},
        {"imsi": "no imsi", "subscriptionData": {}},
        null,
        {"imsi": "001010000000002", "subscriptionData": {"subscribedApps": ["new"]}}
    ]}"""
    users, problems = changed_users(text, known)
    assert sorted(users, key=lambda user: user.imsi) == [
        before,
        User("001010000000002", {"subscribedApps": ["new"]}),
    ]
    assert [each.line for each in problems] == [2, 3, 4]


def test_of_many_mistakes_in_a_changed_file_the_first_are_told() -> None:
    text = '{"users": [' + ", ".join(["1"] * 500 + ['{"imsi": "001010000000002", "subscriptionData": {}}']) + "]}"
    users, problems = changed_users(text, lambda key: None)
    assert len(users) == 1 and len(problems) == 10


@pytest.mark.parametrize("value", ['"\\ud800"', "1e999", "[[-1e400]]", '{"a": {"b": "\\udfff"}}', '{"\\ud800": 1}'])
def test_a_value_that_cannot_be_stored_is_a_mistake_of_its_entry(value: str) -> None:
    text = """{"users": [
{"imsi": "001010000000001", "subscriptionData": {"a": VALUE}},
{"imsi": "001010000000002", "subscriptionData": {}}],
"ues": [{"imsi": "001010000000001", "mecId": 1, "appId": "1", "state": VALUE}]}""".replace("VALUE", value)
    with pytest.raises(ConfigError) as refused:
        data_file(text)
    assert [(each.line, each.path) for each in refused.value.problems] == [
        (2, "users[0].subscriptionData"),
        (4, "ues[0].state"),
    ]
    users, mistakes = changed_users(text, lambda key: None)
    assert (len(users), len(mistakes)) == (1, 2)
