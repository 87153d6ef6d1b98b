# SPDX-License-Identifier: Apache-2.0
"""Restore procedure: an established subscription is made anew at a node that came back (`onE2Loss: restore`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from submgr.core.commands import Outcome, SaveE2
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import EncodeFailed
from submgr.core.procedures.base import GaveUp, Lost, Resend, Start
from submgr.core.procedures.base import State as S
from submgr.core.procedures.delete import Teardown
from submgr.core.procedures.e2 import SubscribeProcedure
from submgr.core.timers import T_SUB
from submgr.e2ap.messages import SubscriptionFailure, SubscriptionResponse

if TYPE_CHECKING:
    from submgr.core.node import Node


class Restore(SubscribeProcedure):
    """Holders hear nothing unless it fails; then each is told, as of a failed subscribe, and it is torn down.

    The node lost again meanwhile: the mark `restore_pending` stays, and the next connection tries anew.
    """

    NAME = "restore"
    TRANSITIONS = {
        S.NEW: {Start: S.REQUESTED},
        S.REQUESTED: {
            SubscriptionResponse: S.DONE,
            SubscriptionFailure: S.FAILED,
            Resend: S.REQUESTED,
            GaveUp: S.FAILED,
            EncodeFailed: S.FAILED,
            Lost: S.FAILED,
        },
        S.DONE: {},
        S.FAILED: {},
    }
    TIMERS = {S.REQUESTED: T_SUB}
    SLOT = frozenset({S.REQUESTED})

    def __init__(self, node: Node, subscription: E2Subscription) -> None:
        super().__init__(node, subscription, None)

    def taken(self, event: object, now: float) -> None:
        if isinstance(event, SubscriptionResponse):
            self.answered(event)
            self.subscription.restore_pending = False
        else:
            self.not_granted(event)

    def entered(self, now: float) -> None:
        sub = self.subscription
        match self.state:
            case S.REQUESTED:
                self.request()
            case S.DONE:
                self.node.emit(SaveE2(sub.record()))
                self.finish(self.outcome, now, sub.instance_id, "")
            case S.FAILED:
                assert self.failure is not None
                self.finish(self.outcome, now, sub.instance_id, "", self.failure.cause)
                if self.outcome is not Outcome.E2_DOWN:
                    self.node.tell_holders(sub, self.failure)
                    # a loss that was only suspected: the node may still have the old one
                    self.successor = Teardown(self.node, sub, at_node=True, name="undo")
