# SPDX-License-Identifier: Apache-2.0
"""A request that is answered on the short way gets what it would get from a WSGI application, octet for octet."""

from __future__ import annotations

import logging
import re
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from gevent import socket
from support.waiting import eventually

from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.plain_answers import PlainAnswer
from submgr.platform.http.server import HttpServer
from submgr.platform.http.shortcut import FAILED, Answered, Asked, AsWsgi

Told = list[str]

ANSWERS: dict[str, PlainAnswer | Exception] = {
    "/small": PlainAnswer((b"{}\n",), 201),
    "/pieces": PlainAnswer((b"one", b"two")),
    "/empty": PlainAnswer((b"",), content_type="text/plain"),
    "/none": PlainAnswer((), 204, "text/html; charset=utf-8"),
    "/large": PlainAnswer((b"x" * 100_000, b"\n")),
    "/huge": PlainAnswer((b"x" * 8_000_000,)),
    "/failed": ValueError("failed before"),
    "/a b\xff": PlainAnswer((b"decoded",)),
}


class Site:
    """A server. `told`: what the shortcut, the application and what follows an answer have seen."""

    def __init__(self, short: bool) -> None:
        self.told: Told = []
        kwargs: dict[str, Any] = {"shortcut": self.shortcut} if short else {}
        app = self.app if short else AsWsgi(self.shortcut, self.app)
        self.server = HttpServer("test", "127.0.0.1:0", app, limits=HttpLimits(read=5, write=5), **kwargs)
        self.server.start()

    def shortcut(self, asked: Asked) -> Answered | None:
        self.told.append(f"{asked.method} {asked.path} {asked.fields.get('HTTP_X')} {asked.body!r}")
        assert asked.client is not None
        answer = ANSWERS.get(asked.path)
        return None if answer is None else Answered(answer, lambda: self.told.append("followed"))

    def app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.told.append(f"app: {environ.get(FAILED)!r} {environ['wsgi.input'].read()!r} {environ['QUERY_STRING']}")
        if environ["PATH_INFO"] == "/bug":
            raise ZeroDivisionError
        start_response("404 NOT FOUND", [("Content-Length", "18")])
        return [b"by the application"]

    def ask(self, *requests: bytes) -> bytes:
        with socket.create_connection(self.server.address, timeout=10) as sock:
            for request in requests:
                sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
            told = b""
            while piece := sock.recv(65536):
                told += piece
        return re.sub(rb"\r\nDate: [^\r]*", b"\r\nDate:", told)


Both = Callable[..., tuple[bytes, Told]]


@pytest.fixture
def both() -> Iterator[Both]:
    """Asks on both ways; returns what they have answered and done, which is the same."""
    sites = Site(short=True), Site(short=False)

    def ask(*requests: bytes) -> tuple[bytes, Told]:
        (short, told), (wsgi, told_there) = ((site.ask(*requests), site.told) for site in sites)
        assert short == wsgi
        assert told == told_there
        return short, told

    yield ask
    for site in sites:
        site.server.stop(0)


@pytest.mark.parametrize("path", [*ANSWERS, "/other", "/bug", "/small?a=b"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("option", ["", "Connection: close\r\n", "Connection: keep-alive\r\n"])
def test_both_ways_answer_the_same(
    both: Both, path: str, version: str, option: str, caplog: pytest.LogCaptureFixture
) -> None:
    quoted = path.replace(" ", "%20").replace("\xff", "%FF")
    request = f"POST {quoted} HTTP/{version}\r\nHost: x\r\nX: y\r\n{option}Content-Length: 2\r\n\r\nab".encode()
    answer, told = both(request, request)
    keeps = path != "/bug" and option != "Connection: close\r\n" and (version == "1.1" or option)
    assert answer.count(b"HTTP/1.1 ") == told.count(f"POST {path.partition('?')[0]} y b'ab'") == (2 if keeps else 1)
    assert told.count("followed") == (answer.count(b"HTTP/1.1 ") if path.partition("?")[0] in ANSWERS else 0)
    logged = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(logged) == (2 if path == "/bug" else 0)


def test_an_error_on_the_short_way_is_told_by_the_application(both: Both) -> None:
    answer, told = both(b"POST /failed?q HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert told[1:] == ["app: ValueError('failed before') b'ab' q", "followed"]


def test_a_body_in_chunks_has_come_whole(both: Both) -> None:
    chunks = b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
    answer, told = both(b"POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert answer.endswith(b"\r\n\r\n{}\n")
    assert told[0] == "POST /small None b'ab'"


def test_connections_that_idle_keep_no_answers() -> None:
    def list_anew(asked: Asked) -> Answered:
        return Answered(PlainAnswer((bytes(1_000_000),)))

    def nothing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise NotImplementedError

    server = HttpServer("test", "127.0.0.1:0", nothing, shortcut=list_anew)
    server.start()
    with ExitStack() as sockets:
        tracemalloc.start()
        for _ in range(20):
            sock = sockets.enter_context(socket.create_connection(server.address, timeout=10))
            sock.sendall(b"GET /list HTTP/1.1\r\nHost: x\r\n\r\n")
            come = 0
            while come < 1_000_000:
                come += len(sock.recv(65536))
        eventually(lambda: server.connections.held == 0)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    server.stop(0)
    assert kept < 3_000_000


def test_what_follows_an_answer_comes_when_it_has_been_sent_or_its_client_has_gone() -> None:
    site = Site(short=True)
    with socket.create_connection(site.server.address) as sock:
        sock.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(9) == b"HTTP/1.1 "
        assert site.told[1:] == ["followed"]
        sock.sendall(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
        while b"\r\n\r\nxxx" not in sock.recv(65536):
            continue
        assert site.told[3:] == []  # most of it is still to be taken
    site.server.stop(5)
    assert site.told[3:] == ["followed"]
