# SPDX-License-Identifier: Apache-2.0
"""Tells the Routing Manager to which xApp endpoints the indications of a subscription go."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from gevent.lock import BoundedSemaphore
from msgspec import Struct

from submgr.adapters.http_answers import status_words, succeeded, words_of
from submgr.core.commands import RouteChange
from submgr.core.events import RouteFailureKind
from submgr.core.model import RmrEndpoint
from submgr.platform.crew import Crew
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpConnectError, HttpError, HttpTimeout
from submgr.platform.http.target import Target
from submgr.platform.lease.permit import MaySend, always
from submgr.platform.names import neighbours
from submgr.platform.time_limit import TimeLimit
from submgr.platform.tls import TlsFiles
from submgr.runtime.ports import Routed, RouteFailure, Trace

HANDLE = "/handles/xapp-subscription-handle"

log = logging.getLogger(__name__)

SETTING = "(rtmgr.timeout_ms)"
"""Behind the words of a timeout: what says how long a call waits."""

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_UPDATE_COUNTERS = {
    RouteChange.CREATE: "RouteCreateFail",
    RouteChange.MERGE: "RouteCreateUpdateFail",
    RouteChange.UNMERGE: "RouteDeleteUpdateFail",
}

_UNKNOWN = (RouteFailureKind.TIMEOUT, RouteFailureKind.BROKEN)
"""Failures after which nobody knows whether the Routing Manager did what it was told."""

_encode = msgspec.json.Encoder().encode


def _nothing(*_: object) -> None:
    pass


class _Call(Struct, frozen=True):
    """`counter`: of its failures. `names`: the endpoints that it is about, in words."""

    method: str
    path: str
    body: bytes
    counter: str
    done: Routed
    names: str
    headers: Mapping[str, str]


class RoutingManager:
    """Implements `submgr.runtime.ports.Routes` over HTTP.

    Calls for one instance id are made one after the other, in the order of the requests: a removal never overtakes the
    creation that it undoes. A call takes at most `timeout` seconds from its turn. This includes the wait for one of the
    `at_once` connections; a call that has none by then is not sent any more. `count` is called with the name of the
    counter of each failure, `latency` with the method and the seconds of each call that was answered. `tls`: the
    calls are made over https. While `may_send` says no, calls fail. `trace`: see `Trace`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        base_url: str,
        *,
        timeout: float = 2.0,
        at_once: int = 64,
        count: Callable[[str], None] = _nothing,
        latency: Callable[[str, float], None] = _nothing,
        tls: TlsFiles | None = None,
        may_send: MaySend = always,
        trace: Trace | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._path = base_url.rstrip("/") + HANDLE
        self._timeout = timeout
        self._count = count
        self._latency = latency
        self._trace = trace
        self._free = BoundedSemaphore(at_once)
        self._scheme = "http" if tls is None else "https"
        self._client = HttpClient(connections=at_once, idle=at_once, names=neighbours, tls=tls, may_send=may_send)
        self._crew = Crew()
        self._calls: dict[int, deque[_Call]] = {}
        """The calls for each instance id that are not over; the first one is under way."""
        self._told: dict[int, frozenset[RmrEndpoint]] = {}

    def told(self) -> dict[int, frozenset[RmrEndpoint]]:
        """The endpoints that the Routing Manager has by instance id, by what it was told since the start and confirmed.

        What it did not answer is not known, nor what is under way.
        """
        return {instance_id: told for instance_id, told in self._told.items() if instance_id not in self._calls}

    def told_of(self, instance_id: int) -> frozenset[RmrEndpoint] | None:
        """Those of one instance id; None: not known."""
        return None if instance_id in self._calls else self._told.get(instance_id)

    def stop(self) -> None:
        """Ends the calls under way, without calling their `done`, and closes the connections."""
        self._crew.stop()
        self._client.close()

    def create(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None:
        body = _one(instance_id, endpoint)
        done = self._telling(instance_id, lambda told: told | {endpoint}, done)
        self._begin(instance_id, "POST", self._path, body, "RouteCreateFail", done, f"{endpoint}")

    def update(self, instance_id: int, endpoints: Sequence[RmrEndpoint], change: RouteChange, done: Routed) -> None:
        body = [{"address": endpoint.address, "port": endpoint.port} for endpoint in endpoints]
        names = ", ".join(str(endpoint) for endpoint in endpoints)
        done = self._telling(instance_id, lambda told: frozenset(endpoints), done)
        self._begin(instance_id, "PUT", f"{self._path}/{instance_id}", body, _UPDATE_COUNTERS[change], done, names)

    def delete(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None:
        body = _one(instance_id, endpoint)
        done = self._telling(instance_id, lambda told: told - {endpoint}, done)
        self._begin(instance_id, "DELETE", self._path, body, "RouteDeleteFail", done, f"{endpoint}")

    def _telling(
        self, instance_id: int, change: Callable[[frozenset[RmrEndpoint]], frozenset[RmrEndpoint]], done: Routed
    ) -> Routed:
        def told(failure: RouteFailure | None) -> None:
            if failure is None or failure.kind is RouteFailureKind.UNCONFIRMED:
                self._told[instance_id] = change(self._told.get(instance_id, frozenset()))
            if not self._told.get(instance_id) or (failure is not None and failure.kind in _UNKNOWN):
                self._told.pop(instance_id, None)
            done(failure)

        return told

    def _begin(
        self, instance_id: int, method: str, path: str, body: object, counter: str, done: Routed, names: str
    ) -> None:
        headers = _HEADERS if self._trace is None else {**_HEADERS, **self._trace()}
        call = _Call(method, path, _encode(body), counter, done, names, headers)
        waiting = self._calls.get(instance_id)
        if waiting is not None:
            waiting.append(call)
        else:
            self._calls[instance_id] = deque((call,))
            self._crew.do(partial(self._work_off, instance_id))

    def _work_off(self, instance_id: int) -> None:
        """Makes the calls for one instance id, one after the other."""
        calls = self._calls[instance_id]
        while calls:
            self._make(calls[0])
            calls.popleft()
        del self._calls[instance_id]

    def _make(self, call: _Call) -> None:
        try:
            failure = self._answer(call)
        except Exception as bug:  # whoever waits for the route must hear of it
            log.exception("a request to the Routing Manager failed")
            failure = RouteFailure(RouteFailureKind.BROKEN, repr(bug))
        if failure is not None and failure.kind is not RouteFailureKind.UNCONFIRMED:
            self._count(call.counter)
        call.done(failure)

    def _answer(self, call: _Call) -> RouteFailure | None:
        method = call.method
        failure: RouteFailure | None = RouteFailure(
            RouteFailureKind.TIMEOUT,
            f"not sent: the Routing Manager left no connection free for {self._timeout:g} s {SETTING}",
        )
        with TimeLimit(self._timeout, quiet=True), self._free:
            failure = RouteFailure(RouteFailureKind.TIMEOUT, f"no answer within {self._timeout:g} s {SETTING}")
            begin = time.monotonic()
            try:
                with self._client.stream(
                    method,
                    Target(self._host, self._port, call.path, self._scheme),
                    body=call.body,
                    headers=call.headers,
                    connect_timeout=self._timeout,
                    read_timeout=self._timeout,
                ) as answer:
                    # from here on the outcome is known, whatever becomes of the body
                    failure = _outcome(method, answer.status)
                    self._latency(method, time.monotonic() - begin)
                    text, refused = words_of(answer, self._timeout)
                if failure is None and refused:
                    failure = RouteFailure(RouteFailureKind.REFUSED, f"{status_words(answer.status)}, but")
                if failure is not None:
                    failure = RouteFailure(failure.kind, f"{failure.message}: {text or _guess(method, call.names)}")
            except HttpConnectError as error:
                failure = RouteFailure(RouteFailureKind.UNREACHABLE, str(error))
            except HttpTimeout as error:
                failure = RouteFailure(RouteFailureKind.TIMEOUT, f"{error} {SETTING}")
            except HttpError as error:
                failure = RouteFailure(RouteFailureKind.BROKEN, str(error))
        return failure


def _one(instance_id: int, endpoint: RmrEndpoint) -> dict[str, object]:
    return {"address": endpoint.address, "port": endpoint.port, "subscription_id": instance_id}


def _outcome(method: str, status: int) -> RouteFailure | None:
    """What a status says. The Routing Manager answers 204 to a DELETE that has removed nothing, 404 when it does not
    know the xApp: neither says that the route will not be there when the xApp is back in its list. A proxy on the way
    that answers for it (RFC 9110 15.6.3, 15.6.5) does not know what it did."""
    if status in (502, 504):
        return RouteFailure(RouteFailureKind.BROKEN, status_words(status))
    if method == "DELETE" and status in (204, 404):
        return RouteFailure(RouteFailureKind.UNCONFIRMED, f"{status_words(status)}, nothing was removed")
    return None if succeeded(status) else RouteFailure(RouteFailureKind.REFUSED, status_words(status))


def _guess(method: str, names: str) -> str:
    """What to look at when the Routing Manager refuses without a word: it does so for an xApp that it does not know."""
    return f"is an xApp registered under {names}?" if method != "DELETE" else names
