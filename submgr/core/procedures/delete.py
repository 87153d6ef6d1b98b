# SPDX-License-Identifier: Apache-2.0
"""Delete: takes an E2 subscription away, in the order E2 node, routes, record (Subscription Delete, E2AP 8.2.2)."""

from __future__ import annotations

from msgspec.structs import replace

from submgr.core import failures
from submgr.core.commands import About, EraseE2, Note, Noted, Outcome, SaveE2, SaveRemoval, SendToE2
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription
from submgr.core.errors import Failure
from submgr.core.events import EncodeFailed, Expired, GaveUp, Lost, Resend, Saved, SaveFailed, Skip, Start
from submgr.core.jobs import CleanupJob
from submgr.core.model import E2Record, Removal
from submgr.core.procedures.base import RouteRemoval, Row, unrouting
from submgr.core.procedures.base import State as S
from submgr.core.procedures.e2 import E2Procedure
from submgr.core.timers import T_DEL, T_STORE, Timer
from submgr.e2ap.messages import (
    SubscriptionDeleteFailure,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionResponse,
)


class Delete(RouteRemoval, E2Procedure):
    """Never fails for its requester. What could not be undone (a route, an unanswered delete) becomes a `Removal`, and
    the instance id stays pinned until nothing is left.

    `at_node`: the E2 node may hold the subscription. `stored`: there may be a record. `undo`: of a failed procedure.
    """

    NAME = "delete"
    TABLE = {
        S.NEW: Row({Start: S.SAVING}),
        S.SAVING: Row(
            {Saved: S.DELETING, SaveFailed: S.DELETING, Expired: S.DELETING, Skip: S.DELETING},
            T_STORE,
            slot=True,
        ),
        S.DELETING: Row(
            {
                SubscriptionDeleteResponse: S.UNROUTING,
                SubscriptionDeleteFailure: S.UNROUTING,
                # the answer that came too late: the delete is on its way
                SubscriptionResponse: None,
                SubscriptionFailure: None,
                Resend: S.DELETING,
                GaveUp: S.UNROUTING,
                EncodeFailed: S.UNROUTING,
                Lost: S.UNROUTING,
                Skip: S.UNROUTING,
            },
            T_DEL,
            slot=True,
        ),
        S.UNROUTING: unrouting(then=S.NOTING),
        # the record goes last; before it, what is left over is written down
        S.NOTING: Row({Saved: S.ERASING, SaveFailed: S.ERASING, Expired: S.ERASING, Skip: S.ERASING}, T_STORE),
        S.ERASING: Row({Saved: S.DONE, SaveFailed: S.DONE, Expired: S.DONE, Skip: S.DONE}, T_STORE),
        S.DONE: Row({}),
    }

    def __init__(
        self, node: NodeContext, subscription: E2Subscription, at_node: bool, stored: bool = True, undo: bool = False
    ) -> None:
        super().__init__(node, subscription)
        self.remove(subscription.routes)
        if undo:
            self.name = "undo"
        self._at_node = at_node
        self._stored = stored
        self._mark = False
        self._unconfirmed = False
        self._noted = 0.0
        self._outcome = Outcome.SUCCESS
        self._failure: Failure | None = None
        self._about = node.subscriptions.about(subscription)  # before its holders leave it
        holders = subscription.rest_holders()
        self._subscription_id = holders[0].subscription_id if holders else ""

    @property
    def subscription_id(self) -> str:
        return self._subscription_id

    @property
    def about(self) -> About:
        return self._about

    @property
    def tries(self) -> int:
        return self.controls.delete_tries

    def seconds(self, timer: Timer) -> float:
        return self.controls.delete_timeout if timer is T_DEL else super().seconds(timer)

    def timer_expired(self) -> None:
        self.node.emit(Noted(Note.DELETE_TIMER))

    def start(self, now: float) -> None:
        sub = self.subscription
        self._mark = self._stored and sub.admitted is not None and not self.node.subscriptions.all_leaving(sub)
        self.node.subscriptions.ending(sub)
        super().start(now)

    def needs_saving(self) -> bool:
        """A restart in the middle must go on undoing. When all holders leave, the REST records say so already."""
        return self._mark

    def enter_saving(self, now: float) -> None:
        self.node.emit(SaveE2(self._marked(), self.step))

    def leave_saving(self, event: object) -> None:
        if not isinstance(event, Saved):
            self.node.emit(SaveE2(self._marked()))

    def _marked(self) -> E2Record:
        """The record in the form of a subscription that was never completed: a restart undoes it."""
        return replace(self.subscription.record(), admitted=None, policy_update=False)

    def needs_deleting(self) -> bool:
        """The node may have been lost while the mark was being saved."""
        return self._at_node and self.node.connected

    def enter_deleting(self, now: float) -> None:
        request = self.subscription.delete_request()
        self.send(SendToE2(self.step, request, resend=self.sends > 0, wait=self.seconds(T_DEL)))

    def leave_deleting(self, event: object) -> None:
        match event:
            case SubscriptionDeleteFailure():
                self._outcome, self._failure = Outcome.REFUSED, failures.delete_refused(event)
            case GaveUp():
                self._not_confirmed(Outcome.TIMEOUT, failures.delete_unanswered(self.not_sent_because))
            case EncodeFailed():
                self._not_confirmed(Outcome.ASN1, failures.encoding(event))
            case Lost():
                self._outcome, self._failure = Outcome.E2_DOWN, failures.e2_down(event)

    def _not_confirmed(self, outcome: Outcome, failure: Failure) -> None:
        self._unconfirmed = True
        self._outcome, self._failure = outcome, failure
        self.node.emit(Noted(Note.UNCONFIRMED_DELETE))

    def needs_noting(self) -> bool:
        return bool(self.leftover) or self._unconfirmed

    def enter_noting(self, now: float) -> None:
        self._noted = now
        unsent = self._unconfirmed and not self.left_us
        again = self.node.removals.leave(self._removal(), self.step, unsent)
        if again is not None:
            self.node.enqueue_at(now + again, CleanupJob(self.instance_id, at_node=unsent))

    def leave_noting(self, event: object) -> None:
        if not isinstance(event, Saved):
            self.node.emit(SaveRemoval(self._removal()))

    def _removal(self) -> Removal:
        sub = self.subscription
        return Removal(
            sub.instance_id,
            sub.meid,
            sub.content.ran_function_id,
            tuple(self.leftover),
            node_delete=self._unconfirmed,
            requestor_id=sub.requestor_id,
            since=self._noted,
        )

    def needs_erasing(self) -> bool:
        return self._stored

    def enter_erasing(self, now: float) -> None:
        self.node.removals.pin_until_saved(self.instance_id, self.step)
        self.node.emit(EraseE2(self.instance_id, self.step))

    def leave_erasing(self, event: object) -> None:
        if isinstance(event, Saved):
            self.node.removals.saved(self.step)

    def enter_done(self, now: float) -> None:
        self.node.subscriptions.gone(self.subscription)
        self.finish(self._outcome, now, self._failure)
