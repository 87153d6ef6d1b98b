# SPDX-License-Identifier: Apache-2.0
"""Subscribe procedure: an E2 subscription that is new at the node (E2AP 8.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from submgr.core import failures
from submgr.core.commands import CreateRoute, Outcome, SaveE2
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import EncodeFailed, RouteDone, RouteFailed, Saved, SaveFailed
from submgr.core.procedures.base import Expired, GaveUp, Lost, Resend, Skip, Start
from submgr.core.procedures.base import State as S
from submgr.core.procedures.delete import Teardown
from submgr.core.procedures.e2 import SubscribeProcedure
from submgr.core.requesters import Claim
from submgr.core.timers import T_ROUTE, T_STORE, T_SUB
from submgr.e2ap.messages import SubscriptionFailure, SubscriptionResponse

if TYPE_CHECKING:
    from submgr.core.node import Node


class Establish(SubscribeProcedure):
    """Save "uncompleted", make the route, ask the node, save "completed", tell. What fails is told at once and undone
    by a `Teardown`, which goes on in this procedure's place in the queue."""

    NAME = "subscribe"
    TRANSITIONS = {
        S.NEW: {Start: S.SAVING},
        S.SAVING: {Saved: S.ROUTING, SaveFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED},
        S.ROUTING: {
            RouteDone: S.REQUESTED,
            Skip: S.REQUESTED,
            RouteFailed: S.FAILED,
            Expired: S.FAILED,
            Lost: S.FAILED,
        },
        S.REQUESTED: {
            SubscriptionResponse: S.COMPLETING,
            SubscriptionFailure: S.FAILED,
            Resend: S.REQUESTED,
            GaveUp: S.FAILED,
            EncodeFailed: S.FAILED,
            Lost: S.FAILED,
        },
        S.COMPLETING: {Saved: S.DONE, SaveFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED},
        S.DONE: {},
        S.FAILED: {},
    }
    TIMERS = {S.SAVING: T_STORE, S.ROUTING: T_ROUTE, S.REQUESTED: T_SUB, S.COMPLETING: T_STORE}
    SLOT = frozenset({S.SAVING, S.ROUTING, S.REQUESTED})

    def __init__(self, node: Node, claim: Claim, subscription: E2Subscription) -> None:
        super().__init__(node, subscription, claim.directives)
        self.claim = claim
        self._undo_at_node = False
        self._maybe_stored = True

    def taken(self, event: object, now: float) -> None:
        sub = self.subscription
        match event:
            case SubscriptionResponse():
                self.answered(event)
            case RouteDone():
                sub.routes = sub.wanted_routes
            case SaveFailed() | Expired() if self.state is not S.ROUTING:
                completing = self.state is S.COMPLETING
                self.fail(Outcome.STORE, failures.store(event))
                self._undo_at_node = completing
                self._maybe_stored = completing or failures.unknown(event)
            case RouteFailed() | Expired() | Lost() if self.state is S.ROUTING:
                if failures.unknown(event):
                    sub.routes = sub.wanted_routes
                self.fail(*failures.route_or_link("create", event))
            case _:
                if isinstance(event, SubscriptionFailure):
                    self.claim.refusal = event
                self.not_granted(event)
                self._undo_at_node = self.may_be_at_node(event)

    def entered(self, now: float) -> None:
        sub = self.subscription
        match self.state:
            case S.SAVING | S.COMPLETING:
                self.node.emit(SaveE2(sub.record(), self.step))
            case S.ROUTING:
                wanted = sub.wanted_routes
                if wanted:
                    self.node.emit(CreateRoute(self.step, sub.instance_id, wanted[0]))
                else:
                    self.feed(Skip(), now)
            case S.REQUESTED:
                self.request()
            case S.DONE:
                self.node.established(sub)
                self.node.hold(self.claim, sub)
                self.claim.tell_success(self.node, sub)
                self.finish(self.outcome, now, sub.instance_id, self.claim.subscription_id)
            case S.FAILED:
                self._failed(now)

    def _failed(self, now: float) -> None:
        sub, failure = self.subscription, self.failure
        assert failure is not None
        self.claim.tell_failure(self.node, failure)
        self.finish(self.outcome, now, sub.instance_id, self.claim.subscription_id, failure.cause)
        self.successor = Teardown(self.node, sub, at_node=self._undo_at_node, stored=self._maybe_stored, name="undo")
