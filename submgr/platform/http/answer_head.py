# SPDX-License-Identifier: Apache-2.0
"""The head of an HTTP answer. As tolerant as the standard library's client: xApps of all kinds answer here."""

import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus

from msgspec import Struct

from submgr.platform.http.buffered_socket import BufferedSocket, Malformed

_STATUS_LINE = re.compile(rb"(HTTP/\S*)\s+([1-9][0-9][0-9])(\s.*)?", re.DOTALL)
_MOST_FIELDS = 100
_REMEMBERED = 256
_NO_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class AnswerHead(Struct, frozen=True):
    """`fields`: the header fields, names in lower case, repeated ones joined by a comma.

    `ok`: the status is a 2xx. `length`: of the body; None: its chunks or the end of the connection tell its end.
    `keeps_alive`: the peer leaves the connection open for the next request.
    """

    version: int
    """10 for HTTP/1.0 and older, else 11."""
    status: int
    ok: bool
    reason: str
    fields: Mapping[str, str]
    length: int | None
    chunked: bool
    keeps_alive: bool


def read_head(source: BufferedSocket) -> AnswerHead:
    """Reads the head of the final answer and passes over interim ones (1xx) before it (RFC 9110 section 15.2).

    Raises Malformed, also for `101 Switching Protocols`, after which no HTTP comes, TooLong (all of the heads count),
    PeerClosed, TimeoutError or OSError.
    """
    while True:
        source.spend()  # one piece from the socket may have a thousand interim answers
        short = source.short_head()
        head = _remembered(short) if short is not None else _head(_status_line(source.line()), source.header_lines())
        if head.status >= 200:
            return head
        if head.status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise Malformed(f"an answer of status {head.status}")


@lru_cache(maxsize=_REMEMBERED)
def _remembered(head: bytes) -> AnswerHead:
    """A server sends the same head again and again, at least within a second."""
    line, end, lines = head.partition(b"\n")
    return _head(_status_line(line + end), lines)


def _status_line(line: bytes) -> re.Match[bytes]:
    found = _STATUS_LINE.fullmatch(line)
    if not found:
        raise Malformed(f"not a status line: {line[:80]!r}")
    return found


def _head(found: re.Match[bytes], lines: bytes) -> AnswerHead:
    version, status, reason = (group.decode("latin-1") for group in found.groups(default=b""))
    old = version in ("HTTP/1.0", "HTTP/0.9")
    fields = _fields(lines.decode("latin-1"))
    chunked = fields.get("transfer-encoding", "").lower() == "chunked"
    return AnswerHead(
        version=10 if old else 11,
        status=int(status),
        ok=status.startswith("2"),
        reason=reason.strip(),
        fields=fields,
        length=0 if int(status) in _NO_BODY else None if chunked else _length(fields),
        chunked=chunked,
        keeps_alive=_keeps_alive(fields, old),
    )


def _length(fields: Mapping[str, str]) -> int | None:
    length = fields.get("content-length", "").partition(",")[0].strip()
    return int(length) if length.isascii() and length.isdecimal() else None


def _keeps_alive(fields: Mapping[str, str], old: bool) -> bool:
    connection = fields.get("connection", "").lower()
    return "keep-alive" in connection or "keep-alive" in fields if old else "close" not in connection


def _fields(text: str) -> dict[str, str]:
    """A line that is no field is passed over."""
    lines = text.split("\n")
    if len(lines) > _MOST_FIELDS + 1:
        raise Malformed(f"more than {_MOST_FIELDS} header fields")
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if line.startswith((" ", "\t")):  # the field before goes on (RFC 9112 section 5.2)
            if name:
                fields[name] = f"{fields[name]} {line.strip()}".strip()
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower() if colon else ""
        if name:
            value = value.strip()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields
