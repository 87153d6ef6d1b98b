# SPDX-License-Identifier: Apache-2.0
"""Merge: an established E2 subscription gets one more holder.

Nothing is sent to the E2 node, so the procedure does not wait for it.
"""

from __future__ import annotations

from msgspec.structs import replace

from submgr.core import failures
from submgr.core.commands import About, Note, Noted, Outcome, RouteChange, SaveE2
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription
from submgr.core.errors import Failure
from submgr.core.events import Expired, Lost, RouteDone, RouteFailed, Saved, SaveFailed, Skip, Start
from submgr.core.jobs import RoutesJob
from submgr.core.model import Holder, RmrEndpoint
from submgr.core.procedures.base import Procedure, Row
from submgr.core.procedures.base import State as S
from submgr.core.procedures.routes import has_route_step, route_step
from submgr.core.requesters import Requester
from submgr.core.timers import T_ROUTE, T_STORE


class Merge(Procedure):
    """Saves the record with the new holder, makes its route (unless there is one, or none is wanted), and tells it.

    The record goes first, and counts the new route as made: after a crash in between, the restart knows of the route.
    """

    NAME = "merge"
    TABLE = {
        S.NEW: Row({Start: S.SAVING}),
        S.SAVING: Row({Saved: S.ROUTING, SaveFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED}, T_STORE),
        S.ROUTING: Row(
            {RouteDone: S.DONE, Skip: S.DONE, RouteFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED},
            T_ROUTE,
        ),
        S.DONE: Row({}),
        S.FAILED: Row({}),
    }

    def __init__(self, node: NodeContext, requester: Requester, subscription: E2Subscription) -> None:
        super().__init__(node)
        self.requester = requester
        self.subscription = subscription
        self._before: Holder | None = None
        self._merges = False
        self._routes: tuple[RmrEndpoint, ...] = ()
        self._failure: Failure | None = None
        self._outcome = Outcome.SUCCESS
        self._record_differs = False

    @property
    def instance_id(self) -> int:
        return self.subscription.instance_id

    @property
    def subscription_id(self) -> str:
        return self.requester.subscription_id

    @property
    def about(self) -> About:
        return self.requester.about()

    def start(self, now: float) -> None:
        sub = self.subscription
        holder = self.requester.holder()
        self._before = sub.holders.get(holder.key)
        self._routes = sub.routes
        self._merges = holder.endpoint not in sub.endpoints
        sub.join(holder)
        super().start(now)

    def enter_saving(self, now: float) -> None:
        sub = self.subscription
        routes = self._all_routes
        unsure = sub.routes_unsure or set(routes) != set(self._routes)
        self.node.emit(SaveE2(replace(sub.record(), routes=routes, routes_unsure=unsure), self.step))

    @property
    def _all_routes(self) -> tuple[RmrEndpoint, ...]:
        return tuple(dict.fromkeys((*self._routes, *self.subscription.wanted_routes)))

    def leave_saving(self, event: object) -> None:
        match event:
            case Lost():
                self._record_differs = True
                self._outcome, self._failure = Outcome.E2_DOWN, failures.e2_down(event)
            case SaveFailed() | Expired():
                self._record_differs = failures.unknown(event)
                self._outcome, self._failure = Outcome.STORE, failures.store(event)

    def needs_routing(self) -> bool:
        return has_route_step(self.subscription)

    def enter_routing(self, now: float) -> None:
        self.node.emit(route_step(self.subscription, self.step, RouteChange.MERGE))

    def leave_routing(self, event: object) -> None:
        sub = self.subscription
        if isinstance(event, RouteDone):
            sub.routes = sub.wanted_routes
            sub.routes_unsure = False
            return
        self._record_differs = True
        if failures.unknown(event):
            sub.routes = self._all_routes
            sub.routes_unsure = True
        self._outcome, self._failure = failures.route_or_link("update" if self._routes else "create", event)

    def enter_done(self, now: float) -> None:
        sub = self.subscription
        if self._merges:
            self.node.emit(Noted(Note.MERGED))
        self.node.subscriptions.hold(self.requester, sub)
        self.node.tell_success(self.requester, sub)
        self.finish(Outcome.SUCCESS, now)

    def enter_failed(self, now: float) -> None:
        sub, failure = self.subscription, self._failure
        assert failure is not None
        if self._before is None:
            sub.leave(self.requester.holder_key)
        else:
            sub.join(self._before)
        self.node.tell_failure(self.requester, failure)
        self.finish(self._outcome, now, failure)
        if self._record_differs:
            self.node.emit(SaveE2(sub.record()))
        if sub.routes_differ:
            self.follow_up = RoutesJob(sub)
