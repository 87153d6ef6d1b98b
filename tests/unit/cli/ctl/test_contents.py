# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl show`: one line in words, and all that is behind it."""

from __future__ import annotations

import json
from typing import Any

from support.cli.platform import Platform
from unit.cli.ctl.test_events import event
from unit.cli.ctl.test_lists import row

LINE = {"SubscriptionId": 7, "Meid": "gnb_1", "RANFunctionID": 2, "Words": "KPM report every 100 ms"}
WHOLE: dict[str, Any] = {
    **LINE,
    "EventTrigger": {"Words": "KPM report every 100 ms", "Content": {"format": 1, "report_period_ms": 100}},
    "Actions": [{"ActionID": 1, "Definition": {"Words": "00: a placeholder"}}, {"ActionID": 2, "Definition": None}],
}
TREE = [
    "event trigger: KPM report every 100 ms",
    "  format: 1",
    "  report_period_ms: 100",
    "action 1: 00: a placeholder",
    "action 2: no definition",
]
FAILED = {"Outcome": "failed", "Cause": "refused", "Source": "E2Node", "Time": None, "Milliseconds": 4000.5}
REST: dict[str, Any] = {
    **row(1, State="partly", Instances=2),
    "ClientEndpoint": "xapp-1:4560",
    "NotificationTarget": "http://xapp-1:8080/ric/v1/subscriptions/response",
    "Owner": "xapp one",
    "Details": [
        {
            "XappEventInstanceId": 11,
            "E2EventInstanceId": 7,
            "State": "established",
            "Last": {"Outcome": "succeeded", "Cause": "", "Source": "", "Time": None, "Milliseconds": 2.5},
            "Timeline": [
                {"Step": "posted", "Time": "2020-01-01T00:00:00.000Z", "Milliseconds": 0},
                {"Step": "answered", "Time": "2020-01-01T00:00:00.002Z", "Milliseconds": 2.5},
            ],
            "Words": LINE["Words"],
            "Contents": WHOLE,
        },
        {
            "XappEventInstanceId": 12,
            "E2EventInstanceId": 0,
            "State": "failed",
            "Last": FAILED,
            "Timeline": [],
            "Words": "",
            "Contents": None,
        },
    ],
    "Events": [event(3)],
}


def test_all_e2_subscriptions_a_line_each(daemon: Platform) -> None:
    daemon.answers_with([LINE])
    assert daemon.ctl("show").stdout == "7\tgnb_1\t2\tKPM report every 100 ms\n"
    assert daemon.paths == ["GET contents"]


def test_one_by_its_instance_id(daemon: Platform) -> None:
    daemon.answers_with(WHOLE)
    said = daemon.ctl("show", "7")
    assert said.stdout.splitlines() == ["E2 subscription 7 at gnb_1, RAN function 2", *TREE]
    assert daemon.paths == ["GET contents/7"]


def test_one_by_its_subscription_id_with_how_it_went(daemon: Platform) -> None:
    daemon.answers_with(REST)
    assert daemon.ctl("show", "id-00001").stdout.splitlines() == [
        "REST subscription id-00001 of xApp xapp-1 at gnb_1, RAN function 2: partly",
        "created: 2020-01-01 00:00:00.000",
        "endpoint: xapp-1:4560, notified at http://xapp-1:8080/ric/v1/subscriptions/response",
        "owner: xapp one",
        "",
        "XappEventInstanceId 11, E2 subscription 7: established",
        "  asks for: KPM report every 100 ms",
        "  succeeded after 2.5 ms",
        "  steps: posted 0 ms, answered 2.5 ms",
        *(f"  {line}" for line in TREE),
        "",
        "XappEventInstanceId 12, no E2 subscription: failed",
        "  failed after 4000.5 ms: refused (E2Node)",
        "",
        "events:",
        "  2020-01-01T00:00:00.000Z  warning  subscription   event 3",
    ]
    assert daemon.paths == ["GET overview/subscriptions/id-00001"]


def test_one_that_is_not_there(daemon: Platform) -> None:
    daemon.answers_with({"code": 404, "message": "there is no REST subscription x", "errors": []}, status=404)
    said = daemon.ctl("show", "x")
    assert (said.exit_code, said.stdout, said.stderr) == (1, "", "Error: 404: there is no REST subscription x\n")


def test_programs_get_the_answer_as_it_is(daemon: Platform) -> None:
    daemon.answers_with(REST, WHOLE, [LINE])
    assert json.loads(daemon.ctl("show", "id-00001", "-o", "json").stdout) == REST
    assert json.loads(daemon.ctl("show", "7", "-o", "json").stdout) == WHOLE
    assert json.loads(daemon.ctl("show", "-o", "json").stdout) == [LINE]


def test_characters_that_a_terminal_obeys_are_escaped(daemon: Platform) -> None:
    daemon.answers_with([{**LINE, "Meid": "gnb\x1b[31m"}])
    assert daemon.ctl("show").stdout.startswith("7\tgnb\\u001b[31m\t")
