# SPDX-License-Identifier: Apache-2.0
"""Attacks on the HTTP listeners: 8088 (`xapp`), 8080 (`platform`) and MEC's (`mec`)."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable
from functools import partial

from support.hostile.ordeal import Attacker

SUBSCRIPTIONS = "/ric/v1/subscriptions"
JSON = "Content-Type: application/json\r\n"


def head(line: str, *fields: str) -> bytes:
    """A request's head with a Host."""
    return "\r\n".join([f"{line} HTTP/1.1", "Host: 127.0.0.1", *fields, "", ""]).encode("latin-1")


POST = f"POST {SUBSCRIPTIONS}"
CHUNKED = head(POST, "Content-Type: application/json", "Transfer-Encoding: chunked")


def endless_trailers(attacker: Attacker) -> None:
    """A chunked body whose trailer never ends."""
    sock = attacker.connect("xapp")
    sock.sendall(CHUNKED + b"2\r\n{}\r\n0\r\n")
    attacker.flood(sock, b"X-Trailer: 1\r\n" * 4096)


def one_byte_chunks(attacker: Attacker) -> None:
    """A body in chunks of one octet."""
    sock = attacker.connect("xapp")
    sock.sendall(CHUNKED)
    attacker.flood(sock, b"1\r\n \r\n" * 8192)


def chunk_extensions(attacker: Attacker) -> None:
    """Chunks of one octet with extensions of a kilobyte."""
    sock = attacker.connect("xapp")
    sock.sendall(CHUNKED)
    attacker.flood(sock, (b"1;" + b"x" * 1000 + b"\r\n \r\n") * 256)


def one_endless_extension(attacker: Attacker) -> None:
    """A chunk's line that never ends."""
    sock = attacker.connect("xapp")
    sock.sendall(CHUNKED + b"1;")
    attacker.flood(sock, b"x" * 65536)


def endless_head(attacker: Attacker, octets: bytes) -> None:
    """A head that never ends, on ten connections."""

    def one() -> None:
        while attacker.goes_on:
            sock = attacker.connect("xapp")
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            attacker.flood(sock, octets)

    attacker.together(*[one] * 10)


def pipelined(attacker: Attacker, port: str, request: bytes, times: int, connections: int) -> None:
    """Many requests on each of many connections, none of whose answers is read."""
    socks = [attacker.connect(port) for _ in range(connections)]
    rests = {sock: memoryview(request * times) for sock in socks}
    for sock in socks:
        sock.setblocking(False)
    while attacker.goes_on and rests:
        for sock, rest in list(rests.items()):
            try:
                rests[sock] = rest[sock.send(rest) :]
            except BlockingIOError:
                continue
            except OSError:
                del rests[sock]
                continue
            if not rests[sock]:
                del rests[sock]
        time.sleep(0.005)
    attacker.hold()


def pipelined_and_read(attacker: Attacker, port: str, request: bytes) -> None:
    """Requests one behind the other on four connections that read the answers as fast as they come."""

    def one() -> None:
        sock = attacker.connect(port)

        def read() -> None:
            sock.settimeout(0.5)
            while attacker.goes_on and sock.recv(1 << 20):
                pass

        attacker.together(lambda: attacker.flood(sock, request * 100), read)

    attacker.together(*[one] * 4)


def unfinished_bodies(attacker: Attacker, port: str, path: str, size: int, connections: int) -> None:
    """Bodies of which the last octet does not come."""
    request = head(f"POST {path}", "Content-Type: application/json", f"Content-Length: {size}")
    body = b" " * (size - 1)
    _fill([attacker.connect(port) for _ in range(connections)], request + body, attacker)
    attacker.hold()


def large_bodies(attacker: Attacker, port: str, path: str, size: int, connections: int) -> None:
    """Complete bodies of a size that would do no harm one by one, all at once."""
    request = head(f"POST {path}", "Content-Type: application/json", f"Content-Length: {size}")
    body = b'{"a": "' + b"x" * (size - 9) + b'"}'
    _fill([attacker.connect(port) for _ in range(connections)], request + body, attacker)
    attacker.hold()


def _fill(socks: list[socket.socket], octets: bytes, attacker: Attacker) -> None:
    """Sends the same on all connections, a piece of each in turn."""
    rests = dict.fromkeys(socks, memoryview(octets))
    for sock in socks:
        sock.setblocking(False)
    until = max(attacker.until, time.monotonic() + 2.0)
    while rests and time.monotonic() < until:
        moved = False
        for sock in list(rests):
            try:
                rests[sock] = rests[sock][sock.send(rests[sock][:262144]) :]
                moved = True
            except BlockingIOError:
                continue
            except OSError:
                del rests[sock]
                continue
            if not rests[sock]:
                del rests[sock]
        if not moved:
            time.sleep(0.002)


def deaf_readers(attacker: Attacker, port: str, path: str, connections: int) -> None:
    """Clients that ask for something long and never read it."""
    for _ in range(connections):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        attacker.adopt(sock, port)
        sock.sendall(head(f"GET {path}"))
    attacker.hold()


def slow_readers(attacker: Attacker, port: str, path: str, connections: int) -> None:
    """Clients that read an octet now and then."""
    socks = [attacker.connect(port) for _ in range(connections)]
    for sock in socks:
        sock.sendall(head(f"GET {path}"))
        sock.settimeout(0.01)
    while attacker.goes_on:
        for sock in socks:
            try:
                sock.recv(1)
            except TimeoutError:
                continue
        time.sleep(0.02)


def lingering(attacker: Attacker, port: str, connections: int) -> None:
    """Connections beyond the bound that stay after they were refused."""
    socks = []
    for _ in range(connections):
        if not attacker.goes_on:
            break
        try:
            sock = attacker.connect(port, 0.5)
            sock.sendall(b"P")
            socks.append(sock)
        except OSError:
            continue
    attacker.hold()


def half_heads(attacker: Attacker, port: str, connections: int, addresses: int = 1) -> None:
    """Heads that go on for as long as the daemon waits for them, from one address or from many."""
    socks = []
    for number in range(connections):
        source = f"127.1.{number % addresses >> 8}.{number % addresses & 255}" if addresses > 1 else "127.0.0.1"
        try:
            sock = attacker.connect(port, 0.5, source)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            socks.append(sock)
        except OSError:
            continue
    while attacker.goes_on:
        for sock in socks:
            try:
                sock.send(b"X: y\r\n")
            except OSError:
                continue
        time.sleep(0.05)


def connections_that_come_and_go(attacker: Attacker, port: str) -> None:
    """Connections that are closed with a reset as soon as they are open."""

    def one() -> None:
        while attacker.goes_on:
            sock = socket.create_connection(("127.0.0.1", attacker.ports[port]), 0.5)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
            time.sleep(0.0005)

    attacker.together(*[one] * 2)


def many_keys(attacker: Attacker, port: str, path: str, keys: int) -> None:
    """JSON objects of very many keys."""
    body = ("{" + ",".join(f'"k{number}":{number}' for number in range(keys)) + "}").encode()
    _whole(attacker, port, path, [body])


def json_shapes(attacker: Attacker, port: str, path: str, size: int) -> None:
    """Other shapes of JSON that are small on the wire: lists, depth, numbers, escapes, the same key again."""
    bodies = [
        b"[" + b"[]," * (size // 3 - 1) + b"[]]",
        b"[" * (size // 2) + b"]" * (size // 2),
        b"[" + b"1," * (size // 2 - 1) + b"1]",
        b'{"a":"' + b"\\u0041" * (size // 6 - 2) + b'"}',
        b"{" + b'"a":1,' * (size // 6 - 1) + b'"a":1}',
        b'{"a":' + b"9" * (size - 6) + b"}",
        json.dumps({"SubscriptionDetails": [{"EventTriggers": [1] * (size // 3 - 100)}]}).encode(),
        json.dumps({"SubscriptionDetails": [{}] * (size // 4 - 100)}).encode(),
    ]
    _whole(attacker, port, path, bodies)


def _whole(attacker: Attacker, port: str, path: str, bodies: Iterable[bytes]) -> None:
    """POSTs each body once; `found`: the statuses."""
    attacker.found = []
    for body in bodies:
        request = head(
            f"POST {path}", "Content-Type: application/json", "Connection: close", f"Content-Length: {len(body)}"
        )
        attacker.found.append(status_of(attacker.exchange(port, request + body)))


def status_of(answer: bytes) -> int:
    """The status of an answer; 0 when there is none."""
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1][:3].isdigit() else 0


SMUGGLING = {
    "white space other than a blank before chunked": "Transfer-Encoding: \x0bchunked",
    "a form feed behind chunked": "Transfer-Encoding: chunked\x0c",
    "a file separator before chunked": "Transfer-Encoding: \x1cchunked",
    "a next line before chunked": "Transfer-Encoding: \x85chunked",
    "a no-break space before chunked": "Transfer-Encoding: \xa0chunked",
    "a no-break space before the length": "Content-Length: \xa05",
    "a next line behind the length": "Content-Length: 5\x85",
    "a bare CR in a value": "X: a\rTransfer-Encoding: chunked",
    "a bare CR before the colon": "Transfer-Encoding\r: chunked",
    "a bare CR behind chunked": "Transfer-Encoding: chunked\r",
    "a blank before the colon": "Transfer-Encoding : chunked",
    "a folded line": "X: a\r\n Transfer-Encoding: chunked",
    "length and coding": "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "two lengths": "Content-Length: 5\r\nContent-Length: 6",
    "a list of lengths": "Content-Length: 5, 5",
    "a signed length": "Content-Length: +5",
    "two codings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "an unknown coding": "Transfer-Encoding: gzip, chunked",
    "a null octet": "X: a\x00b",
    "a vertical tab in Connection": "Connection: close\x0b",
}
"""Header lines that two readers could understand differently."""

_SECOND = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def smuggling(attacker: Attacker) -> None:
    """Requests with another one in their body; `found`: name -> the statuses that came back."""
    attacker.found = {}
    for name, line in SMUGGLING.items():
        request = f"{POST} HTTP/1.1\r\nHost: 127.0.0.1\r\n{line}\r\n\r\n{_SECOND}"
        attacker.found[name] = statuses(attacker.exchange("xapp", request.encode("latin-1"), 2.0))


HOSTS = {
    "no Host": "GET / HTTP/1.1\r\n\r\n",
    "two Hosts": "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "the same Host twice": "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "HTTP/1.0 with a coding": "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a Host with a blank": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
}


def hosts(attacker: Attacker) -> None:
    """Requests without a clear Host, or of HTTP/1.0 with a coding; `found`: name -> statuses."""
    attacker.found = {}
    for name, request in HOSTS.items():
        attacker.found[name] = statuses(attacker.exchange("xapp", request.encode(), 2.0))


def statuses(answer: bytes) -> list[int]:
    """Of each answer on a connection."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def refused_once(found: dict[str, list[int]]) -> None:
    """Each request was refused, and nothing behind it was taken for a request."""
    wrong = {name: got for name, got in found.items() if len(got) != 1 or got[0] not in (400, 501, 505)}
    assert not wrong, wrong


def refused(*allowed: int) -> Callable[[list[int]], None]:
    """Every status is one of these."""

    def check(found: list[int]) -> None:
        assert set(found) <= set(allowed), found

    return check


metrics = partial(pipelined, request=head("GET /metrics"))
lists = partial(pipelined, request=head(f"GET {SUBSCRIPTIONS}"))
