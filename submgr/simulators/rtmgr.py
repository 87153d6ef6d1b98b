# SPDX-License-Identifier: Apache-2.0
"""A Routing Manager: the routes of subscriptions over HTTP, as the near-RT RIC's has them.

    POST   …/handles/xapp-subscription-handle      {"address": "h", "port": 4560, "subscription_id": 1}   201
    PUT    …/handles/xapp-subscription-handle/1    [{"address": "h", "port": 4560}, …]                    201
    DELETE …/handles/xapp-subscription-handle      {"address": "h", "port": 4560, "subscription_id": 1}   200

A DELETE that has removed nothing is answered with 204.

The ground truth, endpoints by instance id, is in `routes` and at `GET /state`. A careful client creates no route twice,
and changes or deletes no route that is not there. The simulator executes such requests and lists them in `surprises`.
The common control interface is on the same port (see `submgr.simulators.http`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from submgr.simulators.events import EventLog, remember
from submgr.simulators.http import Control, HttpListener, Reply, Request, error_reply, json_reply, pause, spoiled
from submgr.simulators.rules import HttpRule, RuleBook

_DONE = {"POST": 201, "PUT": 201, "DELETE": 200}
"""The status of a call that was done, by its method."""

HANDLE = "/handles/xapp-subscription-handle"


class Endpoint(msgspec.Struct, frozen=True):
    """Where messages of a subscription go."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


class Route(msgspec.Struct, frozen=True):
    """Body of POST and DELETE."""

    address: str
    port: int
    subscription_id: int


class RoutingManagerSimulator:
    """A Routing Manager; `start` and `stop` may follow each other, routes are kept."""

    def __init__(self, listen: str = "127.0.0.1:0") -> None:
        self.log = EventLog()
        self.rules: RuleBook[HttpRule] = RuleBook(HttpRule)
        self.routes: dict[int, list[str]] = {}
        """Endpoints as host:port, by instance id."""
        self.surprises: list[str] = []
        self._control = Control(self.log, self.rules, self.state, self.counts, self.reset)
        self.http = HttpListener(listen, self._answer)

    def start(self) -> None:
        """Listens. Raises ListenError when the port is not free."""
        self.http.start()

    def stop(self) -> None:
        """Closes the port and every connection."""
        self.http.stop()

    def reset(self) -> None:
        """Forgets routes, rules and log."""
        self.rules.clear()
        self.log.clear()
        self.routes.clear()
        self.surprises.clear()

    def state(self) -> dict[str, Any]:
        """The ground truth as JSON values."""
        return {
            "routes": {str(key): list(endpoints) for key, endpoints in sorted(self.routes.items())},
            "surprises": list(self.surprises),
        }

    def counts(self) -> dict[str, int]:
        """Instances with routes, endpoints of them all, surprises."""
        endpoints = sum(len(endpoints) for endpoints in self.routes.values())
        return {"instances": len(self.routes), "endpoints": endpoints, "surprises": len(self.surprises)}

    def _answer(self, request: Request) -> Reply:
        reply = self._control.answer(request)
        if reply is not None:
            return reply
        _, found, rest = request.path.partition(HANDLE)
        if not found:
            return error_reply(404, f"there is no {request.path}")
        try:
            instance, endpoints = _wanted(request.method, rest.strip("/"), request.body)
        except (msgspec.DecodeError, ValueError) as error:
            self.log.add("refused", method=request.method, path=request.path, why=str(error))
            return error_reply(400, str(error))
        return self._change(request, instance, endpoints)

    def _change(self, request: Request, instance: int, endpoints: list[str]) -> Reply:
        facts: dict[str, Any] = {"method": request.method, "instance": instance, "endpoints": endpoints}
        self.log.add("received", path=request.path, **facts)
        removes = bool(set(endpoints) & set(self.routes.get(instance, ())))
        rule = self.rules.pick({**facts, "host": request.host})
        if rule is None or rule.takes_effect():
            self._apply(request.method, instance, endpoints)
        pause(rule)
        well = Reply(204) if request.method == "DELETE" and not removes else json_reply({}, _DONE[request.method])
        reply = spoiled(rule, well)
        silent = reply.hang or reply.close
        self.log.add("answered", status=None if silent else reply.status, **facts)
        return reply

    def _apply(self, method: str, instance: int, endpoints: list[str]) -> None:
        held = self.routes.get(instance, [])
        if method == "POST":
            if held:
                self._surprise(f"POST for instance {instance}, which has routes")
            self.routes[instance] = held + [name for name in endpoints if name not in held]
        elif method == "PUT":
            if not held:
                self._surprise(f"PUT for instance {instance}, which has no routes")
            self.routes[instance] = endpoints
        else:
            if not set(endpoints) <= set(held):
                self._surprise(f"DELETE of a route that instance {instance} has not: {endpoints[0]}")
            self.routes[instance] = [name for name in held if name not in endpoints]
        if not self.routes[instance]:
            del self.routes[instance]

    def _surprise(self, what: str) -> None:
        remember(self.surprises, what)
        self.log.add("surprise", what=what)


def _wanted(method: str, tail: str, body: bytes) -> tuple[int, list[str]]:
    """Instance id and endpoints of a request. Raises ValueError or DecodeError when it is not as it must be."""
    if method == "PUT":
        endpoints = msgspec.json.decode(body, type=list[Endpoint])
        if not endpoints:
            raise ValueError("an empty list of endpoints")
        return int(tail), [str(endpoint) for endpoint in endpoints]
    if method not in ("POST", "DELETE") or tail:
        raise ValueError(f"{method} is not possible on {HANDLE}/{tail}")
    route = msgspec.json.decode(body, type=Route)
    return route.subscription_id, [str(Endpoint(route.address, route.port))]
