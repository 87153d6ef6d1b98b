# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl watch`: looks, one after the other."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from support.cli.platform import Platform
from unit.cli.ctl.test_events import event
from unit.cli.ctl.test_lists import NODE, XAPP, page, row
from unit.cli.ctl.test_status import OVERVIEW

from submgr.cli.ctl import watch


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seen: list[float] = []
    monkeypatch.setattr(watch, "gevent", SimpleNamespace(sleep=seen.append))
    return seen


def test_status_nodes_and_events_again_and_again(daemon: Platform, pauses: list[float]) -> None:
    daemon.answers_with(*[OVERVIEW, [NODE], [event(1)]] * 2)
    said = daemon.ctl("watch", "--times", "2", "-n", "0.5")
    assert said.exit_code == 0
    assert said.stdout.count("ready, active") == said.stdout.count("gnb_1") == said.stdout.count("event 1") == 2
    assert pauses == [0.5]
    assert daemon.paths == ["GET overview", "GET overview/nodes", "GET events?limit=10"] * 2


@pytest.mark.parametrize(
    ("what", "answer", "words"),
    [
        ("nodes", [NODE], "gnb_1"),
        ("xapps", [XAPP], "xapp-1"),
        ("subs", page([row(1)], 7), "and 6 more"),
        ("events", [event(3)], "event 3"),
        ("status", OVERVIEW, "ready, active"),
    ],
)
def test_one_of_them(daemon: Platform, pauses: list[float], what: str, answer: Any, words: str) -> None:
    daemon.answers_with(answer)
    assert words in daemon.ctl("watch", what, "--times", "1").stdout
    assert pauses == []


def test_one_that_does_not_answer_for_a_while_is_told(daemon: Platform, pauses: list[float]) -> None:
    daemon.answers_with([NODE])
    daemon.answers_with({"code": 503, "message": "not ready: restoring", "errors": []}, status=503)
    said = daemon.ctl("watch", "nodes", "--times", "2")
    assert said.exit_code == 0
    assert "503: not ready: restoring; what was seen last:" in said.stdout
    assert said.stdout.count("gnb_1") == 2


def test_one_that_does_not_answer_at_first_ends_it(daemon: Platform, pauses: list[float]) -> None:
    daemon.answers_with({"code": 503, "message": "not ready: restoring", "errors": []}, status=503)
    assert daemon.ctl("watch", "nodes").exit_code == 1


def test_a_picture_fits_the_terminal(pauses: list[float]) -> None:
    many = [{**NODE, "Meid": f"gnb_{at}"} for at in range(100)]
    parts = [
        watch.Part(watch.status.COLUMNS, list(watch.status.lines(OVERVIEW))),
        watch.Part(watch.columns_of(watch.c.NODES, False), many),
    ]
    console = Console(file=io.StringIO(), width=100, height=30, highlight=False, force_terminal=True)
    console.print(watch._picture(console, "now", parts))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert len(text.splitlines()) <= 30
    assert "gnb_0" in text
    assert "more" in text.splitlines()[-1]
