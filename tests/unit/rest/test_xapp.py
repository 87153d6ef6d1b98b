# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from submgr.core.errors import FieldError, NodeDownError, RefusedError
from submgr.core.model import Content, E2Record, Holder, RestHolder, RmrEndpoint
from submgr.e2ap.messages import Action, ActionType
from submgr.platform.http.connections import MAX_BODY
from submgr.platform.http.peer import SOCKET
from submgr.platform.tls import TlsSocket
from submgr.rest.schemas import parse_subscribe
from submgr.rest.use_cases import XappOptions
from submgr.rest.xapp import xapp_app

URL = "/ric/v1/subscriptions"
POST_PATHS = ["/", "", "/ric/v1", "/ric/v1/", URL, URL + "/", "/ric//v1///subscriptions//", "/subscriptions",
              "/subscriptions/", "/ric/v1/subscriptions/subscriptions"]  # fmt: skip
ID_PATHS = [URL, "/subscriptions", URL + "/subscriptions", "/subscriptions/subscriptions", "/ric/v1//subscriptions/"]


@pytest.mark.parametrize("path", POST_PATHS)
def test_subscribe(xapp: FlaskClient, subscriptions: Any, body: dict[str, Any], path: str) -> None:
    answer = xapp.post(path, json=body)
    assert answer.status_code == 201
    assert answer.json == {"SubscriptionId": "2ab-id", "SubscriptionInstances": []}
    assert answer.content_type == "application/json"
    assert subscriptions.calls[0] == ("subscribe", parse_subscribe(json.dumps(body).encode()))


def test_work_starts_once_the_answer_is_closed(xapp: FlaskClient, subscriptions: Any, body: dict[str, Any]) -> None:
    answer = xapp.post(URL, json=body, buffered=False)
    assert [name for name, _ in subscriptions.calls] == ["subscribe"]
    answer.close()
    assert [name for name, _ in subscriptions.calls] == ["subscribe", "start"]


@pytest.mark.parametrize(
    "content_type",
    [None, "", "application/json", "Application/JSON", "application/json; charset=utf-8", "application/vnd.x+json"],
)
def test_content_types_taken_as_json(xapp: FlaskClient, body: dict[str, Any], content_type: str | None) -> None:
    assert xapp.post(URL, data=json.dumps(body), content_type=content_type).status_code == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_other_content_is_refused_before_all_else(
    xapp: FlaskClient, subscriptions: Any, counts: Counter[str], content_type: str
) -> None:
    for path in (URL, f"{URL}/2ab"):  # the second does not take POST at all
        answer = xapp.post(path, data="{", content_type=content_type)
        assert answer.status_code == 415
        assert answer.json is not None
        assert set(answer.json) == {"code", "message", "errors"}
        assert answer.json["code"] == 415
    assert subscriptions.calls == []
    assert counts == {"RestSubReqFromXapp": 2, "RestSubFailToXapp": 2}


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", URL, {"GET", "HEAD", "POST"}),
        ("PATCH", URL, {"GET", "HEAD", "POST"}),
        ("DELETE", URL + "/", {"GET", "HEAD", "POST"}),
        ("OPTIONS", URL, {"GET", "HEAD", "POST"}),
        ("POST", URL + "/2ab", {"DELETE"}),
        ("GET", URL + "/2ab", {"DELETE"}),
        ("GET", "/ric/v1", {"POST"}),
    ],
)
def test_other_methods(xapp: FlaskClient, method: str, path: str, allow: set[str]) -> None:
    answer = xapp.open(path, method=method)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allow
    assert answer.json is not None
    assert answer.json["code"] == 405


def test_other_paths(xapp: FlaskClient, counts: Counter[str]) -> None:
    for path in ("/ric/v2/subscriptions", f"{URL}/a/b", "/ric/v1/health/alive"):
        answer = xapp.get(path)
        assert (answer.status_code, answer.json and answer.json["code"]) == (404, 404)
    assert counts == {}


def test_field_errors(xapp: FlaskClient, body: dict[str, Any], counts: Counter[str]) -> None:
    body["Meid"] = ""
    body["SubscriptionDetails"][0]["ActionToBeSetupList"][1]["ActionType"] = "control"
    answer = xapp.post(URL, json=body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["code"] == 400
    assert answer.json["message"] == "Meid must not be empty (and 1 more mistake)"
    assert [error["field"] for error in answer.json["errors"]] == [
        "Meid",
        "SubscriptionDetails[0].ActionToBeSetupList[1].ActionType",
    ]
    assert all(error["message"] for error in answer.json["errors"])
    assert counts == {"RestSubReqFromXapp": 1, "RestSubFailToXapp": 1}


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_no_request_at_all(xapp: FlaskClient, subscriptions: Any, data: bytes) -> None:
    answer = xapp.post(URL, data=data, content_type="application/json")
    assert answer.status_code == 400
    assert subscriptions.calls == []


def test_a_refusal_of_the_service(xapp: FlaskClient, subscriptions: Any, body: dict[str, Any]) -> None:
    subscriptions.refuse_with = RefusedError(400, "Meid is another", (FieldError("Meid", "is another"),))
    answer = xapp.post(URL, json=body)
    assert answer.status_code == 400
    assert answer.json == {
        "code": 400,
        "message": "Meid is another",
        "errors": [{"field": "Meid", "message": "is another"}],
    }
    assert "Retry-After" not in answer.headers


def test_full_queue(xapp: FlaskClient, subscriptions: Any, body: Any, counts: Counter[str], unavailable: Any) -> None:
    subscriptions.refuse_with = unavailable
    answer = xapp.post(URL, json=body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert counts == {"RestSubReqFromXapp": 1, "RestSubFailToXapp": 1}


def test_node_down_is_counted_on_its_own(
    xapp: FlaskClient, subscriptions: Any, body: dict[str, Any], counts: Counter[str]
) -> None:
    subscriptions.refuse_with = NodeDownError("gnb_1 is not connected; connected are: gnb_2")
    answer = xapp.post(URL, json=body)
    assert answer.status_code == 503
    assert answer.json is not None
    assert "gnb_2" in answer.json["message"]
    assert counts == {"RestSubReqFromXapp": 1, "RestReqRejDueE2Down": 1}


def test_success_is_counted(xapp: FlaskClient, body: dict[str, Any], counts: Counter[str]) -> None:
    xapp.post(URL, json=body)
    assert counts == {"RestSubReqFromXapp": 1, "RestSubRespToXapp": 1}


def test_a_bug_is_a_500_and_logged_once(
    xapp: FlaskClient,
    subscriptions: Any,
    body: dict[str, Any],
    counts: Counter[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    subscriptions.refuse_with = KeyError("a secret of the inside")
    answer = xapp.post(URL, json=body)
    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["code"] == 500
    assert b"secret" not in answer.data
    assert len([record for record in caplog.records if record.exc_info]) == 1
    assert counts == {"RestSubReqFromXapp": 1, "RestSubFailToXapp": 1, "bugs": 1}


@pytest.mark.parametrize("path", ID_PATHS)
def test_unsubscribe(xapp: FlaskClient, subscriptions: Any, counts: Counter[str], path: str) -> None:
    answer = xapp.delete(f"{path}/2ab/", data=b"{}", content_type="text/plain")
    assert (answer.status_code, answer.data) == (204, b"")
    assert subscriptions.calls == [("unsubscribe", "2ab")]
    assert counts == {"RestSubDelReqFromXapp": 1, "RestSubDelRespToXapp": 1}


def test_unsubscribe_of_an_id_named_like_the_collection(xapp: FlaskClient, subscriptions: Any) -> None:
    assert xapp.delete(f"{URL}/subscriptions").status_code == 204
    assert subscriptions.calls == [("unsubscribe", "subscriptions")]


def test_a_failed_delete_is_counted(xapp: FlaskClient, subscriptions: Any, counts: Counter[str]) -> None:
    subscriptions.refuse_with = RuntimeError("a bug")
    assert xapp.delete(f"{URL}/2ab").status_code == 500
    assert counts == {"RestSubDelReqFromXapp": 1, "RestSubDelFailToXapp": 1, "bugs": 1}


@pytest.mark.parametrize("strange", ["%FF", "%00", "a%20b", "..", "%E2%82%AC", "x" * 2000])
def test_unsubscribe_of_what_was_never_an_id(xapp: FlaskClient, strange: str) -> None:
    assert xapp.delete(f"{URL}/{strange}").status_code == 204


@pytest.mark.parametrize("path", [URL, URL + "/", "/subscriptions"])
def test_query(xapp: FlaskClient, path: str) -> None:
    answer = xapp.get(path)
    assert (answer.status_code, answer.json, answer.content_type) == (200, [], "application/json")
    head = xapp.head(path)
    assert (head.status_code, head.data) == (200, b"")


OCTETS = 64 * 1024
"""As many as make a large body."""


def large(body: dict[str, Any], octet: object) -> bytes:
    body["SubscriptionDetails"][0]["EventTriggers"] = [octet] * OCTETS
    return json.dumps(body).encode()


def test_a_large_body(xapp: FlaskClient, subscriptions: Any, body: dict[str, Any]) -> None:
    data = large(body, 7)
    assert xapp.post(URL, data=data).status_code == 201
    assert subscriptions.calls[0] == ("subscribe", parse_subscribe(data))
    assert xapp.post(URL, data=large(body, "7")).status_code == 400


def test_numbers_that_are_no_octets_are_counted_and_logged_once_for_each_xapp(
    subscriptions: Any, body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    counted: list[int] = []
    options = XappOptions(count_folded_octets=counted.append)
    xapp = xapp_app(subscriptions, lambda name: None, lambda: None, options).test_client()
    body["SubscriptionDetails"][0]["EventTriggers"] = [1234, 1, -1]
    for host in ("a", "a", "b", "a"):
        body["ClientEndpoint"]["Host"] = host
        assert xapp.post(URL, json=body).status_code == 201
    assert xapp.post(URL, data=large(body, 263)).status_code == 201
    assert counted == [2, 2, 2, 2, OCTETS]
    assert [line.split()[1] for line in caplog.messages] == ["a:8080", "b:8080"]
    body["SubscriptionDetails"][0]["EventTriggers"] = [1, 2]
    xapp.post(URL, json=body)
    assert len(counted) == 5


def test_strict_octets(subscriptions: Any, body: dict[str, Any]) -> None:
    counted: list[int] = []
    options = XappOptions(strict_octets=True, count_folded_octets=counted.append)
    xapp = xapp_app(subscriptions, lambda name: None, lambda: None, options).test_client()
    body["SubscriptionDetails"][0]["EventTriggers"] = [1234]
    answer = xapp.post(URL, json=body)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "SubscriptionDetails[0].EventTriggers[0]")
    assert (xapp.post(URL, data=large(body, 256)).status_code, counted) == (400, [])


def test_where_an_xapp_must_not_be_notified_is_told_beside_its_other_mistakes(
    subscriptions: Any, body: dict[str, Any]
) -> None:
    asked: list[tuple[str, int]] = []

    def refusal(host: str, port: int) -> str | None:
        asked.append((host, port))
        return "outbound.deny has it" if host == "10.0.0.1" else None

    xapp = xapp_app(subscriptions, lambda name: None, lambda: None, XappOptions(refusal=refusal)).test_client()
    assert xapp.post(URL, json=body).status_code == 201
    body["ClientEndpoint"]["Host"] = "10.0.0.1"
    body["Meid"] = ""
    answer = xapp.post(URL, json=body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json["errors"]] == ["ClientEndpoint.Host", "Meid"]
    assert 'must not be the string "10.0.0.1": outbound.deny has it' in answer.json["message"]
    assert asked[-1] == ("10.0.0.1", body["ClientEndpoint"]["HTTPPort"])


def test_ids_are_shown_unless_the_configuration_hides_them(subscriptions: Any) -> None:
    endpoint, content = RmrEndpoint("a", 4560), Content(2, b"", (Action(1, ActionType.REPORT),))
    holders = tuple(Holder(RestHolder(name, 1), endpoint, routed=True) for name in ("first", "second"))
    subscriptions.e2 = [E2Record(7, "gnb_1", 123, 1, content, (endpoint,), holders, (endpoint,), (1,))]
    shown = [
        xapp_app(subscriptions, lambda name: None, lambda: None, XappOptions(show_ids=show)).test_client().get(URL).json
        for show in (True, False)
    ]
    ids = [item.pop("RestSubscriptionIds", None) for (item,) in shown]
    assert (ids, shown[0]) == ([["first", "second"], None], shown[1])


def test_a_too_large_body(xapp: FlaskClient, subscriptions: Any, counts: Counter[str]) -> None:
    answer = xapp.post(URL, data=b" " * (MAX_BODY + 1))
    assert answer.status_code == 413
    assert answer.json is not None
    assert answer.json["code"] == 413
    assert subscriptions.calls == []
    assert counts == {"RestSubReqFromXapp": 1, "RestSubFailToXapp": 1}


def named(name: str | None) -> dict[str, Any]:
    """The environment of a request over a connection whose client has shown a certificate with this name."""
    sock = TlsSocket.__new__(TlsSocket)
    sock.__dict__.update(peer_name=name)
    return {SOCKET: sock}


def test_with_ownership_an_xapp_sees_and_deletes_as_the_name_in_its_certificate(
    subscriptions: Any, body: dict[str, Any]
) -> None:
    xapp = xapp_app(subscriptions, lambda name: None, lambda: None, XappOptions(ownership=True)).test_client()
    first, second = RmrEndpoint("a", 4560), RmrEndpoint("b", 4560)
    content = Content(2, b"", (Action(1, ActionType.REPORT),))
    holders = (Holder(RestHolder("of-a", 1), first, routed=True), Holder(RestHolder("of-b", 2), second, routed=True))
    shared = E2Record(7, "gnb_1", 123, 1, content, (first, second), holders, (first, second), (1,))
    subscriptions.e2 = [shared, replace(shared, instance_id=8, holders=holders[1:])]
    subscriptions.owners = {"of-a": "xapp-a", "of-b": "xapp-b"}
    assert xapp.post(URL, json=body, environ_overrides=named("xapp-a")).status_code == 201
    assert subscriptions.calls[0][1].owner == "xapp-a"
    (seen,) = xapp.get(URL, environ_overrides=named("xapp-a")).json
    assert (seen["SubscriptionId"], seen["RestSubscriptionIds"], seen["ClientEndpoint"]) == (7, ["of-a"], ["a:4560"])
    assert [instance["XappEventInstanceId"] for instance in seen["SubscriptionInstances"]] == [1]
    assert [each["SubscriptionId"] for each in xapp.get(URL, environ_overrides=named("xapp-b")).json] == [7, 8]
    assert xapp.get(URL, environ_overrides=named("xapp-c")).json == []
    assert xapp.delete(f"{URL}/of-a", environ_overrides=named("xapp-a")).status_code == 204
    assert subscriptions.calls[-1] == ("unsubscribe", ("xapp-a", "of-a"))


def test_with_ownership_a_certificate_without_a_name_may_nothing(subscriptions: Any, body: dict[str, Any]) -> None:
    xapp = xapp_app(subscriptions, lambda name: None, lambda: None, XappOptions(ownership=True)).test_client()
    for environment in ({}, named(None)):
        assert xapp.post(URL, json=body, environ_overrides=environment).status_code == 403
        assert xapp.get(URL, environ_overrides=environment).status_code == 403
        assert xapp.delete(f"{URL}/id", environ_overrides=environment).status_code == 403
    assert subscriptions.calls == []


class Role:
    """A process whose role changes after so many looks at it."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def refuse(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise RefusedError(503, "not active: standby of submgr-1 (10.0.0.2:8088)", retry_after=1)


@pytest.mark.parametrize("looks", [0, 1])
def test_a_process_that_is_not_active_promises_nothing(subscriptions: Any, body: dict[str, Any], looks: int) -> None:
    """It may have been stopped in the middle of a request: it looks before and after."""
    app = xapp_app(subscriptions, Counter[str]().update, lambda: None, XappOptions(permit=Role(looks).refuse))
    answer = app.test_client().post(URL, json=body)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json == {"code": 503, "message": "not active: standby of submgr-1 (10.0.0.2:8088)", "errors": []}
    answer.close()
    assert [name for name, _ in subscriptions.calls] == (["subscribe", "start"] if looks else [])


def test_an_active_process_answers(subscriptions: Any, body: dict[str, Any]) -> None:
    app = xapp_app(subscriptions, Counter[str]().update, lambda: None, XappOptions(permit=Role(100).refuse))
    assert app.test_client().post(URL, json=body).status_code == 201
