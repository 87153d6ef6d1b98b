# SPDX-License-Identifier: Apache-2.0
"""The short way of a request: from what the server has read of it to its answer, without an environment of WSGI.

A shortcut answers what is plain. Everything else goes to the application, which also makes all answers of requests that
have failed on the short way, so that a failure has one form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

from gevent import socket
from msgspec import Struct

from submgr.platform.http.peer import SOCKET
from submgr.platform.http.plain_answers import PlainAnswer, Wsgi

FAILED = "submgr.failed"
"""Where in the WSGI environment the error is with which a request has failed already."""


class Asked(Struct, frozen=True):
    """A request. `path`: decoded, without its query. `fields`: its header fields by their WSGI names. `client`: the
    socket of its connection; None in tests."""

    method: str
    path: str
    fields: Mapping[str, Any]
    body: bytes
    client: socket.socket | None


class Answered(Struct, frozen=True):
    """What became of a request: its answer, or an error that the application is to tell. `follows`: is called once the
    answer is sent or its client found gone."""

    answer: PlainAnswer | Exception
    follows: Callable[[], None] | None = None


Shortcut = Callable[[Asked], Answered | None]
"""Answers a request. None: it is not plain, and nothing has been done for it."""


class AsWsgi:
    """A shortcut before `app`, as a WSGI application: for what stands around both."""

    def __init__(self, shortcut: Shortcut, app: Wsgi) -> None:
        self._shortcut = shortcut
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(body)
        asked = Asked(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ, body, environ.get(SOCKET))
        answered = self._shortcut(asked)
        if answered is None:
            return self._app(environ, start_response)
        if isinstance(answered.answer, PlainAnswer):
            pieces = answered.answer.send(start_response)
        else:
            environ[FAILED] = answered.answer
            pieces = self._app(environ, start_response)
        return pieces if answered.follows is None else _Followed(pieces, answered.follows)


class _Followed:
    """An answer, and what follows it."""

    def __init__(self, answer: Iterable[bytes], follows: Callable[[], None]) -> None:
        self._answer = answer
        self._follows = follows

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """Called by the server (PEP 3333)."""
        try:
            closes = getattr(self._answer, "close", None)
            if closes is not None:
                closes()
        finally:
            self._follows()
