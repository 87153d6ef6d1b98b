# SPDX-License-Identifier: Apache-2.0
"""Traces: one from a POST to its notification, taken from the xApp and passed on; a collector that is of no use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.otel.collector import Collector, Received
from support.otel.listener import Listener
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.waiting import eventually

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER, CLIENT = 2, 3


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[Collector, Listener, Listener, Neighbourhood, Daemon]]:
    with (
        Collector() as collector,
        Listener("201 CREATED") as rtmgr,
        Listener() as xapp,
        Neighbourhood() as around,
        Daemon(around, otel={"endpoint": collector.url}, rtmgr={"port": rtmgr.port}) as daemon,
    ):
        yield collector, rtmgr, xapp, around, daemon


@pytest.fixture
def all_of(
    _running: tuple[Collector, Listener, Listener, Neighbourhood, Daemon],
) -> Iterator[tuple[Collector, Listener, Listener, Neighbourhood, Daemon]]:
    collector, rtmgr, xapp, around, daemon = _running
    yield _running
    for subscription_id in daemon.rests():
        daemon.unsubscribe(subscription_id)
    eventually(lambda: not daemon.rests())
    around.reset()
    eventually(lambda: not daemon.platform("GET", "subscriptions")[1])
    collector.spans.clear()
    rtmgr.heard.clear()
    xapp.heard.clear()


def request_of(around: Neighbourhood, xapp: Listener, *details: dict[str, Any]) -> dict[str, Any]:
    request = around.request("gnb_1", *details)
    request["ClientEndpoint"]["HTTPPort"] = xapp.port
    return request


def header(trace: str = TRACE, span: str = SPAN, flags: str = "01") -> str:
    return f"00-{trace}-{span}-{flags}"


def children(spans: list[Received], parent: Received) -> list[str]:
    return sorted(span.name for span in spans if span.parent == parent.id)


def test_one_trace_from_the_post_to_the_notification(all_of: Any) -> None:
    collector, rtmgr, xapp, around, daemon = all_of
    body = request_of(around, xapp, detail(12345, [8, 3, 231]))
    status, answer = daemon.xapp("POST", "", body, traceparent=header())
    assert status == 201
    told = collector.named("notification")
    spans = collector.trace(7)
    assert {span.trace for span in spans} == {TRACE}
    post = collector.named("POST /ric/v1/subscriptions")
    assert post.parent == SPAN and post.kind == SERVER
    assert post.attributes["http.response.status_code"] == 201
    assert (post.attributes["url.scheme"], post.attributes["client.address"]) == ("http", "127.0.0.1")
    assert post.attributes["SubscriptionId"] == answer["SubscriptionId"]
    procedure = collector.named("subscribe")
    assert children(spans, post) == ["store save", "subscribe"]
    names = children(spans, procedure)
    assert {"store save", "route create", "RIC Subscription", "notification"} == set(names)
    number = told.attributes["E2EventInstanceId"]
    assert number > 0
    facts = {
        "Meid": "gnb_1",
        "SubscriptionId": answer["SubscriptionId"],
        "XappEventInstanceId": 12345,
        "E2EventInstanceId": number,
        "RANFunctionID": 2,
    }
    assert facts.items() <= procedure.attributes.items()
    assert "KPM report every 1000 ms" in procedure.attributes["Contents"]
    assert collector.named("RIC Subscription").error is None
    # both neighbours get the trace, each with the span of the call to it
    route = collector.named("route create")
    assert route.kind == told.kind == CLIENT
    assert rtmgr.heard == [("POST", "/ric/v1/handles/xapp-subscription-handle", header(span=route.id))]
    assert xapp.heard == [("POST", "/ric/v1/subscriptions/response", header(span=told.id))]
    assert collector.resources[0]["service.name"] == "submgr"


def test_merge_and_delete_have_traces_of_their_own(all_of: Any) -> None:
    collector, _, xapp, around, daemon = all_of
    first = daemon.subscribe(request_of(around, xapp, detail(1)))
    collector.named("subscribe")
    second = daemon.subscribe(request_of(around, xapp, detail(2)))
    merge = collector.named("merge")
    collector.spans[:] = [span for span in collector.spans if span.trace == merge.trace]
    assert collector.named("POST /ric/v1/subscriptions").attributes["SubscriptionId"] == second
    assert collector.named("notification").parent == merge.id
    daemon.unsubscribe(second)
    left = collector.named("routes")
    assert left.attributes["E2EventInstanceId"] == merge.attributes["E2EventInstanceId"]
    assert collector.named("DELETE /ric/v1/subscriptions/{subscriptionId}").id == left.parent
    collector.spans.clear()
    daemon.xapp("DELETE", f"/{first}", traceparent=header())
    removed = collector.named("delete")
    asked = collector.named("DELETE /ric/v1/subscriptions/{subscriptionId}")
    assert (asked.parent, asked.trace, removed.trace, removed.parent) == (SPAN, TRACE, TRACE, asked.id)
    assert {"RIC Subscription Delete", "route delete", "store remove"} <= set(children(collector.spans, removed))


def test_a_refusal_of_the_node_and_a_send_without_an_answer(all_of: Any) -> None:
    collector, _, xapp, around, daemon = all_of
    around.node_does(procedure="subscribe", silent="request", count=1)
    around.node_does(procedure="subscribe", refuse="ricRequest: action-not-supported")
    daemon.subscribe(request_of(around, xapp, detail(1)))
    asked = collector.named("RIC Subscription")
    assert asked.events == ("resend",) and asked.error == "ricRequest: action-not-supported"
    procedure = collector.named("subscribe")
    assert procedure.error is not None and procedure.attributes["submgr.outcome"] == "refused"
    told = collector.named("notification")
    assert told.attributes["ErrorSource"] == "E2Node" and told.parent == procedure.id


@pytest.mark.parametrize(
    "sent",
    [
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-" + "0af7651916cd43dd8448eb211c80319c" * 100 + "-b7ad6b7169203331-01",
        "x" * 2000,
        "\xff\xfe; drop",
    ],
)
def test_a_header_that_is_no_trace_context_is_ignored(all_of: Any, sent: str) -> None:
    collector, _, xapp, around, daemon = all_of
    status, _ = daemon.xapp("POST", "", request_of(around, xapp, detail(1)), traceparent=sent)
    assert status == 201
    post = collector.named("POST /ric/v1/subscriptions")
    assert post.parent == "" and post.trace != TRACE
    collector.named("notification")


def test_a_trace_that_its_sender_does_not_record_is_passed_on_and_not_sent(all_of: Any) -> None:
    collector, rtmgr, xapp, around, daemon = all_of
    daemon.xapp("POST", "", request_of(around, xapp, detail(1)), traceparent=header(flags="00"))
    eventually(lambda: xapp.heard)
    for _, _, passed_on in (*rtmgr.heard, *xapp.heard):
        version, trace, _, flags = passed_on.split("-")
        assert (version, trace, flags) == ("00", TRACE, "00")
    daemon.subscribe(request_of(around, xapp, detail(2, [4, 4])))
    assert {span.trace for span in collector.trace(7)}.isdisjoint({TRACE})


def dropped(daemon: Daemon) -> int:
    text = daemon.platform("GET", "metrics")[1]
    (line,) = [line for line in text.splitlines() if line.startswith("submgr_trace_spans_dropped_total ")]
    return int(float(line.split()[1]))


def test_a_collector_that_hangs_holds_nothing_up() -> None:
    with (
        Collector(hangs=True) as collector,
        Neighbourhood() as around,
        Daemon(around, otel={"endpoint": f"{collector.url}/otlp"}) as daemon,
    ):
        subscribed = [daemon.subscribe(around.request("gnb_1", detail(n, [n]))) for n in range(1, 30)]
        assert around.xapp.wait(29)
        eventually(lambda: set(collector.paths) == {"/otlp"})
        eventually(lambda: dropped(daemon) > 0, 60)
        for subscription_id in subscribed:
            daemon.unsubscribe(subscription_id)
        eventually(lambda: around.empty())
        assert daemon.log_file.read_text().count("does not take spans") == 1
        assert "opentelemetry" not in daemon.log_file.read_text()
        began = time.monotonic()
        daemon.stop()
        assert time.monotonic() - began < 30
        assert collector.spans == []


def test_a_collector_that_is_away_or_refuses_is_one_line(all_of: Any) -> None:
    with (
        Collector(status="400 Bad Request") as collector,
        Neighbourhood() as around,
        Daemon(around, otel={"endpoint": collector.url}) as daemon,
    ):
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        eventually(lambda: dropped(daemon) >= 7)
        daemon.subscribe(around.request("gnb_2"))
        eventually(lambda: dropped(daemon) >= 14)
        assert daemon.log_file.read_text().count("does not take spans") == 1


def test_a_start_without_the_packages_names_the_extra(tmp_path: Any) -> None:
    absent = tmp_path / "opentelemetry"
    absent.mkdir()
    (absent / "__init__.py").write_text("raise ModuleNotFoundError('No module', name='opentelemetry')\n")
    with Neighbourhood() as around:
        environment = {"PYTHONPATH": str(tmp_path)}
        daemon = Daemon(around, environment, otel={"endpoint": "http://127.0.0.1:4318"})
        (line,) = daemon.refusal()
    assert "otel.endpoint" in line and "pip install 'ric-submgr[otel]'" in line
