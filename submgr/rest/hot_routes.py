# SPDX-License-Identifier: Apache-2.0
"""Answers plain requests of xApps before Flask's machinery, which takes longer than they do, and is not even loaded.

Whatever is not plain, or fails, goes through Flask: it knows all rules, and makes every error answer. So a failure has
one form, whichever way its request went; tests compare the answers of both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

from submgr.platform.http.peer import certificate_name
from submgr.platform.http.plain_answers import Wsgi, plain_json
from submgr.rest.use_cases import Count
from submgr.rest.views import accepted_view
from submgr.rest.xapp_requests import SUBSCRIBE_PATHS, SUBSCRIPTION_PATHS, XappRequests

_SMALL = 1 << 15
"""Bytes of a body. A larger one waits for its turn, see `json_body.take_turn`."""
_NOT_PLAIN = frozenset({"HTTP_ORIGIN", "HTTP_RIC_CALLBACK"})
_JSON = (None, "application/json")

FAILED = "submgr.failed"
"""Where in the WSGI environment the error is with which a request has failed already."""


class HotRoutes:
    """WSGI middleware before `app`, the application of the xApp interface for the same `requests`."""

    def __init__(self, app: Wsgi, requests: XappRequests, count: Count) -> None:
        self._permit = requests.options.permit or _always
        self._ownership = requests.options.ownership
        self._app = app
        self._requests = requests
        self._subscriptions = requests.subscriptions
        self._count = count

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if _is_plain(environ):
            owner = certificate_name(environ) if self._ownership else None
            if self._ownership and owner is None:
                pass  # it is refused
            elif method == "POST" and path in SUBSCRIBE_PATHS:
                return self._subscribe(owner, environ, start_response)
            elif method == "GET" and path in SUBSCRIPTION_PATHS:
                return self._query(owner, environ, start_response)
            elif method == "DELETE":
                base, _, subscription_id = path.rpartition("/")
                if base in SUBSCRIPTION_PATHS and subscription_id and subscription_id.isascii():
                    return self._unsubscribe(subscription_id, owner, environ, start_response)
        return self._app(environ, start_response)

    def _subscribe(self, owner: str | None, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        try:
            self._permit()
            accepted = self._subscriptions.subscribe(self._requests.parsed(body, owner))
        except Exception as error:  # Flask tells the errors of ours from bugs
            environ["wsgi.input"] = BytesIO(body)
            return self._failed(error, environ, start_response)
        try:
            self._permit()
        except Exception as error:
            return _Followed(self._failed(error, environ, start_response), accepted.start)
        self._count("RestSubReqFromXapp")
        self._count("RestSubRespToXapp")
        answer = plain_json(accepted_view(accepted.subscription_id), 201)
        return _Followed(answer.send(start_response), accepted.start)

    def _query(self, owner: str | None, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            self._permit()
            answer = self._requests.listed(owner)
            self._permit()
        except Exception as error:
            return self._failed(error, environ, start_response)
        return answer.send(start_response)

    def _unsubscribe(
        self, subscription_id: str, owner: str | None, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        try:
            self._permit()
            self._subscriptions.unsubscribe(subscription_id, owner)
            self._permit()
        except Exception as error:
            return self._failed(error, environ, start_response)
        self._count("RestSubDelReqFromXapp")
        self._count("RestSubDelRespToXapp")
        start_response("204 NO CONTENT", [("Content-Type", "text/html; charset=utf-8")])
        return ()

    def _failed(self, error: Exception, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[FAILED] = error
        return self._app(environ, start_response)


class _Followed:
    """An answer, and what follows once it is sent or its client found gone."""

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


def _always() -> None:
    pass


def _is_plain(environ: dict[str, Any]) -> bool:
    length = environ.get("CONTENT_LENGTH")
    return (
        _NOT_PLAIN.isdisjoint(environ)
        and environ.get("CONTENT_TYPE") in _JSON
        and (length is None or int(length) <= _SMALL)
    )
