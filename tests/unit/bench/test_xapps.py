# SPDX-License-Identifier: Apache-2.0
"""HTTP as other implementations speak it: bodies in chunks, connections that are closed after an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from submgr.bench import xapps
from submgr.bench.children import BenchError
from submgr.bench.xapps import Client, Listener


class Wire:
    """A connection whose other side has sent these pieces, and then closed it."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self.sent = b""

    def recv(self, size: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def setsockopt(self, *what: object) -> None: ...

    def close(self) -> None: ...


def client(monkeypatch: pytest.MonkeyPatch, *wires: Wire) -> Client:
    left: Iterator[Any] = iter(wires)
    monkeypatch.setattr(xapps.socket, "create_connection", lambda address, timeout: next(left))
    return Client(("127.0.0.1", 1))


def test_a_body_in_chunks_however_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab\r\n\r\n10;x=y\r\n0123456789abcdef\r\n0\r\n\r\n"
    )
    second = b"HTTP/1.1 204 No Content\r\n\r\n"
    for size in (1, 3, 1000):
        whole = answer + second
        with client(monkeypatch, Wire(*(whole[at : at + size] for at in range(0, len(whole), size)))) as asked:
            assert asked.request("GET", "/") == (200, b"ab\r\n0123456789abcdef")
            assert asked.request("GET", "/") == (204, b"")


def test_a_connection_that_is_closed_after_the_answer_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Wire(b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
    second = Wire(b"HTTP/1.1 204 No Content\r\n\r\n")
    with client(monkeypatch, first, second) as asked:
        assert asked.request("POST", "/", b"{}") == (201, b"{}")
        assert asked.request("DELETE", "/") == (204, b"")
    assert first.sent.startswith(b"POST") and second.sent.startswith(b"DELETE")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "closed without an answer"),
        (b"-ERR unknown command\r\n\r\n", "the answer is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab", "in the middle of a message"),
    ],
)
def test_what_is_no_answer(monkeypatch: pytest.MonkeyPatch, sent: bytes, words: str) -> None:
    with client(monkeypatch, Wire(sent)) as asked, pytest.raises(BenchError, match=words):
        asked.request("GET", "/x")


def test_notifications_of_others() -> None:
    head = b"POST /ric/v1/subscriptions/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    told = b'{"SubscriptionId":"a","SubscriptionInstances":[{"E2EventInstanceId":7,"XappEventInstanceId":1}]}'
    failed = b'{"SubscriptionId":"b","SubscriptionInstances":[{"E2EventInstanceId":0,"ErrorCause":"no"},{}]}'
    bodies = [b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) for body in (told, failed, b"[]")]
    listener, wire = Listener(), Wire(*(head + body for body in bodies))
    listener._serve(wire, None)
    assert list(listener.came) == ["a", "b"]
    assert listener.failures[:2] == ["no", "no cause is given"]
    assert listener.failures[2].startswith("a notification cannot be read")
    assert wire.sent.count(b"200 OK") == 3
