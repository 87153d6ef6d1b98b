# SPDX-License-Identifier: Apache-2.0
"""Reads the requests of a connection of the HTTP server, strictly and bounded."""

from functools import lru_cache
from urllib.parse import unquote

from msgspec import Struct

from submgr.platform.http.buffered_socket import BufferedSocket, ChunkedBody, Malformed, PeerClosed, TooLong
from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.request_head import (
    Refused,
    RequestFields,
    RequestLine,
    header_fields,
    request_fields,
    request_line,
)

RETRY = {"Retry-After": "1"}

_REQUEST_LINE = 8191
_EMPTY = (b"\r", b"")
"""An empty line, without its end."""
_REMEMBERED = 256
_REMEMBERED_SIZE = 256
_PROBES = ("/ric/v1/health", "/health")


class FirstLine(Struct, frozen=True):
    """The first line of a request: its `text` without the end, what it says, and its target in parts. `path`: decoded,
    each octet a character."""

    text: str
    line: RequestLine
    path: str
    query: str


class Request(Struct, frozen=True):
    """A request that has come completely."""

    first: FirstLine
    fields: RequestFields
    body: bytes


def read_request(source: BufferedSocket, limits: HttpLimits, probes_only: bool) -> Request:
    """Reads head and body of a request whose first byte is there. Raises Refused, PeerClosed, TimeoutError or OSError.

    A request waits for its turn behind its first line, unless it asks for the health. `probes_only`: no other is taken.
    """
    head = source.short_head()
    if head is None:
        text, lines = _first_line(source), None
    else:
        text, _, lines = head.partition(b"\n")
        if text in _EMPTY:
            text, _, lines = lines.partition(b"\n")
    first = _remembered(text) if len(text) <= _REMEMBERED_SIZE else _read(text)
    line = first.line
    if not line.path.startswith(_PROBES):
        if probes_only:
            raise Refused(503, "too many connections", RETRY)
        source.spend()
    fields = request_fields(_other_lines(source) if lines is None else lines, line.version)
    return Request(first, fields, _read_body(source, fields, limits.body_of(line.path)))


def _first_line(source: BufferedSocket) -> bytes:
    """The request line. Some clients send an empty line after the body before (RFC 9112 section 2.2)."""
    try:
        line = source.line(_REQUEST_LINE)
        return source.line(_REQUEST_LINE) if line.removesuffix(b"\n") in _EMPTY else line
    except TooLong:
        raise Refused(414, "the request line is too long") from None


def _other_lines(source: BufferedSocket) -> bytes:
    try:
        return source.header_lines()
    except TooLong:
        raise Refused(431, "the head of the request is too long") from None


def _read(octets: bytes) -> FirstLine:
    text = octets.decode("latin-1").removesuffix("\n").removesuffix("\r")
    line = request_line(text)
    path, _, query = line.path.partition("?")
    return FirstLine(text, line, unquote(path, "latin-1"), query)


# all that subscribe send the same line
_remembered = lru_cache(maxsize=_REMEMBERED)(_read)


def _read_body(source: BufferedSocket, fields: RequestFields, limit: int) -> bytes:
    length, chunked = fields.framing.length, fields.framing.chunked
    if not chunked and not length:
        return b""
    if length is not None and length > limit:
        raise _too_large(limit)
    if fields.framing.expects_continue and not source.pending:
        source.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    return _chunked(source, limit) if length is None else _sized(source, length)


def _sized(source: BufferedSocket, length: int) -> bytes:
    whole = source.whole(length)
    if whole is not None:
        return whole
    octets = bytearray()  # in place of a list of pieces, which would be many times as large when they are tiny
    while len(octets) < length:
        piece = source.some(length - len(octets))
        if not piece:
            raise PeerClosed(f"{length - len(octets)} bytes of the body are missing")
        octets += piece
    return bytes(octets)


def _chunked(source: BufferedSocket, limit: int) -> bytes:
    octets = bytearray()
    body = ChunkedBody(source)
    try:
        while piece := body.some(limit + 1 - len(octets)):
            octets += piece
            if len(octets) > limit:
                raise _too_large(limit)
    except Malformed as exc:
        raise Refused(400, f"the chunks of the body are malformed: {exc}") from exc
    header_fields(body.trailers)  # nobody needs them, but they must not be read as something else by others
    return bytes(octets)


def _too_large(limit: int) -> Refused:
    return Refused(413, f"the body is larger than {limit} bytes")
