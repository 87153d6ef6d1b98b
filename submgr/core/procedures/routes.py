# SPDX-License-Identifier: Apache-2.0
"""Routes: makes the Routing Manager have the routes that the holders of an E2 subscription want.

Nothing is sent to the E2 node, so the procedure does not wait for it.
"""

from __future__ import annotations

from submgr.core import failures
from submgr.core.commands import (
    About,
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
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription
from submgr.core.errors import Failure
from submgr.core.events import Expired, RouteDone, RouteFailed, Saved, SaveFailed, Skip, Start
from submgr.core.jobs import RoutesJob
from submgr.core.model import RmrEndpoint
from submgr.core.procedures.base import Procedure, Row
from submgr.core.procedures.base import State as S
from submgr.core.timers import T_ROUTE, T_STORE, removal_delay


class Routes(Procedure):
    """Changes the routes of an established E2 subscription, one call after the other, then saves which there are.

    A change that fails is tried again later, as long as the subscription lives. `unmerges`: an endpoint has left.
    `save_first`: no other record tells who has left, so the E2 record is saved first; a restart in between would
    otherwise have a holder without its route.
    """

    NAME = "routes"
    TABLE = {
        S.NEW: Row({Start: S.SAVING}),
        S.SAVING: Row({Saved: S.ROUTING, SaveFailed: S.ROUTING, Expired: S.ROUTING, Skip: S.ROUTING}, T_STORE),
        # one call after the other: each answer brings the next
        S.ROUTING: Row({RouteDone: S.ROUTING, Skip: S.DONE, RouteFailed: S.FAILED, Expired: S.FAILED}, T_ROUTE),
        S.DONE: Row({}),
        S.FAILED: Row({}),
    }

    def __init__(
        self, node: NodeContext, subscription: E2Subscription, unmerges: bool = False, save_first: bool = False
    ) -> None:
        super().__init__(node)
        self.subscription = subscription
        self._unmerges = unmerges
        self._save_first = save_first
        self._after: tuple[RmrEndpoint, ...] = ()
        self._failure: Failure | None = None

    @property
    def instance_id(self) -> int:
        return self.subscription.instance_id

    @property
    def about(self) -> About:
        return self.node.subscriptions.about(self.subscription)

    def needs_saving(self) -> bool:
        return self._save_first

    def enter_saving(self, now: float) -> None:
        self.node.emit(SaveE2(self.subscription.record(), self.step))

    def needs_routing(self) -> bool:
        return has_route_step(self.subscription)

    def enter_routing(self, now: float) -> None:
        command = route_step(self.subscription, self.step, RouteChange.UNMERGE)
        self._after = routes_after(self.subscription, command)
        self.node.emit(command)

    def leave_routing(self, event: object) -> None:
        if isinstance(event, RouteDone):
            self.subscription.routes = self._after
            self.subscription.routes_unsure = False
            return
        _, self._failure = failures.route_or_link("update", event)
        if failures.unknown(event):
            self.subscription.routes_unsure = True

    def enter_done(self, now: float) -> None:
        sub = self.subscription
        self._count_unmerge()
        sub.route_failures = 0
        sub.routes_unsure = False
        self.node.emit(SaveE2(sub.record()))
        self.finish(Outcome.SUCCESS, now)

    def enter_failed(self, now: float) -> None:
        sub = self.subscription
        self._count_unmerge()
        sub.route_failures += 1
        self.node.emit(SaveE2(sub.record()))
        self.node.enqueue_at(now + removal_delay(sub.route_failures), RoutesJob(sub))
        cause = self._failure.cause if self._failure is not None else "RTMGR route update failure"
        self.finish(Outcome.ROUTE, now, self._failure, f"{cause}; it will be tried again")

    def _count_unmerge(self) -> None:
        if self._unmerges:
            self.node.emit(Noted(Note.UNMERGED))


def has_route_step(sub: E2Subscription) -> bool:
    """Is there a call that brings the Routing Manager nearer to what the holders want?"""
    return sub.routes_differ and bool(sub.routes or sub.wanted_routes)


def route_step(sub: E2Subscription, step: int, change: RouteChange) -> Command:
    """Returns the next call that brings the Routing Manager nearer to what the holders want.

    From no route to one the call is a POST (also when the Routing Manager may have that one already), from some to
    none a DELETE of each, everything else a PUT of the list. So is every route of an instance id that was used before:
    the Routing Manager may still have an earlier subscription's route under it.
    """
    wanted = sub.wanted_routes
    if not wanted:
        return DeleteRoute(step, sub.instance_id, sub.routes[0])
    if len(wanted) == 1 and sub.routes in ((), wanted) and not sub.id_reused:
        return CreateRoute(step, sub.instance_id, wanted[0])
    return UpdateRoute(step, sub.instance_id, wanted, change)


def routes_after(sub: E2Subscription, command: Command) -> tuple[RmrEndpoint, ...]:
    """Returns the routes there are once this call has been done."""
    if isinstance(command, DeleteRoute):
        return tuple(route for route in sub.routes if route != command.endpoint)
    return sub.wanted_routes
