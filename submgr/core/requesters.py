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
    """A request for one E2 subscription. Its requester is told the outcome exactly once."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.key = content.key()
        self.mergeable = content.mergeable
        self.refusal: SubscriptionFailure | None = None
        """The E2 node's refusal, for a requester that speaks E2AP."""
        self.told = False

    @property
    @abstractmethod
    def holder_key(self) -> HolderKey: ...

    @property
    @abstractmethod
    def line(self) -> Hashable:
        """The key under which all work for this requester queues."""

    @property
    @abstractmethod
    def subscription_id(self) -> str:
        """SubscriptionId of the REST subscription; "" for an RMR xApp."""

    @property
    def directives(self) -> Directives | None:
        return None

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
        super().__init__(content)
        self.rest = rest
        self.xapp_event_instance_id = xapp_event_instance_id
        self._directives = directives
        self._holder_key = RestHolder(rest.subscription_id, xapp_event_instance_id)

    @property
    def holder_key(self) -> RestHolder:
        return self._holder_key

    @property
    def line(self) -> Hashable:
        return self.holder_key

    @property
    def subscription_id(self) -> str:
        return self.rest.subscription_id

    @property
    def directives(self) -> Directives | None:
        return self._directives

    @property
    def routed(self) -> bool:
        return self._directives is None or self._directives.routing

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
        super().__init__(content)
        self.token = token
        self.source = source
        self.requestor_id = requestor_id

    @property
    def holder_key(self) -> RmrHolder:
        return RmrHolder(self.source, self.requestor_id)

    @property
    def line(self) -> Hashable:
        return (self.holder_key, self.key)

    @property
    def subscription_id(self) -> str:
        return ""

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
