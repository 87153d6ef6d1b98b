# SPDX-License-Identifier: Apache-2.0
"""Resubscribe: an established subscription is made anew at an E2 node that came back (`onE2Loss: restore`)."""

from __future__ import annotations

from submgr.core.commands import About, Outcome, SaveE2
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import Start
from submgr.core.jobs import RemoveJob, ResubscribeJob
from submgr.core.procedures.base import Row
from submgr.core.procedures.base import State as S
from submgr.core.procedures.e2 import RequestProcedure, requested
from submgr.core.timers import T_REMOVAL
from submgr.e2ap.messages import SubscriptionResponse


class Resubscribe(RequestProcedure):
    """Holders are not told unless it fails; then each is told, as of a failed subscribe, and the subscription goes.

    When the node is lost again meanwhile, the mark `restore_pending` stays, and the next connection tries anew. A
    request that never left for the node is tried again.
    """

    NAME = "resubscribe"
    TABLE = {
        S.NEW: Row({Start: S.REQUESTED}),
        S.REQUESTED: requested(S.DONE),
        S.DONE: Row({}),
        S.FAILED: Row({}),
    }

    def __init__(self, node: NodeContext, subscription: E2Subscription) -> None:
        super().__init__(node, subscription, None)

    @property
    def about(self) -> About:
        return self.node.subscriptions.about(self.subscription)

    def leave_requested(self, event: object) -> None:
        super().leave_requested(event)
        if isinstance(event, SubscriptionResponse):
            self.subscription.restore_pending = False

    def enter_done(self, now: float) -> None:
        self.node.emit(SaveE2(self.subscription.record()))
        self.finish(self.outcome, now)

    def enter_failed(self, now: float) -> None:
        assert self.failure is not None
        self.finish(self.outcome, now, self.failure)
        if self.outcome is Outcome.TIMEOUT and not self.left_us:
            # there is no RMR route to the node yet: that says nothing of the subscription
            self.node.enqueue_at(now + T_REMOVAL.seconds, ResubscribeJob(self.subscription))
        elif self.outcome is not Outcome.E2_DOWN:
            self.node.subscriptions.tell_holders(self.subscription, self.failure)
            # the loss was only suspected: the node may still have the old one
            self.follow_up = RemoveJob(self.subscription, at_node=True, undo=True)
