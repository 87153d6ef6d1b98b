# SPDX-License-Identifier: Apache-2.0
"""Requests that are answered before Flask get the answers that Flask gives."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from submgr.core.errors import FieldError, NodeDownError, RefusedError
from submgr.core.model import Content, E2Record, Holder, RestHolder, RmrEndpoint
from submgr.platform.http.peer import SOCKET
from submgr.platform.http.shortcut import AsWsgi
from submgr.platform.tls import TlsSocket
from submgr.rest.hot_routes import HotRoutes
from submgr.rest.use_cases import Count, InternalError, XappOptions
from submgr.rest.xapp import xapp_app
from submgr.rest.xapp_requests import SUBSCRIBE_PATHS, SUBSCRIPTION_PATHS, XappRequests

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


def named(name: str | None) -> dict[str, Any]:
    """The environment of a request over a connection whose client has shown a certificate with this name."""
    sock = TlsSocket.__new__(TlsSocket)
    sock.__dict__.update(peer_name=name)
    return {SOCKET: sock}


def hot_client(subscriptions: Any, count: Count, bug: InternalError, options: XappOptions) -> Client:
    """A client of the interface as the daemon has it: hot routes, and behind them Flask."""
    requests = XappRequests(subscriptions, options)
    return Client(AsWsgi(HotRoutes(requests, count), xapp_app(subscriptions, count, bug, requests=requests)))


class Way:
    """The application, and what it has done."""

    def __init__(self, subscriptions: Any, looks: int = 1000) -> None:
        self.counts: Counter[str] = Counter()
        self.bugs = 0
        self.subscriptions = subscriptions
        self.client = hot_client(subscriptions, self._count, self._bug, XappOptions(permit=Looks(looks).permit))

    def _count(self, name: str) -> None:
        self.counts.update([name])

    def _bug(self) -> None:
        self.bugs += 1

    def post(self, data: bytes, content_type: str, path: str = URL) -> tuple[Any, ...]:
        return self._done(self.client.post(path, data=data, content_type=content_type))

    def get(self, content_type: str, path: str = URL) -> tuple[Any, ...]:
        return self._done(self.client.get(path, content_type=content_type))

    def delete(self, path: str, content_type: str) -> tuple[Any, ...]:
        return self._done(self.client.delete(path, content_type=content_type))

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
    told, counts, _, calls = both(subscriptions, Way.get)
    assert (told[0], told[2], counts, calls) == ("200 OK", b"[]\n", {}, [])
    assert len(flask_is_asked) == 3


@pytest.mark.parametrize("path", [*SUBSCRIBE_PATHS, f"{URL}/", "//subscriptions", "/ric", f"{URL}/x", "/ric/v1/"])
def test_the_paths_of_stock_clients(
    subscriptions: Any, body: dict[str, Any], path: str, flask_is_asked: list[str]
) -> None:
    data = json.dumps(body).encode()
    both(subscriptions, lambda way, kind: way.post(data, kind, path))
    assert len(flask_is_asked) == (1 if path in SUBSCRIBE_PATHS else 2)
    flask_is_asked.clear()
    both(subscriptions, lambda way, kind: way.get(kind, path))
    assert len(flask_is_asked) == (1 if path in SUBSCRIPTION_PATHS else 2)
    flask_is_asked.clear()
    *_, calls = both(subscriptions, lambda way, kind: way.delete(f"{path}/2ab", kind))
    assert len(flask_is_asked) == (1 if path in SUBSCRIPTION_PATHS else 2)
    assert path not in SUBSCRIPTION_PATHS or calls == [("unsubscribe", "2ab")]


@pytest.mark.parametrize("error", [REFUSED, NodeDownError("E2 node gnb is not known"), ZeroDivisionError("a bug")])
def test_what_is_refused(subscriptions: Any, body: dict[str, Any], error: Exception) -> None:
    data = json.dumps(body).encode()
    subscriptions.refuse_with = error
    told, counts, bugs, _ = both(subscriptions, lambda way, kind: way.post(data, kind))
    assert told[0][:3] == ("500" if bugs else "503")
    assert counts.total() == 2
    both(subscriptions, lambda way, kind: way.delete(f"{URL}/2ab", kind))
    subscriptions.e2_subscriptions = Mock(side_effect=error)
    told, _, bugs, _ = both(subscriptions, Way.get)
    assert told[0][:3] == ("500" if bugs else "503")


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
    assert both(subscriptions, Way.get, looks)[0][0][:3] == "503"


@pytest.mark.parametrize("name", ["xapp-a", "xapp-b", None])
def test_with_ownership(subscriptions: Any, body: dict[str, Any], name: str | None, flask_is_asked: list[str]) -> None:
    content, holder = Content(2, b"", ()), Holder(RestHolder("of-a", 1), RmrEndpoint("a", 4560), routed=True)
    subscriptions.e2 = [E2Record(7, "gnb_1", 123, 1, content, (), (holder,), (), (1,))]
    subscriptions.owners = {"of-a": "xapp-a"}
    client = hot_client(subscriptions, lambda name: None, lambda: None, XappOptions(ownership=True))
    requests = ("POST", URL, json.dumps(body)), ("GET", URL, None), ("DELETE", f"{URL}/of-a", None)

    def asked(content_type: str) -> list[Any]:
        answers = []
        for method, path, data in requests:
            answer = client.open(
                path, method=method, data=data, content_type=content_type, environ_overrides=named(name)
            )
            answers.append(whole(answer))
            answer.close()
        calls, subscriptions.calls[:] = list(subscriptions.calls), []
        return [*answers, calls]

    hot = asked(PLAIN)
    assert len(flask_is_asked) == (3 if name is None else 0)
    assert hot == asked(FOR_FLASK)
    assert [status[:3] for status, *_ in hot[:-1]] == (["403"] * 3 if name is None else ["201", "200", "204"])
    assert (b"of-a" in hot[1][2]) is (name == "xapp-a")


def test_requests_that_are_not_plain_go_to_flask(
    subscriptions: Any, body: dict[str, Any], flask_is_asked: list[str]
) -> None:
    xapp = Way(subscriptions).client
    data = json.dumps(body).encode()
    large = data[:-1] + b" " * (1 << 15) + b"}"
    for headers, text in (({"Origin": "http://evil"}, data), ({"RIC-Callback": "1"}, data), ({}, large)):
        flask_is_asked.clear()
        answer = xapp.post(URL, data=text, headers=headers, content_type=PLAIN)
        assert answer.status_code == (403 if headers else 201)
        assert len(flask_is_asked) == 1
