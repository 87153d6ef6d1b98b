# SPDX-License-Identifier: Apache-2.0
"""Cleanup procedure: tries again what a delete could not undo, until nothing is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from submgr.core.commands import DeleteRoute, Note, Noted, Outcome, SendToE2
from submgr.core.events import EncodeFailed, RouteDone, RouteFailed
from submgr.core.model import Removal, RmrEndpoint
from submgr.core.procedures.base import Expired, Lost, Procedure, Skip, Start
from submgr.core.procedures.base import State as S
from submgr.core.timers import T_DEL, T_ROUTE, Timer
from submgr.e2ap.messages import (
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequest,
    SubscriptionDeleteResponse,
)

if TYPE_CHECKING:
    from submgr.core.node import Node


class Cleanup(Procedure):
    """The delete is sent once more when its node has come back (or, when it could not be sent at all, until it can);
    routes are tried each time."""

    NAME = "cleanup"
    TRANSITIONS = {
        S.NEW: {Start: S.DELETING},
        S.DELETING: {
            SubscriptionDeleteResponse: S.UNROUTING,
            SubscriptionDeleteFailure: S.UNROUTING,
            EncodeFailed: S.UNROUTING,
            Expired: S.UNROUTING,
            Lost: S.FAILED,
            Skip: S.UNROUTING,
        },
        S.UNROUTING: {RouteDone: S.UNROUTING, RouteFailed: S.UNROUTING, Expired: S.UNROUTING, Skip: S.DONE},
        S.DONE: {},
        S.FAILED: {},
    }
    TIMERS = {S.DELETING: T_DEL, S.UNROUTING: T_ROUTE}
    SLOT = frozenset({S.DELETING})

    def __init__(self, node: Node, removal: Removal, at_node: bool) -> None:
        super().__init__(node)
        self.removal = removal
        self._at_node = at_node and removal.node_delete
        self._delete_pending = removal.node_delete and not at_node
        self._confirmed = False
        self._unsent = False
        self._routes = list(removal.routes)
        self._route: RmrEndpoint | None = None
        self._leftover: list[RmrEndpoint] = []

    @property
    def starts_with_slot(self) -> bool:
        return self._at_node and self.node.connected

    def seconds(self, timer: Timer) -> float:
        return self.controls.delete_timeout if timer is T_DEL else timer.seconds

    def not_sent(self, reason: str) -> None:
        """The delete did not leave: there is no route to the node yet."""
        self._unsent = True

    def taken(self, event: object, now: float) -> None:
        match event:
            case Expired() if self.state is S.DELETING:
                self.node.emit(Noted(Note.DELETE_TIMER))
                self._delete_pending = self._unsent
            case SubscriptionDeleteResponse() | SubscriptionDeleteFailure():
                self._confirmed = True
            case Lost():
                self._delete_pending = True
                self._leftover = list(self.removal.routes)
            case RouteFailed() | Expired() if self.state is S.UNROUTING and self._route is not None:
                self._leftover.append(self._route)

    def entered(self, now: float) -> None:
        removal = self.removal
        match self.state:
            case S.DELETING if self._at_node and self.node.connected:
                request_id = RequestId(removal.requestor_id, removal.instance_id)
                request = SubscriptionDeleteRequest(request_id, removal.ran_function_id)
                self.node.talk(self, SendToE2(self.step, request, resend=True))
            case S.DELETING:
                self.feed(Skip(), now)
            case S.UNROUTING:
                self._route = self._routes.pop(0) if self._routes else None
                if self._route is not None:
                    self.node.emit(DeleteRoute(self.step, removal.instance_id, self._route))
                else:
                    self.feed(Skip(), now)
            case _:
                self._end(now)

    def _end(self, now: float) -> None:
        removal = self.removal
        left = replace(removal, routes=tuple(self._leftover), node_delete=self._delete_pending)
        if self._confirmed:
            self.node.confirmed(removal.instance_id)
            self.node.emit(Noted(Note.CONFIRMED_LATE))
        self.node.replace_removal(left, now, unsent=self._unsent and left.node_delete)
        outcome = Outcome.FAILED if left.routes else Outcome.SUCCESS
        self.finish(outcome, now, removal.instance_id, "")
