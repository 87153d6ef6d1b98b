# SPDX-License-Identifier: Apache-2.0
"""Who asked for a subscription, and how they are told how it ended: a REST subscription's detail, or an RMR xApp."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import TYPE_CHECKING

from submgr.core.commands import AnswerOverRmr, Notify
from submgr.core.e2_subscription import E2Subscription
from submgr.core.errors import Failure
from submgr.core.model import Content, Directives, Holder, HolderKey, RestHolder, RmrEndpoint, RmrHolder
from submgr.e2ap.messages import Cause, RequestId, SubscriptionFailure, SubscriptionResponse

if TYPE_CHECKING:
    from submgr.core.handlers.rest import RestSubscription
    from submgr.core.node import Node

UNSPECIFIED = Cause(group=6, value=3)
"""Cause misc/unspecified, for an RMR xApp whose request failed on our side of the E2 node."""


class Claim(ABC):
    """One wish for one E2 subscription. Told exactly once."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.key = content.key()
        self.refusal: SubscriptionFailure | None = None
        """What the E2 node refused with, for a requester that speaks E2AP."""
        self.told = False

    @property
    @abstractmethod
    def holder_key(self) -> HolderKey: ...

    @property
    @abstractmethod
    def line(self) -> Hashable:
        """Key under which all work for this claim queues."""

    @property
    @abstractmethod
    def subscription_id(self) -> str: ...

    @property
    def directives(self) -> Directives | None:
        return None

    @abstractmethod
    def holder(self) -> Holder: ...

    @abstractmethod
    def tell_success(self, node: Node, subscription: E2Subscription) -> None: ...

    @abstractmethod
    def tell_failure(self, node: Node, failure: Failure) -> None: ...

    @property
    def keys(self) -> tuple[Hashable, ...]:
        """Equal REPORT contents wait for each other, so that the second finds the first one to join."""
        return (self.key, self.line) if self.content.mergeable else (self.line,)

    @property
    def own_line(self) -> Hashable:
        """Line of the E2 subscription that this claim creates."""
        return self.key if self.content.mergeable else self.line


class RestClaim(Claim):
    """One detail of a REST subscription."""

    def __init__(
        self, rest: RestSubscription, xapp_event_instance_id: int, content: Content, directives: Directives | None
    ) -> None:
        super().__init__(content)
        self.rest = rest
        self.xapp_event_instance_id = xapp_event_instance_id
        self._directives = directives

    @property
    def holder_key(self) -> RestHolder:
        return RestHolder(self.rest.subscription_id, self.xapp_event_instance_id)

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

    def holder(self) -> Holder:
        return Holder(self.holder_key, self.rest.endpoint.rmr, self.routed, notified=False)

    def tell_success(self, node: Node, subscription: E2Subscription) -> None:
        self.told = True
        node.emit(
            Notify(
                self.subscription_id,
                self.rest.endpoint,
                self.xapp_event_instance_id,
                subscription.instance_id,
                not_admitted=subscription.not_admitted,
            )
        )
        self.rest.told(node, self.xapp_event_instance_id)

    def tell_failure(self, node: Node, failure: Failure) -> None:
        self.told = True
        node.emit(Notify(self.subscription_id, self.rest.endpoint, self.xapp_event_instance_id, 0, failure))
        self.rest.told(node, self.xapp_event_instance_id)


class RmrClaim(Claim):
    """A RIC Subscription Request that an xApp sent over RMR. A timeout is not answered: the xApp has its own timer."""

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

    def holder(self) -> Holder:
        return Holder(self.holder_key, self.source, routed=True, notified=False)

    def tell_success(self, node: Node, subscription: E2Subscription) -> None:
        self.told = True
        node.mark_told(subscription, self.holder_key)
        request_id = RequestId(self.requestor_id, subscription.instance_id)
        admitted = subscription.admitted or ()
        node.emit(
            AnswerOverRmr(
                self.token,
                SubscriptionResponse(
                    request_id, subscription.content.ran_function_id, admitted, subscription.not_admitted
                ),
            )
        )
        node.rmr_told(self.token)

    def tell_failure(self, node: Node, failure: Failure) -> None:
        self.told = True
        if failure.timeout is None:
            function = self.content.ran_function_id
            refusal = self.refusal
            cause = refusal.cause if refusal is not None else UNSPECIFIED
            not_admitted = refusal.not_admitted if refusal is not None else ()
            node.emit(
                AnswerOverRmr(
                    self.token, SubscriptionFailure(RequestId(self.requestor_id, 0), function, cause, not_admitted)
                )
            )
        node.rmr_told(self.token)
