# SPDX-License-Identifier: Apache-2.0
"""What the core wants done. The worker performs them, in order, through the ports.

A command with a `step` is answered by an event with the same step (see `events.py`); a command without one is not
awaited: the port itself makes sure that it happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from submgr.core.errors import Failure, FieldError
from submgr.core.model import ClientEndpoint, E2Record, Removal, RestRecord, RmrEndpoint
from submgr.e2ap.messages import (
    NotAdmitted,
    SubscriptionDeleteRequest,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
)


@dataclass(frozen=True, slots=True)
class Accept:
    """The POST with this token is answered 201."""

    token: int
    subscription_id: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The POST with this token is answered with an error."""

    token: int
    status: int
    message: str
    errors: tuple[FieldError, ...] = ()
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class ConfirmDelete:
    """The DELETE with this token is answered 204."""

    token: int


@dataclass(frozen=True, slots=True)
class SaveRest:
    """Write a REST record. `step` None: not awaited, and retried until it is written."""

    record: RestRecord
    step: int | None = None


@dataclass(frozen=True, slots=True)
class EraseRest:
    """Remove a REST record, retried until it is gone."""

    subscription_id: str
    step: int | None = None


@dataclass(frozen=True, slots=True)
class SaveE2:
    """Write an E2 record. `step` None: not awaited, and retried until it is written."""

    record: E2Record
    step: int | None = None


@dataclass(frozen=True, slots=True)
class EraseE2:
    """Remove an E2 record, retried until it is gone; `step` is answered when it is gone, however long that takes."""

    instance_id: int
    step: int | None = None


@dataclass(frozen=True, slots=True)
class SaveRemoval:
    """Write down what is left to be undone. `step` None: not awaited, and retried until it is written."""

    removal: Removal
    step: int | None = None


@dataclass(frozen=True, slots=True)
class EraseRemoval:
    meid: str
    instance_id: int


@dataclass(frozen=True, slots=True)
class CreateRoute:
    """POST of the first endpoint of a subscription."""

    step: int
    instance_id: int
    endpoint: RmrEndpoint


class RouteChange(StrEnum):
    """Why the endpoint list changes: an endpoint joins (merge) or leaves (unmerge)."""

    MERGE = "merge"
    UNMERGE = "unmerge"


@dataclass(frozen=True, slots=True)
class UpdateRoute:
    """PUT of the whole endpoint list of a subscription."""

    step: int
    instance_id: int
    endpoints: tuple[RmrEndpoint, ...]
    change: RouteChange


@dataclass(frozen=True, slots=True)
class DeleteRoute:
    """DELETE of one endpoint of a subscription."""

    step: int
    instance_id: int
    endpoint: RmrEndpoint


@dataclass(frozen=True, slots=True)
class SendToE2:
    """Send a request to the E2 node (RMR 12010 or 12020). `resend`: it is not the first send of it.

    Answered by the node's own message; `step` is for an EncodeFailed.
    """

    step: int
    message: SubscriptionRequest | SubscriptionDeleteRequest
    resend: bool = False


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell an xApp over HTTP how one detail ended. Failure: `instance_id` 0 and `failure` given.

    Partial admission is a success with `not_admitted`. The place it takes was reserved when the request was accepted.
    """

    subscription_id: str
    endpoint: ClientEndpoint
    xapp_event_instance_id: int
    instance_id: int
    failure: Failure | None = None
    not_admitted: tuple[NotAdmitted, ...] = ()


@dataclass(frozen=True, slots=True)
class DropNotifications:
    """Forget the notifications of a REST subscription that still wait."""

    subscription_id: str


@dataclass(frozen=True, slots=True)
class AnswerOverRmr:
    """Answer an xApp that subscribed over RMR; `token` names its request."""

    token: int
    message: SubscriptionResponse | SubscriptionFailure | SubscriptionDeleteResponse


class Outcome(StrEnum):
    SUCCESS = "success"
    PARTIAL = "partial"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    E2_DOWN = "e2_down"
    ROUTE = "route_failed"
    STORE = "store_failed"
    ASN1 = "asn1"
    DROPPED = "dropped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finished:
    """A procedure has ended: one log line, one observation. `seconds` from its start."""

    procedure: str
    outcome: Outcome
    seconds: float
    instance_id: int
    subscription_id: str
    detail: str = ""


class Odd(StrEnum):
    """Kinds of input that no state expects."""

    UNKNOWN_INSTANCE = "unknown_instance"
    UNEXPECTED = "unexpected"
    UNDECODABLE = "undecodable"
    FOREIGN_MEID = "foreign_meid"
    RETRANSMISSION = "retransmission"
    E2_DOWN = "e2_down"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that changed nothing: counted, and logged once per kind."""

    kind: Odd
    what: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth a counter that no other command shows."""

    what: Note
    n: int = 1


class Note(StrEnum):
    DUPLICATE = "duplicate request"
    MERGED = "merged"
    UNMERGED = "unmerged"
    SUBSCRIBE_TIMER = "subscribe timer expired"
    DELETE_TIMER = "delete timer expired"
    UNCONFIRMED_DELETE = "delete never answered"
    CONFIRMED_LATE = "delete answered after all"
    PARTIAL = "partial admission"


Command = (
    Accept
    | Refuse
    | ConfirmDelete
    | SaveRest
    | EraseRest
    | SaveE2
    | EraseE2
    | SaveRemoval
    | EraseRemoval
    | CreateRoute
    | UpdateRoute
    | DeleteRoute
    | SendToE2
    | Notify
    | DropNotifications
    | AnswerOverRmr
    | Finished
    | Ignored
    | Noted
)
