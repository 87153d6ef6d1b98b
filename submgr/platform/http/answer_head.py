# SPDX-License-Identifier: Apache-2.0
"""The head of an HTTP answer, read without the standard library's e-mail parser, which takes most of a request's CPU.

Status line and body are the standard library's. As tolerant as that: what answers here are xApps of all kinds.
"""

from __future__ import annotations

import http.client
from http import HTTPStatus
from typing import Any, cast

_LONGEST_LINE = 65536
_MOST_FIELDS = 100
_NO_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Answer(http.client.HTTPResponse):
    """`fields`: the header fields, names in lower case, repeated ones joined by a comma."""

    fields: dict[str, str]

    def begin(self) -> None:
        """Read the head. Raises HTTPException for what is none."""
        version, status, reason = self._next_status()
        while status == HTTPStatus.CONTINUE:
            read_fields(self.fp)
            version, status, reason = self._next_status()
        if not version.startswith("HTTP/"):
            raise http.client.UnknownProtocol(version)
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.code = self.status = status
        self.reason = reason.strip()
        self.fields = read_fields(self.fp)
        # what the body is read by
        self.headers = self.msg = cast(Any, self.fields)
        self.chunked = cast(Any, self.fields.get("transfer-encoding", "").lower() == "chunked")
        self.chunk_left = cast(Any, None)
        self.length = self._body_length()
        self.will_close = self._closes() or (not self.chunked and self.length is None)

    def _next_status(self) -> tuple[str, int, str]:
        found: tuple[str, int, str] = cast(Any, self)._read_status()
        return found

    def _body_length(self) -> int | None:
        """None: it is told in another way."""
        if self.status in _NO_BODY or self.status < 200 or cast(Any, self)._method == "HEAD":
            return 0
        text = self.fields.get("content-length", "").partition(",")[0].strip()
        return int(text) if text.isascii() and text.isdecimal() and not self.chunked else None

    def _closes(self) -> bool:
        connection = self.fields.get("connection", "").lower()
        if self.version == 11:
            return "close" in connection
        return "keep-alive" not in connection and "keep-alive" not in self.fields


def read_fields(file: Any) -> dict[str, str]:
    """The header fields up to the empty line. A line that is no field is passed over. Raises HTTPException."""
    fields: dict[str, str] = {}
    name = ""
    for _ in range(_MOST_FIELDS + 1):
        line = file.readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise http.client.LineTooLong("header line")
        if line in (b"\r\n", b"\n", b""):
            return fields
        text = line.decode("latin-1")
        if text[0] in " \t":  # the last one goes on (RFC 9112 5.2)
            if name:
                fields[name] = f"{fields[name]} {text.strip()}".strip()
            continue
        name, colon, value = text.partition(":")
        name = name.strip().lower() if colon else ""
        if name:
            value = value.strip()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
    raise http.client.HTTPException(f"got more than {_MOST_FIELDS} headers")
