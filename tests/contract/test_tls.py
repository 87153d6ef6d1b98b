# SPDX-License-Identifier: Apache-2.0
"""HTTPS servers over real sockets, with a CA made here: who is let in, how clients are named, who holds up whom."""

from __future__ import annotations

import json
import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import gevent
import pytest
from flask import Response, request
from gevent import socket
from support.tls.authority import Authority, Files
from support.waiting import eventually

from submgr.platform.config.tls import TlsSettings
from submgr.platform.http.app import JsonApp, json_response
from submgr.platform.http.certificates import require_certificate
from submgr.platform.http.client import HttpClient
from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.errors import HttpError
from submgr.platform.http.listen import ListenError
from submgr.platform.http.peer import certificate_name
from submgr.platform.http.server import HttpServer

LIMITS = HttpLimits(connections=20, handshake=1.0, read=0.5)


def make_app() -> JsonApp:
    app = JsonApp("tls")

    @app.get("/name")
    def name() -> Response:
        return json_response([certificate_name(request.environ), request.scheme])

    @app.get("/health/alive")
    def alive() -> Response:
        return json_response("alive")

    @app.post("/size")
    def size() -> Response:
        return json_response(len(request.get_data()))

    return app


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def own(authority: Authority, tmp_path: Path) -> Files:
    """The server's files, which a test may change."""
    made = authority.issue("server", "127.0.0.1", "localhost")
    own = Files(str(tmp_path / "tls.crt"), str(tmp_path / "tls.key"))
    shutil.copy(made.certificate, own.certificate)
    shutil.copy(made.key, own.key)
    return own


Serve = Callable[..., HttpServer]


@pytest.fixture
def serve(own: Files, authority: Authority) -> Iterator[Serve]:
    servers: list[HttpServer] = []

    def start(
        app: JsonApp | None = None, *, asks: bool = True, required: bool = False, limits: HttpLimits = LIMITS
    ) -> HttpServer:
        settings = TlsSettings(own.certificate, own.key, authority.ca if asks else "")
        tls = settings.server("xapp", required=required)
        server = HttpServer("tls", "127.0.0.1:0", app or make_app(), limits=limits, tls=tls)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop(grace=0.1)


@pytest.fixture
def client(authority: Authority) -> Iterator[Callable[..., HttpClient]]:
    clients: list[HttpClient] = []

    def make(shown: Files | None = None) -> HttpClient:
        clients.append(HttpClient(tls=authority.client(shown)))
        return clients[-1]

    yield make
    for each in clients:
        each.close()


def url(server: HttpServer, path: str = "/name") -> str:
    return f"https://127.0.0.1:{server.address[1]}{path}"


@pytest.mark.parametrize(
    ("identities", "common_name", "name"),
    [
        (("xapp-a.ricxapp",), None, "xapp-a.ricxapp"),
        (("localhost", "other"), "xapp-a", "xapp-a"),
        (("first.ricxapp", "second.ricxapp"), None, "first.ricxapp"),
        (("10.0.0.1",), None, None),
    ],
)
def test_a_client_is_named_by_the_common_name_else_the_first_dns_name(
    serve: Serve,
    client: Callable[..., HttpClient],
    authority: Authority,
    identities: tuple[str, ...],
    common_name: str | None,
    name: str | None,
) -> None:
    shown = authority.issue("shown", *identities, common_name=common_name)
    https = client(shown)
    server = serve()
    for _ in range(3):  # on a kept connection, too
        assert json.loads(https.request("GET", url(server)).body) == [name, "https"]


def test_a_client_that_breaks_off_behind_its_request_is_named_all_the_same(
    serve: Serve, client: Callable[..., HttpClient], authority: Authority
) -> None:
    names: list[str | None] = []
    app = make_app()

    @app.post("/change")
    def change() -> Response:
        names.append(certificate_name(request.environ))
        return json_response("changed")

    server = serve(app)
    shown = authority.client(authority.issue("operator"))
    secure = shown.context.wrap_socket(socket.create_connection(server.address), server_hostname="127.0.0.1")
    with secure:
        # complete by its last chunk, but it goes on
        secure.sendall(b"POST /change HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    eventually(lambda: names == ["operator"])


def test_without_a_ca_nobody_is_asked_for_a_certificate(serve: Serve, client: Callable[..., HttpClient]) -> None:
    assert client().request("GET", url(serve(asks=False))).body == b'[null,"https"]\n'


def test_a_required_certificate_is_one_of_our_ca(
    serve: Serve, client: Callable[..., HttpClient], authority: Authority, tmp_path: Path
) -> None:
    server = serve(required=True)
    assert client(authority.issue("a")).request("GET", url(server)).status == 200
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other").issue("a")
    for shown in (None, stranger):
        with pytest.raises(HttpError):
            client(shown).request("GET", url(server))


def test_probes_need_no_certificate_where_others_do(
    serve: Serve, client: Callable[..., HttpClient], authority: Authority
) -> None:
    app = make_app()
    require_certificate(app)
    server = serve(app)
    assert client().request("GET", url(server, "/health/alive")).status == 200
    assert client().request("GET", url(server)).status == 403
    assert client().request("POST", url(server, "/health/alive")).status == 403
    assert client(authority.issue("a")).request("GET", url(server)).status == 200


def test_large_bodies_and_many_requests_pass(serve: Serve, client: Callable[..., HttpClient]) -> None:
    server, https = serve(), client()
    for size in (0, 1, 16384, 16385, 700_000):
        assert https.request("POST", url(server, "/size"), body=b"x" * size).body == b"%d\n" % size


def test_plain_http_and_garbage_get_nothing(serve: Serve, client: Callable[..., HttpClient]) -> None:
    server = serve()
    for words in (b"GET /name HTTP/1.1\r\nHost: a\r\n\r\n", bytes(100), b"\x16\x03\x01\xff\xff" + bytes(500)):
        with socket.create_connection(server.address) as raw:
            raw.sendall(words)
            raw.settimeout(5)
            answer = b""
            with suppress(ConnectionResetError):
                answer = raw.recv(1000)
            assert b"HTTP" not in answer
    assert client().request("GET", url(server)).status == 200
    eventually(lambda: len(server.connections) <= 1)


def test_clients_that_say_nothing_in_the_handshake_hold_nobody(serve: Serve, client: Callable[..., HttpClient]) -> None:
    server = serve()
    silent = [socket.create_connection(server.address) for _ in range(LIMITS.connections)]
    eventually(lambda: len(server.connections) >= LIMITS.connections // 2)
    https = client()

    def served() -> bool:
        with suppress(HttpError):
            return https.request("GET", url(server)).status == 200
        return False

    eventually(served, 10 * LIMITS.handshake)
    eventually(lambda: len(server.connections) <= 1, what="the end of the handshakes that do not go on")
    for sock in silent:
        sock.close()


def test_a_handshake_that_drips_is_bounded_in_all(serve: Serve) -> None:
    server = serve()
    memory, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(memory, outgoing, server_hostname="localhost").do_handshake()
    begin = time.monotonic()
    with socket.create_connection(server.address) as raw, pytest.raises(OSError):
        for octet in outgoing.read():
            raw.sendall(bytes([octet]))
            gevent.sleep(0.05)
    assert time.monotonic() - begin < 20 * LIMITS.handshake


def test_new_files_are_taken_and_broken_ones_are_not(
    serve: Serve, client: Callable[..., HttpClient], authority: Authority, own: Files
) -> None:
    server = serve()

    def serial() -> object:
        with socket.create_connection(server.address) as raw:
            context = authority.client().context
            with context.wrap_socket(raw, server_hostname="localhost") as secure:
                return secure.getpeercert()["serialNumber"]

    first = serial()
    Path(own.certificate).write_text("no certificate")
    assert serial() == first
    assert server.connections.tls is not None
    assert own.certificate in (server.connections.tls.trouble() or "")
    new = authority.issue("new", "127.0.0.1", "localhost")
    shutil.copy(new.key, own.key)
    shutil.copy(new.certificate, own.certificate)
    assert serial() != first
    assert server.connections.tls.trouble() is None
    assert client().request("GET", url(server)).status == 200


def test_a_server_without_its_files_does_not_start(authority: Authority) -> None:
    tls = TlsSettings("/no/such.pem", "/no/such.key").server("xapp")
    with pytest.raises(ListenError, match=r"/no/such\.pem"):
        HttpServer("tls", "127.0.0.1:0", make_app(), tls=tls).bind()


def test_the_end_of_a_server_ends_its_connections(serve: Serve, client: Callable[..., HttpClient]) -> None:
    server, https = serve(), client()
    assert https.request("GET", url(server)).status == 200
    server.stop(grace=2.0)
    eventually(lambda: len(server.connections) == 0)


def test_who_loses_its_request_to_others_is_told_so_in_tls(serve: Serve, authority: Authority) -> None:
    server = serve(asks=False, limits=HttpLimits(requests=150_000, read=10))
    context = authority.client().context
    secured = []
    for _ in range(2):
        sock = socket.create_connection(server.address)
        secured.append(context.wrap_socket(sock, server_hostname="127.0.0.1"))
        secured[-1].sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n" + bytes(100_000))
        eventually(lambda: 100_000 < server.connections.held < 150_000)
    with gevent.Timeout(10):
        assert secured[0].recv(1000).startswith(b"HTTP/1.1 503 ")
        secured[1].sendall(b"x")
        assert secured[1].recv(1000).startswith(b"HTTP/1.1 200 ")
    for sock in secured:
        sock.close()
