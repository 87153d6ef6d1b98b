# SPDX-License-Identifier: Apache-2.0
"""Procedures that ask the E2 node for something, again if need be, and wait for its answer (E2AP 8.2)."""

from __future__ import annotations

from abc import abstractmethod

from submgr.core import failures
from submgr.core.commands import Note, Noted, Outcome, SendToE2
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription
from submgr.core.errors import Failure
from submgr.core.events import EncodeFailed, GaveUp, Lost, Resend
from submgr.core.model import Directives
from submgr.core.procedures.base import Procedure, Row, State
from submgr.core.timers import T_SUB, Timer
from submgr.e2ap.messages import SubscriptionFailure, SubscriptionResponse


class E2Procedure(Procedure):
    """Counts its sends. It gets the E2 node's answers for the instance id of `subscription` while it asks."""

    sends = 0
    not_sent_because = ""
    undecodable = ""
    _unsent = 0

    def __init__(self, node: NodeContext, subscription: E2Subscription) -> None:
        super().__init__(node)
        self.subscription = subscription

    @property
    def instance_id(self) -> int:
        return self.subscription.instance_id

    @property
    @abstractmethod
    def tries(self) -> int:
        """Number of sends."""

    @abstractmethod
    def timer_expired(self) -> None:
        """Counts the expiry of an E2 timer."""

    def expire(self, now: float) -> None:
        if self.state not in (State.REQUESTED, State.DELETING):
            super().expire(now)
            return
        self.timer_expired()
        self.feed(Resend() if self.sends < self.tries else GaveUp(), now)

    def send(self, command: SendToE2) -> None:
        self.sends += 1
        self.node.talk(self, command)

    def not_sent(self, reason: str) -> None:
        """It counts as a send; the timer goes on."""
        self._unsent += 1
        self.not_sent_because = reason

    def could_not_decode(self, message: str) -> None:
        """Another answer may still come; if none does, this is why the procedure fails."""
        self.undecodable = message

    @property
    def left_us(self) -> bool:
        """Did any send leave for the E2 node?"""
        return self.sends > self._unsent


def requested(granted: State) -> Row:
    """The row in which a RIC Subscription Request waits for its answer; `granted`: the state after a Response."""
    return Row(
        {
            SubscriptionResponse: granted,
            SubscriptionFailure: State.FAILED,
            Resend: State.REQUESTED,
            GaveUp: State.FAILED,
            EncodeFailed: State.FAILED,
            Lost: State.FAILED,
        },
        T_SUB,
        slot=True,
    )


class RequestProcedure(E2Procedure):
    """Sends a RIC Subscription Request: for a new subscription, a policy update, or a subscription made anew."""

    failure: Failure | None = None
    outcome = Outcome.SUCCESS

    def __init__(self, node: NodeContext, subscription: E2Subscription, directives: Directives | None) -> None:
        super().__init__(node, subscription)
        self._timeout = (directives and directives.timeout) or self.controls.subscribe_timeout
        self._tries = (directives and directives.tries) or self.controls.subscribe_tries

    @property
    def tries(self) -> int:
        return self._tries

    def seconds(self, timer: Timer) -> float:
        return self._timeout if timer is T_SUB else super().seconds(timer)

    def timer_expired(self) -> None:
        self.node.emit(Noted(Note.SUBSCRIBE_TIMER))

    def fail(self, outcome: Outcome, failure: Failure) -> None:
        self.outcome = outcome
        self.failure = failure

    def not_saved(self, event: object) -> None:
        """The record was not written: the store refused or did not answer, or the E2 node was lost meanwhile."""
        if isinstance(event, Lost):
            self.fail(Outcome.E2_DOWN, failures.e2_down(event))
        else:
            self.fail(Outcome.STORE, failures.store(event))

    def enter_requested(self, now: float) -> None:
        self.send(SendToE2(self.step, self.subscription.request(), resend=self.sends > 0, wait=self._timeout))

    def leave_requested(self, event: object) -> None:
        match event:
            case SubscriptionResponse():
                sub = self.subscription
                sub.admitted, sub.not_admitted = event.admitted, event.not_admitted
                if event.not_admitted:
                    self.outcome = Outcome.PARTIAL
                    self.node.emit(Noted(Note.PARTIAL))
            case SubscriptionFailure():
                self.fail(Outcome.REFUSED, failures.refused(event))
            case GaveUp():
                self.fail(Outcome.TIMEOUT, failures.silent(self.undecodable, self.not_sent_because))
            case EncodeFailed():
                self.fail(Outcome.ASN1, failures.encoding(event))
            case Lost():
                self.fail(Outcome.E2_DOWN, failures.e2_down(event))

    def may_be_at_node(self, event: object) -> bool:
        """After such an end of the request, may the E2 node have the subscription all the same?

        A refusal of a resend: the node may have taken the first send, and only its answer was lost.
        """
        match event:
            case SubscriptionFailure() | EncodeFailed():
                return self.sends > 1
            case GaveUp():
                return self.left_us
            case _:
                return False
