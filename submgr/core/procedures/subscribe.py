# SPDX-License-Identifier: Apache-2.0
"""Subscribe: makes an E2 subscription that is new at the E2 node (RIC Subscription procedure, E2AP 8.2.1)."""

from __future__ import annotations

from submgr.core import failures
from submgr.core.commands import About, RouteChange, SaveE2
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import Expired, Lost, RouteDone, RouteFailed, Saved, SaveFailed, Skip, Start
from submgr.core.jobs import RemoveJob
from submgr.core.procedures.base import Row
from submgr.core.procedures.base import State as S
from submgr.core.procedures.e2 import RequestProcedure, requested
from submgr.core.procedures.routes import route_step
from submgr.core.requesters import Requester
from submgr.core.timers import T_ROUTE, T_STORE
from submgr.e2ap.messages import SubscriptionFailure


class Subscribe(RequestProcedure):
    """Saves the record as uncompleted, makes the route, asks the E2 node, saves the record as completed, and tells the
    requester. A failure is told at once; the follow-up undoes what was done."""

    NAME = "subscribe"
    TABLE = {
        S.NEW: Row({Start: S.SAVING}),
        S.SAVING: Row(
            {Saved: S.ROUTING, SaveFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED},
            T_STORE,
            slot=True,
        ),
        S.ROUTING: Row(
            {
                RouteDone: S.REQUESTED,
                Skip: S.REQUESTED,
                RouteFailed: S.FAILED,
                Expired: S.FAILED,
                Lost: S.FAILED,
            },
            T_ROUTE,
            slot=True,
        ),
        S.REQUESTED: requested(S.COMPLETING),
        S.COMPLETING: Row({Saved: S.DONE, SaveFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED}, T_STORE),
        S.DONE: Row({}),
        S.FAILED: Row({}),
    }

    _undo_at_node = False
    _maybe_stored = True

    def __init__(self, node: NodeContext, requester: Requester, subscription: E2Subscription) -> None:
        super().__init__(node, subscription, requester.directives)
        self.requester = requester

    @property
    def subscription_id(self) -> str:
        return self.requester.subscription_id

    @property
    def about(self) -> About:
        return self.requester.about()

    def enter_saving(self, now: float) -> None:
        self.node.emit(SaveE2(self.subscription.record(), self.step))

    def leave_saving(self, event: object) -> None:
        if not isinstance(event, Saved):
            self.not_saved(event)
            self._maybe_stored = failures.unknown(event)

    def needs_routing(self) -> bool:
        return bool(self.subscription.wanted_routes)

    def enter_routing(self, now: float) -> None:
        self.node.emit(route_step(self.subscription, self.step, RouteChange.CREATE))

    def leave_routing(self, event: object) -> None:
        sub = self.subscription
        if isinstance(event, RouteDone):
            sub.routes = sub.wanted_routes
            return
        if failures.unknown(event):
            sub.routes = sub.wanted_routes
        self.fail(*failures.route_or_link("create", event))

    def leave_requested(self, event: object) -> None:
        super().leave_requested(event)
        if self.failure is None:
            return
        self._undo_at_node = self.may_be_at_node(event)
        if isinstance(event, SubscriptionFailure):
            self.requester.refusal = event

    def enter_completing(self, now: float) -> None:
        self.node.emit(SaveE2(self.subscription.record(), self.step))

    def leave_completing(self, event: object) -> None:
        if not isinstance(event, Saved):
            self.not_saved(event)
            self._undo_at_node = not isinstance(event, Lost)

    def enter_done(self, now: float) -> None:
        sub = self.subscription
        self.node.subscriptions.established(sub)
        self.node.subscriptions.hold(self.requester, sub)
        self.node.tell_success(self.requester, sub)
        self.finish(self.outcome, now)

    def enter_failed(self, now: float) -> None:
        failure = self.failure
        assert failure is not None
        self.node.tell_failure(self.requester, failure)
        self.finish(self.outcome, now, failure)
        self.follow_up = RemoveJob(self.subscription, self._undo_at_node, self._maybe_stored, undo=True)
