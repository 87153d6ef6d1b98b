# SPDX-License-Identifier: Apache-2.0
"""The HTTP server as clients see it, good ones and bad ones, over real sockets."""

import gc
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import gevent
import pytest
from flask import Response, request
from gevent import socket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.examples import examples
from support.waiting import eventually

from submgr.platform.http.app import ApiError, JsonApp, after_sent, json_response
from submgr.platform.http.client import HttpClient
from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.error_formats import problem_errors
from submgr.platform.http.errors import HttpProtocolError
from submgr.platform.http.handler import Handler
from submgr.platform.http.listen import ListenError
from submgr.platform.http.server import HttpServer
from submgr.platform.http.target import Target

LIMITS = HttpLimits(body=100_000, connections=20, idle=30, read=0.3, write=0.5)


def make_app(**options: object) -> JsonApp:
    app = JsonApp("test", max_body=LIMITS.body, **options)

    @app.get("/things")
    def things() -> Response:
        return json_response([1, 2])

    @app.post("/things")
    def post() -> Response:
        return json_response({"length": len(request.get_data())}, 201)

    @app.delete("/things/<name>")
    def delete(name: str) -> Response:
        return Response(status=204)

    @app.get("/slow")
    def slow() -> Response:
        gevent.sleep(0.2)
        return json_response("slow")

    @app.get("/wait")
    def wait() -> Response:
        gevent.sleep(2)
        return json_response("waited")

    @app.get("/health/alive")
    def alive() -> Response:
        return json_response("alive")

    @app.get("/bug")
    def bug() -> Response:
        raise RuntimeError("a bug")

    @app.get("/late-bug")
    def late_bug() -> Response:
        def body() -> Iterator[bytes]:
            yield b"x" * 1000
            raise RuntimeError("a late bug")

        return Response(body())

    @app.get("/busy")
    def busy() -> Response:
        raise ApiError(503, "no place", [{"field": "a", "message": "b"}], {"Retry-After": "5"}, {"why": "full"})

    @app.get("/large")
    def large() -> Response:
        return Response(b"l" * 50_000_000)

    @app.get("/endless")
    def endless() -> Response:
        return Response(iter([b"1"] * 3))

    return app


@pytest.fixture
def server() -> Iterator[HttpServer]:
    server = HttpServer("test", "127.0.0.1:0", make_app(), limits=LIMITS)
    server.start()
    yield server
    server.stop(0.1)


@pytest.fixture
def call(server: HttpServer) -> Iterator[Callable[..., object]]:
    client = HttpClient()

    def call(method: str, path: str, **options: object) -> object:
        return client.request(method, Target("127.0.0.1", server.address[1], path), **options)

    yield call
    client.close()


def connect(server: HttpServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.address[1]))


def until_closed(sock: socket.socket) -> bytes:
    data = b""
    with gevent.Timeout(10):
        while more := sock.recv(65536):
            data += more
    return data


def exchange(server: HttpServer, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, read until the server closes: status, headers, body."""
    with connect(server) as sock:
        sock.sendall(data)
        head, _, body = until_closed(sock).partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    return int(status.split()[1]), {k.lower(): v for k, v in (f.split(": ", 1) for f in fields)}, body


@pytest.mark.parametrize("path", ["/things", "/things/", "//things", "/things//", "///things///"])
def test_slashes_do_not_matter_and_nothing_redirects(call, path):
    assert call("GET", path).status == 200
    assert call("POST", path, body=b"{}").status == 201


def test_every_error_is_json(call):
    cases = [
        ("GET", "/nothing", 404, {}),
        ("PUT", "/things", 405, {"allow": "GET, HEAD, POST"}),
        ("OPTIONS", "/things", 405, {"allow": "GET, HEAD, POST"}),
        ("PATCH", "/things/x", 405, {"allow": "DELETE"}),
        ("BREW", "/things", 405, {"allow": "GET, HEAD, POST"}),
        ("GET", "/bug", 500, {}),
        ("GET", "/busy", 503, {"retry-after": "5"}),
    ]
    for method, path, status, headers in cases:
        answer = call(method, path)
        body = json.loads(answer.body)
        assert (answer.status, body["code"], answer.headers["content-type"]) == (status, status, "application/json")
        assert body["message"]
        assert isinstance(body["errors"], list)
        assert headers.items() <= answer.headers.items()
    assert body == {"code": 503, "message": "no place", "errors": [{"field": "a", "message": "b"}], "why": "full"}


def test_a_bug_is_logged_with_its_traceback_and_not_told_to_the_client(call, caplog):
    answer = call("GET", "/bug")
    assert b"a bug" not in answer.body
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.exc_info[0] for record in records] == [RuntimeError]


def test_the_log_has_the_status_of_the_request_not_of_the_one_before(server, caplog):
    app = server._app

    def fails(environ, start_response):
        if environ["PATH_INFO"] == "/fails":
            raise RuntimeError("a bug")
        return app(environ, start_response)

    server._server.application = fails
    caplog.set_level(logging.DEBUG, "submgr.platform.http.handler")
    things, fails = (f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in ("/things", "/fails"))
    with connect(server) as sock:
        sock.sendall(things + fails)
        assert until_closed(sock).count(b"HTTP/1.1 ") == 2
    eventually(lambda: len(server.connections) == 0)
    assert [record.status for record in caplog.records if record.msg == "http"] == [200, 500]


def test_problem_details_are_the_other_format():
    server = HttpServer("t", "127.0.0.1:0", make_app(errors=problem_errors), limits=LIMITS, errors=problem_errors)
    server.start()
    status, headers, body = exchange(server, b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (status, headers["content-type"]) == (404, "application/problem+json")
    assert json.loads(body) == {
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is no /nothing"
    }  # fmt: skip
    status, headers, body = exchange(server, b"nonsense\r\n\r\n")
    assert (status, headers["content-type"], json.loads(body)["status"]) == (400, "application/problem+json", 400)
    server.stop(0)


def test_other_content_is_415_before_405_and_after_404():
    client = make_app(json_only=True).test_client()
    assert client.post("/things", data="x", content_type="text/plain").status_code == 415
    assert client.post("/slow", data="x", content_type="text/plain").status_code == 415
    assert client.post("/nothing", data="x", content_type="text/plain").status_code == 404
    for taken in ("application/json", "application/json; charset=utf-8", "application/merge-patch+json", ""):
        assert client.post("/things", data="{}", content_type=taken).status_code == 201
    assert client.delete("/things/a", data="x", content_type="text/plain").status_code == 204


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400),
        (b"GET /things\r\n\r\n", 400),
        (b"GET  /things HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"G\xe4T /things HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET things HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /things HTTP/2.0\r\n\r\n", 505),
        (b"GET /things HTTP/x.y\r\n\r\n", 505),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /things HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
        (b"GET /things HTTP/1.1\r\nHost: x\r\nSpace : x\r\n\r\n", 400),
        (b"GET /things HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n", 400),
        (b"GET /things HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /things HTTP/1.1\r\nHost: x\r\n" + b"A: %s\r\n" % (b"b" * 1000) * 70 + b"\r\n", 431),
        (b"GET /things HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /things HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 1_0\r\n\r\n", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabXX", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n", 413),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999999999999\r\n\r\n", 400),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", 408),
        (b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Le", 408),
    ],
)
def test_malformed_requests_get_a_json_answer_and_the_server_lives(server, capfd, request_bytes, status):
    got, headers, body = exchange(server, request_bytes)
    assert got == status
    assert json.loads(body)["code"] == status
    assert headers["connection"] == "close"
    assert exchange(server, b"GET /things HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0] == 200
    assert capfd.readouterr().err == ""


def test_a_body_over_the_limit_is_413_however_it_comes(server, call):
    assert call("POST", "/things", body=b"x" * LIMITS.body).status == 201
    for size in (LIMITS.body + 1, 30_000_000):
        answer = call("POST", "/things", body=b"x" * size)
        assert (answer.status, json.loads(answer.body)["code"]) == (413, 413)
    chunks = b"".join(b"%x\r\n%s\r\n" % (1000, b"y" * 1000) for _ in range(150)) + b"0\r\n\r\n"
    head = b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(server, head + chunks)[0] == 413


@pytest.mark.parametrize(
    "endless",
    [b"0\r\n" + b"T: x\r\n" * 100_000, b"1;" + b"x" * 1_000_000, b"1;%s\r\na\r\n" % (b"x" * 100) * 10_000],
    ids=["trailers", "extension", "extensions"],
)
def test_framing_without_an_end_is_refused(server, endless):
    head = b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(server, head + endless)[0] == 400


def test_chunks_continue_and_pipelines_are_understood(server):
    two = (
        b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: x\r\n\r\n"
        b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi\r\n"
        b"GET http://other/things?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    with connect(server) as sock:
        sock.sendall(two)
        answer = until_closed(sock)
    assert answer.count(b"HTTP/1.1 201") == 2
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b'{"length":5}' in answer
    assert b'{"length":2}' in answer
    with connect(server) as sock:
        fields = b"Host: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n"
        sock.sendall(b"POST /things HTTP/1.1\r\n" + fields + b"\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"ok")
        assert b'{"length":2}' in until_closed(sock)


def test_http_1_0_closes_unless_it_asks_otherwise(server):
    assert exchange(server, b"GET /things HTTP/1.0\r\n\r\n")[0] == 200
    with connect(server) as sock:
        sock.sendall(b"GET /things HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
        assert b"Connection: keep-alive" in sock.recv(10_000)
        sock.sendall(b"GET /endless HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
        answer = until_closed(sock)  # no length: only its end tells the end
    assert answer.endswith(b"\r\n\r\n111")
    assert b"chunked" not in answer


def test_keep_alive_answers_do_not_wait_for_the_clients_acknowledgement(server, call):
    assert server._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    began = time.monotonic()
    for _ in range(50):
        assert call("GET", "/things").status == 200
    assert time.monotonic() - began < 50 * 0.040 / 2
    assert len(server.connections) == 1


def test_clients_that_reset_leave_no_trace_on_stderr(server, capfd):
    for data in (
        b"",
        b"GET /th",
        b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx",
    ):
        for _ in range(5):
            sock = connect(server)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            sock.sendall(data)
            gevent.sleep(0.002)
            sock.close()
    eventually(lambda: not server.connections)
    assert capfd.readouterr().err == ""


def test_slow_readers_and_slow_writers_are_bounded_and_delay_nobody(server, call):
    lazy = connect(server)
    lazy.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    slow = connect(server)
    slow.sendall(b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(4):
        slow.sendall(b"x")
        assert call("GET", "/things").status == 200
        gevent.sleep(0.1)
    assert b"408" in until_closed(slow)
    eventually(lambda: len(server.connections) <= 1)  # the pooled one of `call` stays
    lazy.close()
    slow.close()


@pytest.mark.parametrize("begun", [b"", b"GET /sl"], ids=["idle", "slow heads"])
def test_a_full_server_makes_room_for_new_clients(server, begun):
    held = [connect(server) for _ in range(LIMITS.connections)]
    for sock in held:
        with suppress(ConnectionError):
            sock.sendall(begun)
    for _ in range(3):
        assert exchange(server, b"GET /things HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0] == 200
    assert len(server.connections) <= LIMITS.connections
    for sock in held:
        sock.close()


def test_a_server_full_of_requests_under_way_answers_probes_and_refuses_others(server):
    hosts = [f"127.0.0.{2 + n % 2}" for n in range(LIMITS.connections - LIMITS.reserve)]
    busy = [socket.create_connection(server.address, source_address=(host, 0)) for host in hosts]
    for sock in busy:
        sock.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
    eventually(lambda: len(server.connections) == len(hosts))
    gevent.sleep(0.05)
    status, headers, body = exchange(server, b"GET /things HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, headers["retry-after"], json.loads(body)["code"]) == (503, "1", 503)
    assert exchange(server, b"GET /health/alive HTTP/1.1\r\nHost: x\r\n\r\n")[::2] == (200, b'"alive"\n')
    silent = [connect(server) for _ in range(5)]  # those over the bound are inside the bound, too
    gevent.sleep(0.05)
    assert len(server.connections) <= LIMITS.connections
    assert exchange(server, b"GET /health/alive HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 200
    for sock in (*busy, *silent):
        sock.close()


def test_descriptors_are_flat_over_many_clients(server):
    def some(count: int) -> int:
        for n in range(count):
            exchange(
                server, (b"GET /things HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"bad\r\n\r\n", b"")[n % 2]
            )
        gevent.sleep(0.01)
        return len(os.listdir("/proc/self/fd"))

    before = some(10)
    assert some(100) <= before + 1


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /things HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + b"too much" * 9999,
        b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\nhalf",
        b"no request\r\n\r\n",
    ],
)
def test_nothing_is_kept_of_a_connection_that_has_ended(server, request_bytes):
    def kept():
        return sum(isinstance(each, Handler) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        with connect(server) as sock:
            sock.sendall(request_bytes)
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b"H"
        eventually(lambda: len(server.connections) == 0)
        assert kept() == 0, "it is kept until the next garbage collection"
    finally:
        gc.enable()


def test_an_answer_that_breaks_off_is_seen_as_broken(call, caplog):
    with pytest.raises(HttpProtocolError):
        call("GET", "/late-bug")
    assert [r.exc_info[0] for r in caplog.records if r.levelno == logging.ERROR] == [RuntimeError]


def test_after_sent_runs_after_the_answer_is_on_the_socket_and_also_for_a_client_that_left():
    events: list[str] = []
    app = JsonApp("test")

    @app.post("/x")
    def post() -> Response:
        if request.args.get("wait"):
            gevent.sleep(0.05)
        events.append("answered")
        return after_sent(json_response({}, 201), lambda: events.append("sent"))

    server = HttpServer("test", "127.0.0.1:0", app)
    server.start()
    assert exchange(server, b"POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0] == 201
    gone = connect(server)
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    gone.sendall(b"POST /x?wait=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    gevent.sleep(0.02)
    gone.close()
    eventually(lambda: len(events) >= 4, 5)
    assert events == ["answered", "sent"] * 2
    server.stop(0)


def test_a_taken_port_is_one_clear_line(server):
    port = server.address[1]
    for listen in (f"127.0.0.1:{port}", f":{port}"):
        with pytest.raises(ListenError, match=rf"port {port} is taken") as error:
            HttpServer("other", listen, make_app()).start()
        assert "\n" not in str(error.value)
    for bad in ("nonsense", "127.0.0.1:99999", "::1:80", "no-such-host.invalid:80", ":http", ""):
        with pytest.raises(ListenError, match="cannot listen"):
            HttpServer("other", bad, make_app()).start()


def test_bind_reserves_the_port_and_start_listens():
    first = HttpServer("a", ":0", make_app())
    first.bind()
    port = first.address[1]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    first.start()
    with connect(first) as sock:
        sock.sendall(b"GET /things HTTP/1.0\r\n\r\n")
        assert until_closed(sock).startswith(b"HTTP/1.1 200")
    with pytest.raises(ListenError, match=f"port {port} is taken"):
        HttpServer("b", f":{port}", make_app()).start()
    first.stop(0)


def test_stop_lets_requests_finish_and_drops_idle_clients(server, call):
    idle = connect(server)
    running = gevent.spawn(call, "GET", "/slow")
    gevent.sleep(0.05)
    server.stop(5)
    assert running.get(timeout=1).status == 200
    assert running.value.headers["connection"] == "close"
    assert idle.recv(1) == b""
    assert len(server.connections) == 0
    idle.close()


def test_stop_cuts_off_what_takes_too_long(server, capfd):
    with connect(server) as sock:
        sock.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        gevent.sleep(0.05)
        server.stop(0.01)
        assert until_closed(sock) == b""
    assert len(server.connections) == 0
    assert capfd.readouterr().err == ""


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [b"GET ", b"POST ", b"/things", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\r\n\r\n", b"Content-Length: ",
                 b"5", b"Transfer-Encoding: chunked", b"Connection: close", b"0\r\n\r\n", b"Expect: 100-continue"]
            ),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_any_bytes_end_in_an_answer_or_in_a_closed_connection(server, capfd, parts):
    with connect(server) as sock:
        sock.sendall(b"".join(parts))
        sock.shutdown(socket.SHUT_WR)
        answer = until_closed(sock)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in answer.split(b"\r\n", 1)[0]
    assert capfd.readouterr().err == ""
