# SPDX-License-Identifier: Apache-2.0
"""Answers plain requests to subscribe and to unsubscribe before Flask's machinery, which takes longer than they do.

Whatever is not plain, or fails, goes through Flask: it knows all rules, and makes every error answer. So a failure has
one form, whichever way its request went; tests compare the answers of both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from flask import request
from werkzeug.wsgi import ClosingIterator

from submgr.core.model import SubscribeRequest
from submgr.platform.http.app import encode_json
from submgr.rest.use_cases import Count, Subscriptions
from submgr.rest.views import accepted_view

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

_SUBSCRIPTIONS = "/ric/v1/subscriptions"
_ONE = f"{_SUBSCRIPTIONS}/"
_SMALL = 1 << 15
"""Bytes of a body. A larger one waits for its turn, see `json_body.take_turn`."""
_NOT_PLAIN = frozenset({"HTTP_ORIGIN", "HTTP_RIC_CALLBACK"})
_JSON = (None, "application/json")

_FAILED = "submgr.failed"
"""Where in the WSGI environment the error is with which a request has failed already."""


class HotRoutes:
    """WSGI middleware. `parse` turns a body into a request and takes note of it. `permit`: see `answer_only_if`."""

    def __init__(
        self,
        app: Wsgi,
        parse: Callable[[bytes], SubscribeRequest],
        subscriptions: Subscriptions,
        count: Count,
        permit: Callable[[], None] | None,
    ) -> None:
        self._permit = permit or _always
        self._app = app
        self._parse = parse
        self._subscriptions = subscriptions
        self._count = count

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "POST" and path == _SUBSCRIPTIONS and _is_plain(environ):
            return self._subscribe(environ, start_response)
        if method == "DELETE" and path.startswith(_ONE) and _is_plain(environ):
            subscription_id = path[len(_ONE) :]
            if subscription_id.isascii() and subscription_id and "/" not in subscription_id:
                return self._unsubscribe(subscription_id, environ, start_response)
        return self._app(environ, start_response)

    def _subscribe(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        try:
            self._permit()
            accepted = self._subscriptions.subscribe(self._parse(body))
        except Exception as error:  # Flask tells the errors of ours from bugs
            environ["wsgi.input"] = BytesIO(body)
            return self._failed(error, environ, start_response)
        try:
            self._permit()
        except Exception as error:
            return ClosingIterator(self._failed(error, environ, start_response), accepted.start)
        self._count("RestSubReqFromXapp")
        self._count("RestSubRespToXapp")
        answer = encode_json(accepted_view(accepted.subscription_id))
        start_response("201 CREATED", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return ClosingIterator((answer,), accepted.start)

    def _unsubscribe(self, subscription_id: str, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            self._permit()
            self._subscriptions.unsubscribe(subscription_id, None)
            self._permit()
        except Exception as error:
            return self._failed(error, environ, start_response)
        self._count("RestSubDelReqFromXapp")
        self._count("RestSubDelRespToXapp")
        start_response("204 NO CONTENT", [("Content-Type", "text/html; charset=utf-8")])
        return ()

    def _failed(self, error: Exception, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[_FAILED] = error
        return self._app(environ, start_response)


def _always() -> None:
    pass


def raise_if_failed() -> None:
    """Raises the error with which the current request has failed before it came to Flask."""
    error = request.environ.get(_FAILED)
    if error is not None:
        raise error


def _is_plain(environ: dict[str, Any]) -> bool:
    length = environ.get("CONTENT_LENGTH")
    return (
        _NOT_PLAIN.isdisjoint(environ)
        and environ.get("CONTENT_TYPE") in _JSON
        and (length is None or int(length) <= _SMALL)
    )
