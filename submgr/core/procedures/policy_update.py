# SPDX-License-Identifier: Apache-2.0
"""POLICY update: new content for an established POLICY subscription, under its own instance id. It never ends it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from submgr.core import failures
from submgr.core.commands import Outcome, SaveE2
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import EncodeFailed, Saved, SaveFailed
from submgr.core.procedures.base import Expired, GaveUp, Lost, Resend, Start
from submgr.core.procedures.base import State as S
from submgr.core.procedures.e2 import SubscribeProcedure
from submgr.core.requesters import Claim
from submgr.core.timers import T_STORE, T_SUB
from submgr.e2ap.messages import SubscriptionFailure, SubscriptionResponse

if TYPE_CHECKING:
    from submgr.core.node import Node


class PolicyUpdate(SubscribeProcedure):
    """The record holds the new content, marked `policy_update`, from before the request leaves until the answer, so
    that a restart in between neither deletes the subscription nor forgets what the node may have taken.

    Refused: the old content stays. Unanswered: the new one stays, still marked.
    """

    NAME = "policy update"
    TRANSITIONS = {
        S.NEW: {Start: S.SAVING},
        S.SAVING: {Saved: S.REQUESTED, SaveFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED},
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
    TIMERS = {S.SAVING: T_STORE, S.REQUESTED: T_SUB, S.COMPLETING: T_STORE}
    SLOT = frozenset({S.SAVING, S.REQUESTED})

    def __init__(self, node: Node, claim: Claim, subscription: E2Subscription) -> None:
        super().__init__(node, subscription, claim.directives)
        self.claim = claim
        self._before = (subscription.content, subscription.key, subscription.policy_update)

    def start(self, now: float) -> None:
        sub = self.subscription
        sub.content, sub.key, sub.policy_update = self.claim.content, self.claim.key, True
        super().start(now)

    def taken(self, event: object, now: float) -> None:
        sub = self.subscription
        match event:
            case SubscriptionResponse():
                self.answered(event)
                sub.policy_update = False
                self._holder(notified=False)
            case SaveFailed() | Expired():
                self.fail(Outcome.STORE, failures.store(event))
                if self.state is S.SAVING:
                    self._take_back()
            case _:
                if isinstance(event, SubscriptionFailure):
                    self.claim.refusal = event
                self.not_granted(event)
                unanswered = isinstance(event, GaveUp | Lost)
                if self.failure is not None and not (unanswered and self.left_us):
                    self._take_back()

    def _take_back(self) -> None:
        """The node keeps the old content."""
        sub = self.subscription
        sub.content, sub.key, sub.policy_update = self._before

    def _holder(self, notified: bool) -> None:
        """Until the xApp knows of its success, a restart tells it."""
        holders, key = self.subscription.holders, self.claim.holder_key
        holders[key] = replace(holders[key], notified=notified)

    def entered(self, now: float) -> None:
        sub = self.subscription
        match self.state:
            case S.SAVING | S.COMPLETING:
                self.node.emit(SaveE2(sub.record(), self.step))
            case S.REQUESTED:
                self.request()
            case S.DONE:
                self.node.hold(self.claim, sub)
                self.claim.tell_success(self.node, sub)
                self.finish(self.outcome, now, sub.instance_id, self.claim.subscription_id)
            case S.FAILED:
                assert self.failure is not None
                self._holder(notified=True)
                self.node.emit(SaveE2(sub.record()))
                self.claim.tell_failure(self.node, self.failure)
                self.finish(self.outcome, now, sub.instance_id, self.claim.subscription_id, self.failure.cause)
