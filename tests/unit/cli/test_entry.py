# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from unittest.mock import Mock

import pytest

from submgr.cli import entry, main, starting

CFG = {"CFG_FILE": "/etc/from-environment"}


@pytest.mark.parametrize(
    ("arguments", "environment", "path"),
    [
        ("run -f /a", {}, "/a"),
        ("run --file /a", {}, "/a"),
        ("-f /a", CFG, "/a"),
        ("submgr -f=/a", {}, "/a"),
        ("", CFG, "/etc/from-environment"),
        ("run", CFG, "/etc/from-environment"),
        ("run", {}, None),  # a mistake, which click tells
        ("", {}, None),
        ("run -f", CFG, None),
        ("run -f --standalone", {}, None),
        ("run --standalone", CFG, None),
        ("run -f /a --help", {}, None),
        ("run /a", CFG, None),
        ("--version", CFG, None),
        ("ctl nodes", CFG, None),
        ("run -f /a", {"_SUBMGR_COMPLETE": "bash_source"}, None),
    ],
)
def test_plain_starts(arguments: str, environment: dict[str, str], path: str | None) -> None:
    assert entry.plain_start(arguments.split(), environment) == path


def test_a_plain_start_runs_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Mock(return_value=3)
    monkeypatch.setattr(starting, "run_daemon", run)
    monkeypatch.setattr(sys, "argv", ["submgr", "-f", "/a"])
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 3
    run.side_effect = KeyboardInterrupt
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 130
    assert [call.args for call in run.call_args_list] == [("/a",)] * 2


def test_all_else_is_for_click(monkeypatch: pytest.MonkeyPatch) -> None:
    command = Mock()
    monkeypatch.setattr(main, "main", command)
    monkeypatch.setattr(sys, "argv", ["submgr", "ctl", "nodes"])
    entry.main()
    assert command.call_count == 1
