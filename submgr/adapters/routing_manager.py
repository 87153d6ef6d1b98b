# SPDX-License-Identifier: Apache-2.0
"""Tells the Routing Manager to which xApp endpoints the indications of a subscription go."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf

import msgspec
from gevent.lock import BoundedSemaphore
from msgspec import Struct
from msgspec.structs import replace

from submgr.adapters.http_answers import status_words, words_of
from submgr.core.commands import RouteChange
from submgr.core.events import RouteFailureKind
from submgr.core.model import RmrEndpoint
from submgr.platform.crew import Crew
from submgr.platform.http.client import HttpClient, HttpStream
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


_Endpoints = frozenset[RmrEndpoint]
_Change = Callable[[_Endpoints], _Endpoints]
_NONE: _Endpoints = frozenset()


class _Call(Struct, frozen=True):
    """`counter`: of its failures. `endpoints`: those that it is about. `change`: what it makes of those that the
    Routing Manager has for the instance id. `trace`: further header fields."""

    instance_id: int
    method: str
    target: Target
    body: object
    counter: str
    endpoints: Sequence[RmrEndpoint]
    change: _Change
    done: Routed
    trace: Mapping[str, str] | None = None


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
        self._target = Target(host, port, base_url.rstrip("/") + HANDLE, "http" if tls is None else "https")
        self._timeout = timeout
        self._count = count
        self._latency = latency
        self._trace = trace
        self._free = BoundedSemaphore(at_once)
        self._client = HttpClient(connections=None, idle=at_once, names=neighbours, tls=tls, may_send=may_send)
        self._crew = Crew()
        self._calls: dict[int, deque[_Call]] = {}
        """The calls for each instance id that are not over; the first one is under way."""
        self._told: dict[int, _Endpoints] = {}

    def told(self) -> dict[int, _Endpoints]:
        """The endpoints that the Routing Manager has by instance id, by what it was told since the start and confirmed.

        What it did not answer is not known, nor what is under way.
        """
        return {instance_id: told for instance_id, told in self._told.items() if instance_id not in self._calls}

    def told_of(self, instance_id: int) -> _Endpoints | None:
        """Those of one instance id; None: not known."""
        return None if instance_id in self._calls else self._told.get(instance_id)

    def stop(self) -> None:
        """Ends the calls under way, without calling their `done`, and closes the connections."""
        self._crew.stop()
        self._client.close()

    def create(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None:
        self._one("POST", "RouteCreateFail", instance_id, endpoint, lambda told: told | {endpoint}, done)

    def update(self, instance_id: int, endpoints: Sequence[RmrEndpoint], change: RouteChange, done: Routed) -> None:
        target = replace(self._target, path=f"{self._target.path}/{instance_id}")
        body = [{"address": endpoint.address, "port": endpoint.port} for endpoint in endpoints]
        now: _Endpoints = frozenset(endpoints)
        counter = _UPDATE_COUNTERS[change]
        self._begin(_Call(instance_id, "PUT", target, body, counter, endpoints, lambda told: now, done))

    def delete(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None:
        self._one("DELETE", "RouteDeleteFail", instance_id, endpoint, lambda told: told - {endpoint}, done)

    def _one(
        self, method: str, counter: str, instance_id: int, endpoint: RmrEndpoint, change: _Change, done: Routed
    ) -> None:
        """Adds or removes one endpoint."""
        body = {"address": endpoint.address, "port": endpoint.port, "subscription_id": instance_id}
        self._begin(_Call(instance_id, method, self._target, body, counter, (endpoint,), change, done))

    def _begin(self, call: _Call) -> None:
        if self._trace is not None:
            call = replace(call, trace=self._trace())
        waiting = self._calls.get(call.instance_id)
        if waiting is not None:
            waiting.append(call)
        else:
            waiting = self._calls[call.instance_id] = deque((call,))
            self._crew.do(partial(self._work_off, waiting))

    def _work_off(self, calls: deque[_Call]) -> None:
        """Makes the calls for one instance id, one after the other."""
        while True:
            call = calls[0]
            self._make(call)
            calls.popleft()
            if not calls:
                del self._calls[call.instance_id]
                return

    def _make(self, call: _Call) -> None:
        try:
            failure = self._answer(call)
        except Exception as bug:  # whoever waits for the route must hear of it
            log.exception("a request to the Routing Manager failed")
            failure = RouteFailure(RouteFailureKind.BROKEN, repr(bug))
        if failure is not None and failure.kind is not RouteFailureKind.UNCONFIRMED:
            self._count(call.counter)
        self._note(call, failure)
        call.done(failure)

    def _note(self, call: _Call, failure: RouteFailure | None) -> None:
        """Keeps what the Routing Manager has been told."""
        told = self._told.get(call.instance_id, _NONE)
        if failure is None or failure.kind is RouteFailureKind.UNCONFIRMED:
            told = call.change(told)
        elif failure.kind in _UNKNOWN:
            told = _NONE
        if told:
            self._told[call.instance_id] = told
        else:
            self._told.pop(call.instance_id, None)

    def _answer(self, call: _Call) -> RouteFailure | None:
        begun = answered = False
        failure = None
        with TimeLimit(self._timeout, quiet=True), self._free:
            begun = True
            begin = time.monotonic()
            try:
                with self._client.stream(
                    call.method,
                    call.target,
                    body=_encode(call.body),
                    headers=_HEADERS if call.trace is None else {**_HEADERS, **call.trace},
                    connect_timeout=self._timeout,
                    read_timeout=inf,  # the limit ends it
                ) as answer:
                    # from here on the outcome is known, whatever becomes of the body
                    failure, answered = _outcome(call.method, answer), True
                    self._latency(call.method, time.monotonic() - begin)
                    text, refused = words_of(answer, self._timeout)
                if failure is None and refused:
                    failure = RouteFailure(RouteFailureKind.REFUSED, f"{status_words(answer.status)}, but")
                if failure is not None:
                    failure = RouteFailure(failure.kind, f"{failure.message}: {text or _guess(call)}")
                return failure
            except HttpConnectError as error:
                return RouteFailure(RouteFailureKind.UNREACHABLE, str(error))
            except HttpTimeout as error:
                return RouteFailure(RouteFailureKind.TIMEOUT, f"{error} {SETTING}")
            except HttpError as error:
                return RouteFailure(RouteFailureKind.BROKEN, str(error))
        if answered:
            return failure
        what = "no answer within" if begun else "not sent: the Routing Manager left no connection free for"
        return RouteFailure(RouteFailureKind.TIMEOUT, f"{what} {self._timeout:g} s {SETTING}")


def _outcome(method: str, answer: HttpStream) -> RouteFailure | None:
    """What a status says. The Routing Manager answers 204 to a DELETE that has removed nothing, 404 when it does not
    know the xApp: neither says that the route will not be there when the xApp is back in its list. A proxy on the way
    that answers for it (RFC 9110 15.6.3, 15.6.5) does not know what it did."""
    status = answer.status
    if status in (502, 504):
        return RouteFailure(RouteFailureKind.BROKEN, status_words(status))
    if method == "DELETE" and status in (204, 404):
        return RouteFailure(RouteFailureKind.UNCONFIRMED, f"{status_words(status)}, nothing was removed")
    return None if answer.ok else RouteFailure(RouteFailureKind.REFUSED, status_words(status))


def _guess(call: _Call) -> str:
    """What to look at when the Routing Manager refuses without a word: it does so for an xApp that it does not know."""
    names = ", ".join(map(str, call.endpoints))
    return f"is an xApp registered under {names}?" if call.method != "DELETE" else names
