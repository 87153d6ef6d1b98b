# SPDX-License-Identifier: Apache-2.0
"""Requests that are answered before Flask get the answers that Flask gives."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from submgr.core.errors import FieldError, NodeDownError, RefusedError
from submgr.rest.use_cases import XappOptions
from submgr.rest.xapp import xapp_app

URL = "/ric/v1/subscriptions"
PLAIN = "application/json"
FOR_FLASK = "application/json; charset=utf-8"
"""Means the same, and is not plain."""

REFUSED = RefusedError(503, "the queue is full", (FieldError("Meid", "is busy"),), retry_after=3)


class Looks:
    """A process that is the active one for so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def permit(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise RefusedError(503, "not active", retry_after=1)


def whole(answer: TestResponse) -> tuple[Any, ...]:
    return answer.status, sorted(answer.headers.items()), answer.get_data()


class Way:
    """The application, and what it has done."""

    def __init__(self, subscriptions: Any, looks: int = 1000) -> None:
        self.counts: Counter[str] = Counter()
        self.bugs = 0
        self.subscriptions = subscriptions
        options = XappOptions(permit=Looks(looks).permit)
        self.app = xapp_app(subscriptions, lambda name: self.counts.update([name]), self._bug, options)

    def _bug(self) -> None:
        self.bugs += 1

    def post(self, data: bytes, content_type: str) -> tuple[Any, ...]:
        return self._done(self.app.test_client().post(URL, data=data, content_type=content_type))

    def delete(self, path: str, content_type: str) -> tuple[Any, ...]:
        return self._done(self.app.test_client().delete(path, content_type=content_type))

    def _done(self, answer: TestResponse) -> tuple[Any, ...]:
        told = whole(answer)
        answer.close()
        calls, self.subscriptions.calls[:] = list(self.subscriptions.calls), []
        return told, self.counts, self.bugs, calls


def both(subscriptions: Any, ask: Callable[[Way, str], tuple[Any, ...]], looks: int = 1000) -> tuple[Any, ...]:
    """What both ways have answered and done, which is the same."""
    hot, flask = ask(Way(subscriptions, looks), PLAIN), ask(Way(subscriptions, looks), FOR_FLASK)
    assert hot == flask
    return hot


@pytest.fixture
def flask_is_asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    full_dispatch_request = Flask.full_dispatch_request

    def dispatch(app: Flask) -> Any:
        asked.append("")
        return full_dispatch_request(app)

    monkeypatch.setattr(Flask, "full_dispatch_request", dispatch)
    return asked


def test_what_is_granted(subscriptions: Any, body: dict[str, Any], flask_is_asked: list[str]) -> None:
    data = json.dumps(body).encode()
    told, counts, _, calls = both(subscriptions, lambda way, kind: way.post(data, kind))
    assert told[0] == "201 CREATED"
    assert counts == {"RestSubReqFromXapp": 1, "RestSubRespToXapp": 1}
    assert [name for name, _ in calls] == ["subscribe", "start"]
    told, counts, _, calls = both(subscriptions, lambda way, kind: way.delete(f"{URL}/2ab", kind))
    assert told == ("204 NO CONTENT", [("Content-Type", "text/html; charset=utf-8")], b"")
    assert counts == {"RestSubDelReqFromXapp": 1, "RestSubDelRespToXapp": 1}
    assert len(flask_is_asked) == 2


@pytest.mark.parametrize("error", [REFUSED, NodeDownError("E2 node gnb is not known"), ZeroDivisionError("a bug")])
def test_what_is_refused(subscriptions: Any, body: dict[str, Any], error: Exception) -> None:
    data = json.dumps(body).encode()
    subscriptions.refuse_with = error
    told, counts, bugs, _ = both(subscriptions, lambda way, kind: way.post(data, kind))
    assert told[0][:3] == ("500" if bugs else "503")
    assert counts.total() == 2
    both(subscriptions, lambda way, kind: way.delete(f"{URL}/2ab", kind))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 30_000, b'{"Meid":""}', b"\xef\xbb\xbf{}"])
def test_what_is_no_request(subscriptions: Any, data: bytes) -> None:
    told, _, _, calls = both(subscriptions, lambda way, kind: way.post(data, kind))
    assert told[0][:3] == "400"
    assert calls == []


@pytest.mark.parametrize(
    "path", [f"{URL}/", f"{URL}/a/b", f"{URL}//2ab", f"{URL}/2ab/", f"{URL}/%C3%A9", f"{URL}/a%2Fb"]
)
def test_odd_ids(subscriptions: Any, path: str) -> None:
    both(subscriptions, lambda way, kind: way.delete(path, kind))


@pytest.mark.parametrize("looks", [0, 1])
def test_a_process_that_is_not_active(subscriptions: Any, body: dict[str, Any], looks: int) -> None:
    data = json.dumps(body).encode()
    told, _, _, calls = both(subscriptions, lambda way, kind: way.post(data, kind), looks)
    assert told[0][:3] == "503"
    assert [name for name, _ in calls] == (["subscribe", "start"] if looks else [])


def test_requests_that_are_not_plain_go_to_flask(
    subscriptions: Any, body: dict[str, Any], flask_is_asked: list[str]
) -> None:
    xapp = Way(subscriptions).app.test_client()
    data = json.dumps(body).encode()
    large = data[:-1] + b" " * (1 << 15) + b"}"
    for headers, text in (({"Origin": "http://evil"}, data), ({"RIC-Callback": "1"}, data), ({}, large)):
        flask_is_asked.clear()
        answer = xapp.post(URL, data=text, headers=headers, content_type=PLAIN)
        assert answer.status_code == (403 if headers else 201)
        assert len(flask_is_asked) == 1
