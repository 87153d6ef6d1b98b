# SPDX-License-Identifier: Apache-2.0
"""Ids outlive the process, whatever happens to their file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from submgr.client.ids import IdFile, Remembered
from submgr.client.values import digest

ONE = Remembered("2ab", "gnb_1 2 x:4560", {"1": "d"})


def test_what_was_put_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "ids.json"
    IdFile(path).put("kpm", ONE)
    again = IdFile(path)
    assert again.get("kpm") == ONE
    again.forget("2ab")
    assert IdFile(path).all() == {}
    assert os.listdir(tmp_path) == ["ids.json"]


def test_without_a_file_nothing_is_written() -> None:
    ids = IdFile(None)
    ids.put("kpm", ONE)
    assert ids.get("kpm") == ONE
    ids.forget("2ab")
    assert ids.get("kpm") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff", b"[" * 100_000, b'{"a":{"details":1}}'])
def test_an_unreadable_file_is_put_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ids.json"
    path.write_bytes(content)
    ids = IdFile(path)
    assert ids.all() == {}
    assert (tmp_path / "ids.json.unreadable").read_bytes() == content
    ids.put("kpm", ONE)
    assert IdFile(path).get("kpm") == ONE


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ids.json"
    ids = IdFile(path)
    ids.put("kpm", ONE)

    def full(descriptor: int) -> None:
        raise OSError("no room")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no room"):
        ids.put("other", ONE)
    assert ids.get("other") == ONE
    assert list(IdFile(path).all()) == ["kpm"]
    assert os.listdir(tmp_path) == ["ids.json"]


REPORT = {"XappEventInstanceId": 1, "ActionToBeSetupList": [{"ActionType": "report"}], "EventTriggers": [1]}
POLICY = {"XappEventInstanceId": 2, "ActionToBeSetupList": [{"ActionType": "policy"}], "EventTriggers": [1]}
KNOWN = Remembered("2ab", "here", {"1": digest(REPORT), "2": digest(POLICY)})


@pytest.mark.parametrize(
    ("details", "allowed"),
    [
        ([REPORT, POLICY], True),
        ([POLICY, REPORT], True),
        ([REPORT, {**POLICY, "EventTriggers": [2]}], True),
        ([REPORT, POLICY, {**REPORT, "XappEventInstanceId": 3}], True),
        ([{**REPORT, "EventTriggers": [2]}, POLICY], False),
        ([REPORT], False),
    ],
)
def test_what_an_id_allows(details: list[dict[str, object]], allowed: bool) -> None:
    assert KNOWN.allows("here", details) is allowed
    assert not KNOWN.allows("elsewhere", details)
