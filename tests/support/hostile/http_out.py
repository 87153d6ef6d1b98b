# SPDX-License-Identifier: Apache-2.0
"""Servers that the daemon asks, and that answer without an end: an xApp, the Routing Manager, a MEC proxy."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

from support.hostile.http_in import head, status_of
from support.hostile.native_server import NativeServer
from support.hostile.ordeal import Attacker
from support.processes.daemon import detail
from support.waiting import eventually

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GOOD = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"

ANSWERS: dict[str, tuple[bytes, bytes]] = {
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    "early-hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" * 1000),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-Trailer: 1\r\n" * 4000),
    "extensions": (CHUNKED, (b"1;" + b"x" * 1000 + b"\r\n \r\n") * 60),
    "one-byte-chunks": (CHUNKED, b"1\r\n \r\n" * 10_000),
    "head": (b"HTTP/1.1 200 OK\r\n", b"X-Field: 1\r\n" * 5000),
    "status-line": (b"HTTP/1.1 200 ", b"x" * 65536),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 65536),
    "body-without-end": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    "answers": (GOOD, GOOD * 1500),
}
"""What comes first, and what then comes again and again."""


class Liar(NativeServer):
    """An HTTP server in native threads. It answers 201, or while `answer` names one of `ANSWERS` that, for ever."""

    def __init__(self) -> None:
        self.answer: str | None = None
        self.lied = 0
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), sock:
            while _request(sock):
                if self.answer is None:
                    sock.sendall(GOOD)
                    continue
                self.lied += 1
                first, again = ANSWERS[self.answer]
                sock.sendall(first)
                while self.answer is not None:
                    sock.sendall(again)
                return
        self.open.discard(sock)


def _request(sock: socket.socket) -> bool:
    """Reads a request; False when there is none."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = sock.recv(65536)
        if not piece:
            return False
        got += piece
    fields, _, body = got.partition(b"\r\n\r\n")
    length = 0
    for line in fields.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += sock.recv(65536)
    return True


@contextlib.contextmanager
def lying(attacker: Attacker, liar: Liar, answer: str) -> Iterator[None]:
    """Within the block the server answers so, and it is asked at least once."""
    liar.answer, liar.lied = answer, 0
    try:
        yield
        # it may still be busy with what the attack before this one has left
        eventually(lambda: liar.lied, 60, what="the daemon asks")
        attacker.hold()
    finally:
        liar.answer = None
        liar.hang_up()


def xapp(attacker: Attacker, answer: str) -> None:
    """An xApp subscribes eight times, and is notified where it lies."""
    liar = attacker.site.liars["xapp"]
    with lying(attacker, liar, answer):
        ids = [subscribe(attacker, number, port=liar.port) for number in range(8)]
    for subscription_id in ids:
        unsubscribe(attacker, subscription_id)


def routing_manager(attacker: Attacker, answer: str) -> None:
    """Eight subscriptions need routes."""
    with lying(attacker, attacker.site.liars["rtmgr"], answer):
        ids = [subscribe(attacker, number) for number in range(8)]
    for subscription_id in ids:
        unsubscribe(attacker, subscription_id)


def proxy(attacker: Attacker, answer: str) -> None:
    """Eight applications ask for state, which a proxy has to fetch."""
    with lying(attacker, attacker.site.liars["proxy"], answer):
        for number in range(8):
            # the state of an application is fetched when it is known where it was
            notification = f"GET /ams/app/notification/?imsi=12345&mecId=9&appId={number}"
            told = attacker.exchange("mec", head(notification, "Connection: close"))
            assert status_of(told) == 200, told
            attacker.connect("mec").sendall(head(f"GET /ams/fetch/state/?imsi=12345&appId={number}"))


def subscribe(attacker: Attacker, number: int, port: int | None = None) -> str:
    """The id of a subscription at gnb_3; `port`: where the xApp is notified, else at the simulated one."""
    body = attacker.site.around.request("gnb_3", detail(number + 1, [77, number]))
    if port is not None:
        body["ClientEndpoint"]["HTTPPort"] = port
    status, answer = post(attacker, "xapp", "/ric/v1/subscriptions", body)
    assert status == 201, answer
    return str(json.loads(answer)["SubscriptionId"])


def unsubscribe(attacker: Attacker, subscription_id: str) -> None:
    attacker.exchange("xapp", head(f"DELETE /ric/v1/subscriptions/{subscription_id}", "Connection: close"))


def post(attacker: Attacker, port: str, path: str, body: Any, *fields: str) -> tuple[int, bytes]:
    """Status and body of the answer to a POST of JSON."""
    octets = json.dumps(body).encode()
    fields = ("Content-Type: application/json", f"Content-Length: {len(octets)}", "Connection: close", *fields)
    answer = attacker.exchange(port, head(f"POST {path}", *fields) + octets)
    return status_of(answer), answer.partition(b"\r\n\r\n")[2]
