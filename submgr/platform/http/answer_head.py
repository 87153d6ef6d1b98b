# SPDX-License-Identifier: Apache-2.0
"""The head of an HTTP answer. As tolerant as the standard library's client: xApps of all kinds answer here."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from submgr.platform.http.buffered_socket import BufferedSocket, Malformed

_STATUS_LINE = re.compile(r"(HTTP/\S*)\s+([1-9][0-9][0-9])(?:\s+(.*))?", re.ASCII)
_MOST_FIELDS = 100
_NO_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """`fields`: the header fields, names in lower case, repeated ones joined by a comma."""

    version: int
    """10 for HTTP/1.0 and older, else 11."""
    status: int
    reason: str
    fields: dict[str, str]

    @property
    def chunked(self) -> bool:
        """Whether the body comes in the chunked transfer coding."""
        return self.fields.get("transfer-encoding", "").lower() == "chunked"

    def body_length(self, method: str) -> int | None:
        """The bytes of the body. None: its chunks or the end of the connection tell its end."""
        if self.status in _NO_BODY or self.status < 200 or method == "HEAD":
            return 0
        text = self.fields.get("content-length", "").partition(",")[0].strip()
        return int(text) if text.isascii() and text.isdecimal() and not self.chunked else None

    @property
    def keeps_alive(self) -> bool:
        """Whether the peer leaves the connection open for the next request."""
        connection = self.fields.get("connection", "").lower()
        if self.version == 11:
            return "close" not in connection
        return "keep-alive" in connection or "keep-alive" in self.fields


def read_head(source: BufferedSocket) -> AnswerHead:
    """Reads the head of the final answer and passes over `100 Continue` before it.

    Raises Malformed, TooLong (all of the heads count), PeerClosed, TimeoutError or OSError.
    """
    while True:
        line = source.line().decode("latin-1")
        found = _STATUS_LINE.fullmatch(line.strip())
        if not found:
            raise Malformed(f"not a status line: {line[:80]!r}")
        fields = _fields(source.header_lines().decode("latin-1"))
        version, status, reason = found.groups(default="")
        if int(status) != HTTPStatus.CONTINUE:
            return AnswerHead(10 if version in ("HTTP/1.0", "HTTP/0.9") else 11, int(status), reason, fields)


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
