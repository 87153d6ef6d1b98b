# SPDX-License-Identifier: Apache-2.0
"""Delete procedure: all there is of an E2 subscription goes, in the order node, routes, record (E2AP 8.2.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from submgr.core.commands import DeleteRoute, EraseE2, Note, Noted, Outcome, SaveE2, SaveRemoval, SendToE2
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import EncodeFailed, RouteDone, RouteFailed, Saved, SaveFailed
from submgr.core.model import E2Record, Removal, RmrEndpoint
from submgr.core.procedures.base import Expired, GaveUp, Lost, Resend, Skip, Start
from submgr.core.procedures.base import State as S
from submgr.core.procedures.e2 import E2Procedure
from submgr.core.timers import T_DEL, T_ROUTE, T_STORE, Timer
from submgr.e2ap.messages import (
    SubscriptionDeleteFailure,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionResponse,
)

if TYPE_CHECKING:
    from submgr.core.node import Node


class Teardown(E2Procedure):
    """Never fails from the outside: what could not be undone (a route, an unanswered delete) is left to a `Removal`,
    and the instance id stays pinned until nothing is left.

    `at_node`: the node may hold it. `stored`: there may be a record.
    """

    NAME = "delete"
    TRANSITIONS = {
        S.NEW: {Start: S.SAVING},
        S.SAVING: {Saved: S.DELETING, SaveFailed: S.DELETING, Expired: S.DELETING, Skip: S.DELETING},
        S.DELETING: {
            SubscriptionDeleteResponse: S.UNROUTING,
            SubscriptionDeleteFailure: S.UNROUTING,
            # the answer that came too late: the delete is on its way, keep undoing
            SubscriptionResponse: None,
            SubscriptionFailure: None,
            Resend: S.DELETING,
            GaveUp: S.UNROUTING,
            EncodeFailed: S.UNROUTING,
            Lost: S.UNROUTING,
            Skip: S.UNROUTING,
        },
        # one route after the other: each answer brings the next
        S.UNROUTING: {RouteDone: S.UNROUTING, RouteFailed: S.UNROUTING, Expired: S.UNROUTING, Skip: S.NOTING},
        # the record goes last; before it, what is left over is written down
        S.NOTING: {Saved: S.ERASING, SaveFailed: S.ERASING, Expired: S.ERASING, Skip: S.ERASING},
        S.ERASING: {Saved: S.DONE, SaveFailed: S.DONE, Expired: S.DONE, Skip: S.DONE},
        S.DONE: {},
    }
    TIMERS = {S.SAVING: T_STORE, S.DELETING: T_DEL, S.UNROUTING: T_ROUTE, S.NOTING: T_STORE, S.ERASING: T_STORE}
    SLOT = frozenset({S.SAVING, S.DELETING})

    def __init__(
        self, node: Node, subscription: E2Subscription, at_node: bool, stored: bool = True, name: str = NAME
    ) -> None:
        super().__init__(node, subscription)
        self.name = name
        self._at_node = at_node
        self._stored = stored
        self._routes = list(subscription.routes)
        self._leftover: list[RmrEndpoint] = []
        self._route: RmrEndpoint | None = None
        self._mark = False
        self._unconfirmed = False
        self._outcome = Outcome.SUCCESS
        holders = subscription.rest_holders()
        self._subscription_id = holders[0].subscription_id if holders else ""

    @property
    def starts_with_slot(self) -> bool:
        return self._at_node and self.node.connected

    @property
    def tries(self) -> int:
        return self.controls.delete_tries

    def seconds(self, timer: Timer) -> float:
        return self.controls.delete_timeout if timer is T_DEL else timer.seconds

    def timer_expired(self) -> None:
        self.node.emit(Noted(Note.DELETE_TIMER))

    def start(self, now: float) -> None:
        sub = self.subscription
        self._at_node = self._at_node and self.node.connected
        self._mark = self._stored and sub.admitted is not None and not self.node.all_leaving(sub)
        self.node.ending(sub)
        super().start(now)

    def taken(self, event: object, now: float) -> None:
        match event:
            case SaveFailed() | Expired() if self.state is S.SAVING:
                self.node.emit(SaveE2(self._marked()))
            case SubscriptionDeleteFailure():
                self._outcome = Outcome.REFUSED
            case GaveUp():
                self._unconfirmed = True
                self._outcome = Outcome.TIMEOUT
                self.node.emit(Noted(Note.UNCONFIRMED_DELETE))
            case EncodeFailed():
                self._unconfirmed = True
                self._outcome = Outcome.ASN1
                self.node.emit(Noted(Note.UNCONFIRMED_DELETE))
            case Lost():
                self._outcome = Outcome.E2_DOWN
            case RouteFailed() | Expired() if self.state is S.UNROUTING and self._route is not None:
                self._leftover.append(self._route)
            case SaveFailed() | Expired() if self.state is S.NOTING:
                self.node.emit(SaveRemoval(self._removal()))

    def entered(self, now: float) -> None:
        sub = self.subscription
        match self.state:
            case S.SAVING:
                # a restart in the middle must go on undoing; of a DELETE, the REST record says so already
                if self._mark:
                    self.node.emit(SaveE2(self._marked(), self.step))
                else:
                    self.feed(Skip(), now)
            case S.DELETING:
                if self._at_node and self.node.connected:
                    self.send(SendToE2(self.step, sub.delete_request(), resend=self.sends > 0))
                else:
                    self.feed(Skip(), now)
            case S.UNROUTING:
                self._route = self._routes.pop(0) if self._routes else None
                if self._route is not None:
                    self.node.emit(DeleteRoute(self.step, sub.instance_id, self._route))
                else:
                    self.feed(Skip(), now)
            case S.NOTING:
                if self._leftover or self._unconfirmed:
                    unsent = self._unconfirmed and self._at_node and not self.left_us
                    self.node.leave_removal(self._removal(), self.step, now, unsent)
                else:
                    self.feed(Skip(), now)
            case S.ERASING:
                if self._stored:
                    self.node.pin_until_saved(sub.instance_id, self.step)
                    self.node.emit(EraseE2(sub.instance_id, self.step))
                else:
                    self.feed(Skip(), now)
            case S.DONE:
                self.node.gone(sub)
                self.finish(self._outcome, now, sub.instance_id, self._subscription_id)

    def _marked(self) -> E2Record:
        """In the form of a subscription that was never completed: a restart undoes it."""
        return replace(self.subscription.record(), admitted=None, policy_update=False)

    def _removal(self) -> Removal:
        sub = self.subscription
        return Removal(
            sub.instance_id,
            sub.meid,
            sub.content.ran_function_id,
            tuple(self._leftover),
            node_delete=self._unconfirmed,
            requestor_id=sub.requestor_id,
        )
