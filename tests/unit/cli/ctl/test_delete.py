# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl delete`: what it asks of whom, and what it says until nothing is left."""

from __future__ import annotations

import pytest
from support.cli.platform import Platform

DONE = {"message": "being deleted"}
GONE = {"code": 404, "message": "there is no REST subscription id/1", "errors": []}
E2 = {"ReqId": {"InstanceId": 1}}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submgr.cli.ctl.delete.LOOK", 0.0)


def test_it_waits_until_nothing_is_left(daemon: Platform) -> None:
    daemon.answers_with(DONE, [E2], [])
    daemon.answers_with(GONE, status=404)
    said = daemon.ctl("delete", "--yes", "id/1")
    assert said.stdout == "REST subscription id/1: being deleted\nREST subscription id/1: gone\n"
    assert (said.exit_code, said.stderr) == (0, "")
    assert daemon.paths == ["DELETE subscriptions/id/1", *["GET get_e2subscriptions/id/1"] * 3]


def test_what_takes_longer_goes_on_and_is_told(daemon: Platform) -> None:
    daemon.answers_with(DONE, [E2, E2])
    said = daemon.ctl("delete", "--yes", "--timeout", "0", "one")
    assert said.stdout.endswith("REST subscription one: still being undone\n")
    assert said.exit_code == 1


def test_it_may_be_left_alone(daemon: Platform) -> None:
    daemon.answers_with(DONE)
    said = daemon.ctl("delete", "-y", "--no-wait", "one")
    assert (said.exit_code, said.stdout) == (0, "REST subscription one: being deleted\n")


def test_it_asks_first(daemon: Platform) -> None:
    daemon.answers_with([E2, E2])
    refused = daemon.ctl("delete", "one", input="n\n")
    assert refused.exit_code == 1
    assert "REST subscription one: 2 E2 subscriptions\nDelete? [y/N]: " in refused.stderr
    assert daemon.paths == ["GET get_e2subscriptions/one"]
    daemon.answers_with([E2], DONE)
    daemon.answers_with(GONE, status=404)
    agreed = daemon.ctl("delete", "one", input="y\n")
    assert agreed.exit_code == 0
    assert agreed.stdout.endswith(": gone\n")


def test_nothing_to_delete_needs_no_question(daemon: Platform) -> None:
    daemon.answers_with(GONE, status=404)
    said = daemon.ctl("delete", "one")
    assert (said.exit_code, said.stderr) == (1, "REST subscription one: there is nothing\n")


def test_all_of_a_node_and_of_an_xapp(daemon: Platform) -> None:
    daemon.answers_with(DONE, DONE, {"a": {}}, {}, {})
    said = daemon.ctl("delete", "--node", "gnb 1", "--xapp", "host", "--yes")
    assert said.exit_code == 0
    assert said.stdout.splitlines()[2:] == [
        "all subscriptions of xApp host: gone",
        "all subscriptions of E2 node gnb 1: gone",
    ]
    assert daemon.paths[:4] == [
        "DELETE delete_all_e2node_subscriptions/gnb 1",
        "DELETE delete_all_xapp_subscriptions/host",
        "GET get_e2node_rest_subscriptions/gnb 1",
        "GET get_xapp_rest_restsubscriptions/host",
    ]


def test_one_that_is_refused_does_not_keep_the_others(daemon: Platform) -> None:
    daemon.answers_with(GONE, status=404)
    daemon.answers_with(DONE)
    daemon.answers_with(GONE, status=404)
    said = daemon.ctl("delete", "--yes", "id/1", "two")
    assert said.exit_code == 1
    assert said.stderr == "REST subscription id/1: 404: there is no REST subscription id/1\n"
    assert said.stdout.endswith("REST subscription two: gone\n")


def test_without_a_token_it_says_how_to_give_one(daemon: Platform) -> None:
    daemon.answers_with({"code": 401, "message": "a token is needed", "errors": []}, status=401)
    said = daemon.ctl("delete", "--yes", "one")
    assert said.exit_code == 1
    assert "SUBMGR_DEBUG_TOKEN" in said.stderr


def test_a_command_line_without_anything(daemon: Platform) -> None:
    assert daemon.ctl("delete", "--yes").exit_code == 2
    assert daemon.asked == []
