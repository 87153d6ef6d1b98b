# SPDX-License-Identifier: Apache-2.0
"""What an operator sees of failures: in the outcome of a subscription, among the events, in the log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.event_stream import EventStream
from support.waiting import eventually

STREAMS = 32


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as around:
        yield around


@pytest.fixture(scope="module")
def daemon(around: Neighbourhood) -> Iterator[Daemon]:
    with Daemon(around, controls={"e2tMaxSubReqTryCount": 2}) as daemon:
        yield daemon


@pytest.fixture(autouse=True)
def _clean(around: Neighbourhood) -> Iterator[None]:
    yield
    around.reset()


def events(daemon: Daemon, query: str = "") -> list[dict[str, Any]]:
    status, answer = daemon.platform("GET", f"events{query}")
    assert status == 200, answer
    return list(answer)


def whole(daemon: Daemon, subscription_id: str) -> dict[str, Any]:
    status, answer = daemon.platform("GET", f"overview/subscriptions/{subscription_id}")
    assert status == 200, answer
    return dict(answer)


def ended(daemon: Daemon, subscription_id: str) -> dict[str, Any]:
    """The subscription, when its outcome is known."""
    eventually(lambda: whole(daemon, subscription_id)["Last"]["Outcome"] != "pending")
    return whole(daemon, subscription_id)


FAILURES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    # who, what it does, source, part of the cause
    "node refuses": ("node", {"refuse": "ricRequest: action-not-supported"}, "E2Node", "action-not-supported"),
    "node is silent": ("node", {"procedure": "subscribe", "silent": "request"}, "SUBMGR", "timeout"),
    "routing manager fails": ("rtmgr", {"method": "POST", "status": 500, "body": "no room"}, "RTMGR", "no room"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_seen_in_outcome_event_and_log(daemon: Daemon, around: Neighbourhood, name: str) -> None:
    who, rule, source, cause = FAILURES[name]
    getattr(around, f"{who}_does")(**rule)
    subscription_id = daemon.subscribe(around.request("gnb_2", detail(77)))
    found = ended(daemon, subscription_id)
    assert (found["State"], found["Last"]["Outcome"], found["Last"]["Source"]) == ("failed", "failed", source)
    assert cause in found["Last"]["Cause"]
    (known,) = found["Details"]
    assert (known["XappEventInstanceId"], known["E2EventInstanceId"], known["Last"]) == (77, 0, found["Last"])
    steps = [step["Step"] for step in known["Timeline"]]
    assert steps[:3] == ["posted", "saved", "started"]
    assert steps.index("told") < len(steps)
    (event,) = [each for each in events(daemon, f"?subscriptionId={subscription_id}") if each["Procedure"] != "undo"]
    facts = {"Severity": "warning", "Kind": "subscription", "Meid": "gnb_2", "XApp": "127.0.0.1", "Source": source,
             "XappEventInstanceId": 77, "RANFunctionID": 2, "Procedure": "subscribe"}  # fmt: skip
    assert facts.items() <= event.items()
    assert cause in event["Cause"] and event["Cause"] in event["Words"]
    (line,) = [each for each in daemon.logged(subscription_id) if each["msg"].startswith("subscribe")]
    assert (line["crit"], line["xapp"], line["xapp_event_instance_id"]) == ("WARNING", "127.0.0.1", 77)
    assert line["ran_function_id"] == 2 and cause in line["detail"]
    listed = daemon.platform("GET", "overview/subscriptions?state=failed&node=gnb_2")[1]
    assert subscription_id in [row["SubscriptionId"] for row in listed["Items"]]
    daemon.unsubscribe(subscription_id)


def test_a_refused_delete_says_why(daemon: Daemon, around: Neighbourhood) -> None:
    subscription_id = daemon.subscribe(around.request())
    assert ended(daemon, subscription_id)["State"] == "established"
    around.node_does(procedure="delete", refuse="ricRequest: action-not-supported")
    daemon.unsubscribe(subscription_id)
    (line,) = eventually(lambda: [x for x in daemon.logged(subscription_id) if x["msg"] == "delete refused"])
    assert line["crit"] == "WARNING" and "action-not-supported" in line["detail"]
    assert whole(daemon, subscription_id)["State"] == "ended"


def test_an_xapp_that_is_deaf_is_seen_at_the_first_try(daemon: Daemon, around: Neighbourhood) -> None:
    around.xapp_does(status=503, count=1)
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(5)))
    query = f"?kind=notification&subscriptionId={subscription_id}"
    (first,) = eventually(lambda: events(daemon, query))
    assert "it is tried again: 503" in first["Words"] and first["XappEventInstanceId"] == 5
    eventually(lambda: whole(daemon, subscription_id)["Details"][0]["Timeline"][-1]["Step"] == "notified")
    assert [step["Step"] for step in whole(daemon, subscription_id)["Details"][0]["Timeline"]] == [
        "posted", "saved", "started", "route", "requested", "answered", "told", "notified",
    ]  # fmt: skip
    assert daemon.logged("it is tried again")[-1]["crit"] == "WARNING"
    daemon.unsubscribe(subscription_id)


def test_the_start_is_told(daemon: Daemon) -> None:
    assert events(daemon, "?kind=start")[0]["Words"].startswith("submgr ")
    eventually(lambda: [each for each in events(daemon, "?kind=start") if each["Words"] == "ready for xApps"])
    assert events(daemon, "?kind=route")[0]["Words"].startswith("the RMR route table in force has ")


def test_filters(daemon: Daemon, around: Neighbourhood) -> None:
    assert {each["Kind"] for each in events(daemon, "?kind=subscription")} == {"subscription"}
    assert "info" not in {each["Severity"] for each in events(daemon, "?severity=warning")}
    assert {each["Meid"] for each in events(daemon, "?meid=gnb_2")} == {"gnb_2"}
    assert events(daemon, "?xapp=nobody") == []
    newest = events(daemon, "?limit=3")
    assert len(newest) == 3
    assert events(daemon, f"?since={newest[0]['Id']}")[:2] == newest[1:]
    for wrong in ("limit=0", "limit=1001", "kind=x", "severity=worst", "since=x", "from=1"):
        status, answer = daemon.platform("GET", f"events?{wrong}")
        assert status == 400 and answer["errors"][0]["field"] == wrong.partition("=")[0]


def test_a_stream_is_followed_and_gone_on_with(daemon: Daemon, around: Neighbourhood) -> None:
    with EventStream(daemon.platform_port, "?kind=subscription", Accept="text/event-stream") as stream:
        eventually(lambda: stream.read() and stream.comments)
        assert "text/event-stream" in stream.head
        first = daemon.subscribe(around.request("gnb_1", detail(1, [9])))
        ((last, kind, data),) = stream.until(1)
        assert (kind, data["SubscriptionId"], data["Id"]) == ("subscription", first, last)
    second = daemon.subscribe(around.request("gnb_1", detail(1, [8])))
    ended(daemon, second)
    with EventStream(daemon.platform_port, "?follow=true&kind=subscription", Last_Event_ID=last) as stream:
        assert [data["SubscriptionId"] for _, _, data in stream.until(1)] == [second]
    with EventStream(daemon.platform_port, "?follow=true", Last_Event_ID="zzz-5") as stream:
        ids = [one for one, _, _ in stream.until(3)]
        assert stream.events[0] == ("", "gap", {"Missed": None})
        assert ids[1].endswith("-1")
    for subscription_id in (first, second):
        daemon.unsubscribe(subscription_id)


def test_streams_have_places_of_their_own_and_hold_up_nobody(daemon: Daemon, around: Neighbourhood) -> None:
    with ExitStack() as open_ones:
        for _ in range(STREAMS):
            open_ones.enter_context(_opened(daemon))
        with EventStream(daemon.platform_port, "?follow=true") as one_more:
            eventually(lambda: one_more.read() and one_more.status)
            assert one_more.status == 503 and "Retry-After: " in one_more.head
        # from here on nobody reads
        for number in range(20):
            daemon.unsubscribe(daemon.subscribe(around.request("gnb_3", detail(number, [7, number]))))
        begin = time.monotonic()
        assert daemon.platform("GET", "health/alive")[0] == 200
        assert daemon.platform("GET", "restsubscriptions")[0] == 200
        assert time.monotonic() - begin < 5
    with _opened(daemon):  # who has gone leaves its place
        pass


def _opened(daemon: Daemon) -> EventStream:
    """A stream that has a place; one whose client has gone keeps its place for a moment."""

    def opened() -> EventStream | None:
        stream = EventStream(daemon.platform_port, "?follow=true")
        eventually(lambda: stream.read() and stream.status)
        if stream.status == 200:
            return stream
        stream.sock.close()
        return None

    stream = eventually(opened, every=0.2)
    assert stream is not None
    return stream


def test_the_overview(daemon: Daemon, around: Neighbourhood) -> None:
    good = daemon.subscribe(around.request("gnb_1", detail(1, [1, 1])))
    ended(daemon, good)
    around.node_does(meid="gnb_2", refuse="ricRequest: action-not-supported")
    bad = daemon.subscribe(around.request("gnb_2", detail(1, [1, 1])))
    ended(daemon, bad)
    status, seen = daemon.platform("GET", "overview")
    assert status == 200
    assert (seen["Ready"], seen["NotReady"], seen["Role"]) == (True, [], "active")
    assert seen["Store"] == {"Kind": "sqlite", "Up": True, "Words": "all is well"}
    assert seen["Routes"]["E2Termination"] == 1 and seen["Memory"] > 1_000_000
    nodes = {node["Meid"]: node for node in daemon.platform("GET", "overview/nodes")[1]}
    assert list(nodes) == sorted(nodes)
    assert nodes["gnb_2"]["LastFailure"]["SubscriptionId"] == bad
    assert nodes["gnb_1"]["E2Subscriptions"] >= 1 and nodes["gnb_2"]["Failed"] >= 1
    (xapp,) = daemon.platform("GET", "overview/xapps")[1]
    assert (xapp["XApp"], xapp["Endpoints"]) == ("127.0.0.1", [around.xapp.http.address])
    assert daemon.platform("GET", "overview/history")[1]["Step"] == 5
    rows = daemon.platform("GET", "overview/subscriptions?sort=-node&limit=1")[1]
    assert rows["Total"] >= 2 and [row["SubscriptionId"] for row in rows["Items"]] == [bad]
    assert daemon.platform("GET", f"overview/subscriptions?q={good[:8].lower()}")[1]["Total"] == 1
    assert daemon.platform("GET", "overview/subscriptions?sort=colour")[0] == 400
    assert daemon.platform("GET", "overview/subscriptions/nobody")[0] == 404
    for subscription_id in (good, bad):
        daemon.unsubscribe(subscription_id)


def test_a_changed_and_a_refused_configuration_are_events(daemon: Daemon, around: Neighbourhood) -> None:
    daemon.configure(controls={"e2tMaxSubReqTryCount": 1})
    eventually(lambda: [each for each in events(daemon, "?kind=configuration") if "reloaded" in each["Words"]])
    daemon.configure(controls={"onE2Loss": "pray"})
    (refused,) = eventually(lambda: events(daemon, "?kind=configuration&severity=error"))
    assert "onE2Loss" in refused["Words"]


def test_a_database_that_is_gone_is_seen_without_traffic(daemon: Daemon) -> None:
    away = daemon.database.with_suffix(".away")
    assert (daemon.metric("submgr_store_up"), daemon.metric("submgr_ready")) == (1, 1)
    daemon.database.rename(away)
    try:
        eventually(lambda: daemon.metric("submgr_store_up") == 0, 15)
        assert not daemon.is_ready() and daemon.metric("submgr_ready") == 0
        (told,) = eventually(lambda: events(daemon, "?kind=store"))
        assert told["Severity"] == "error" and "was removed or replaced" in told["Words"]
        assert not daemon.platform("GET", "overview")[1]["Store"]["Up"]
    finally:
        away.rename(daemon.database)
    eventually(lambda: daemon.metric("submgr_store_up") == 1 and daemon.is_ready(), 15)
    eventually(lambda: [each for each in events(daemon, "?kind=store") if each["Words"] == "database: well again"])


def test_a_stream_ends_at_once_when_the_process_is_stopped(around: Neighbourhood) -> None:
    with Daemon(around) as daemon, EventStream(daemon.platform_port, "?follow=true") as stream:
        eventually(lambda: stream.read() and stream.comments)
        # an outcome that nobody tells keeps the process from ending at once
        around.node_does(procedure="subscribe", silent="request")
        daemon.subscribe(around.request())
        begin = time.monotonic()
        daemon.process.terminate()
        eventually(lambda: stream.read() and stream.ended)
        assert time.monotonic() - begin < 2
        daemon.wait()
