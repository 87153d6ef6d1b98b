# SPDX-License-Identifier: Apache-2.0
"""Answers plain requests of xApps before Flask's machinery, which takes longer than they do, and is not even loaded.

Whatever is not plain, or fails, goes through Flask: it knows all rules, and makes every error answer. So a failure has
one form, whichever way its request went; tests compare the answers of both ways.
"""

from __future__ import annotations

from submgr.platform.http.peer import name_shown
from submgr.platform.http.plain_answers import PlainAnswer, plain_json
from submgr.platform.http.shortcut import Answered, Asked
from submgr.rest.use_cases import Count
from submgr.rest.views import accepted_view
from submgr.rest.xapp_requests import SUBSCRIBE_PATHS, SUBSCRIPTION_PATHS, XappRequests

_SMALL = 1 << 15
"""Bytes of a body. A larger one waits for its turn, see `json_body.take_turn`."""
_NOT_PLAIN = frozenset({"HTTP_ORIGIN", "HTTP_RIC_CALLBACK"})
_JSON = (None, "application/json")
_DELETED = PlainAnswer((), 204, "text/html; charset=utf-8")


class HotRoutes:
    """The shortcut before the application of the xApp interface for the same `requests`."""

    def __init__(self, requests: XappRequests, count: Count) -> None:
        self._permit = requests.options.permit or _always
        self._ownership = requests.options.ownership
        self._requests = requests
        self._subscriptions = requests.subscriptions
        self._count = count

    def __call__(self, asked: Asked) -> Answered | None:
        if not _is_plain(asked):
            return None
        owner = None
        if self._ownership:
            owner = name_shown(asked.client)
            if owner is None:
                return None  # it is refused
        method, path = asked.method, asked.path
        if method == "POST" and path in SUBSCRIBE_PATHS:
            return self._subscribe(owner, asked.body)
        if method == "GET" and path in SUBSCRIPTION_PATHS:
            return self._query(owner)
        if method == "DELETE":
            base, _, subscription_id = path.rpartition("/")
            if base in SUBSCRIPTION_PATHS and subscription_id and subscription_id.isascii():
                return self._unsubscribe(subscription_id, owner)
        return None

    def _subscribe(self, owner: str | None, body: bytes) -> Answered:
        try:
            self._permit()
            accepted = self._subscriptions.subscribe(self._requests.parsed(body, owner))
        except Exception as error:  # Flask tells the errors of ours from bugs
            return Answered(error)
        try:
            self._permit()
        except Exception as error:
            return Answered(error, accepted.start)
        self._count("RestSubReqFromXapp")
        self._count("RestSubRespToXapp")
        return Answered(plain_json(accepted_view(accepted.subscription_id), 201), accepted.start)

    def _query(self, owner: str | None) -> Answered:
        try:
            self._permit()
            answer = self._requests.listed(owner)
            self._permit()
        except Exception as error:
            return Answered(error)
        return Answered(answer)

    def _unsubscribe(self, subscription_id: str, owner: str | None) -> Answered:
        try:
            self._permit()
            self._subscriptions.unsubscribe(subscription_id, owner)
            self._permit()
        except Exception as error:
            return Answered(error)
        self._count("RestSubDelReqFromXapp")
        self._count("RestSubDelRespToXapp")
        return Answered(_DELETED)


def _always() -> None:
    pass


def _is_plain(asked: Asked) -> bool:
    fields = asked.fields
    return _NOT_PLAIN.isdisjoint(fields) and fields.get("CONTENT_TYPE") in _JSON and len(asked.body) <= _SMALL
