# SPDX-License-Identifier: Apache-2.0
"""The head that an answer gets, whatever the application left out of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from gevent import socket

from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.server import HttpServer

Answers = Callable[..., bytes]
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


@pytest.fixture
def answer() -> Iterator[Answers]:
    """Serves an application, sends it a request, and returns all that comes until the connection ends."""
    servers = []

    def ask(app: App, version: str = "1.1", fields: str = "Connection: close\r\n") -> bytes:
        server = HttpServer("test", "127.0.0.1:0", app, limits=HttpLimits(read=5, write=5))
        servers.append(server)
        server.start()
        sock = socket.create_connection(server.address)
        sock.sendall(f"GET / HTTP/{version}\r\nHost: x\r\n{fields}\r\n".encode())
        told = b""
        while piece := sock.recv(65536):
            told += piece
        sock.close()
        return told

    yield ask
    for server in servers:
        server.stop(0)


def app(*pieces: bytes, status: str = "200 OK", fields: Iterable[tuple[str, str]] = (), generated: bool = False) -> App:
    def answered(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(status, list(fields))
        return iter(pieces) if generated else pieces

    return answered


def lines(told: bytes) -> list[str]:
    return [line.partition(" G")[0] for line in told.partition(b"\r\n\r\n")[0].decode().split("\r\n")]


def test_the_length_of_a_body_that_is_known_is_told(answer: Answers) -> None:
    told = answer(app(b"one", b"two", fields=[("X", "y")]))
    assert told.endswith(b"\r\n\r\nonetwo")
    first, x, date, *rest = lines(told)
    assert (first, x, rest) == ("HTTP/1.1 200 OK", "X: y", ["Content-Length: 6", "Connection: close"])
    assert date.startswith("Date: ")


def test_what_is_told_already_is_not_told_again(answer: Answers) -> None:
    given = [("content-length", "3"), ("DATE", "then"), ("connection", "close")]
    assert lines(answer(app(b"one", fields=given), fields="")) == [
        "HTTP/1.1 200 OK",
        "content-length: 3",
        "DATE: then",
        "Connection: close",
    ]


@pytest.mark.parametrize("status", ["204 NO CONTENT", "304 NOT MODIFIED"])
def test_an_answer_that_has_no_body_has_no_length(answer: Answers, status: str) -> None:
    told = answer(app(status=status))
    assert b"ength" not in told
    assert told.endswith(b"\r\n\r\n")


def test_a_body_of_unknown_length_comes_in_chunks_or_ends_with_the_connection(answer: Answers) -> None:
    told = answer(app(b"one", b"", b"four", generated=True))
    assert "Transfer-Encoding: chunked" in lines(told)
    assert told.endswith(b"\r\n\r\n3\r\none\r\n4\r\nfour\r\n0\r\n\r\n")
    told = answer(app(b"one", b"two", generated=True), "1.0", "Connection: keep-alive\r\n")
    assert "Connection: close" in lines(told)
    assert told.endswith(b"\r\n\r\nonetwo")


def test_the_end_of_a_line_in_a_field_is_a_bug_of_the_application(
    answer: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    for bad in ("a\r\nSet-Cookie: b", "a\nb", "a\rb"):
        told = answer(app(b"", fields=[("X", bad)]))
        assert told.startswith(b"HTTP/1.1 500 ")
        assert b"Set-Cookie" not in told
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == ["request failed"] * 3
