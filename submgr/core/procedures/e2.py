# SPDX-License-Identifier: Apache-2.0
"""Procedures that ask the E2 node for something, again if need be, and wait for its answer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from submgr.core import failures
from submgr.core.commands import Note, Noted, Outcome, SendToE2
from submgr.core.e2_subscription import E2Subscription
from submgr.core.errors import Failure
from submgr.core.events import EncodeFailed
from submgr.core.model import Directives
from submgr.core.procedures.base import GaveUp, Lost, Procedure, Resend, State
from submgr.core.timers import T_SUB, Timer
from submgr.e2ap.messages import SubscriptionFailure, SubscriptionResponse

if TYPE_CHECKING:
    from submgr.core.node import Node


class E2Procedure(Procedure):
    """Counts its sends. The node hands it the answers to its subscription's instance id while it `awaits_node`."""

    def __init__(self, node: Node, subscription: E2Subscription) -> None:
        super().__init__(node)
        self.subscription = subscription
        self.sends = 0
        self.not_sent_because = ""
        self.undecodable = ""
        self._unsent = 0

    @property
    @abstractmethod
    def tries(self) -> int:
        """Number of sends."""

    @abstractmethod
    def timer_expired(self) -> None:
        """Count it."""

    @property
    def awaits_node(self) -> bool:
        return self.state in (State.REQUESTED, State.DELETING)

    def expire(self, now: float) -> None:
        if not self.awaits_node:
            super().expire(now)
            return
        self.deadline = None
        self.timer_expired()
        self.feed(Resend() if self.sends < self.tries else GaveUp(), now)

    def send(self, command: SendToE2) -> None:
        self.sends += 1
        self.node.talk(self, command)

    def not_sent(self, reason: str) -> None:
        """A send did not leave. It counts as a send; the timer goes on."""
        self._unsent += 1
        self.not_sent_because = reason

    def could_not_decode(self, message: str) -> None:
        """An answer came that the codec refused. Another may still come; if none does, this is the reason."""
        self.undecodable = message

    @property
    def left_us(self) -> bool:
        """Did any send leave for the node?"""
        return self.sends > self._unsent


class SubscribeProcedure(E2Procedure):
    """What a new subscription, a policy update and a restore share: the RIC Subscription Request and how it can end."""

    def __init__(self, node: Node, subscription: E2Subscription, directives: Directives | None) -> None:
        super().__init__(node, subscription)
        self._timeout = directives.timeout if directives else None
        self._tries = directives.tries if directives else None
        self.failure: Failure | None = None
        self.outcome = Outcome.SUCCESS

    @property
    def tries(self) -> int:
        return self._tries or self.controls.subscribe_tries

    def seconds(self, timer: Timer) -> float:
        return (self._timeout or self.controls.subscribe_timeout) if timer is T_SUB else timer.seconds

    def timer_expired(self) -> None:
        self.node.emit(Noted(Note.SUBSCRIBE_TIMER))

    def request(self) -> None:
        self.send(SendToE2(self.step, self.subscription.request(), resend=self.sends > 0))

    def answered(self, event: SubscriptionResponse) -> None:
        sub = self.subscription
        sub.admitted = event.admitted
        sub.not_admitted = event.not_admitted
        if event.not_admitted:
            self.node.emit(Noted(Note.PARTIAL))
        self.outcome = Outcome.PARTIAL if event.not_admitted else Outcome.SUCCESS

    def fail(self, outcome: Outcome, failure: Failure) -> None:
        self.outcome = outcome
        self.failure = failure

    def not_granted(self, event: object) -> None:
        """The ways in which the request itself can fail."""
        match event:
            case SubscriptionFailure():
                self.fail(Outcome.REFUSED, failures.refused(event))
            case GaveUp():
                self.fail(Outcome.TIMEOUT, failures.silent(self))
            case EncodeFailed():
                self.fail(Outcome.ASN1, failures.encoding(event))
            case Lost():
                self.fail(Outcome.E2_DOWN, failures.e2_down(event))

    def may_be_at_node(self, event: object) -> bool:
        """After such an end, may the node have the subscription all the same?

        A refusal of a resend: the first send may have been taken and only its answer lost.
        """
        match event:
            case SubscriptionFailure() | EncodeFailed():
                return self.sends > 1
            case GaveUp():
                return self.left_us
            case _:
                return False
