# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.core.outside import report
from support.core.watched import Watched

from submgr.adapters.rnib.messages import ConnectionState
from submgr.core import events as e
from submgr.core.model import Detail, RmrEndpoint
from submgr.overview.overview import FRESH
from submgr.overview.rows import Rows
from submgr.overview.values import Wanted
from submgr.runtime.ports import RouteFailure

NO_ROUTE = RouteFailure(e.RouteFailureKind.REFUSED, "no room")


@pytest.fixture
def outside(looked_at: Any) -> Watched:
    """gnb_1 with a good and a bad REST subscription, gnb_2 with one of two details and one over RMR."""
    outside = Watched()
    outside.journal, outside.outcomes = looked_at.journal, looked_at.outcomes
    outside.observers, outside.when = looked_at.observers, looked_at.now
    looked_at.local.set("gnb_1", ConnectionState.CONNECTED)
    looked_at.local.set("gnb_3", ConnectionState.DISCONNECTED)
    outside.post("gnb_1", "good", report(1))
    outside.route_fails = NO_ROUTE
    outside.post("gnb_1", "bad", report(2))
    outside.route_fails = None
    outside.post("gnb_2", "mixed", report(3), report(4))
    content = report(9).content
    outside.dispatcher.post("gnb_2", e.SubscribeOverRmr(77, RmrEndpoint("old", 4560), b"", 5, content))
    outside.turns()
    looked_at.nodes[:] = [worker.node for worker in outside.dispatcher.workers]
    return outside


def rows(platform: FlaskClient, query: str = "") -> list[Any]:
    answer = platform.get(f"/ric/v1/overview/subscriptions{query}")
    assert answer.status_code == 200, answer.text
    return [row["SubscriptionId"] for row in answer.json["Items"]]


def test_the_process(platform: FlaskClient, outside: Watched) -> None:
    seen = platform.get("/ric/v1/overview").json
    counts = {
        "Nodes": 3, "ConnectedNodes": 1, "XApps": 2, "RestSubscriptions": 3, "E2Subscriptions": 4, "Established": 2,
        "Pending": 0, "Failed": 1, "Waiting": 0,
    }  # fmt: skip
    assert seen["Counts"] == counts
    assert (seen["Name"], seen["Version"], seen["Role"]) == ("submgr-0", "1.2.3", "active")
    assert seen["Store"] == {"Kind": "memory", "Up": True, "Words": "all is well"}
    assert seen["Routes"] == {"E2Termination": 1, "Records": 2, "Age": 3.0}
    assert seen["LoopStallLongestMilliseconds"] == 4.2


def test_a_node_that_was_connected_before_anybody_listened_is_known(platform: FlaskClient, looked_at: Any) -> None:
    """As those of a stand-alone run are: nobody has told of a change."""
    looked_at.local.on_change(lambda *_: None)
    looked_at.local.set("gnb_0", ConnectionState.CONNECTED)
    (node,) = platform.get("/ric/v1/overview/nodes").json
    assert (node["Meid"], node["State"]) == ("gnb_0", "connected")


def test_nodes_and_xapps(platform: FlaskClient, outside: Watched) -> None:
    nodes = platform.get("/ric/v1/overview/nodes").json
    assert [(node["Meid"], node["State"]) for node in nodes] == [
        ("gnb_1", "connected"), ("gnb_2", "not known"), ("gnb_3", "disconnected"),
    ]  # fmt: skip
    first, second, _ = nodes
    assert (first["E2Subscriptions"], first["RestSubscriptions"], first["Failed"]) == (1, 2, 1)
    assert first["LastFailure"]["SubscriptionId"] == "bad" and second["LastFailure"] is None
    assert (first["SubscribesPerMinute"], first["FailuresPerMinute"]) == (1, 1)
    old, xapp = platform.get("/ric/v1/overview/xapps").json
    assert (old["XApp"], old["Endpoints"], old["E2Subscriptions"]) == ("old", ["old:4560"], 1)
    assert (xapp["XApp"], xapp["Endpoints"], xapp["RestSubscriptions"]) == ("xapp-http", ["xapp-http:8080"], 3)
    assert (xapp["WaitingNotifications"], xapp["Failed"]) == (7, 1)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [None, "bad", "good", "mixed"]),
        ("?sort=-id&limit=2", ["mixed", "good"]),
        ("?offset=3", ["mixed"]),
        ("?sort=-node", ["mixed", None, "good", "bad"]),
        ("?sort=state", ["bad", "good", "mixed", None]),
        ("?sort=-state", [None, "mixed", "good", "bad"]),
        ("?state=failed", ["bad"]),
        ("?state=failed,pending", ["bad"]),
        ("?state=failed,established&q=good", ["good"]),
        ("?q=NO+ROOM", ["bad"]),
        ("?node=gnb_2&xapp=old", [None]),
        ("?q=MIX", ["mixed"]),
        ("?q=8080", ["bad", "good", "mixed"]),
        ("?function=3", []),
    ],
)
def test_rows(platform: FlaskClient, outside: Watched, query: str, expected: list[Any]) -> None:
    assert rows(platform, query) == expected


def test_the_rows_of_thousands_are_in_order(platform: FlaskClient, outside: Watched, looked_at: Any) -> None:
    (node,) = [each for each in looked_at.nodes if each.meid == "gnb_1"]
    good = node.subscriptions.rest["good"]
    for number in range(5000):
        node.subscriptions.rest[f"many{number:05}"] = good
    answer = platform.get("/ric/v1/overview/subscriptions?node=gnb_1&sort=time&limit=1000&offset=100").json
    assert answer["Total"] == 5002 and len(answer["Items"]) == 1000


def test_page_after_page_is_sorted_once_until_something_changes(
    platform: FlaskClient, outside: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    sorted_anew: list[int | None] = []
    ordered = Rows._ordered

    def count(self: Rows, wanted: Wanted, most: int | None) -> Any:
        sorted_anew.append(most)
        return ordered(self, wanted, most)

    monkeypatch.setattr(Rows, "_ordered", count)
    pages = [rows(platform, f"?limit=1&offset={offset}") for offset in range(5)]
    assert pages == [[None], ["bad"], ["good"], ["mixed"], []]
    assert sorted_anew == [1, None], "the first page alone, then all"
    assert rows(platform, "?limit=1&offset=1&sort=-id") == ["good"]
    assert rows(platform, "?limit=1&offset=1&node=gnb_1") == ["good"]
    outside.post("gnb_1", "aaa", report(5))
    assert rows(platform, "?limit=1&offset=1&node=gnb_1") == ["bad"]
    assert sorted_anew[2:] == [None, None, None]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "offset=-1", "sort=colour", "state=odd", "state=failed,odd", "function=x", "a=b"]
)
def test_what_makes_no_sense_is_named(platform: FlaskClient, query: str) -> None:
    answer = platform.get(f"/ric/v1/overview/subscriptions?{query}")
    assert answer.status_code == 400 and answer.json["errors"][0]["field"] == query.partition("=")[0]


def test_one_that_failed(platform: FlaskClient, outside: Watched) -> None:
    whole = platform.get("/ric/v1/overview/subscriptions/bad").json
    assert (whole["State"], whole["Instances"], whole["NotificationTarget"]) == ("failed", 0, "xapp-http:8080")
    assert whole["ClientEndpoint"] == "xapp-rmr:4560"
    (detail,) = whole["Details"]
    assert (detail["State"], detail["E2EventInstanceId"]) == ("failed", 0)
    assert detail["Last"]["Source"] == "RTMGR" and detail["Last"]["Cause"] == "RTMGR route create failure: no room"
    steps = [step["Step"] for step in detail["Timeline"]]
    assert steps == ["posted", "saved", "started", "told"] and detail["Timeline"][0]["Milliseconds"] == 0
    assert detail["Words"].startswith("02: ") and detail["Contents"]
    assert [event["Procedure"] for event in whole["Events"]] == ["subscribe", "undo"]


def test_one_that_has_ended_is_known_for_a_while(platform: FlaskClient, outside: Watched) -> None:
    outside.dispatcher.post("gnb_1", e.Unsubscribe(99, "good"))
    outside.turns()
    whole = platform.get("/ric/v1/overview/subscriptions/good").json
    assert (whole["State"], whole["Details"][0]["Last"]["Outcome"]) == ("ended", "succeeded")
    assert [event["Procedure"] for event in whole["Events"]] == ["subscribe", "delete"]
    assert platform.get("/ric/v1/overview/subscriptions/nobody").status_code == 404


def test_what_was_restored_is_established_and_no_more_is_known(
    platform: FlaskClient, outside: Watched, looked_at: Any
) -> None:
    looked_at.outcomes._rest.clear()
    (row,) = platform.get("/ric/v1/overview/subscriptions?q=good").json["Items"]
    assert row["State"] == "established"
    assert row["Last"] == {"Outcome": "succeeded", "Cause": "", "Source": "", "Time": None, "Milliseconds": None}
    whole = platform.get("/ric/v1/overview/subscriptions/good").json
    assert whole["Details"][0]["Timeline"] == [] and whole["Details"][0]["E2EventInstanceId"] == 1


def test_a_part_that_failed_is_seen(platform: FlaskClient, outside: Watched) -> None:
    outside.route_fails = NO_ROUTE
    other = Detail(5, report(55).content)
    outside.post("gnb_2", "half", Detail(1, report(3).content), other)
    row = platform.get("/ric/v1/overview/subscriptions?q=half").json["Items"][0]
    assert (row["State"], row["Instances"]) == ("partly", 1)


def test_history(platform: FlaskClient, outside: Watched, looked_at: Any) -> None:
    looked_at.now += 10
    history = platform.get("/ric/v1/overview/history").json
    assert history["Step"] == 5
    assert sum(history["Series"]["Subscribes"]) == 4 and sum(history["Series"]["Failures"]) == 1
    assert {len(values) for values in history["Series"].values()} == {len(history["Series"]["Deletes"])}


def test_the_symptom_data_have_events_and_outcomes(platform: FlaskClient, outside: Watched) -> None:
    outside.dispatcher.post("gnb_1", e.Unsubscribe(99, "good"))
    outside.turns()
    with zipfile.ZipFile(io.BytesIO(platform.get("/ric/v1/symptomdata").data)) as archive:
        files = {name: json.loads(archive.read(name)) for name in ("events.json", "outcomes.json", "overview.json")}
    assert [event.get("SubscriptionId") for event in files["events.json"]][:4] == [None, None, "good", "bad"]
    ended = {one["SubscriptionId"]: (one["State"], one["Details"][0]["Last"]) for one in files["outcomes.json"]}
    assert {name: state for name, (state, _) in ended.items()} == {
        "bad": "failed", "mixed": "established", "good": "ended"
    }  # fmt: skip
    assert ended["bad"][1]["Cause"] == "RTMGR route create failure: no room"
    assert files["overview.json"]["Counts"]["Failed"] == 1


def test_who_looks_again_and_again_has_it_counted_once_a_second(
    platform: FlaskClient, outside: Watched, looked_at: Any
) -> None:
    def counted() -> int:
        return int(platform.get("/ric/v1/overview").json["Counts"]["RestSubscriptions"])

    assert counted() == 3
    outside.post("gnb_1", "another", report(66))
    assert counted() == 3
    looked_at.now += FRESH + 0.1
    assert counted() == 4
