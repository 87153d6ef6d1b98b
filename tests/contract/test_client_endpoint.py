# SPDX-License-Identifier: Apache-2.0
"""The endpoint where an xApp is notified: what it takes, and what it survives.

Its threads are native ones; so are the sockets here.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from support.waiting import eventually

from submgr.client import Tls, endpoint
from submgr.client.endpoint import CONNECTIONS, LARGEST, PATH, NotificationEndpoint
from submgr.client.values import Instance, Notification

INSTANCE = {"XappEventInstanceId": 1, "E2EventInstanceId": 9}
BODY = json.dumps({"SubscriptionId": "2ab", "SubscriptionInstances": [INSTANCE]})
TOLD = Notification("2ab", (Instance(1, 9),))
Take = list[Notification]


@pytest.fixture
def told() -> Take:
    return []


@pytest.fixture
def server(told: Take, monkeypatch: pytest.MonkeyPatch) -> Iterator[NotificationEndpoint]:
    monkeypatch.setattr(endpoint, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(endpoint, "IDLE_SECONDS", 1.0)
    server = NotificationEndpoint("127.0.0.1", 0, told.append)
    server.start()
    yield server
    server.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "notifications"]


def post(body: str, path: str = PATH, method: str = "POST", **fields: str) -> bytes:
    head = {"Host": "x", "Content-Length": str(len(body.encode())), **fields}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n{body}".encode()


def statuses(server: NotificationEndpoint, sent: bytes, received: Callable[[], object] = bool) -> list[int]:
    """The statuses of what is answered until the connection ends. `received` is called when something has come."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        with suppress(OSError):  # it may have been refused before it was sent
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        got = b""
        while octets := _received(connection):
            got += octets
            received()
    return [int(part.split()[1]) for part in got.decode("latin-1").split("\r\n") if part.startswith("HTTP/1.1 ")]


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def test_notifications_one_after_the_other_on_a_connection(server: NotificationEndpoint, told: Take) -> None:
    assert statuses(server, post(BODY) * 3) == [200] * 3
    eventually(lambda: told == [TOLD] * 3)


def test_stock_spellings_of_the_path(server: NotificationEndpoint, told: Take) -> None:
    assert statuses(server, post(BODY, f"{PATH}/") + post(BODY, f"{PATH}?x=1")) == [200, 200]
    eventually(lambda: len(told) == 2)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (post("{"), 400),
        (post("[]"), 400),
        (post("null"), 400),
        (post("\x00"), 400),
        (post("[" * 50_000), 400),
        (post('{"SubscriptionId": "2ab", "SubscriptionInstances": [{}]}'), 400),
        (post(BODY, "/other"), 404),
        (post("", method="GET"), 405),
        (post("", method="DELETE"), 405),
        (post("", method="BREW"), 501),
        (post(BODY, **{"Content-Length": "x"}), 411),
        (post(BODY, **{"Content-Length": "-1"}), 411),
        (post(BODY, **{"Content-Length": str(LARGEST + 1)}), 413),
        (post(BODY, **{"Content-Length": "9" * 5000}), 413),
        (post(BODY).replace(b"Content-Length", b"Content-Nothing"), 411),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 414),
    ],
)
def test_what_is_no_notification(server: NotificationEndpoint, told: Take, sent: bytes, status: int) -> None:
    assert statuses(server, sent)[:1] == [status]
    assert told == []
    assert statuses(server, post(BODY)) == [200]


def test_what_never_ends_is_ended(server: NotificationEndpoint, told: Take) -> None:
    """A head that is dripped, and a body that does not come: both go on for less than the limit at any time."""
    for sent in (b"POST ", post(BODY, **{"Content-Length": "100"})):
        with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
            began = time.monotonic()
            with suppress(OSError):
                connection.sendall(sent)
                while time.monotonic() - began < 20:
                    connection.sendall(b"x")
                    time.sleep(0.05)
            assert time.monotonic() - began < 20
    assert told == []


def test_a_crowd_of_silent_clients_leaves_room(server: NotificationEndpoint, told: Take) -> None:
    crowd = [socket.create_connection(("127.0.0.1", server.port), 20) for _ in range(3 * CONNECTIONS)]
    assert statuses(server, post(BODY)) == [200]
    eventually(lambda: told == [TOLD])
    for one in crowd:
        one.close()


def test_over_https(told: Take, tmp_path: Path) -> None:
    authority = trustme.CA()
    ours, theirs = authority.issue_cert("127.0.0.1"), authority.issue_cert("submgr")
    files = {name: tmp_path / name for name in ("ca", "ours", "theirs")}
    authority.cert_pem.write_to_path(files["ca"])
    ours.private_key_and_cert_chain_pem.write_to_path(files["ours"])
    theirs.private_key_and_cert_chain_pem.write_to_path(files["theirs"])
    tls = Tls(str(files["ca"]), str(files["ours"]))
    server = NotificationEndpoint("127.0.0.1", 0, told.append, tls.as_server())
    server.start()
    try:
        context = Tls(str(files["ca"]), str(files["theirs"])).as_client()
        assert _over(context, server.port) == [200]
        eventually(lambda: told == [TOLD])
        stranger = Tls(str(files["ca"])).as_client()
        assert _over(stranger, server.port) == []
        assert statuses(server, post(BODY)) == []  # plain HTTP
        eventually(lambda: told == [TOLD])
        assert _over(context, server.port) == [200]
    finally:
        server.stop()


def _over(context: ssl.SSLContext, port: int) -> list[int]:
    with socket.create_connection(("127.0.0.1", port), 20) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                connection.sendall(post(BODY, Connection="close"))
                got = connection.recv(65536)
                return [int(got.split()[1])] if got else []
        except OSError:
            return []


def test_a_port_that_is_taken(server: NotificationEndpoint, told: Take) -> None:
    take: Callable[[Notification], None] = told.append
    with pytest.raises(OSError, match="in use"):
        NotificationEndpoint("127.0.0.1", server.port, take)


def test_the_answer_comes_first() -> None:
    """Who was told may end at once; the Subscription Manager must not try again for want of an answer."""
    answered, taken = threading.Event(), threading.Event()

    def take(notification: Notification) -> None:
        assert answered.wait(20)
        taken.set()

    server = NotificationEndpoint("127.0.0.1", 0, take)
    server.start()
    try:
        assert statuses(server, post(BODY, Connection="close"), answered.set) == [200]
        assert taken.wait(20)
    finally:
        server.stop()
