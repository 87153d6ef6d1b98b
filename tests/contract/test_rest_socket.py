# SPDX-License-Identifier: Apache-2.0
"""The xApp interface over a real socket: what a client sees, and when the work starts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import event, socket
from support.waiting import eventually

from submgr.core.errors import NodeDownError
from submgr.core.model import SubscribeRequest
from submgr.platform.http.server import HttpServer
from submgr.rest.xapp import xapp_app
from submgr.service import Accepted

BODY = json.dumps(
    {
        "ClientEndpoint": {"Host": "127.0.0.1", "HTTPPort": 8080, "RMRPort": 4560},
        "Meid": "gnb_1",
        "RANFunctionID": 2,
        "SubscriptionDetails": [
            {
                "XappEventInstanceId": 1,
                "EventTriggers": [1],
                "ActionToBeSetupList": [{"ActionID": 1, "ActionType": "report"}],
            }
        ],
    }
).encode()


class Service:
    """Accepts a request and notes when its work was started."""

    def __init__(self) -> None:
        self.subscribed = 0
        self.started: list[int] = []
        self.start_seen = event.Event()
        self.hold: event.Event | None = None
        self.on_start: Callable[[], None] = lambda: None

    def subscribe(self, request: SubscribeRequest) -> Accepted:
        if request.meid != "gnb_1":
            raise NodeDownError(f"{request.meid} is not connected; connected are: gnb_1")
        self.subscribed += 1
        number = self.subscribed
        if self.hold is not None:
            self.hold.wait(5)

        def start() -> None:
            self.on_start()
            self.started.append(number)
            self.start_seen.set()

        return Accepted(f"id-{number}", start)

    def unsubscribe(self, subscription_id: str, owner: str | None = None) -> None:
        pass

    def listed(self) -> list[Any]:
        return []


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[HttpServer]:
    server = HttpServer("xapp", "127.0.0.1:0", xapp_app(service, lambda name: None, lambda: None))  # type: ignore[arg-type]
    server.start()
    yield server
    server.stop(1)


@pytest.fixture
def client(server: HttpServer) -> Iterator[Any]:
    with socket.create_connection(server.address, timeout=5) as connection:
        yield connection


def message(method: str, path: str, body: bytes = b"", head: str = "Content-Type: application/json\r\n") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def read_answer(connection: Any) -> tuple[int, dict[str, str], bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        assert part, data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(fields.get("content-length", 0)):
        body += connection.recv(65536)
    return int(status.split()[1]), fields, body


def test_work_starts_after_the_client_can_read_the_answer(service: Service, client: Any) -> None:
    seen: list[bytes] = []

    def look() -> None:
        # everything of the answer was written: it is in this end's buffer although the connection stays open
        seen.append(client.recv(65536, socket.MSG_PEEK))

    service.on_start = look
    for number in range(1, 101):
        client.sendall(message("POST", "/ric/v1/subscriptions", BODY))
        assert service.start_seen.wait(5)
        service.start_seen.clear()
        status, fields, body = read_answer(client)
        assert status == 201
        assert "transfer-encoding" not in fields
        assert json.loads(body) == {"SubscriptionId": f"id-{number}", "SubscriptionInstances": []}
        assert seen.pop().endswith(body)
    assert service.started == list(range(1, 101))


def test_work_starts_although_the_client_is_gone(service: Service, server: HttpServer) -> None:
    service.hold = event.Event()
    connection = socket.create_connection(server.address, timeout=5)
    connection.sendall(message("POST", "/ric/v1/subscriptions", BODY))
    eventually(lambda: service.subscribed)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close resets the connection
    connection.close()
    gevent.sleep(0.01)
    service.hold.set()
    assert service.start_seen.wait(5)
    assert service.started == [1]


def test_work_starts_although_the_server_stops(service: Service, server: HttpServer) -> None:
    service.hold = event.Event()
    with socket.create_connection(server.address, timeout=5) as connection:
        connection.sendall(message("POST", "/", BODY))
        eventually(lambda: service.subscribed)
        stopping = gevent.spawn(server.stop, 5)
        gevent.sleep(0)
        service.hold.set()
        assert read_answer(connection)[0] == 201
        stopping.join(5)
    assert service.started == [1]


@pytest.mark.parametrize("path", ["/", "//", "//ric//v1", "/ric/v1//", "/ric/v1/subscriptions/?x=1", "//subscriptions"])
def test_paths(client: Any, path: str) -> None:
    client.sendall(message("POST", path, BODY))
    assert read_answer(client)[0] == 201


def test_no_content_type(client: Any) -> None:
    client.sendall(message("POST", "/", BODY, head=""))
    assert read_answer(client)[0] == 201


def test_chunked_body(client: Any) -> None:
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in (BODY[:50], BODY[50:], b""):
        client.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
    assert read_answer(client)[0] == 201


def test_one_connection_for_all_kinds_of_answers(service: Service, client: Any) -> None:
    """After each answer, errors too, the connection can be used on."""
    down = BODY.replace(b"gnb_1", b"gnb_9")
    for request, status in [
        (message("POST", "/ric/v1/subscriptions", b"{"), 400),
        (message("POST", "/ric/v1/subscriptions", BODY, "Content-Type: text/plain\r\n"), 415),
        (message("PUT", "/ric/v1/subscriptions", BODY), 405),
        (message("GET", "/nowhere"), 404),
        (message("POST", "/ric/v1/subscriptions", down), 503),
        (message("POST", "/ric/v1/subscriptions", BODY), 201),
        (message("DELETE", "/ric/v1/subscriptions/id-1", BODY), 204),
        (message("GET", "/ric/v1/subscriptions"), 200),
    ]:
        client.sendall(request)
        answered, fields, body = read_answer(client)
        assert answered == status
        if status >= 400:
            assert fields["content-type"] == "application/json"
            assert json.loads(body)["code"] == status
        if status == 204:
            assert body == b""
    assert service.started == [1]


def test_a_request_cut_off_is_not_taken(service: Service, server: HttpServer) -> None:
    with socket.create_connection(server.address, timeout=5) as connection:
        connection.sendall(message("POST", "/", BODY)[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert b" 201 " not in connection.recv(65536)
    assert service.subscribed == 0
