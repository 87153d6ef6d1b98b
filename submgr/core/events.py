# SPDX-License-Identifier: Apache-2.0
"""Events: what can happen to a node. The E2 node's answers are the E2AP messages themselves.

The last events of this page are internal: procedures and the scheduler make them, the shell never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from submgr.core.model import Content, E2Record, Removal, RestRecord, RmrEndpoint, SubscribeRequest
from submgr.e2ap.messages import (
    Cause,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionResponse,
)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A valid POST. `fresh_id`: the SubscriptionId, should it make a new REST subscription. `created`: UTC text."""

    token: int
    request: SubscribeRequest
    fresh_id: str
    created: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The 201 of this POST has been written to its socket, or the client has gone: the work may start."""

    token: int


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Nobody waits for the answer to this POST any more: the service refused it for want of an answer."""

    token: int


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """A DELETE of a REST subscription."""

    token: int
    subscription_id: str


@dataclass(frozen=True, slots=True)
class SubscribeOverRmr:
    """A RIC Subscription Request that an xApp sent over RMR; `xid` is its RMR transaction id."""

    token: int
    source: RmrEndpoint
    xid: bytes
    requestor_id: int
    content: Content


@dataclass(frozen=True, slots=True)
class UnsubscribeOverRmr:
    """A RIC Subscription Delete Request that an xApp sent over RMR; `xid` is its RMR transaction id."""

    token: int
    source: RmrEndpoint
    xid: bytes
    requestor_id: int
    instance_id: int
    ran_function_id: int


@dataclass(frozen=True, slots=True)
class Saved:
    """The store has done what the command with this step asked."""

    step: int


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """The store has not done it. `timed_out`: nobody knows, it may still happen."""

    step: int
    message: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class RouteDone:
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


@dataclass(frozen=True, slots=True)
class RouteFailed:
    """The Routing Manager has not done it, or nobody knows (see `RouteFailureKind`)."""

    step: int
    kind: RouteFailureKind
    message: str


@dataclass(frozen=True, slots=True)
class EncodeFailed:
    """The codec refused the request of the command with this step, in its own words: nothing was sent."""

    step: int
    message: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """A request did not leave, for want of an RMR route or connection. It counts as a send; its timer goes on."""

    instance_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Undecodable:
    """The codec refused an answer of this E2 node. `instance_id` from the RMR header; 0: not known."""

    instance_id: int
    message: str


@dataclass(frozen=True, slots=True)
class Notified:
    """A success notification was delivered, or given up."""

    subscription_id: str
    xapp_event_instance_id: int
    instance_id: int


@dataclass(frozen=True, slots=True)
class Revoke:
    """These E2 subscriptions are to be deleted, whoever holds them: an operator wants it, or the E2 node.

    `cause`: the E2 node's, of a RIC Subscription Delete Required; None: an operator.
    """

    instance_ids: tuple[int, ...]
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class RoutesDiffer:
    """The Routing Manager was `told` other endpoints than the E2 subscription believes or wants."""

    instance_id: int
    told: tuple[RmrEndpoint, ...]


@dataclass(frozen=True, slots=True)
class NodeConnected:
    """The E2 connection is CONNECTED. Also told when it was so already: a short loss may have been missed."""


@dataclass(frozen=True, slots=True)
class NodeLost:
    """The E2 connection is DISCONNECTED or UNDER_RESET; `reason` in words."""

    reason: str


@dataclass(frozen=True, slots=True)
class Restored:
    """The node's records as they were found in the store: at the start, or after its worker crashed."""

    e2: tuple[E2Record, ...]
    rest: tuple[RestRecord, ...]
    removals: tuple[Removal, ...]
    connected: bool
    spared: frozenset[str] = frozenset()
    """SubscriptionIds whose REST records cannot be read: their E2 subscriptions are not taken for abandoned."""


@dataclass(frozen=True, slots=True)
class Start:
    """Internal: the turn of a procedure has come."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Internal: names the arrow by which a procedure passes over a state that has no work. It never happens."""


@dataclass(frozen=True, slots=True)
class Expired:
    """Internal: the port that should have answered did not."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Internal: the timer of an E2 request expired, and there are sends left."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Internal: the timer of an E2 request expired after its last send."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Internal: the requester does not want the procedure any more."""


@dataclass(frozen=True, slots=True)
class Lost:
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
