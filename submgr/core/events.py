# SPDX-License-Identifier: Apache-2.0
"""Events: what can happen to a node. The E2 node's answers are the E2AP messages themselves.

The last events of this page are internal: procedures and the scheduler make them, the shell never does.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from submgr.core.model import Content, E2Record, Removal, RestRecord, RmrEndpoint, SubscribeRequest
from submgr.e2ap.messages import (
    Cause,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionResponse,
)


class Subscribe(Struct, frozen=True):
    """A valid POST. `fresh_id`: the SubscriptionId, should it make a new REST subscription. `created`: UTC text."""

    token: int
    request: SubscribeRequest
    fresh_id: str
    created: str


class Answered(Struct, frozen=True):
    """The 201 of this POST has been written to its socket, or the client has gone: the work may start."""

    token: int


class Abandoned(Struct, frozen=True):
    """Nobody waits for the answer to this POST any more: the service refused it for want of an answer."""

    token: int


class Unsubscribe(Struct, frozen=True):
    """A DELETE of a REST subscription."""

    token: int
    subscription_id: str


class SubscribeOverRmr(Struct, frozen=True):
    """A RIC Subscription Request that an xApp sent over RMR; `xid` is its RMR transaction id."""

    token: int
    source: RmrEndpoint
    xid: bytes
    requestor_id: int
    content: Content


class UnsubscribeOverRmr(Struct, frozen=True):
    """A RIC Subscription Delete Request that an xApp sent over RMR; `xid` is its RMR transaction id."""

    token: int
    source: RmrEndpoint
    xid: bytes
    requestor_id: int
    instance_id: int
    ran_function_id: int


class Saved(Struct, frozen=True):
    """The store has done what the command with this step asked."""

    step: int


class SaveFailed(Struct, frozen=True):
    """The store has not done it. `timed_out`: nobody knows, it may still happen."""

    step: int
    message: str
    timed_out: bool = False


class RouteDone(Struct, frozen=True):
    """The Routing Manager has done what the command with this step asked."""

    step: int


class RouteFailureKind(StrEnum):
    REFUSED = "refused"
    """The Routing Manager answered, with an error status."""
    TIMEOUT = "timeout"
    """It did not answer in time: the change may have been made."""
    UNREACHABLE = "unreachable"
    """It was not reached: the change was not made."""
    BROKEN = "broken"
    """It closed the connection, or did not answer in HTTP: the change may have been made."""
    UNCONFIRMED = "unconfirmed"
    """It answered a DELETE with 204 or 404: nothing was removed, the xApp or the route is not known at the moment."""


class RouteFailed(Struct, frozen=True):
    """The Routing Manager has not done it, or nobody knows (see `RouteFailureKind`)."""

    step: int
    kind: RouteFailureKind
    message: str


class EncodeFailed(Struct, frozen=True):
    """The codec refused the request of the command with this step, in its own words: nothing was sent."""

    step: int
    message: str


class NotSent(Struct, frozen=True):
    """A request did not leave, for want of an RMR route or connection. It counts as a send; its timer goes on."""

    instance_id: int
    reason: str


class Undecodable(Struct, frozen=True):
    """The codec refused an answer of this E2 node. `instance_id` from the RMR header; 0: not known."""

    instance_id: int
    message: str


class Notified(Struct, frozen=True):
    """A success notification was delivered, or given up."""

    subscription_id: str
    xapp_event_instance_id: int
    instance_id: int


class Revoke(Struct, frozen=True):
    """These E2 subscriptions are to be deleted, whoever holds them: an operator wants it, or the E2 node.

    `cause`: the E2 node's, of a RIC Subscription Delete Required; None: an operator.
    """

    instance_ids: tuple[int, ...]
    cause: Cause | None = None


class RoutesDiffer(Struct, frozen=True):
    """The Routing Manager was `told` other endpoints than the E2 subscription believes or wants."""

    instance_id: int
    told: tuple[RmrEndpoint, ...]


class NodeConnected(Struct, frozen=True):
    """The E2 connection is CONNECTED. Also told when it was so already: a short loss may have been missed."""


class NodeLost(Struct, frozen=True):
    """The E2 connection is DISCONNECTED or UNDER_RESET; `reason` in words."""

    reason: str


class Restored(Struct, frozen=True):
    """The node's records as they were found in the store: at the start, or after its worker crashed."""

    e2: tuple[E2Record, ...]
    rest: tuple[RestRecord, ...]
    removals: tuple[Removal, ...]
    connected: bool
    spared: frozenset[str] = frozenset()
    """SubscriptionIds whose REST records cannot be read: their E2 subscriptions are not taken for abandoned."""


class Start(Struct, frozen=True):
    """Internal: the turn of a procedure has come."""


class Skip(Struct, frozen=True):
    """Internal: names the arrow by which a procedure passes over a state that has no work. It never happens."""


class Expired(Struct, frozen=True):
    """Internal: the port that should have answered did not."""


class Resend(Struct, frozen=True):
    """Internal: the timer of an E2 request expired, and there are sends left."""


class GaveUp(Struct, frozen=True):
    """Internal: the timer of an E2 request expired after its last send."""


class Cancelled(Struct, frozen=True):
    """Internal: the requester does not want the procedure any more."""


class Lost(Struct, frozen=True):
    """Internal: the E2 connection of the node is down or under reset."""

    reason: str


Event = (
    Subscribe
    | Answered
    | Abandoned
    | Unsubscribe
    | SubscribeOverRmr
    | UnsubscribeOverRmr
    | Saved
    | SaveFailed
    | RouteDone
    | RouteFailed
    | EncodeFailed
    | NotSent
    | Undecodable
    | Notified
    | Revoke
    | RoutesDiffer
    | NodeConnected
    | NodeLost
    | Restored
    | SubscriptionResponse
    | SubscriptionFailure
    | SubscriptionDeleteResponse
    | SubscriptionDeleteFailure
    | SubscriptionDeleteRequired
)
