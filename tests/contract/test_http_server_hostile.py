# SPDX-License-Identifier: Apache-2.0
"""Clients that send or read so as to use up time, memory or places of the HTTP server: the others do not notice."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import gevent
import pytest
from flask import Response, request
from gevent import socket
from msgspec.structs import replace
from support.waiting import eventually

from submgr.platform.http.app import JsonApp, json_response
from submgr.platform.http.buffered_socket import BufferedSocket
from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.server import HttpServer
from submgr.platform.turns import turn

MIB = 1024 * 1024
LIMITS = HttpLimits(requests=8 * MIB, answers=8 * MIB, connections=200)
GET = b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def make_app() -> JsonApp:
    app = JsonApp("test")
    large = bytes(7 * MIB)

    @app.route("/small", methods=["GET", "POST"])
    def small() -> Response:
        return json_response({"length": len(request.get_data())})

    @app.get("/costly")
    def costly() -> Response:
        until = time.monotonic() + 0.003
        while time.monotonic() < until:
            continue
        return Response(b"c" * 10_000)

    @app.get("/large")
    def own() -> Response:
        return Response(bytes(3 * MIB))

    @app.get("/shared")
    def shared() -> Response:
        return Response(large)

    return app


@pytest.fixture
def server() -> Iterator[HttpServer]:
    server = HttpServer("test", "127.0.0.1:0", make_app(), limits=LIMITS)
    server.start()
    yield server
    server.stop(0)


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def connect(server: HttpServer, sockets: ExitStack, host: str = "127.0.0.1") -> socket.socket:
    return sockets.enter_context(socket.create_connection(server.address, source_address=(host, 0)))


def until_closed(sock: socket.socket) -> bytes:
    data = b""
    with gevent.Timeout(10), suppress(ConnectionResetError):
        while more := sock.recv(65536):
            data += more
    return data


def answer(server: HttpServer, request_bytes: bytes) -> bytes:
    with socket.create_connection(server.address) as sock:
        sock.sendall(request_bytes)
        sock.shutdown(socket.SHUT_WR)
        return until_closed(sock)


def flood(sock: socket.socket, octets: bytes) -> None:
    with suppress(OSError):
        while True:
            sock.sendall(octets)


ATTACKS = {
    "pipelined requests": GET * 2000,
    "costly pipelined requests": b"GET /costly HTTP/1.1\r\nHost: x\r\n\r\n" * 1000,
    "chunks of one byte": CHUNKED + b"1\r\nx\r\n" * 100_000,
    "trailers": CHUNKED + b"0\r\n" + b"T: x\r\n" * 100_000,
    "chunk extensions": CHUNKED + b"1;x=y\r\na\r\n" * 100_000,
    "header fields": b"GET /small HTTP/1.1\r\n" + b"A: b\r\n" * 100_000,
    "bodies that are refused": b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + bytes(MIB),
}


@pytest.mark.parametrize("octets", ATTACKS.values(), ids=ATTACKS.keys())
def test_the_event_loop_goes_round_and_another_client_is_served_before_them(server, sockets, octets):
    """The attackers are in the same process and send from the same event loop: counts of turns, not times, tell."""
    attackers = [gevent.spawn(flood, connect(server, sockets), octets) for _ in range(40)]
    turns = longest = 0
    until = time.monotonic() + 1
    while time.monotonic() < until:
        began = time.monotonic()
        turn()
        turns += 1
        longest = max(longest, time.monotonic() - began)
    assert turns > 10
    began = time.monotonic()
    for _ in range(3):
        assert answer(server, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < 3
    gevent.killall(attackers)


def test_unfinished_bodies_are_bounded_in_all_and_a_small_request_is_served_meanwhile(server, sockets):
    body = b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % MIB + bytes(MIB - 1)
    attackers = [connect(server, sockets) for _ in range(40)]
    writers = [gevent.spawn(sock.sendall, body) for sock in attackers]
    eventually(lambda: server.connections.held > LIMITS.requests // 2)
    small = b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    held = []
    for _ in range(10):
        assert answer(server, small).endswith(b'{"length":2}\n')
        held.append(server.connections.held)
    gevent.joinall(writers, timeout=10)
    assert max(held) <= LIMITS.requests
    assert server.connections.held <= LIMITS.requests
    for sock in attackers:  # those that had room are complete now
        with suppress(OSError):
            sock.sendall(b"x")
            sock.shutdown(socket.SHUT_WR)
    answers = [until_closed(sock) for sock in attackers]
    assert 1 <= sum(each.startswith(b"HTTP/1.1 200") for each in answers) <= LIMITS.requests // MIB
    refused = [each for each in answers if each.startswith(b"HTTP/1.1 503")]
    assert len(refused) > 20, "a connection that is closed while its client still sends may lose its answer"
    assert all(b"Retry-After: 1" in each for each in refused)


def test_answers_that_nobody_reads_are_bounded_and_the_oldest_are_given_up(server, sockets):
    lazy = []
    for _ in range(20):
        lazy.append(connect(server, sockets))
        lazy[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy[-1].sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    eventually(lambda: server.connections.held > 0)
    gevent.sleep(0.1)
    assert server.connections.held <= LIMITS.requests
    whole = answer(server, b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert len(whole) > 3 * MIB
    assert len(server.connections) < 20


def test_an_answer_that_is_shared_is_held_once(server, sockets):
    lazy = [connect(server, sockets) for _ in range(20)]
    for sock in lazy:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(b"GET /shared HTTP/1.1\r\nHost: x\r\n\r\n")
    eventually(lambda: server.connections.held >= 7 * MIB)
    gevent.sleep(0.1)
    assert 7 * MIB <= server.connections.held < 8 * MIB
    assert len(server.connections) == 20


def test_a_connection_between_two_requests_holds_nothing(server, sockets):
    sock = connect(server, sockets)
    for _ in range(2):
        sock.sendall(b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n" + bytes(500_000))
        assert b"200 OK" in sock.recv(1000)
    eventually(lambda: server.connections.held == 0)


def test_a_body_and_answers_larger_than_the_room_in_flight_are_503():
    server = HttpServer(
        "test", "127.0.0.1:0", make_app(), limits=replace(LIMITS, requests=2 * MIB, answers=2 * MIB, body=9 * MIB)
    )
    server.start()
    body = b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (3 * MIB) + bytes(3 * MIB)
    for octets in (body, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"):
        got = answer(server, octets)
        assert got.startswith(b"HTTP/1.1 503")
        assert json.loads(got.partition(b"\r\n\r\n")[2])["message"] == "too many bytes are in flight"
    assert answer(server, GET).startswith(b"HTTP/1.1 200")
    server.stop(0)


def test_connections_that_idle_keep_no_bodies(server, sockets):
    clients = [connect(server, sockets) for _ in range(50)]
    tracemalloc.start()
    try:
        for client in clients:
            client.sendall(b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + bytes(60_000))
            assert client.recv(65536).endswith(b'{"length":60000}\n')
        assert tracemalloc.get_traced_memory()[0] < MIB
    finally:
        tracemalloc.stop()


def test_a_request_that_has_come_whole_can_be_crowded_out_while_it_waits_for_its_turn(server, sockets, monkeypatch):
    def crowd_out(_: BufferedSocket) -> None:
        for handler in server.connections._slow:
            handler.crowd_out()

    monkeypatch.setattr(BufferedSocket, "spend", crowd_out)
    sock = connect(server, sockets)
    sock.sendall(GET)
    assert until_closed(sock).startswith(b"HTTP/1.1 503 ")


def test_slow_heads_of_all_places_lock_nobody_out_and_stay_within_the_bound(server, sockets):
    for n in range(LIMITS.connections * 2):
        connect(server, sockets, f"127.0.0.{2 + n % 5}").sendall(b"GET /small HTTP/1.1\r\nHost:")
        if n % 50 == 0:
            assert answer(server, GET).startswith(b"HTTP/1.1 200")
    assert answer(server, GET).startswith(b"HTTP/1.1 200")
    assert len(server.connections) <= LIMITS.connections


def test_an_answer_for_whose_rest_there_is_no_room_breaks_off_and_is_not_mixed_with_another(sockets):
    server = HttpServer("test", "127.0.0.1:0", make_app(), limits=replace(LIMITS, answers=1000))
    server.start()
    sock = connect(server, sockets)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.sendall(b"GET /costly HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
    eventually(lambda: not server.connections)
    got = until_closed(sock)
    *whole, last = got.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert all(each.endswith(b"\r\n\r\n" + b"c" * 10_000) for each in whole)
    assert 2 < len(whole) < 200
    assert b"503" not in last
    server.stop(0)
