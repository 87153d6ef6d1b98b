# SPDX-License-Identifier: Apache-2.0
"""The Routing Manager and xApp simulators over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket

from submgr.platform.http.client import HttpClient, HttpResponse
from submgr.platform.http.errors import HttpProtocolError, HttpTimeout
from submgr.platform.http.listen import ListenError
from submgr.simulators.rtmgr import RoutingManagerSimulator
from submgr.simulators.rules import HttpRule
from submgr.simulators.xapp import XappConfig, XappSimulator

HANDLE = "/ric/v1/handles/xapp-subscription-handle"
RESPONSE = "/ric/v1/subscriptions/response"


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture
def rtmgr() -> Iterator[RoutingManagerSimulator]:
    simulator = RoutingManagerSimulator()
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def xapp() -> Iterator[XappSimulator]:
    simulator = XappSimulator()
    simulator.start()
    yield simulator
    simulator.stop()


def call(
    client: HttpClient, address: str, method: str, path: str, body: object = None, timeout: float = 5.0
) -> HttpResponse:
    payload = None if body is None else json.dumps(body).encode()
    return client.request(method, f"http://{address}{path}", body=payload, read_timeout=timeout)


def route(instance: int, address: str = "h1", port: int = 4560) -> dict[str, Any]:
    return {"address": address, "port": port, "subscription_id": instance}


def test_routes_come_change_and_go(client: HttpClient, rtmgr: RoutingManagerSimulator) -> None:
    at = rtmgr.http.address
    assert call(client, at, "POST", HANDLE, route(1)).status == 201
    assert rtmgr.routes == {1: ["h1:4560"]}
    merged = [{"address": "h1", "port": 4560}, {"address": "h2", "port": 4570}]
    assert call(client, at, "PUT", f"{HANDLE}/1", merged).status == 201
    assert rtmgr.routes == {1: ["h1:4560", "h2:4570"]}
    assert call(client, at, "PUT", f"{HANDLE}/1", merged[1:]).status == 201
    gone = call(client, at, "DELETE", HANDLE, route(1, "h2", 4570))
    assert (gone.status, gone.body) == (200, b"{}\n")
    nothing = call(client, at, "DELETE", HANDLE, route(1, "h2", 4570))
    assert (nothing.status, nothing.body) == (204, b"")
    assert rtmgr.routes == {} and rtmgr.surprises == ["DELETE of a route that instance 1 has not: h2:4570"]
    methods = [entry["method"] for entry in rtmgr.log.entries(event="received")]
    assert methods == ["POST", "PUT", "PUT", "DELETE", "DELETE"]


def test_surprises_are_listed(client: HttpClient, rtmgr: RoutingManagerSimulator) -> None:
    at = rtmgr.http.address
    call(client, at, "DELETE", HANDLE, route(1))
    call(client, at, "PUT", f"{HANDLE}/2", [{"address": "h1", "port": 4560}])
    call(client, at, "POST", HANDLE, route(2, "h2"))
    assert [what.split(" ")[0] for what in rtmgr.surprises] == ["DELETE", "PUT", "POST"]
    assert rtmgr.routes == {2: ["h1:4560", "h2:4560"]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", HANDLE, {"address": "h1"}),
        ("POST", HANDLE, {"address": 1, "port": 2, "subscription_id": 3}),
        ("POST", f"{HANDLE}/1", route(1)),
        ("PUT", HANDLE, [{"address": "h1", "port": 4560}]),
        ("PUT", f"{HANDLE}/1", []),
        ("PUT", f"{HANDLE}/1", route(1)),
        ("PUT", f"{HANDLE}/x", [{"address": "h1", "port": 4560}]),
        ("DELETE", HANDLE, None),
        ("GET", HANDLE, None),
    ],
)
def test_requests_that_are_wrong(
    client: HttpClient, rtmgr: RoutingManagerSimulator, method: str, path: str, body: object
) -> None:
    assert call(client, rtmgr.http.address, method, path, body).status == 400
    assert rtmgr.routes == {} and len(rtmgr.log.entries(event="refused")) == 1


def test_refusing_and_delaying(client: HttpClient, rtmgr: RoutingManagerSimulator) -> None:
    at = rtmgr.http.address
    rtmgr.rules.add(
        HttpRule(instance=1, count=1, status=409),
        HttpRule(instance=2, count=1, status=500, html=True),
        HttpRule(instance=3, status=500, done=True),
        HttpRule(instance=4, delay=0.05),
        HttpRule(instance=5, redirect="/elsewhere"),
    )
    assert call(client, at, "POST", HANDLE, route(1)).status == 409
    page = call(client, at, "POST", HANDLE, route(2))
    assert page.status == 500 and page.headers["content-type"] == "text/html" and b"<html>" in page.body
    assert rtmgr.routes == {}
    assert call(client, at, "POST", HANDLE, route(3)).status == 500
    assert rtmgr.routes == {3: ["h1:4560"]}
    begin = time.monotonic()
    assert call(client, at, "POST", HANDLE, route(4)).status == 201
    assert time.monotonic() - begin >= 0.05
    moved = call(client, at, "POST", HANDLE, route(5))
    assert (moved.status, moved.headers["location"]) == (302, "/elsewhere")
    assert call(client, at, "POST", HANDLE, route(1)).status == 201


def test_hanging_and_closing(client: HttpClient, rtmgr: RoutingManagerSimulator) -> None:
    at = rtmgr.http.address
    rtmgr.rules.add(HttpRule(instance=1, hang=True), HttpRule(instance=2, close=True))
    with pytest.raises(HttpTimeout):
        call(client, at, "POST", HANDLE, route(1), timeout=0.1)
    with pytest.raises(HttpProtocolError):
        call(client, at, "POST", HANDLE, route(2))
    assert rtmgr.routes == {}
    statuses = [entry["status"] for entry in rtmgr.log.entries(event="answered")]
    assert set(statuses) == {None}
    assert call(client, at, "POST", HANDLE, route(3)).status == 201


def test_control_is_never_under_a_rule(client: HttpClient, rtmgr: RoutingManagerSimulator) -> None:
    at = rtmgr.http.address
    call(client, at, "POST", HANDLE, route(7))
    assert call(client, at, "PUT", "/rules", {"hang": True}).status == 200
    state = json.loads(call(client, at, "GET", "/state").body)
    assert state == {"routes": {"7": ["h1:4560"]}, "surprises": []}
    counts = json.loads(call(client, at, "GET", "/counts").body)
    assert counts == {"instances": 1, "endpoints": 1, "surprises": 0}
    assert call(client, at, "POST", "/reset").status == 204
    assert rtmgr.routes == {} and rtmgr.rules.report() == []


def test_stop_cuts_connections_and_start_takes_the_same_port(
    client: HttpClient, rtmgr: RoutingManagerSimulator
) -> None:
    at = rtmgr.http.address
    rtmgr.rules.add(HttpRule(hang=True))
    hanging = gevent.spawn(call, client, at, "POST", HANDLE, route(1))
    assert rtmgr.log.wait(lambda: bool(rtmgr.log.entries(event="answered")))
    rtmgr.stop()
    with pytest.raises(HttpProtocolError):
        hanging.get(timeout=5)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", rtmgr.http.port))
    rtmgr.start()
    assert rtmgr.http.address == at
    rtmgr.rules.clear()
    assert call(client, at, "POST", HANDLE, route(1)).status == 201
    with pytest.raises(ListenError, match=str(rtmgr.http.port)):
        RoutingManagerSimulator(at).start()


def notification(subscription_id: str = "s1", xapp_id: int = 1) -> dict[str, Any]:
    instance = {"XappEventInstanceId": xapp_id, "E2EventInstanceId": 1, "ErrorCause": ""}
    return {"SubscriptionId": subscription_id, "SubscriptionInstances": [instance]}


def test_notifications_in_their_order(client: HttpClient, xapp: XappSimulator) -> None:
    at = xapp.http.address
    for number in range(5):
        assert call(client, at, "POST", RESPONSE, notification(f"s{number % 2}", number)).status == 200
    assert xapp.wait(5)
    assert [item["XappEventInstanceId"] for item in xapp.instances()] == [0, 1, 2, 3, 4]
    assert [item["XappEventInstanceId"] for item in xapp.instances("s1")] == [1, 3]
    state = json.loads(call(client, at, "GET", "/state").body)
    assert [item["body"] for item in state["notifications"]] == [
        notification(f"s{number % 2}", number) for number in range(5)
    ]
    assert not xapp.wait(6, timeout=0.01)
    counts = json.loads(call(client, at, "GET", "/counts").body)
    assert counts == {"notifications": 5, "delivered": 5, "answers": 0, "indications": 0}


def test_refused_notifications_are_not_delivered(client: HttpClient, xapp: XappSimulator) -> None:
    at = xapp.http.address
    xapp.rules.add(HttpRule(count=1, close=True), HttpRule(count=1, hang=True), HttpRule(count=1, status=503))
    for error in (HttpProtocolError, HttpTimeout):
        with pytest.raises(error):
            call(client, at, "POST", RESPONSE, notification(), timeout=0.1)
    assert call(client, at, "POST", RESPONSE, notification()).status == 503
    assert call(client, at, "POST", RESPONSE, notification()).status == 200
    assert [item.status for item in xapp.notifications] == [None, None, 503, 200]
    assert len(xapp.delivered) == 1


def test_chunked_notifications_are_told_apart(client: HttpClient, xapp: XappSimulator) -> None:
    body = json.dumps(notification()).encode()
    head = f"POST {RESPONSE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", xapp.http.port)) as sock:
        sock.sendall(head.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
    assert call(client, xapp.http.address, "POST", RESPONSE, notification()).status == 200
    assert [item.chunked for item in xapp.notifications] == [True, False]


def test_one_simulator_is_many_xapps(client: HttpClient, xapp: XappSimulator) -> None:
    xapp.rules.add(HttpRule(host=f"localhost:{xapp.http.port}", status=500))
    assert call(client, xapp.http.address, "POST", RESPONSE, notification()).status == 200
    assert call(client, f"localhost:{xapp.http.port}", "POST", RESPONSE, notification()).status == 500


def test_answers_of_old_and_of_talkative_xapps(client: HttpClient, xapp: XappSimulator) -> None:
    xapp.rules.add(HttpRule(count=1, http10=True, body="thanks"), HttpRule(count=1, body_size=100_000))
    body = json.dumps(notification()).encode()
    with socket.create_connection(("127.0.0.1", xapp.http.port)) as sock:
        sock.sendall(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (RESPONSE.encode(), len(body)) + body
        )
        answer = b""
        while more := sock.recv(4096):
            answer += more
    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200") and b"ontent-" not in head and content == b"thanks"
    big = call(client, xapp.http.address, "POST", RESPONSE, notification())
    assert big.status == 200 and len(big.body) == 100_000
    assert len(xapp.delivered) == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", RESPONSE, ["no object"], 400),
        ("POST", RESPONSE, None, 400),
        ("GET", RESPONSE, None, 405),
        ("POST", "/elsewhere", {}, 404),
        ("POST", "/rmr/elsewhere", {}, 404),
        ("POST", "/rmr/subscribe", {"meid": 1}, 400),
        ("POST", "/rmr/subscribe", {"meid": "g", "function": 2, "actions": []}, 400),
        ("POST", "/rmr/subscribe", {"meid": "g", "function": 2, "actions": [{"id": 1}], "trigger": "0g"}, 400),
        ("POST", "/rmr/subscribe", {"meid": "g", "function": 2, "actions": [{"id": 1}]}, 503),
        ("POST", "/rmr/delete", {"meid": "g", "function": 2, "instance": 1}, 503),
    ],
)
def test_requests_an_xapp_does_not_take(
    client: HttpClient, xapp: XappSimulator, method: str, path: str, body: object, status: int
) -> None:
    assert call(client, xapp.http.address, method, path, body).status == status
    assert xapp.notifications == []


def test_subscribing_over_rmr_through_the_control_interface(client: HttpClient) -> None:
    asked = XappSimulator(XappConfig(rmr_port=0))
    asked.start()
    asking = XappSimulator(XappConfig(rmr_port=0, submgr=f"127.0.0.1:{asked.rmr_port}"))
    asking.start()
    at = asking.http.address
    action = {"id": 1, "type": "insert", "definition": "05"}
    body = {"meid": "gnb1", "function": 2, "trigger": "01", "actions": [action], "xid": "x1"}
    assert call(client, at, "POST", "/rmr/subscribe", body).status == 200
    assert call(client, at, "POST", "/rmr/delete", {"meid": "gnb1", "function": 2, "instance": 9}).status == 200
    assert asked.wait_for_answers(2)
    first, second = json.loads(call(client, asked.http.address, "GET", "/state").body)["answers"]
    assert (first["mtype"], first["meid"], first["xid"], second["mtype"]) == (12010, "gnb1", "x1", 12020)
    assert first["message"]["kind"] == "SubscriptionRequest"
    assert second["message"]["request_id"] == {"requestor": 123, "instance": 9}
    asked.stop()
    asking.stop()


def test_broken_clients_are_no_news(xapp: XappSimulator, capfd: pytest.CaptureFixture[str]) -> None:
    for octets in (b"", b"GARBAGE\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nshort", b"\0" * 50):
        with socket.create_connection(("127.0.0.1", xapp.http.port)) as sock:
            sock.sendall(octets)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass
    assert capfd.readouterr() == ("", "")


def exchanged(address: str, octets: bytes) -> bytes:
    """All that a server sends to these octets until it closes the connection."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as sock:
        sock.sendall(octets)
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    return answer


def test_what_is_no_http_is_refused(rtmgr: RoutingManagerSimulator) -> None:
    answer = exchanged(rtmgr.http.address, b"POST /handles HTTP/1.1\r\nContent-Length: 1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") and b"header fields Host" in answer


def test_the_connection_of_an_old_client_ends_with_the_answer(rtmgr: RoutingManagerSimulator) -> None:
    answer = exchanged(rtmgr.http.address, b"GET /counts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close\r\n" in answer


def test_a_bug_in_a_simulator_is_answered(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = RoutingManagerSimulator()
    simulator.start()
    try:
        monkeypatch.setattr(simulator.log, "entries", lambda *_: 1 // 0)
        assert call(client, simulator.http.address, "GET", "/log").status == 500
        assert call(client, simulator.http.address, "GET", "/state").status == 200
    finally:
        simulator.http.stop()
