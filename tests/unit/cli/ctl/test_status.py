# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl status`: what it says, and its exit status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from support.cli.platform import Platform
from support.ports import free_port

from submgr.cli.ctl.main import ctl

OVERVIEW: dict[str, Any] = {
    "Name": "ric-submgr",
    "Version": "1.2.3",
    "Since": "2020-01-01T00:00:00.000Z",
    "Ready": True,
    "NotReady": [],
    "Role": "active",
    "Store": {"Kind": "redis", "Up": True, "Words": ""},
    "Routes": {"E2Termination": 2, "Records": 14, "Age": 65.2},
    "Neighbours": [{"Name": "Routing Manager", "Up": False, "Words": "connection refused"}],
    "Counts": {
        "Nodes": 3,
        "ConnectedNodes": 2,
        "XApps": 4,
        "RestSubscriptions": 12,
        "E2Subscriptions": 14,
        "Established": 12,
        "Pending": 1,
        "Failed": 1,
        "Waiting": 5,
    },
    "Rates": {"SubscribesPerSecond": 0.25, "DeletesPerSecond": 0, "FailuresPerSecond": 0.1},
    "LoopStallLongestMilliseconds": 12.5,
    "Memory": 123_456_789,
}
NOT_READY = {**OVERVIEW, "Ready": False, "Role": "standby", "NotReady": ["standby of pod-1"], "Warnings": ["no route"]}


def test_ready_is_0(daemon: Platform) -> None:
    daemon.answers_with(OVERVIEW)
    said = daemon.ctl("status")
    assert said.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in said.stdout.splitlines())
    assert lines["state"] == "ready, active"
    assert lines["database"] == "redis up"
    assert lines["neighbour"] == "Routing Manager down: connection refused"
    assert "RMR routes     14 records, 2 endpoints of E2 Termination, 65s old" in said.stdout
    assert "E2 nodes       2 of 3 connected" in said.stdout
    assert lines["subscriptions"] == "12 REST, 14 E2 (12 established, 1 pending, 1 failed)"
    assert lines["memory"] == "123 MB"
    assert lines["process"].startswith("ric-submgr, version 1.2.3, for ")


def test_what_nobody_knows_is_said_so(daemon: Platform) -> None:
    """librmr keeps its routes to itself."""
    daemon.answers_with({**OVERVIEW, "Routes": {"E2Termination": 0, "Records": None, "Age": None}})
    assert "RMR routes     not known, 0 endpoints of E2 Termination\n" in daemon.ctl("status").stdout


def test_not_ready_is_1_and_says_why(daemon: Platform) -> None:
    daemon.answers_with(NOT_READY)
    said = daemon.ctl("status")
    assert said.exit_code == 1
    first, second, third, *_ = said.stdout.splitlines()
    assert first.split() == ["state", "not", "ready,", "standby"]
    assert second.endswith("  standby of pod-1")
    assert third.startswith("warning ")


def test_nobody_is_3() -> None:
    said = CliRunner().invoke(ctl, ["status", "--server", f"127.0.0.1:{free_port()}"])
    assert (said.exit_code, said.stdout) == (3, "")
    assert "nobody answers" in said.stderr


@pytest.mark.parametrize(("overview", "status"), [(OVERVIEW, 0), (NOT_READY, 1)])
def test_programs_get_the_answer_and_the_exit_status(daemon: Platform, overview: Any, status: int) -> None:
    daemon.answers_with(overview)
    said = daemon.ctl("status", "-o", "json")
    assert (said.exit_code, json.loads(said.stdout)) == (status, overview)


def test_an_older_one_or_the_port_of_xapps_is_told(daemon: Platform) -> None:
    daemon.answers_with({"code": 404, "message": "there is no /ric/v1/overview", "errors": []}, status=404)
    said = daemon.ctl("status")
    assert said.exit_code == 1
    assert "there is no /ric/v1/overview\n--server names the platform port" in said.stderr
