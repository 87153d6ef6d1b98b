# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from submgr.adapters.journal.entries import Facts, Kind, Severity
from submgr.adapters.journal.journal import PLACES
from submgr.core.model import Content
from submgr.e2ap.messages import Action, ActionType


@pytest.fixture
def journal(looked_at: Any) -> Any:
    add = looked_at.journal.add
    add(Kind.START, Severity.INFO, Facts("begins"))
    add(Kind.SUBSCRIPTION, Severity.WARNING, Facts("failed", meid="gnb_1", subscription_id="one", xapp="a"))
    add(Kind.SUBSCRIPTION, Severity.INFO, Facts("done", meid="gnb_2", subscription_id="two", xapp="b"))
    add(Kind.STORE, Severity.ERROR, Facts("down"))
    return looked_at.journal


def words(platform: FlaskClient, query: str = "") -> list[str]:
    answer = platform.get(f"/ric/v1/events{query}")
    assert answer.status_code == 200, answer.text
    return [event["Words"] for event in answer.json]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["begins", "failed", "done", "down"]),
        ("?limit=2", ["done", "down"]),
        ("?kind=subscription", ["failed", "done"]),
        ("?kind=subscription&limit=1", ["done"]),
        ("?severity=warning", ["failed", "down"]),
        ("?severity=error", ["down"]),
        ("?meid=gnb_2", ["done"]),
        ("?subscriptionId=one", ["failed"]),
        ("?xapp=a&severity=", ["failed"]),
        ("?xapp=c", []),
    ],
)
def test_what_is_asked_for_is_listed_the_oldest_first(
    platform: FlaskClient, journal: Any, query: str, expected: list[str]
) -> None:
    assert words(platform, query) == expected


def test_an_id_is_where_to_go_on_and_one_of_another_run_is_before_everything(
    platform: FlaskClient, journal: Any
) -> None:
    known = journal.id_of(journal.after(0)[1])
    assert words(platform, f"?since={known}") == ["done", "down"]
    assert words(platform, f"?since={known}&limit=1") == ["down"]
    assert words(platform, "?since=abc-2") == ["begins", "failed", "done", "down"]


@pytest.mark.parametrize("query", ["since=1", "limit=0", "limit=ten", "kind=all", "severity=bad", "follow=1", "wher=x"])
def test_what_makes_no_sense_is_named(platform: FlaskClient, query: str) -> None:
    answer = platform.get(f"/ric/v1/events?{query}")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == query.partition("=")[0]


def test_an_event_has_what_is_known_of_it(platform: FlaskClient, looked_at: Any) -> None:
    content = Content(2, bytes.fromhex("0803e7"), (Action(1, ActionType.REPORT, b"\1"),))
    facts = Facts(
        "subscribe failed", "gnb_1", "one", 5, "xapp", 12, 2, content, "subscribe", "refused", "no", "E2Node", 0.0123
    )
    looked_at.journal.add(Kind.SUBSCRIPTION, Severity.WARNING, facts)
    ((event),) = platform.get("/ric/v1/events").json
    assert event.pop("Id").endswith("-1")
    assert "1000 ms" in event.pop("Contents")
    assert event == {
        "Time": "2027-01-15T08:00:00.000Z", "Kind": "subscription", "Severity": "warning", "Words": "subscribe failed",
        "Meid": "gnb_1", "SubscriptionId": "one", "E2EventInstanceId": 5, "XApp": "xapp", "XappEventInstanceId": 12,
        "RANFunctionID": 2, "Procedure": "subscribe", "Outcome": "refused", "Cause": "no", "Source": "E2Node",
        "Milliseconds": 12.3,
    }  # fmt: skip


def stream(platform: FlaskClient, looked_at: Any, query: str = "", **headers: str) -> list[tuple[str, str, Any]]:
    """What comes before the stream ends, which it does after the first piece."""
    answer = platform.get(f"/ric/v1/events{query}", headers={"Accept": "text/event-stream", **headers})
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream"), answer.text
    found = []
    for block in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return found


@pytest.fixture
def one_piece(looked_at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams end after their first piece."""
    monkeypatch.setattr("submgr.platform.http.event_stream.gevent.sleep", lambda _: looked_at.journal.close())


@pytest.mark.usefixtures("one_piece")
def test_a_stream_goes_on_behind_an_id(platform: FlaskClient, journal: Any, looked_at: Any) -> None:
    known = journal.id_of(journal.after(0)[1])
    events = stream(platform, looked_at, Last_Event_ID=known)
    assert [(kind, event["Words"], event["Id"]) for _, kind, event in events] == [
        ("subscription", "done", events[0][0]),
        ("store", "down", events[1][0]),
    ]


@pytest.mark.usefixtures("one_piece")
def test_a_stream_of_another_run_tells_that_nobody_knows_what_is_missing(
    platform: FlaskClient, journal: Any, looked_at: Any
) -> None:
    gap, *events = stream(platform, looked_at, "?since=abc-9&severity=warning")
    assert gap == ("", "gap", {"Missed": None})
    assert [event["Words"] for _, _, event in events] == ["failed", "down"]


@pytest.mark.usefixtures("one_piece")
def test_a_stream_tells_how_many_are_missing(platform: FlaskClient, journal: Any, looked_at: Any) -> None:
    first = journal.id_of(journal.after(0)[0])
    for number in range(PLACES[Severity.INFO]):
        journal.add(Kind.NODE, Severity.INFO, Facts(str(number)))
    gap, *events = stream(platform, looked_at, f"?since={first}")
    assert gap == ("", "gap", {"Missed": 1})
    assert [event["Words"] for _, _, event in events][:4] == ["failed", "down", "0", "1"]
    journal.closed = False
    events = stream(platform, looked_at, f"?since={first}&severity=warning")
    assert [event["Words"] for _, _, event in events] == ["failed", "down"], "nothing of these is missing"


def test_a_process_that_stops_takes_no_more_streams(platform: FlaskClient, journal: Any) -> None:
    journal.close()
    answer = platform.get("/ric/v1/events?follow=true")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert words(platform)[0] == "begins", "the list is answered all the same"
