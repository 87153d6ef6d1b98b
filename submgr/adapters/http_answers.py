# SPDX-License-Identifier: Apache-2.0
"""Puts HTTP answers of the Routing Manager and of xApps into words, for logs and causes."""

from __future__ import annotations

import html
import re
from contextlib import suppress
from http import HTTPStatus

import msgspec

from submgr.platform.http.client import HttpStream
from submgr.platform.http.errors import HttpError

_BODY_READ = 64 * 1024
_WORDS_SHOWN = 200
_SUCCESS_WAITS = 0.2
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def status_words(status: int) -> str:
    """`409 Conflict`; the number alone when it is not a registered one."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def text_of(answer: HttpStream, seconds: float) -> str:
    """The first 200 characters of the body without markup, for people to read; "" for a success. See `words_of`."""
    body = _body_of(answer, seconds)
    return "" if answer.ok else _words(body)


def words_of(answer: HttpStream, seconds: float) -> tuple[str, bool]:
    """The first 200 characters of the body without markup, for people to read, and whether it speaks of an error.

    Reads the body, so that the connection can be used again, but at most 64 KiB of it and for at most `seconds`. What
    has come by then is taken. The body of a success is waited for only a moment, and is "" unless it is JSON that says
    `error`, or a `code` of 400 or more.
    """
    body = _body_of(answer, seconds)
    refused = _speaks_of_an_error(body)
    return "" if answer.ok and not refused else _words(body), refused


def _body_of(answer: HttpStream, seconds: float) -> bytes:
    body = answer.at_once()
    if body is None:
        body = _come_within(answer, min(seconds, _SUCCESS_WAITS) if answer.ok else seconds)
    return body


def _words(body: bytes) -> str:
    # a little more than is shown is enough, and keeps the work small
    text = html.unescape(_MARKUP.sub(" ", body[:2048].decode(errors="replace")))
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_WORDS_SHOWN]


def _come_within(answer: HttpStream, seconds: float) -> bytes:
    body = b""
    with suppress(HttpError):
        for piece in answer.chunks(seconds):
            body += piece
            if len(body) >= _BODY_READ:
                break
    return body


def _speaks_of_an_error(body: bytes) -> bool:
    if not body.lstrip().startswith(b"{"):
        return False
    try:
        told = msgspec.json.decode(body[:_BODY_READ])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    code = told.get("code")
    return bool(told.get("error")) or (type(code) is int and code >= 400)
