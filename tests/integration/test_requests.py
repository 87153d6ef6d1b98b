# SPDX-License-Identifier: Apache-2.0
"""Requests in the shapes that xApps send, down to the E2 node; and who is refused, with what, in which order."""

from __future__ import annotations

import json
import socket
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.waiting import eventually

PATH = "/ric/v1/subscriptions"


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[Neighbourhood, Daemon]]:
    with Neighbourhood() as around, Daemon(around) as daemon:
        yield around, daemon


@pytest.fixture
def around(_running: tuple[Neighbourhood, Daemon]) -> Iterator[Neighbourhood]:
    around, daemon = _running
    yield around
    around.e2term.rules.clear()
    for subscription_id in daemon.rests():
        daemon.unsubscribe(subscription_id)
    eventually(lambda: not daemon.rests() and around.empty())
    around.reset()


@pytest.fixture
def daemon(_running: tuple[Neighbourhood, Daemon]) -> Daemon:
    return _running[1]


# --- shapes that are taken


def lower(value: Any) -> Any:
    """The same with every key in lower case."""
    if isinstance(value, dict):
        return {key.lower(): lower(item) for key, item in value.items()}
    return [lower(item) for item in value] if isinstance(value, list) else value


def camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: camel(item) for key, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


SNAKE = {
    "ClientEndpoint": "client_endpoint",
    "HTTPPort": "http_port",
    "RMRPort": "rmr_port",
    "Host": "host",
    "Meid": "meid",
    "RANFunctionID": "ran_function_id",
    "SubscriptionDetails": "subscription_details",
    "XappEventInstanceId": "xapp_event_instance_id",
    "EventTriggers": "event_triggers",
    "ActionToBeSetupList": "action_to_be_setup_list",
    "ActionID": "action_id",
    "ActionType": "action_type",
    "ActionDefinition": "action_definition",
    "SubsequentAction": "subsequent_action",
    "SubsequentActionType": "subsequent_action_type",
    "TimeToWait": "time_to_wait",
}


def snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {SNAKE[key]: snake(item) for key, item in value.items()}
    return [snake(item) for item in value] if isinstance(value, list) else value


def renamed(value: dict[str, Any]) -> dict[str, Any]:
    """Some keys as several xApps spell them."""
    text = json.dumps(value).replace("XappEventInstanceId", "XappEventInstanceID")
    renamed: dict[str, Any] = json.loads(text.replace("ClientEndpoint", "ClientEndPoint"))
    return renamed


def nulls(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "SubscriptionId": None, "E2SubscriptionDirectives": None}


def action_changed(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    action = value["SubscriptionDetails"][0]["ActionToBeSetupList"][0]
    action |= changes
    return value


def without_definition(value: dict[str, Any]) -> dict[str, Any]:
    del value["SubscriptionDetails"][0]["ActionToBeSetupList"][0]["ActionDefinition"]
    return value


def with_triggers(value: dict[str, Any], octets: list[int]) -> dict[str, Any]:
    value["SubscriptionDetails"][0]["EventTriggers"] = octets
    return value


DIRECTIVES = {"E2TimeoutTimerValue": 2, "E2RetryCount": 2, "RMRRoutingNeeded": True}

GOOD = {
    "as the guide has it": lambda body: body,
    "keys in lower case": lower,
    "keys in camelCase": camel,
    "keys in snake_case": snake,
    "other spellings": renamed,
    "null for what is optional": nulls,
    "empty SubscriptionId": lambda body: {**body, "SubscriptionId": ""},
    "unknown keys": lambda body: {**body, "Version": "1.2", "xapp": {"name": "kpm"}},
    "directives with a route": lambda body: {**body, "E2SubscriptionDirectives": DIRECTIVES},
    "signed octets": lambda body: with_triggers(body, [-1, -128, 127, 0]),
    "numbers that are no octets": lambda body: with_triggers(body, [1234, 300, -300]),
    "empty octets": lambda body: with_triggers(body, []),
    "no definition": without_definition,
    "definition null, subsequent action null": lambda b: action_changed(
        b, ActionDefinition=None, SubsequentAction=None
    ),
    "zeros": lambda body: action_changed({**body, "RANFunctionID": 0}, ActionID=0),
}


@pytest.mark.parametrize("shape", GOOD)
def test_a_shape_that_is_taken(around: Neighbourhood, daemon: Daemon, shape: str) -> None:
    wanted = GOOD[shape](around.request("gnb_1", detail(7)))
    status, answer = daemon.post(wanted)
    assert (status, answer) == (201, {"SubscriptionId": answer.get("SubscriptionId"), "SubscriptionInstances": []})
    assert around.xapp.wait(1)
    (told,) = around.xapp.notifications
    assert not told.chunked
    (instance,) = told.body["SubscriptionInstances"]
    assert (instance["XappEventInstanceId"], instance["ErrorCause"]) == (7, "")
    held = around.e2term.nodes["gnb_1"].subscriptions[instance["E2EventInstanceId"]]
    assert held.function == (0 if shape == "zeros" else 2)
    octets = {"signed octets": bytes([255, 128, 127, 0]), "empty octets": b""}
    octets["numbers that are no octets"] = bytes([0xD2, 44, 212])
    assert held.trigger == octets.get(shape, bytes([1, 2, 3]))
    (action,) = held.actions
    assert action.action_id == (0 if shape == "zeros" else 1)
    assert action.definition in ((None, b"") if "definition" in shape else (b"\5\6",))
    assert list(around.rtmgr.routes) == [instance["E2EventInstanceId"]]


@pytest.mark.parametrize(
    "path",
    ["/", "/ric/v1", "/ric/v1/", PATH, f"{PATH}/", "/ric//v1/subscriptions", "/subscriptions", f"{PATH}/subscriptions"],
)
def test_a_path_that_is_taken(around: Neighbourhood, daemon: Daemon, path: str) -> None:
    status, answer = daemon.call(daemon.xapp_port, "POST", path, around.request())
    assert status == 201, (status, answer)
    assert around.xapp.wait(1)


@pytest.mark.parametrize("base", ["/subscriptions", PATH, f"{PATH}/subscriptions", f"{PATH}/"])
def test_a_path_to_delete_by(around: Neighbourhood, daemon: Daemon, base: str) -> None:
    """With a body too, as some clients send."""
    subscription_id = daemon.subscribe(around.request())
    assert around.xapp.wait(1)
    status, _ = daemon.call(daemon.xapp_port, "DELETE", f"{base}/{subscription_id}", {"why": "done"})
    assert status == 204
    eventually(around.empty)
    assert daemon.call(daemon.xapp_port, "DELETE", f"{base}/{subscription_id}")[0] == 204


def test_the_host_of_a_service_becomes_its_rmr_name(around: Neighbourhood, daemon: Daemon) -> None:
    wanted = around.request()
    wanted["ClientEndpoint"]["Host"] = "service-ricxapp-x-http.invalid"
    subscription_id = daemon.subscribe(wanted)
    eventually(lambda: around.rtmgr.routes)
    assert list(around.rtmgr.routes.values()) == [["service-ricxapp-x-rmr.invalid:4560"]]
    daemon.unsubscribe(subscription_id)


# --- shapes and requests that are refused


def no_details(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "SubscriptionDetails": []}


def text_instead_of_octets(body: dict[str, Any]) -> dict[str, Any]:
    body["SubscriptionDetails"][0]["EventTriggers"] = "0102"
    return body


def no_http_port(body: dict[str, Any]) -> dict[str, Any]:
    del body["ClientEndpoint"]["HTTPPort"]
    return body


def mixed_types(body: dict[str, Any]) -> dict[str, Any]:
    body["SubscriptionDetails"][0]["ActionToBeSetupList"].append({"ActionID": 2, "ActionType": "insert"})
    return body


BAD = {
    "no details": (no_details, "SubscriptionDetails"),
    "text instead of octets": (text_instead_of_octets, "SubscriptionDetails[0].EventTriggers"),
    "no HTTP port": (no_http_port, "ClientEndpoint.HTTPPort"),
    "mixed action types": (mixed_types, "SubscriptionDetails[0].ActionToBeSetupList[1].ActionType"),
    "Meid too long": (lambda body: {**body, "Meid": "m" * 32}, "Meid"),
    "timer out of range": (
        lambda body: {**body, "E2SubscriptionDirectives": {"E2TimeoutTimerValue": 11}},
        "E2SubscriptionDirectives.E2TimeoutTimerValue",
    ),
    "one XappEventInstanceId twice": (
        lambda body: {**body, "SubscriptionDetails": [detail(3), detail(3, [9])]},
        "SubscriptionDetails[1].XappEventInstanceId",
    ),
}


@pytest.mark.parametrize("shape", BAD)
def test_a_shape_that_is_refused(around: Neighbourhood, daemon: Daemon, shape: str) -> None:
    spoil, field = BAD[shape]
    before = daemon.metric("SUBMGR_RestSubFailToXapp")
    status, answer = daemon.post(spoil(around.request()))
    assert (status, answer["code"]) == (400, 400)
    assert [error["field"] for error in answer["errors"]] == [field]
    assert all(error["message"] for error in answer["errors"])
    assert daemon.metric("SUBMGR_RestSubFailToXapp") == before + 1
    assert not daemon.rests()
    assert around.e2term.received[12010] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"Meid":'], ids=repr)
def test_no_body_at_all(daemon: Daemon, around: Neighbourhood, body: bytes) -> None:
    status, answer = daemon.post(body)
    assert (status, answer["code"], bool(answer["message"])) == (400, 400, True)


def test_other_content_methods_and_paths(around: Neighbourhood, daemon: Daemon) -> None:
    for kind in ("text/plain", "application/xml"):
        status, answer = daemon.xapp("POST", "", around.request(), **{"Content-Type": kind})
        assert (status, answer["code"]) == (415, 415)
    for method in ("PUT", "PATCH", "DELETE"):
        answer = daemon.http.request(method, f"http://127.0.0.1:{daemon.xapp_port}{PATH}")
        assert answer.status == 405
        assert {"GET", "POST"} <= set(answer.headers["allow"].replace(" ", "").split(","))
        assert json.loads(answer.body)["code"] == 405
    status, answer = daemon.call(daemon.xapp_port, "GET", "/ric/v1/never")
    assert (status, answer["code"]) == (404, 404)


def test_refusals_come_in_their_order(around: Neighbourhood, daemon: Daemon) -> None:
    """415 before 400, 400 before 404, 404 before 409, 409 before the 400 for other content."""
    unknown = {"SubscriptionId": "2NeverGivenOut0000000000000"}
    bad = around.request("", **unknown)
    assert daemon.xapp("POST", "", bad, **{"Content-Type": "text/plain"})[0] == 415
    assert daemon.post(bad)[0] == 400
    assert daemon.post(around.request("gnb_1", **unknown))[0] == 404
    around.node_does(procedure="subscribe", delay=0.2, count=1)
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(1)))
    other = around.request("gnb_1", detail(1, [9]), SubscriptionId=subscription_id)
    assert daemon.post(other)[0] == 409
    assert around.xapp.wait(1)
    status, answer = daemon.post(other)
    assert (status, [error["field"] for error in answer["errors"]]) == (400, ["SubscriptionDetails[0]"])
    assert around.e2term.received[12010] == 1


def test_what_may_change_under_a_known_id(around: Neighbourhood, daemon: Daemon) -> None:
    """A new detail is added, a new HTTP port is taken; another node or RMR endpoint is refused."""
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(1)))
    assert around.xapp.wait(1)
    known = {"SubscriptionId": subscription_id}
    assert daemon.post(around.request("gnb_2", detail(1), **known))[0] == 400
    moved = around.request("gnb_1", detail(1), **known)
    moved["ClientEndpoint"]["RMRPort"] = 4599
    assert daemon.post(moved)[0] == 400
    assert daemon.subscribe(around.request("gnb_1", detail(2, [2]), **known)) == subscription_id
    assert around.xapp.wait(2)
    assert [i["XappEventInstanceId"] for i in around.xapp.instances(subscription_id)] == [1, 2]
    assert len(around.holds()) == 2
    daemon.unsubscribe(subscription_id)
    eventually(around.empty)


# --- on the wire


def test_a_connection_that_is_kept_costs_no_waiting(around: Neighbourhood, daemon: Daemon) -> None:
    """Head and body in two segments wait 40 ms for each other on a connection without TCP_NODELAY."""
    body = json.dumps(around.request("gnb_1", detail(1))).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", daemon.xapp_port), timeout=5) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        seconds = []
        for _ in range(15):
            begin = time.monotonic()
            client.sendall(head.encode() + body)
            answer = client.recv(65536)
            while b"SubscriptionInstances" not in answer:
                answer += client.recv(65536)
            seconds.append(time.monotonic() - begin)
            assert answer.startswith(b"HTTP/1.1 201")
    assert statistics.median(seconds) < 0.03
    assert around.xapp.wait(1)


def test_a_client_that_is_gone_was_accepted_all_the_same(around: Neighbourhood, daemon: Daemon) -> None:
    body = json.dumps(around.request("gnb_2", detail(1))).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", daemon.xapp_port), timeout=5) as client:
        client.sendall(head.encode() + body)
    assert around.xapp.wait(1)
    assert around.xapp.instances()[0]["ErrorCause"] == ""
    assert len(around.holds("gnb_2")) == 1
