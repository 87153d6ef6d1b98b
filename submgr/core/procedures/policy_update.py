# SPDX-License-Identifier: Apache-2.0
"""Policy update: new content for an established POLICY subscription, under its own instance id (E2AP 8.2.1)."""

from __future__ import annotations

from submgr.core.commands import About, SaveE2
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import Expired, GaveUp, Lost, Saved, SaveFailed, Start
from submgr.core.procedures.base import Row
from submgr.core.procedures.base import State as S
from submgr.core.procedures.e2 import RequestProcedure, requested
from submgr.core.requesters import Requester
from submgr.core.timers import T_STORE
from submgr.e2ap.messages import SubscriptionFailure, SubscriptionResponse


class PolicyUpdate(RequestProcedure):
    """Never ends the subscription. The record has the new content, marked `policy_update`, from before the request
    leaves until the answer, so that a restart in between neither deletes the subscription nor forgets what the E2 node
    may have taken.

    Refused: the old content stays. Unanswered: the new content stays, still marked.
    """

    NAME = "policy update"
    TABLE = {
        S.NEW: Row({Start: S.SAVING}),
        S.SAVING: Row(
            {Saved: S.REQUESTED, SaveFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED},
            T_STORE,
            slot=True,
        ),
        S.REQUESTED: requested(S.COMPLETING),
        S.COMPLETING: Row({Saved: S.DONE, SaveFailed: S.FAILED, Expired: S.FAILED, Lost: S.FAILED}, T_STORE),
        S.DONE: Row({}),
        S.FAILED: Row({}),
    }

    def __init__(self, node: NodeContext, requester: Requester, subscription: E2Subscription) -> None:
        super().__init__(node, subscription, requester.directives)
        self.requester = requester
        self._before = (subscription.content, subscription.key, subscription.policy_update)

    @property
    def subscription_id(self) -> str:
        return self.requester.subscription_id

    @property
    def about(self) -> About:
        return self.requester.about()

    def start(self, now: float) -> None:
        sub = self.subscription
        sub.content, sub.key, sub.policy_update = self.requester.content, self.requester.key, True
        super().start(now)

    def enter_saving(self, now: float) -> None:
        self.node.emit(SaveE2(self.subscription.record(), self.step))

    def leave_saving(self, event: object) -> None:
        if not isinstance(event, Saved):
            self.not_saved(event)
            self._take_back()

    def leave_requested(self, event: object) -> None:
        super().leave_requested(event)
        if isinstance(event, SubscriptionResponse):
            self.subscription.policy_update = False
            # until the xApp knows of its success, a restart tells it
            self.subscription.mark(self.requester.holder_key, notified=False)
            return
        if isinstance(event, SubscriptionFailure):
            self.requester.refusal = event
        if self.failure is not None and not (isinstance(event, GaveUp | Lost) and self.left_us):
            self._take_back()

    def enter_completing(self, now: float) -> None:
        self.node.emit(SaveE2(self.subscription.record(), self.step))

    def leave_completing(self, event: object) -> None:
        if not isinstance(event, Saved):
            self.not_saved(event)

    def enter_done(self, now: float) -> None:
        self.node.subscriptions.hold(self.requester, self.subscription)
        self.node.tell_success(self.requester, self.subscription)
        self.finish(self.outcome, now)

    def enter_failed(self, now: float) -> None:
        assert self.failure is not None
        self.subscription.mark(self.requester.holder_key, notified=True)
        self.node.emit(SaveE2(self.subscription.record()))
        self.node.tell_failure(self.requester, self.failure)
        self.finish(self.outcome, now, self.failure)

    def _take_back(self) -> None:
        """The E2 node keeps the old content."""
        sub = self.subscription
        sub.content, sub.key, sub.policy_update = self._before
