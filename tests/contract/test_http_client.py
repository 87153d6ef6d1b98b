# SPDX-License-Identifier: Apache-2.0
"""The HTTP client against servers that answer badly, late, or in ways only old servers do."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import gevent
import gevent.event
import gevent.ssl
import pytest
from gevent import socket
from gevent.server import StreamServer
from support.waiting import eventually

from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpConnectError, HttpProtocolError, HttpTimeout
from submgr.platform.http.target import Target
from submgr.platform.tls import client_files

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Peer:
    """A server that does on each connection what the test says; it keeps what it has read."""

    talk: Callable[["Peer", socket.socket], None]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._server = StreamServer(("127.0.0.1", 0), self._handle)
        self._server.start()
        self.port: int = self._server.server_port

    def _handle(self, sock: socket.socket, address: tuple[str, int]) -> None:
        self.connections += 1
        with sock:
            self.talk(self, sock)

    def read(self, sock: socket.socket) -> bytes:
        """One request, b"" when the client has closed."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            body += sock.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return head

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[Peer, socket.socket], None]], Peer]]:
    peers: list[Peer] = []

    def start(talk: Callable[[Peer, socket.socket], None]) -> Peer:
        peers.append(Peer(talk))
        return peers[-1]

    yield start
    for one in peers:
        one.stop()


def keep_alive(peer: Peer, sock: socket.socket) -> None:
    while peer.read(sock):
        sock.sendall(OK)


def test_request_has_a_length_and_its_answer_is_complete(client, peer):
    server = peer(keep_alive)
    answer = client.request(
        "POST", f"http://127.0.0.1:{server.port}/a%20b?x=1", body=b"{}", headers={"Content-Type": "application/json"}
    )
    assert (answer.status, answer.body, answer.ok) == (200, b"ok", True)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a%20b?x=1 HTTP/1.1"
    assert b"Content-Length: 2" in lines
    assert b"Content-Type: application/json" in lines
    assert f"Host: 127.0.0.1:{server.port}".encode() in lines
    assert b"ransfer-" not in head
    assert body == b"{}"


def test_an_empty_post_says_so_and_a_get_has_no_length(client, peer):
    server = peer(keep_alive)
    client.request("POST", Target("127.0.0.1", server.port, "/"))
    client.request("GET", Target("127.0.0.1", server.port, "/"))
    assert b"Content-Length: 0" in server.requests[0]
    assert b"Content-Length" not in server.requests[1]


def test_connections_are_reused(client, peer):
    server = peer(keep_alive)
    for _ in range(20):
        client.request("POST", Target("127.0.0.1", server.port, "/"), body=b"x")
    assert server.connections == 1
    assert len(client._pool) == 1


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", 200, b"to the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", 200, b"old"),
        (b"HTTP/1.0 200\r\nContent-Length: 3\r\n\r\nold", 200, b"old"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, b""),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy", 503, b"busy"),
    ],
)
def test_answers_of_servers_old_and_simple(client, peer, answer, status, body):
    def talk(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(answer)

    server = peer(talk)
    for _ in range(3):  # whatever is kept or closed in between
        got = client.request("POST", Target("127.0.0.1", server.port, "/"), body=b"x")
        assert (got.status, got.body) == (status, body)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000 + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: x\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n",
    ],
)
def test_a_broken_answer_is_a_protocol_error_and_not_repeated(client, peer, answer):
    def talk(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(answer)

    server = peer(talk)
    with pytest.raises(HttpProtocolError, match=str(server.port)):
        client.request("POST", Target("127.0.0.1", server.port, "/"), body=b"x")
    assert len(server.requests) == 1
    assert len(client._pool) == 0


def test_a_reset_instead_of_an_answer_is_a_protocol_error(client, peer):
    def talk(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    with pytest.raises(HttpProtocolError):
        client.request("GET", Target("127.0.0.1", peer(talk).port, "/"))


def test_a_kept_connection_closed_by_the_peer_is_replaced_without_an_error(client, peer):
    def one_each(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(OK)  # the length says the connection stays open, and then it closes

    server = peer(one_each)
    for _ in range(5):
        assert client.request("POST", Target("127.0.0.1", server.port, "/"), body=b"x").status == 200
    assert (server.connections, len(server.requests)) == (5, 5)


def test_a_kept_connection_that_dies_under_the_request_is_tried_once_more(client, peer):
    def talk(server: Peer, sock: socket.socket) -> None:
        first = server.connections == 1
        server.read(sock)
        sock.sendall(OK)
        if first:
            server.read(sock)  # takes the second request and closes without a byte
        else:
            server.read(sock)

    server = peer(talk)
    target = Target("127.0.0.1", server.port, "/")
    assert client.request("POST", target, body=b"1").status == 200
    assert client.request("POST", target, body=b"2").status == 200
    assert [one[-1:] for one in server.requests] == [b"1", b"2", b"2"]


def test_an_answer_that_began_is_never_asked_for_again(client, peer):
    def talk(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(OK)
        if server.read(sock):
            sock.sendall(b"HTTP/1.1 2")

    server = peer(talk)
    target = Target("127.0.0.1", server.port, "/")
    client.request("POST", target, body=b"1")
    with pytest.raises(HttpProtocolError):
        client.request("POST", target, body=b"2")
    assert len(server.requests) == 2


def test_refused_unresolvable_and_impossible_addresses_were_not_sent(client):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        port = taken.getsockname()[1]
        with pytest.raises(HttpConnectError, match=rf"127\.0\.0\.1:{port}") as refused:
            client.request("POST", Target("127.0.0.1", port, "/"), body=b"x")
        assert refused.value.sent is False
    for url in (
        "http://no-such-host.invalid/",
        "http:///x",
        "ftp://h/",
        "http://h:99999/",
        "http://a b/",
        "",
        "http://h\r\nX: y/",
        f"http://{'a' * 70}.example/",
        "http://[::1/",
        "//h/",
        "http://ü/",
    ):
        with pytest.raises(HttpConnectError):
            client.request("GET", url)
    for host in ("", "a b", "a\r\nb", "h/x", "u@h", "ü.example"):
        with pytest.raises(HttpConnectError):
            client.request("GET", Target(host, 80, "/"))


def test_a_silent_server_times_out_in_all_and_holds_no_connection(client, peer):
    def trickle(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):  # a byte now and then does not extend the time
            sock.sendall(b"x")
            gevent.sleep(0.02)

    for talker in (lambda server, sock: gevent.sleep(60), trickle):
        server = peer(talker)
        with pytest.raises(HttpTimeout) as late:
            client.request("POST", Target("127.0.0.1", server.port, "/"), body=b"x", read_timeout=0.15)
        assert late.value.sent is True
        assert "0.15 s" in str(late.value)
    assert len(client._pool) == 0


def test_what_follows_an_answer_is_not_taken_for_the_next_one(client, peer):
    def talk(server: Peer, sock: socket.socket) -> None:
        while server.read(sock):
            sock.sendall(OK + b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")

    server = peer(talk)
    for _ in range(3):
        assert client.request("GET", Target("127.0.0.1", server.port, "/")).status == 200
    assert (server.connections, len(client._pool)) == (3, 0)


def test_a_body_over_the_limit_is_refused(client, peer):
    def endless(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sock.sendall(b"x" * 4096)

    def announced(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        server.read(sock)

    for talk in (endless, announced):
        with pytest.raises(HttpProtocolError, match="more than 10000 bytes"):
            client.request("GET", Target("127.0.0.1", peer(talk).port, "/"), max_response=10_000)


def test_descriptors_stay_flat_whatever_the_server_does(client, peer):
    def talk(server: Peer, sock: socket.socket) -> None:
        while server.read(sock):
            kind = len(server.requests) % 4
            if kind == 0:
                sock.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 100000\r\n\r\n" + b"e" * 100_000)
            elif kind == 1:
                sock.sendall(OK)
            elif kind == 2:
                sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nrest")
                return
            else:
                sock.sendall(b"nonsense\r\n")
                return

    server = peer(talk)

    def some(count: int) -> int:
        for _ in range(count):
            try:
                client.request("POST", Target("127.0.0.1", server.port, "/"), body=b"x" * 100)
            except HttpProtocolError:
                continue
        gevent.sleep(0.01)
        return len(os.listdir("/proc/self/fd"))

    before = some(20)
    assert some(200) <= before + 2


def test_connections_to_one_endpoint_are_bounded_and_waiting_for_one_is_bounded(peer):
    release = gevent.event.Event()

    def talk(server: Peer, sock: socket.socket) -> None:
        while server.read(sock):
            release.wait()
            sock.sendall(OK)

    server = peer(talk)
    client = HttpClient(connections=3)
    target = Target("127.0.0.1", server.port, "/")
    waiting = [gevent.spawn(client.request, "GET", target) for _ in range(3)]
    gevent.sleep(0.05)
    with pytest.raises(HttpTimeout, match="busy") as busy:
        client.request("GET", target, connect_timeout=0.05)
    assert busy.value.sent is False
    waiting += [gevent.spawn(client.request, "GET", target) for _ in range(6)]
    release.set()
    gevent.joinall(waiting, timeout=10, raise_error=True)
    assert [one.value.status for one in waiting] == [200] * 9
    assert server.connections == 3
    client.close()


def test_idle_connections_are_bounded_and_expire(peer):
    server = peer(keep_alive)
    client = HttpClient(idle=2, idle_seconds=0.1)
    target = Target("127.0.0.1", server.port, "/")
    gevent.joinall([gevent.spawn(client.request, "GET", target) for _ in range(6)], raise_error=True)
    assert len(client._pool) <= 2
    eventually(lambda: not len(client._pool), 5)


def test_a_killed_request_leaves_nothing_behind(peer):
    server = peer(lambda server, sock: gevent.sleep(60))
    client, target = HttpClient(connections=1), Target("127.0.0.1", server.port, "/")
    running, waiting = (gevent.spawn(client.request, "GET", target, read_timeout=60) for _ in range(2))
    gevent.sleep(0.05)
    waiting.kill()
    running.kill()
    assert len(client._pool) == 0
    assert len(client._gates) == 0


def test_a_large_body_streams_in_pieces(client, peer):
    size = 10_000_000

    def talk(server: Peer, sock: socket.socket) -> None:
        while server.read(sock):
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // 100_000):
                sock.sendall(b"s" * 100_000)

    server = peer(talk)
    target = Target("127.0.0.1", server.port, "/")
    for _ in range(2):
        with client.stream("GET", target) as answer:
            pieces = [len(piece) for piece in answer.chunks()]
        assert (answer.length, sum(pieces)) == (size, size)
        assert max(pieces) <= 65536
    assert server.connections == 1
    with client.stream("GET", target) as answer:
        next(answer.chunks())
    assert len(client._pool) == 0  # left early: the rest of the body is on its way in this connection


def test_a_stream_that_breaks_off_is_an_error_and_not_an_end(client, peer):
    def talk(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 70_000)

    with client.stream("GET", Target("127.0.0.1", peer(talk).port, "/")) as answer:
        got = 0
        with pytest.raises(HttpProtocolError, match="30000 bytes of the body missing"):
            for piece in answer.chunks():
                got += len(piece)
    assert got == 70_000


def test_a_stream_that_goes_on_is_handed_on_as_it_comes(client, peer):
    """Of events, say, the next of which may come in an hour."""
    seen = gevent.event.Event()

    def talk(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        seen.wait(20)
        sock.sendall(b"3\r\ntwo\r\n0\r\n\r\n")
        sock.recv(1)

    with client.stream("GET", Target("127.0.0.1", peer(talk).port, "/")) as answer:
        pieces = answer.pieces(20)
        assert next(pieces) == b"one"
        seen.set()
        assert b"".join(pieces) == b"two"
    assert len(client._pool) == 1


def test_a_stream_in_which_nothing_comes_for_too_long_is_late(client, peer):
    def talk(server: Peer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        sock.recv(1)

    with client.stream("GET", Target("127.0.0.1", peer(talk).port, "/")) as answer:
        pieces = answer.pieces(0.05)
        assert next(pieces) == b"one"
        with pytest.raises(HttpTimeout):
            next(pieces)


def test_an_early_refusal_of_a_large_body_is_seen(client, peer):
    def talk(server: Peer, sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass

    answer = client.request("POST", Target("127.0.0.1", peer(talk).port, "/"), body=b"x" * 5_000_000)
    assert (answer.status, answer.body) == (413, b"big")


def test_headers_cannot_be_smuggled(client):
    with pytest.raises(ValueError, match="header"):
        client.request("GET", "http://127.0.0.1:1/", headers={"X": "a\r\nY: b"})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return certificate, key


def test_mutual_tls(certificate):
    certificate_file, key = certificate
    context = gevent.ssl.SSLContext(gevent.ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(certificate_file)
    context.load_cert_chain(certificate_file, key)
    context.verify_mode = gevent.ssl.CERT_REQUIRED

    def handle(sock: socket.socket, address: tuple[str, int]) -> None:
        while sock.recv(65536):
            sock.sendall(OK)

    server = StreamServer(("127.0.0.1", 0), handle, ssl_context=context)
    server.start()
    url = f"https://127.0.0.1:{server.server_port}/"
    client = HttpClient(tls=client_files(certificate_file, certificate_file, key))
    for _ in range(3):
        assert client.request("GET", url).body == b"ok"
    assert len(client._pool) == 1  # kept over requests, with TLS too
    client.close()
    with pytest.raises(HttpConnectError, match=r"(?i)certificate"):
        HttpClient(tls=client_files(None, None, None)).request("GET", url)
    with pytest.raises(HttpConnectError, match="TLS context"):
        HttpClient().request("GET", url)
    with pytest.raises(HttpConnectError, match="No such file"):
        HttpClient(tls=client_files("/no/such/file", None, None)).request("GET", url)
    server.stop()
