# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl nodes`, `xapps` and `subs`: what they ask, and the forms of what they say."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from support.cli.platform import Platform

FAILURE = {"Id": "x-1", "Time": "2020-01-01T00:00:00.000Z", "Words": "E2 node refused"}
NODE: dict[str, Any] = {
    "Meid": "gnb_1",
    "State": "connected",
    "Since": "2020-01-01T00:00:00.000Z",
    "E2Subscriptions": 12,
    "RestSubscriptions": 10,
    "Pending": 1,
    "Failed": 0,
    "Queue": 3,
    "SubscribesPerMinute": 1.5,
    "FailuresPerMinute": 0,
    "LastFailure": FAILURE,
}
OTHER = {**NODE, "Meid": "enb/2\x1b[31m", "State": "under reset", "Since": None, "LastFailure": None}
FUNCTION = {"RANFunctionID": 2, "Name": "KPM", "OID": "1.3.6.1", "Revision": 1, "Definition": {"Words": "KPM 3.0"}}
XAPP = {
    "XApp": "xapp-1",
    "Endpoints": ["xapp-1:4560", "xapp-1:4561"],
    "RestSubscriptions": 2,
    "E2Subscriptions": 3,
    "Failed": 1,
    "WaitingNotifications": 0,
    "LastFailure": None,
}


def row(number: int, **more: Any) -> dict[str, Any]:
    last = {"Outcome": "succeeded", "Cause": "", "Source": "", "Time": None, "Milliseconds": 2.5}
    return {
        "SubscriptionId": f"id-{number:05}",
        "Meid": "gnb_1",
        "XApp": "xapp-1",
        "RANFunctionID": 2,
        "Created": "2020-01-01 00:00:00.000",
        "State": "established",
        "Instances": 1,
        "Last": last,
        **more,
    }


def page(rows: list[dict[str, Any]], total: int | None = None, offset: int = 0) -> dict[str, Any]:
    return {"Total": len(rows) if total is None else total, "Offset": offset, "Items": rows}


def asked(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def test_nodes_as_a_table_that_can_be_searched_line_by_line(daemon: Platform) -> None:
    daemon.answers_with([NODE, OTHER])
    head, first, second = daemon.ctl("nodes").stdout.splitlines()
    assert head.split() == ["MEID", "STATE", "SINCE", "E2-SUBS", "REST-SUBS", "PENDING", "FAILED", "QUEUE"]
    assert first.split()[:2] == ["gnb_1", "connected"]
    assert first.split()[3:] == ["12", "10", "1", "0", "3"]
    assert second.startswith("enb/2\\u001b[31m  under-reset      -  ")
    assert daemon.paths == ["GET overview/nodes"]


def test_wide_nodes_have_their_ran_functions(daemon: Platform) -> None:
    daemon.answers_with([NODE, OTHER], [FUNCTION], [])
    said = daemon.ctl("nodes", "-o", "wide").stdout
    nodes, functions = said.split("\n\n")
    assert "E2 node refused" in nodes.splitlines()[1]
    assert [line.split() for line in functions.splitlines()] == [
        ["MEID", "FUNCTION", "NAME", "OID", "REVISION", "OFFERS"],
        ["gnb_1", "2", "KPM", "1.3.6.1", "1", "KPM", "3.0"],
    ]
    assert daemon.paths[1] == "GET nodes/gnb_1/functions"
    assert len(daemon.paths) == 3


def test_names_alone(daemon: Platform) -> None:
    daemon.answers_with([NODE], [XAPP], page([row(1), row(2, SubscriptionId=None)]))
    assert daemon.ctl("nodes", "-o", "name").stdout == "gnb_1\n"
    assert daemon.ctl("xapps", "-o", "name").stdout == "xapp-1\n"
    assert daemon.ctl("subs", "-o", "name").stdout == "id-00001\n"


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize(("command", "answer"), [("nodes", [NODE, OTHER]), ("xapps", [XAPP]), ("subs", page([row(1)]))])
def test_programs_get_the_answer_as_it_is(daemon: Platform, form: str, command: str, answer: Any) -> None:
    daemon.answers_with(answer)
    said = daemon.ctl(command, "-o", form)
    assert said.exit_code == 0
    assert (json.loads if form == "json" else yaml.safe_load)(said.stdout) == answer
    assert "\x1b" not in said.stdout


def test_xapps(daemon: Platform) -> None:
    daemon.answers_with([XAPP], [XAPP])
    assert [line.split() for line in daemon.ctl("xapps").stdout.splitlines()] == [
        ["XAPP", "REST-SUBS", "E2-SUBS", "FAILED", "UNTOLD"],
        ["xapp-1", "2", "3", "1", "0"],
    ]
    assert "xapp-1:4560,xapp-1:4561" in daemon.ctl("xapps", "-o", "wide").stdout


def test_nothing_is_a_table_with_a_head_only(daemon: Platform) -> None:
    daemon.answers_with([], page([]))
    assert len(daemon.ctl("xapps").stdout.splitlines()) == 1
    assert len(daemon.ctl("subs").stdout.splitlines()) == 1


def test_subscriptions_by_node_xapp_state_and_function(daemon: Platform) -> None:
    failed = row(7, State="failed", Last={**row(7)["Last"], "Cause": "E2 node\nrefused", "Source": "E2Node"})
    daemon.answers_with(page([failed]))
    filters = ("--node", "a&b", "--xapp", "x", "--state", "failed", "--function", "0", "-q", "t", "--sort", "-time")
    head, line = daemon.ctl("subs", *filters).stdout.splitlines()
    assert head.split() == ["ID", "MEID", "XAPP", "FUNCTION", "STATE", "E2-SUBS", "AGE", "CAUSE"]
    assert line.split()[:5] == ["id-00007", "gnb_1", "xapp-1", "2", "failed"]
    assert line.endswith("E2 node refused")
    wanted = {"node": "a&b", "xapp": "x", "state": "failed", "function": "0", "q": "t", "sort": "-time"}
    assert asked(daemon.paths[0]) == {**wanted, "offset": "0", "limit": "1000"}


def test_several_states(daemon: Platform) -> None:
    daemon.answers_with(page([]))
    assert daemon.ctl("subs", "--state", "failed", "--state", "partly").exit_code == 0
    assert asked(daemon.paths[0])["state"] == "failed,partly"


@pytest.mark.parametrize("wrong", [("--state", "fine"), ("--function", "4096"), ("--sort", "size"), ("-o", "xml")])
def test_filters_that_make_no_sense(daemon: Platform, wrong: tuple[str, str]) -> None:
    assert daemon.ctl("subs", *wrong).exit_code == 2
    assert daemon.asked == []


def test_a_long_list_is_fetched_in_pages(daemon: Platform) -> None:
    rows = [row(at) for at in range(2500)]
    daemon.answers_with(*(page(rows[at : at + 1000], 2500, at) for at in (0, 1000, 2000)))
    said = json.loads(daemon.ctl("subs", "-o", "json").stdout)
    assert said == page(rows)
    assert [asked(path)["offset"] for path in daemon.paths] == ["0", "1000", "2000"]


def test_what_moves_into_an_earlier_page_while_it_is_fetched_is_not_missed(daemon: Platform) -> None:
    """Three of the first page are deleted after it was fetched: what was behind it is three places further up."""
    rows = [row(at) for at in range(1200)]
    held_over_rmr = {999: row(999, SubscriptionId=None), 1000: row(1000, SubscriptionId=None, RANFunctionID=3)}
    for at, other in held_over_rmr.items():
        rows[at] = other
    left = rows[3:]
    daemon.answers_with(page(rows[:1000], 1200), page(left[1000:], 1197, 1000), page(left[997:], 1197, 997))
    said = json.loads(daemon.ctl("subs", "-o", "json").stdout)
    assert said["Items"] == rows
    assert [asked(path)["offset"] for path in daemon.paths] == ["0", "1000", "997"]


def test_a_limit_is_told(daemon: Platform) -> None:
    daemon.answers_with(page([row(1), row(2)], 9))
    said = daemon.ctl("subs", "--limit", "2")
    assert (len(said.stdout.splitlines()), said.stderr) == (3, "2 of 9 subscriptions\n")
    assert asked(daemon.paths[0])["limit"] == "2"
