# SPDX-License-Identifier: Apache-2.0
"""Reads the head of an HTTP/1.1 request strictly: a head that two readers could read differently is refused.

Reading one differently from a proxy in front of the server is how requests are smuggled (RFC 9112 section 11.2).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

Fields = list[tuple[str, str]]
"""Header fields in their order, names in lower case."""

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A method or the name of a header field (RFC 9110 section 5.6.2)."""

_LENGTH = re.compile(r"[0-9]{1,18}")
_TARGET = re.compile(r"[\x21-\x7e]+")
_ABSOLUTE = re.compile(r"https?://(?P<host>[^/?]+)(?P<path>.*)", re.IGNORECASE)
# a name, an address of version 4, or one of version 6 in brackets, and a port (RFC 9110 section 7.2); it may be empty
_HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
# control characters and a carriage return on its own end a line for some readers and not for others
_FIELD = re.compile(r"^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\x00-\x08\x0a-\x1f\x7f]*)\r?\n", re.MULTILINE)
_FRAMING = frozenset(("content-length", "transfer-encoding", "connection", "expect"))
_MAX_FIELDS = 100
_REMEMBERED = 256
_REMEMBERED_SIZE = 1024


class Refused(Exception):
    """The request does not reach the application. The client gets `status` and `message`, and the connection ends."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


class RequestLine(NamedTuple):
    """`path`: with the query. `host`: of a target in absolute form, else None."""

    method: str
    path: str
    version: str
    host: str | None = None


def request_line(line: str) -> RequestLine:
    """Reads a request line without its end. Refused when it is malformed (RFC 9112 section 3)."""
    words = line.split(" ")
    if len(words) != 3 or not TOKEN.fullmatch(words[0]) or not _TARGET.fullmatch(words[1]):
        raise Refused(400, "the first line is not a request line of HTTP/1.1")
    method, target, version = words
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise Refused(505, f"{version[:20]!r} is not spoken here, only HTTP/1.1 and HTTP/1.0")
    if target.startswith("/"):
        return RequestLine(method, target, version)
    return _without_origin(method, target, version)


def _without_origin(method: str, target: str, version: str) -> RequestLine:
    """A request target in absolute form, which proxies send: its host is the one that counts (section 3.2.2)."""
    found = _ABSOLUTE.fullmatch(target)
    if not found or not _HOST.fullmatch(found["host"]):
        raise Refused(400, f"{target[:80]!r} is not a path")
    path = found["path"]
    return RequestLine(method, path if path.startswith("/") else f"/{path}", version, found["host"])


class Framing(Struct, frozen=True):
    """`length`: the Content-Length or None. `closes`: the connection ends after the answer."""

    length: int | None
    chunked: bool
    closes: bool
    expects_continue: bool


class RequestFields(Struct, frozen=True):
    """The header fields of a request. `environ`: the fields that the application sees, by their WSGI names."""

    framing: Framing
    environ: Mapping[str, str]


def request_fields(lines: bytes, version: str) -> RequestFields:
    """Reads the lines of a head. Refused when they are malformed.

    A client sends the same lines again and again: short heads are remembered.
    """
    return _remembered(lines, version) if len(lines) <= _REMEMBERED_SIZE else _read(lines, version)


def _read(lines: bytes, version: str) -> RequestFields:
    fields = header_fields(lines)
    check_host(fields, version)
    return RequestFields(framing(fields, version), environ(fields))


_remembered = lru_cache(maxsize=_REMEMBERED)(_read)


def header_fields(lines: bytes) -> Fields:
    """The fields of the lines of a head. Refused when a line is malformed (RFC 9112 section 5)."""
    text = lines.decode("latin-1")
    found = _FIELD.findall(text)
    count = text.count("\n")
    if count > _MAX_FIELDS:
        raise Refused(431, f"more than {_MAX_FIELDS} header fields")
    if len(found) != count:
        wrong = next(line for line in text.split("\n") if not _FIELD.match(f"{line}\n"))
        raise Refused(400, f"not a header field: {wrong.rstrip()[:80]!r}")
    return [(name.lower(), value.strip(" \t")) for name, value in found]


def check_host(fields: Fields, version: str) -> None:
    """Refused unless there is one field Host, which HTTP/1.0 may leave out (RFC 9112 section 3.2)."""
    hosts = [value for name, value in fields if name == "host"]
    if len(hosts) > 1 or (not hosts and version == "HTTP/1.1"):
        raise Refused(400, f"{len(hosts)} header fields Host in place of one")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise Refused(400, f"{hosts[0][:80]!r} is not a host")


def framing(fields: Fields, version: str) -> Framing:
    """How the body of a request is told. Refused when that is contradictory or not known (RFC 9112 section 6)."""
    told = [field for field in fields if field[0] in _FRAMING]
    lengths = [value for name, value in told if name == "content-length"]
    codings = [value.lower() for name, value in told if name == "transfer-encoding"]
    if codings and version == "HTTP/1.0":  # of that version readers know lengths only (section 6.1)
        raise Refused(400, "HTTP/1.0 knows no Transfer-Encoding")
    chunked = codings == ["chunked"]
    if codings and not chunked:
        raise Refused(501, f"transfer coding {', '.join(codings)[:80]} is not known")
    if (lengths and chunked) or len(lengths) > 1:
        raise Refused(400, "the length of the body is told twice")  # the way requests are smuggled
    length = lengths.pop() if lengths else None
    if length is not None and not _LENGTH.fullmatch(length):
        raise Refused(400, f"Content-Length {length[:40]!r} is not a number")
    options = [word.strip(" \t").lower() for name, value in told if name == "connection" for word in value.split(",")]
    return Framing(
        length=int(length) if length is not None else None,
        chunked=chunked,
        closes="close" in options if version == "HTTP/1.1" else "keep-alive" not in options,
        # HTTP/1.0 knows no interim answers (RFC 9110 section 10.1.1)
        expects_continue=version == "HTTP/1.1"
        and any(name == "expect" and value.lower() == "100-continue" for name, value in told),
    )


def environ(fields: Fields) -> dict[str, str]:
    """The fields by their WSGI names (PEP 3333), without the ones that tell how the body is framed.

    A name with an underscore is left out: the application would take it for the name with a hyphen.
    """
    found: dict[str, str] = {}
    for name, value in fields:
        if "_" in name or name in ("content-length", "transfer-encoding"):
            continue
        key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.replace('-', '_').upper()}"
        if key in found:
            value = f"{found[key]}{'; ' if name == 'cookie' else ','}{value}"
        found[key] = value
    return found
