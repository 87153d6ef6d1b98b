# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gevent
import pytest
from werkzeug.test import Client

from submgr.platform.http.late_app import LateApp


@pytest.fixture
def bugs() -> list[str]:
    return []


def answers(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (b"made",)


def module(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str) -> str:
    """A module that does not outlive the test."""
    (directory / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(directory)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_requests_that_come_first_wait_for_one_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bugs: list[str]
) -> None:
    name = module(tmp_path, monkeypatch, "late_module", "import builtins\nbuiltins.late_imports.append(1)\n")
    imports: list[int] = []
    monkeypatch.setattr("builtins.late_imports", imports, raising=False)
    made = []

    def make() -> Any:
        made.append(sys.modules[name])
        return answers

    client = Client(LateApp(make, name, internal_error=lambda: bugs.append("")))
    assert (imports, made) == ([], [])
    asking = [gevent.spawn(client.get, "/") for _ in range(5)]
    gevent.joinall(asking, raise_error=True)
    assert [asked.value.get_data() for asked in asking] == [b"made"] * 5
    assert (len(imports), len(made), bugs) == (1, 1, [])


def test_what_cannot_be_loaded_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bugs: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    name = module(tmp_path, monkeypatch, "late_broken", "raise OSError(24, 'too many open files')\n")
    client = Client(LateApp(lambda: answers, name, internal_error=lambda: bugs.append("")))
    with caplog.at_level(logging.ERROR):
        answer = client.get("/ric/v1/config")
        assert (answer.status_code, answer.json) == (
            500,
            {"code": 500, "message": "internal error, see the log", "errors": []},
        )
        assert client.head("/ric/v1/config").get_data() == b""
    assert len(bugs) == 2
    assert "too many open files" in caplog.text
    (tmp_path / "late_broken.py").write_text("")
    assert client.get("/ric/v1/config").get_data() == b"made"
    assert len(bugs) == 2


def test_an_application_that_cannot_be_made(bugs: list[str]) -> None:
    makes = iter([ZeroDivisionError("a bug")])

    def make() -> Any:
        for error in makes:
            raise error
        return answers

    client = Client(LateApp(make, internal_error=lambda: bugs.append("")))
    assert client.get("/").status_code == 500
    assert (client.get("/").status_code, len(bugs)) == (200, 1)
