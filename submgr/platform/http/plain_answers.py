# SPDX-License-Identifier: Apache-2.0
"""Answers that need no more than a status, a kind and a body, and the way of requests that have them past Flask.

Probes, Prometheus and the Routing Manager ask the same few things all day. A process that only they ask never loads
Flask, which is a seventh of its memory at rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from submgr.platform.http.callback_mark import MARK

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

JSON = "application/json"
_MARKED = f"HTTP_{MARK.upper().replace('-', '_')}"
_COPIED = 64 * 1024
"""Bytes of JSON that are copied to be sent in one piece with the newline after them."""

_encode = msgspec.json.Encoder().encode


def encode_json(value: object) -> bytes:
    """`value` (anything msgspec encodes) as JSON with a newline, after which a terminal shows its prompt."""
    return _encode(value) + b"\n"


class PlainAnswer(msgspec.Struct, frozen=True):
    """An answer. `pieces` are its body."""

    pieces: tuple[bytes, ...]
    status: int = 200
    content_type: str = JSON

    @property
    def length(self) -> int:
        """The bytes of the body."""
        return sum(map(len, self.pieces))

    def send(self, start_response: Any) -> Iterable[bytes]:
        """Answers a request as a WSGI application does."""
        start_response(_status_line(self.status), _fields(self.status, self.content_type, self.length))
        return self.pieces


def head_of(status: int, content_type: str, length: int) -> list[str]:
    """The first lines of a plain answer's head: the server adds the date."""
    return [f"HTTP/1.1 {_status_line(status)}", *map(": ".join, _fields(status, content_type, length))]


def _fields(status: int, content_type: str, length: int) -> list[tuple[str, str]]:
    kind = ("Content-Type", content_type)
    return [kind] if status == HTTPStatus.NO_CONTENT else [kind, ("Content-Length", str(length))]


@cache
def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase.upper()}"


def plain_json(value: object, status: int = 200) -> PlainAnswer:
    """`value` (anything msgspec encodes) as an answer."""
    return PlainAnswer((encode_json(value),), status)


def plain_json_bytes(body: bytes) -> PlainAnswer:
    """An answer with encoded JSON, and a newline. A large body is not copied for it."""
    return PlainAnswer((body + b"\n",) if len(body) <= _COPIED else (body, b"\n"))


class PlainRoutes:
    """WSGI middleware: answers a GET of a path of `views` itself, if `may` says so, and has `app` answer all else.

    A view that raises is none of its business either: `app` answers as if nothing had been. `app` must have the same
    views, since it makes the answers to all that is unusual: an error, HEAD, a path with doubled slashes.
    """

    def __init__(
        self,
        app: Wsgi,
        views: Mapping[str, Callable[[], PlainAnswer]],
        may: Callable[[Mapping[str, Any]], bool],
    ) -> None:
        self._app = app
        self._views = views
        self._may = may

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and _MARKED not in environ:
            view = self._views.get(environ["PATH_INFO"])
            answer = self._answer(view, environ) if view is not None else None
            if answer is not None:
                return answer.send(start_response)
        return self._app(environ, start_response)

    def _answer(self, view: Callable[[], PlainAnswer], environ: Mapping[str, Any]) -> PlainAnswer | None:
        try:
            return view() if self._may(environ) else None
        except Exception:  # the application meets it again, and tells errors of ours from bugs
            return None
