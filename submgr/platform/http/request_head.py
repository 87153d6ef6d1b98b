# SPDX-License-Identifier: Apache-2.0
"""Reads the head of an HTTP/1.1 request strictly: a head that two readers could read differently is refused.

Reading one differently from a proxy in front of the server is how requests are smuggled (RFC 9112 section 11.2).
"""

import re

Fields = list[tuple[str, str]]
"""Header fields in their order, names in lower case."""

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A method or the name of a header field (RFC 9110 section 5.6.2)."""

_LENGTH = re.compile(r"[0-9]{1,18}")
# control characters and a carriage return on its own end a line for some readers and not for others
_FIELD = re.compile(r"^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\x00-\x08\x0a-\x1f\x7f]*)\r?\n", re.MULTILINE)
_MAX_FIELDS = 100


class Refused(Exception):
    """The request does not reach the application. The client gets `status` and `message`, and the connection ends."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def request_line(line: str) -> tuple[str, str, str]:
    """Method, path with query, and version of a request line without its end. Refused when it is malformed."""
    words = line.split(" ")
    if len(words) != 3 or not TOKEN.fullmatch(words[0]):
        raise Refused(400, "the first line is not a request line of HTTP/1.1")
    method, target, version = words
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise Refused(505, f"{version[:20]} is not spoken here, only HTTP/1.1 and HTTP/1.0")
    return method, target if target.startswith("/") else _without_origin(target), version


def _without_origin(target: str) -> str:
    """The path of a request target in absolute form, which proxies send (RFC 9112 section 3.2.2)."""
    scheme, found, rest = target.partition("://")
    if found and scheme.lower() in ("http", "https"):
        return f"/{rest.partition('/')[2]}"
    raise Refused(400, f"{target[:80]!r} is not a path")


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


def framing(fields: Fields, version: str) -> tuple[int | None, bool, bool]:
    """The Content-Length or None, whether the body is chunked, and whether the connection closes after the answer.

    Refused when Content-Length and Transfer-Encoding contradict each other, or when the transfer coding is not known
    (RFC 9112 section 6).
    """
    lengths = {value for name, value in fields if name == "content-length"}
    codings = [value.lower() for name, value in fields if name == "transfer-encoding"]
    chunked = codings == ["chunked"]
    if codings and not chunked:
        raise Refused(501, f"transfer coding {', '.join(codings)[:80]} is not known")
    if (lengths and chunked) or len(lengths) > 1:
        raise Refused(400, "the length of the body is told twice")  # the way requests are smuggled
    length = lengths.pop() if lengths else None
    if length is not None and not _LENGTH.fullmatch(length):
        raise Refused(400, f"Content-Length {length[:40]!r} is not a number")
    connection = {word.strip().lower() for name, value in fields if name == "connection" for word in value.split(",")}
    closes = "close" in connection if version == "HTTP/1.1" else "keep-alive" not in connection
    return int(length) if length is not None else None, chunked, closes
