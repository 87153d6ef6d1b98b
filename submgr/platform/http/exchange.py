# SPDX-License-Identifier: Apache-2.0
"""What the HTTP client puts on the wire and takes from it."""

import contextlib
import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader
from types import TracebackType
from typing import Any, cast
from urllib.parse import quote, urlsplit

import gevent
from gevent import socket

from submgr.platform.http.answer_head import Answer
from submgr.platform.http.errors import Endpoint, HttpConnectError, HttpProtocolError, HttpTimeout

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_HOST = re.compile(r"[!$&'()*+,.:;=_~%0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Target:
    """An address given in parts, when it is not a URL: host name or address, port, path with query."""

    host: str
    port: int
    path: str
    scheme: str = "http"


class Limit:
    """A `with` block that ends in HttpTimeout after `seconds` (what is left of the `allowed` ones)."""

    __slots__ = ("_allowed", "_endpoint", "_seconds", "_timer")

    def __init__(self, seconds: float, endpoint: Endpoint, allowed: float) -> None:
        self._seconds = max(seconds, 0.0)
        self._endpoint = endpoint
        self._allowed = allowed

    def __enter__(self) -> None:
        self._timer = gevent.Timeout.start_new(self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.close()
        if value is self._timer:
            raise HttpTimeout(f"no complete answer from {self._endpoint} within {self._allowed:g} s") from None


class _Buffered:
    """What http.client takes for a socket: only its file is used."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file

    def makefile(self, mode: str) -> BufferedReader:
        return self._file


def attempt(sock: socket.socket, endpoint: Endpoint, method: str, payload: bytes) -> Answer | None:
    """Send and read the head of the answer. None: the peer closed and not one byte came. Closes `sock` on failure."""
    file = sock.makefile("rb")
    try:
        # a peer that refuses a large body may close before it has read it all: its answer is there all the same
        with contextlib.suppress(ConnectionError):
            sock.sendall(payload)
        try:
            first = file.peek(1)
        except ConnectionError:
            first = b""
        if first:
            response = Answer(cast(Any, _Buffered(file)), method=method)
            response.begin()
            if response.status < 200:
                raise http.client.HTTPException(f"an answer of status {response.status}")
            return response
    except (http.client.HTTPException, OSError, ValueError) as exc:
        _discard(sock, file)
        raise HttpProtocolError(f"{endpoint} did not answer in HTTP: {words(exc)}") from exc
    except BaseException:
        _discard(sock, file)
        raise
    _discard(sock, file)
    return None


def _discard(sock: socket.socket, file: BufferedReader) -> None:
    file.close()
    sock.close()


def words(exc: Exception) -> str:
    return str(exc) or type(exc).__name__


@lru_cache(maxsize=1024)
def parse(url: str | Target) -> tuple[Endpoint, str]:
    if isinstance(url, Target):
        scheme, host, port, path = url.scheme, url.host, url.port, url.path
    else:
        try:
            parts = urlsplit(url)
            given = parts.port
        except ValueError as exc:
            raise HttpConnectError(f"{url!r} is not a URL: {exc}") from exc
        scheme, host = parts.scheme, parts.hostname or ""
        port = given if given is not None else 443 if scheme == "https" else 80
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if scheme not in ("http", "https"):
        raise HttpConnectError(f"{url!r}: only http and https are known")
    if not host or not 0 < port < 65536 or not _HOST.fullmatch(host):
        raise HttpConnectError(f"{url!r} names no host and port to connect to")
    if not path.startswith("/"):
        path = f"/{path}"
    return Endpoint(scheme, host, port), quote(path, safe="/?:@!$&'()*+,;=-._~%")


def payload_of(
    method: str, endpoint: Endpoint, path: str, headers: Mapping[str, str], body: bytes | None, user_agent: str
) -> bytes:
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"not an HTTP method: {method!r}")
    plain = endpoint.port == (443 if endpoint.scheme == "https" else 80)
    host = str(endpoint).removesuffix(f":{endpoint.port}") if plain else str(endpoint)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"User-Agent: {user_agent}"]
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"not an HTTP header: {name!r}: {value!r}")
        lines.append(f"{name}: {value}")
    if body is not None or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body or b'')}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")
