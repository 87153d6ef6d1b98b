# SPDX-License-Identifier: Apache-2.0
"""What can happen to a node. Answers of the E2 node are the E2AP messages themselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from submgr.core.model import Content, E2Record, Removal, RestRecord, RmrEndpoint, SubscribeRequest
from submgr.e2ap.messages import (
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionResponse,
)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A valid POST. `fresh_id` is the SubscriptionId it gets if it turns out to be a new one."""

    token: int
    request: SubscribeRequest
    fresh_id: str
    created: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The 201 of this POST has been written to its socket (or the client has gone): work may start."""

    token: int


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Nobody waits for the answer to this POST any more: it was refused for want of one."""

    token: int


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    token: int
    subscription_id: str


@dataclass(frozen=True, slots=True)
class SubscribeOverRmr:
    """RIC Subscription Request of an xApp over RMR; `xid` is its RMR transaction id."""

    token: int
    source: RmrEndpoint
    xid: bytes
    requestor_id: int
    content: Content


@dataclass(frozen=True, slots=True)
class UnsubscribeOverRmr:
    token: int
    source: RmrEndpoint
    xid: bytes
    requestor_id: int
    instance_id: int
    ran_function_id: int


@dataclass(frozen=True, slots=True)
class Saved:
    step: int


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """`timed_out`: the write is unknown, it may still happen."""

    step: int
    message: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class RouteDone:
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


@dataclass(frozen=True, slots=True)
class RouteFailed:
    step: int
    kind: RouteFailureKind
    message: str


@dataclass(frozen=True, slots=True)
class EncodeFailed:
    step: int
    message: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """A request did not leave: no route, no connection. It counts as a send; the timer goes on."""

    instance_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Undecodable:
    """An answer from this node that the codec refused. `instance_id` from the RMR header, 0 = not known."""

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
    """An operator wants these E2 subscriptions deleted, whoever holds them."""

    instance_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NodeConnected:
    """CONNECTED; also told when it was so already: a short loss may have been missed."""


@dataclass(frozen=True, slots=True)
class NodeLost:
    """DISCONNECTED or UNDER_RESET."""

    reason: str


@dataclass(frozen=True, slots=True)
class Restored:
    """The node's records as they were found in the store, at the start."""

    e2: tuple[E2Record, ...]
    rest: tuple[RestRecord, ...]
    removals: tuple[Removal, ...]
    connected: bool
    spared: frozenset[str] = frozenset()
    """SubscriptionIds whose REST records cannot be read: what they hold is not taken for abandoned."""


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
    | NodeConnected
    | NodeLost
    | Restored
    | SubscriptionResponse
    | SubscriptionFailure
    | SubscriptionDeleteResponse
    | SubscriptionDeleteFailure
    | SubscriptionDeleteRequired
)
