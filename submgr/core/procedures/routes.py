# SPDX-License-Identifier: Apache-2.0
"""Merge and unmerge: an established E2 subscription gets one more holder, or its routes follow those it has left.

Neither sends anything to the E2 node, so neither waits for it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from submgr.core import failures
from submgr.core.commands import (
    Command,
    CreateRoute,
    DeleteRoute,
    Note,
    Noted,
    Outcome,
    RouteChange,
    SaveE2,
    UpdateRoute,
)
from submgr.core.e2_subscription import E2Subscription
from submgr.core.errors import Failure
from submgr.core.events import RouteDone, RouteFailed, Saved, SaveFailed
from submgr.core.model import Holder, RmrEndpoint
from submgr.core.procedures.base import Expired, Lost, Procedure, Skip, Start
from submgr.core.procedures.base import State as S
from submgr.core.requesters import Claim
from submgr.core.timers import T_ROUTE, T_STORE, removal_delay

if TYPE_CHECKING:
    from submgr.core.node import Node


class Join(Procedure):
    """Record, then route (unless its endpoint has one, or wants none), then tell.

    The record goes first, and counts the new route as made: after a crash in between, a restart knows of it.
    """

    NAME = "merge"
    TRANSITIONS = {
        S.NEW: {Start: S.SAVING},
        S.SAVING: {Saved: S.ROUTING, SaveFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED},
        S.ROUTING: {RouteDone: S.DONE, Skip: S.DONE, RouteFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED},
        S.DONE: {},
        S.FAILED: {},
    }
    TIMERS = {S.SAVING: T_STORE, S.ROUTING: T_ROUTE}

    def __init__(self, node: Node, claim: Claim, subscription: E2Subscription) -> None:
        super().__init__(node)
        self.claim = claim
        self.subscription = subscription
        self._before: Holder | None = None
        self._merges = False
        self._routes: tuple[RmrEndpoint, ...] = ()
        self._failure: Failure | None = None
        self._outcome = Outcome.SUCCESS
        self._record_differs = False

    def start(self, now: float) -> None:
        sub = self.subscription
        holder = self.claim.holder()
        self._before = sub.holders.get(holder.key)
        self._routes = sub.routes
        self._merges = holder.endpoint not in sub.endpoints
        sub.holders[holder.key] = holder
        super().start(now)

    def taken(self, event: object, now: float) -> None:
        sub = self.subscription
        match event:
            case RouteDone():
                sub.routes = sub.wanted_routes
                sub.routes_unsure = False
            case RouteFailed() | Expired() | Lost() if self.state is S.ROUTING:
                self._record_differs = True
                if failures.unknown(event):
                    sub.routes = self._all_routes
                    sub.routes_unsure = True
                self._outcome, self._failure = failures.route_or_link("update" if self._routes else "create", event)
            case Lost():
                self._record_differs = True
                self._outcome, self._failure = Outcome.E2_DOWN, failures.e2_down(event)
            case SaveFailed() | Expired():
                self._record_differs = failures.unknown(event)
                self._outcome, self._failure = Outcome.STORE, failures.store(event)

    @property
    def _all_routes(self) -> tuple[RmrEndpoint, ...]:
        return tuple(dict.fromkeys((*self._routes, *self.subscription.wanted_routes)))

    def entered(self, now: float) -> None:
        sub = self.subscription
        match self.state:
            case S.SAVING:
                routes = self._all_routes
                unsure = sub.routes_unsure or set(routes) != set(self._routes)
                self.node.emit(SaveE2(replace(sub.record(), routes=routes, routes_unsure=unsure), self.step))
            case S.ROUTING:
                command = route_step(sub, self.step, RouteChange.MERGE)
                if command is None:
                    self.feed(Skip(), now)
                else:
                    self.node.emit(command)
            case S.DONE:
                if self._merges:
                    self.node.emit(Noted(Note.MERGED))
                self.node.hold(self.claim, sub)
                self.claim.tell_success(self.node, sub)
                self.finish(Outcome.SUCCESS, now, sub.instance_id, self.claim.subscription_id)
            case S.FAILED:
                self._failed(now)

    def _failed(self, now: float) -> None:
        sub, failure = self.subscription, self._failure
        assert failure is not None
        if self._before is None:
            sub.holders.pop(self.claim.holder_key, None)
        else:
            sub.holders[self.claim.holder_key] = self._before
        self.claim.tell_failure(self.node, failure)
        self.finish(self._outcome, now, sub.instance_id, self.claim.subscription_id, failure.cause)
        if self._record_differs:
            self.node.emit(SaveE2(sub.record()))
        if sub.routes_differ:
            self.successor = RouteSync(self.node, sub)


class RouteSync(Procedure):
    """Make the Routing Manager have what the holders want, one call after the other, then write that down.

    What fails is tried again later, as long as the subscription lives. `unmerges`: an endpoint has left.
    `save_first`: nothing else that is stored tells who has left, so that goes first; else a restart in between would
    have a holder without its route.
    """

    NAME = "unmerge"
    TRANSITIONS = {
        S.NEW: {Start: S.SAVING},
        S.SAVING: {Saved: S.UNROUTING, SaveFailed: S.UNROUTING, Expired: S.UNROUTING, Skip: S.UNROUTING},
        S.UNROUTING: {RouteDone: S.UNROUTING, Skip: S.DONE, RouteFailed: S.FAILED, Expired: S.FAILED},
        S.DONE: {},
        S.FAILED: {},
    }
    TIMERS = {S.SAVING: T_STORE, S.UNROUTING: T_ROUTE}

    def __init__(
        self,
        node: Node,
        subscription: E2Subscription,
        unmerges: bool = False,
        save_first: bool = False,
    ) -> None:
        super().__init__(node)
        self.subscription = subscription
        self._unmerges = unmerges
        self._save_first = save_first
        self._after: tuple[RmrEndpoint, ...] = ()

    def taken(self, event: object, now: float) -> None:
        if isinstance(event, RouteDone):
            self.subscription.routes = self._after
            self.subscription.routes_unsure = False
        elif isinstance(event, RouteFailed | Expired) and self.state is S.UNROUTING and failures.unknown(event):
            self.subscription.routes_unsure = True

    def entered(self, now: float) -> None:
        sub = self.subscription
        if self.ended and self._unmerges:
            self.node.emit(Noted(Note.UNMERGED))
        match self.state:
            case S.SAVING:
                if self._save_first:
                    self.node.emit(SaveE2(sub.record(), self.step))
                else:
                    self.feed(Skip(), now)
            case S.UNROUTING:
                command = route_step(sub, self.step, RouteChange.UNMERGE)
                if command is None:
                    self.feed(Skip(), now)
                    return
                self._after = routes_after(sub, command)
                self.node.emit(command)
            case S.DONE:
                sub.route_failures = 0
                sub.routes_unsure = False
                self.node.emit(SaveE2(sub.record()))
                self.finish(Outcome.SUCCESS, now, sub.instance_id, "")
            case S.FAILED:
                sub.route_failures += 1
                self.node.emit(SaveE2(sub.record()))
                self.node.sync_routes_later(sub, now + removal_delay(sub.route_failures))
                self.finish(Outcome.ROUTE, now, sub.instance_id, "", "will be tried again")


def route_step(sub: E2Subscription, step: int, change: RouteChange) -> Command | None:
    """The next call that brings the Routing Manager nearer to what is wanted; None: nothing to do.

    From none to some is a POST (also when it is not sure that there are none), from some to none a DELETE of each,
    everything else a PUT of the list.
    """
    wanted = sub.wanted_routes
    if not sub.routes_differ:
        return None
    if not wanted:
        return DeleteRoute(step, sub.instance_id, sub.routes[0]) if sub.routes else None
    if len(wanted) == 1 and set(sub.routes) <= set(wanted):
        return CreateRoute(step, sub.instance_id, wanted[0])
    return UpdateRoute(step, sub.instance_id, wanted, change)


def routes_after(sub: E2Subscription, command: Command) -> tuple[RmrEndpoint, ...]:
    """The routes there are once this call has been done."""
    match command:
        case DeleteRoute():
            return tuple(route for route in sub.routes if route != command.endpoint)
        case _:
            return sub.wanted_routes
