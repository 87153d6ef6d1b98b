# SPDX-License-Identifier: Apache-2.0
"""Requesters: who asked for an E2 subscription, and the command that tells the requester how its request ended.

A requester is a detail of a REST subscription, or an xApp that sent a RIC Subscription Request over RMR.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable

from submgr.core.commands import About, AnswerOverRmr, Command, Notify
from submgr.core.e2_subscription import E2Subscription
from submgr.core.errors import Failure
from submgr.core.model import Content, Directives, Holder, HolderKey, RestHolder, RmrEndpoint, RmrHolder
from submgr.core.rest_subscription import RestSubscription
from submgr.e2ap.messages import Cause, RequestId, SubscriptionFailure, SubscriptionResponse

UNSPECIFIED = Cause(group=6, value=3)
"""Cause misc/unspecified (E2AP 9.2.1), for an RMR xApp whose request failed before it reached the E2 node."""


class Requester(ABC):
    """A request for one E2 subscription. Its requester is told the outcome exactly once.

    `line`: the key under which all work for this requester queues. `subscription_id`: of the REST subscription; "" for
    an RMR xApp. `refusal`: the E2 node's, for a requester that speaks E2AP.
    """

    refusal: SubscriptionFailure | None = None
    told = False

    def __init__(
        self,
        content: Content,
        holder_key: HolderKey,
        line: Hashable,
        subscription_id: str = "",
        directives: Directives | None = None,
    ) -> None:
        self.content = content
        self.key = content.key()
        self.mergeable = content.mergeable
        self.holder_key = holder_key
        self.line = line
        self.subscription_id = subscription_id
        self.directives = directives

    @abstractmethod
    def about(self) -> About:
        """The requester and its content, for those who watch."""

    @abstractmethod
    def holder(self) -> Holder:
        """The holder that the requester becomes when its request is granted."""

    @abstractmethod
    def success(self, subscription: E2Subscription) -> Command:
        """The command that tells the requester of its E2 subscription."""

    @abstractmethod
    def failure(self, failure: Failure) -> Command | None:
        """The command that tells the requester why it has none; None: this requester is not told."""

    @property
    def keys(self) -> tuple[Hashable, ...]:
        """Equal REPORT contents wait for each other, so that the second requester finds the first one's to share."""
        return (self.key, self.line) if self.mergeable else (self.line,)

    @property
    def own_line(self) -> Hashable:
        """The line of the E2 subscription that is made for this requester."""
        return self.key if self.mergeable else self.line


class RestRequester(Requester):
    """One detail of a REST subscription; it is told by a notification."""

    def __init__(
        self, rest: RestSubscription, xapp_event_instance_id: int, content: Content, directives: Directives | None
    ) -> None:
        holder_key = RestHolder(rest.subscription_id, xapp_event_instance_id)
        super().__init__(content, holder_key, holder_key, rest.subscription_id, directives)
        self.rest = rest
        self.xapp_event_instance_id = xapp_event_instance_id
        self.routed = directives is None or directives.routing

    def about(self) -> About:
        return About(self.rest.endpoint.host, self.xapp_event_instance_id, self.content.ran_function_id, self.content)

    def holder(self) -> Holder:
        return Holder(self.holder_key, self.rest.endpoint.rmr, self.routed, notified=False)

    def success(self, subscription: E2Subscription) -> Command:
        return Notify(
            self.subscription_id,
            self.rest.endpoint,
            self.xapp_event_instance_id,
            subscription.instance_id,
            not_admitted=subscription.not_admitted,
        )

    def failure(self, failure: Failure) -> Command:
        return Notify(self.subscription_id, self.rest.endpoint, self.xapp_event_instance_id, 0, failure)


class RmrRequester(Requester):
    """An xApp that sent a RIC Subscription Request over RMR; `token` names its message.

    It is told by a RIC Subscription Response or Failure. A timeout is not answered: the xApp has its own timer.
    """

    def __init__(self, token: int, source: RmrEndpoint, requestor_id: int, content: Content) -> None:
        holder_key = RmrHolder(source, requestor_id)
        super().__init__(content, holder_key, (holder_key, content.key()))
        self.token = token
        self.source = source
        self.requestor_id = requestor_id

    def about(self) -> About:
        return About(self.source.address, None, self.content.ran_function_id, self.content)

    def holder(self) -> Holder:
        return Holder(self.holder_key, self.source, routed=True, notified=False)

    def success(self, subscription: E2Subscription) -> Command:
        request_id = RequestId(self.requestor_id, subscription.instance_id)
        function, admitted = subscription.content.ran_function_id, subscription.admitted or ()
        return AnswerOverRmr(
            self.token, SubscriptionResponse(request_id, function, admitted, subscription.not_admitted)
        )

    def failure(self, failure: Failure) -> Command | None:
        if failure.timeout is not None:
            return None
        refusal = self.refusal
        cause = refusal.cause if refusal is not None else UNSPECIFIED
        not_admitted = refusal.not_admitted if refusal is not None else ()
        request_id = RequestId(self.requestor_id, 0)
        return AnswerOverRmr(
            self.token, SubscriptionFailure(request_id, self.content.ran_function_id, cause, not_admitted)
        )
