# SPDX-License-Identifier: Apache-2.0
"""Cleanup: tries again what a delete could not undo, until nothing is left (Subscription Delete, E2AP 8.2.2)."""

from __future__ import annotations

from msgspec.structs import replace

from submgr.core.commands import Note, Noted, Outcome, SendToE2
from submgr.core.context import NodeContext
from submgr.core.events import EncodeFailed, Expired, Lost, Skip, Start
from submgr.core.jobs import CleanupJob
from submgr.core.model import Removal
from submgr.core.procedures.base import RouteRemoval, Row, unrouting
from submgr.core.procedures.base import State as S
from submgr.core.timers import T_DEL, Timer
from submgr.e2ap.messages import (
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequest,
    SubscriptionDeleteResponse,
)


class Cleanup(RouteRemoval):
    """Sends the delete once more when the E2 node has come back, and tries the routes each time.

    A delete that could not be sent at all is tried until it can be sent.

    `at_node`: the delete is to be sent now.
    """

    NAME = "cleanup"
    TABLE = {
        S.NEW: Row({Start: S.DELETING}),
        S.DELETING: Row(
            {
                SubscriptionDeleteResponse: S.UNROUTING,
                SubscriptionDeleteFailure: S.UNROUTING,
                EncodeFailed: S.UNROUTING,
                Expired: S.UNROUTING,
                Lost: S.FAILED,
                Skip: S.UNROUTING,
            },
            T_DEL,
            slot=True,
        ),
        S.UNROUTING: unrouting(then=S.DONE),
        S.DONE: Row({}),
        S.FAILED: Row({}),
    }

    def __init__(self, node: NodeContext, removal: Removal, at_node: bool) -> None:
        super().__init__(node)
        self.remove(removal.routes)
        self.removal = removal
        self._at_node = at_node and removal.node_delete
        self._delete_pending = removal.node_delete and not at_node
        self._confirmed = False
        self._unsent = False
        self._not_sent_because = ""

    @property
    def instance_id(self) -> int:
        return self.removal.instance_id

    def seconds(self, timer: Timer) -> float:
        return self.controls.delete_timeout if timer is T_DEL else super().seconds(timer)

    def not_sent(self, reason: str) -> None:
        """There is no RMR route to the E2 node yet."""
        self._unsent = True
        self._not_sent_because = reason

    def needs_deleting(self) -> bool:
        return self._at_node

    def enter_deleting(self, now: float) -> None:
        request_id = RequestId(self.removal.requestor_id, self.instance_id)
        request = SubscriptionDeleteRequest(request_id, self.removal.ran_function_id)
        self.node.talk(self, SendToE2(self.step, request, resend=True, wait=self.seconds(T_DEL)))

    def leave_deleting(self, event: object) -> None:
        match event:
            case Expired():
                self.node.emit(Noted(Note.DELETE_TIMER))
                self._delete_pending = self._unsent
            case SubscriptionDeleteResponse() | SubscriptionDeleteFailure():
                self._confirmed = True
            case Lost():
                self._delete_pending = True
                self.leftover = list(self.removal.routes)

    def enter_done(self, now: float) -> None:
        self._keep_rest(now)

    def enter_failed(self, now: float) -> None:
        self._keep_rest(now)

    def _keep_rest(self, now: float) -> None:
        removals = self.node.removals
        given_up = self._given_up(now)
        routes = () if given_up else tuple(self.leftover)
        left = replace(self.removal, routes=routes, node_delete=self._delete_pending)
        if self._confirmed:
            removals.confirmed(self.instance_id)
            self.node.emit(Noted(Note.CONFIRMED_LATE))
        unsent = self._unsent and left.node_delete
        again = removals.update(left, unsent, doubtful=given_up)
        if again is not None:
            self.node.enqueue_at(now + again, CleanupJob(self.instance_id, at_node=unsent))
        if unsent:
            self.finish(Outcome.FAILED, now, detail=f"the delete was not sent: {self._not_sent_because}")
        elif left.routes:
            still_there = ", ".join(map(str, left.routes))
            self.finish(Outcome.FAILED, now, detail=f"routes that are still there: {still_there}")
        else:
            self.finish(Outcome.SUCCESS, now)

    def _given_up(self, now: float) -> bool:
        """The Routing Manager has said for long enough that it knows no such route."""
        if not self.leftover or self.refused or now - self.removal.since < self.controls.unconfirmed_route_after:
            return False
        self.node.emit(Noted(Note.ROUTE_UNCONFIRMED, len(self.leftover)))
        return True
