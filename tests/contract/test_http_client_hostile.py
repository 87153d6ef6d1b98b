# SPDX-License-Identifier: Apache-2.0
"""The HTTP client against servers that mean harm: bounded in time and bytes, and nobody else waits meanwhile.

The servers run in native threads, so that what they cost is not taken for the client's.
"""

from __future__ import annotations

import itertools
import socket as native
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import gevent
import pytest
from support.http.peer import OK

from submgr.adapters.http_answers import text_of
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError, HttpProtocolError, HttpTimeout
from submgr.platform.http.target import Target

LONGEST_TURN = 0.05
"""Seconds of computing after which everybody else must have had a turn."""

Script = Callable[[], Iterable[bytes | float]]
"""What a server sends on a connection: bytes, and pauses in seconds."""


class Attacker:
    """Reads a request on each connection, then plays a script; `early`: without reading anything before."""

    def __init__(self, script: Script, early: bool = False) -> None:
        self._script = script
        self._early = early
        self._listener = native.create_server(("127.0.0.1", 0))
        self._open: list[native.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listener.shutdown(native.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(20)
                self.connections += 1
                self._open.append(sock)
                threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: native.socket) -> None:
        with suppress(OSError), sock:
            if not self._early:
                sock.recv(65536)
            for step in self._script():
                if isinstance(step, float):
                    time.sleep(step)
                else:
                    sock.sendall(step)
            sock.recv(65536)  # until the client closes


@pytest.fixture
def attacker() -> Iterator[Callable[..., Attacker]]:
    attackers: list[Attacker] = []

    def start(script: Script, early: bool = False) -> Attacker:
        attackers.append(Attacker(script, early))
        return attackers[-1]

    yield start
    for each in attackers:
        each.stop()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


@contextmanager
def turns_for_others() -> Iterator[None]:
    """Fails when the event loop computes for longer than LONGEST_TURN without a turn for another greenlet."""
    longest = 0.0

    def watch() -> None:
        nonlocal longest
        before = time.thread_time()
        while True:
            gevent.sleep(0.0005)
            now = time.thread_time()
            longest, before = max(longest, now - before), now

    watcher = gevent.spawn(watch)
    gevent.sleep(0.002)
    try:
        yield
        gevent.sleep(0.002)  # the watcher notices what came last
    finally:
        watcher.kill()
    assert longest < LONGEST_TURN


def endless(first: bytes, again: bytes) -> Script:
    """`first`, then `again` for ever, in pieces of about 64 KiB."""
    piece = again * (65536 // len(again) + 1)
    return lambda: itertools.chain([first], itertools.repeat(piece))


CHUNKED = b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n"

FLOODS: dict[str, Script] = {
    "interim answers": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "interim answers of other kinds": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "a status line": endless(b"HTTP/1.1 200 ", b"k"),
    "blanks in a status line": endless(b"HTTP/1.1 ", b" "),
    "header fields": endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "a header field of many lines": endless(b"HTTP/1.1 200 OK\r\nA: b\r\n", b" c\r\n"),
    "trailers": endless(CHUNKED + b"0\r\n", b"A: b\r\n"),
    "an extension of a chunk": endless(CHUNKED + b"1;", b"x"),
    "extensions of chunks": endless(CHUNKED, b"1;" + b"x" * 100 + b"\r\na\r\n"),
    "chunks of a byte": endless(CHUNKED, b"1\r\na\r\n"),
    "zeros before the size of a chunk": endless(CHUNKED, b"0"),
    "a body without a length": endless(b"HTTP/1.1 500 Oops\r\n\r\n", b"x"),
    "a body in one chunk": endless(CHUNKED + b"fffffffffff\r\n", b"x"),
    "a body of an absurd length": endless(b"HTTP/1.1 500 Oops\r\nContent-Length: 999999999999\r\n\r\n", b"x"),
    "a length of many digits": endless(b"HTTP/1.1 200 OK\r\nContent-Length: ", b"9"),
    "garbage": endless(b"", bytes(range(256))),
    "empty lines": endless(b"", b"\r\n"),
    "lines without a carriage return": endless(b"HTTP/1.1 200 OK\n", b"\n"),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_ends_and_others_have_their_turns(client, attacker, flood):
    target = Target("127.0.0.1", attacker(FLOODS[flood]).port, "/")
    begin = time.monotonic()
    with turns_for_others(), pytest.raises(HttpError):
        answer = client.request("POST", target, body=b"x", read_timeout=1.0, max_response=100_000)
        # nothing but an empty answer with something behind it may count as one
        assert not answer.body
        raise HttpProtocolError
    assert time.monotonic() - begin < 10
    assert len(client._pool) == 0


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_a_refusal_that_is_put_into_words_ends_too(client, attacker, flood):
    target = Target("127.0.0.1", attacker(FLOODS[flood]).port, "/")
    begin = time.monotonic()
    with turns_for_others(), suppress(HttpError), client.stream("POST", target, body=b"x", read_timeout=1.0) as answer:
        assert len(text_of(answer, 1.0)) <= 200
    assert time.monotonic() - begin < 10
    assert len(client._pool) == 0


def dripping(first: bytes, drop: bytes) -> Script:
    return lambda: itertools.chain([first], itertools.cycle([drop, 0.03]))


DRIPS: dict[str, Script] = {
    "a head": dripping(b"HTTP/1.1 200 OK\r\n", b"x"),
    "interim answers": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": dripping(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\n", b"x"),
    "chunks": dripping(CHUNKED, b"1\r\nx\r\n"),
    "trailers": dripping(CHUNKED + b"0\r\n", b"A: b\r\n"),
    "nothing": lambda: [20.0],
}


@pytest.mark.parametrize("drip", DRIPS)
def test_who_sends_a_little_now_and_then_gains_no_time(client, attacker, drip):
    target = Target("127.0.0.1", attacker(DRIPS[drip]).port, "/")
    begin = time.monotonic()
    with pytest.raises(HttpTimeout, match=r"0\.3 s"):
        client.request("POST", target, body=b"x", read_timeout=0.3)
    assert 0.2 < time.monotonic() - begin < 5
    begin = time.monotonic()
    with suppress(HttpError), client.stream("POST", target, body=b"x", read_timeout=0.3) as answer:
        text_of(answer, 0.3)
    assert time.monotonic() - begin < 5
    assert len(client._pool) == 0


def test_an_answer_before_the_request_is_read_is_an_answer(client, attacker):
    target = Target("127.0.0.1", attacker(lambda: [OK], early=True).port, "/")
    assert client.request("POST", target, body=b"x" * 100).status == 200


def test_what_comes_on_an_idle_connection_is_no_answer(client, attacker):
    server = attacker(lambda: [OK, 0.05, b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"])
    target = Target("127.0.0.1", server.port, "/")
    for _ in range(3):
        assert client.request("GET", target).status == 200
        gevent.sleep(0.1)
    assert server.connections == 3


def test_a_compressed_answer_is_not_unpacked(client, attacker):
    bomb = b"\x1f\x8b\x08" + b"\0" * 100
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    answer = client.request("GET", Target("127.0.0.1", attacker(lambda: [head + bomb]).port, "/"))
    assert answer.body == bomb  # nothing here asks for a content coding


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See", b"307 Temporary", b"308 Permanent"])
def test_a_redirect_is_not_followed(client, attacker, status):
    elsewhere = attacker(lambda: [OK])
    location = b"Location: http://127.0.0.1:%d/\r\n" % elsewhere.port
    server = attacker(lambda: [b"HTTP/1.1 " + status + b"\r\n" + location + b"Content-Length: 0\r\n\r\n"])
    answer = client.request("POST", Target("127.0.0.1", server.port, "/"), body=b"x")
    assert (answer.status, answer.ok) == (int(status[:3]), False)
    assert elsewhere.connections == 0


def test_a_refusal_that_is_nested_deeply_is_a_refusal(client, attacker):
    body = b'{"a":' + b"[" * 60_000
    head = b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n" % len(body)
    with client.stream("POST", Target("127.0.0.1", attacker(lambda: [head + body]).port, "/"), body=b"x") as answer:
        assert text_of(answer, 5.0).startswith('{"a":[[[')
