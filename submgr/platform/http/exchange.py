# SPDX-License-Identifier: Apache-2.0
"""Sends one request on an open connection and reads the head of its answer."""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache

from submgr.platform.http.answer import Answer
from submgr.platform.http.buffered_socket import BufferedSocket
from submgr.platform.http.errors import Endpoint, HttpProtocolError, HttpTimeout
from submgr.platform.http.request_head import TOKEN

_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def attempt(source: BufferedSocket, endpoint: Endpoint, method: str, payload: bytes, seconds: float) -> Answer | None:
    """Sends a request and reads the head of its answer within `seconds`; the body may use what is left of them.

    Returns None when the peer closed and not one byte came. Raises HttpTimeout or HttpProtocolError. Closes the
    connection unless it returns an answer.
    """
    answer = None
    source.begin(seconds)
    try:
        if _sent(source, payload, seconds):
            answer = Answer(source, method)
    except TimeoutError:
        raise late(endpoint, seconds) from None
    except (OSError, ValueError) as exc:
        raise HttpProtocolError(f"{endpoint} did not answer in HTTP: {words(exc)}") from exc
    finally:
        if answer is None:
            source.close()
    return answer


def _sent(source: BufferedSocket, payload: bytes, seconds: float) -> bool:
    """Sends a request. Returns whether the answer begins."""
    try:
        return source.fill_later(seconds) if source.send(payload) else source.fill()
    except ConnectionError:
        # a peer that refuses a large body may close before it has read it all: its answer is there all the same
        with suppress(ConnectionError):
            return source.fill()
        return False


def late(endpoint: Endpoint, seconds: float) -> HttpTimeout:
    """The error of a request whose time has passed."""
    return HttpTimeout(f"no complete answer from {endpoint} within {seconds:g} s")


def words(exc: Exception) -> str:
    """An exception in words, also one that has none."""
    return str(exc) or type(exc).__name__


def request_bytes(
    method: str, endpoint: Endpoint, path: str, headers: Mapping[str, str], body: bytes | None, always: tuple[str, ...]
) -> bytes:
    """A request with `headers` and the lines `always`. Raises ValueError for what cannot stand in a head."""
    head = _head(method, endpoint, path, tuple(headers.items()), always)
    if body is None and method not in ("POST", "PUT", "PATCH"):
        return head + b"\r\n"
    body = body or b""
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


@lru_cache(maxsize=256)
def _head(
    method: str, endpoint: Endpoint, path: str, headers: tuple[tuple[str, str], ...], always: tuple[str, ...]
) -> bytes:
    """The lines that all requests of one kind to one peer begin with."""
    if not TOKEN.fullmatch(method):
        raise ValueError(f"not an HTTP method: {method!r}")
    plain = endpoint.port == (443 if endpoint.scheme == "https" else 80)
    host = str(endpoint).removesuffix(f":{endpoint.port}") if plain else str(endpoint)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *always]
    for name, value in headers:
        if not TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"not an HTTP header: {name!r}: {value!r}")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, ""]).encode("latin-1")
