# SPDX-License-Identifier: Apache-2.0
"""Commands: what the core wants done. The worker performs them in their order through the ports.

A command with a `step` is answered by an event with the same step (see `events.py`). A command without a step is not
awaited: the port itself sees to it that it happens.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from submgr.core.errors import Failure, FieldError
from submgr.core.model import ClientEndpoint, Content, E2Record, Removal, RestRecord, RmrEndpoint
from submgr.e2ap.messages import (
    NotAdmitted,
    SubscriptionDeleteRequest,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
)


class Accept(Struct, frozen=True):
    """Answers the POST with this token 201."""

    token: int
    subscription_id: str


class Refuse(Struct, frozen=True):
    """Answers the POST with this token with an error. `retry_after` in seconds."""

    token: int
    status: int
    message: str
    errors: tuple[FieldError, ...] = ()
    retry_after: int | None = None


class ConfirmDelete(Struct, frozen=True):
    """Answers the DELETE with this token 204."""

    token: int


class SaveRest(Struct, frozen=True):
    """Writes a REST record. `step` None: nobody waits for the write, and it is retried until it is done."""

    record: RestRecord
    step: int | None = None


class EraseRest(Struct, frozen=True):
    """Removes a REST record; retried until the record is gone."""

    subscription_id: str
    step: int | None = None


class SaveE2(Struct, frozen=True):
    """Writes an E2 record. `step` None: nobody waits for the write, and it is retried until it is done."""

    record: E2Record
    step: int | None = None


class EraseE2(Struct, frozen=True):
    """Removes an E2 record; retried until the record is gone. Only then is `step` answered, however long it takes."""

    instance_id: int
    step: int | None = None


class SaveRemoval(Struct, frozen=True):
    """Writes a removal: what is left to be undone. `step` None: nobody waits, and it is retried until it is done."""

    removal: Removal
    step: int | None = None


class EraseRemoval(Struct, frozen=True):
    """Removes a removal; retried until it is gone."""

    meid: str
    instance_id: int


class SaveNextInstanceId(Struct, frozen=True):
    """Writes the mark from which the next start gives out instance ids; retried until it is written."""

    mark: int


class CreateRoute(Struct, frozen=True):
    """POSTs the first endpoint of a subscription to the Routing Manager."""

    step: int
    instance_id: int
    endpoint: RmrEndpoint


class RouteChange(StrEnum):
    """Why the endpoint list changes: an endpoint joins (merge) or leaves (unmerge), or the id was used before, so that
    the Routing Manager may have a route of an earlier subscription under it (create)."""

    CREATE = "create"
    MERGE = "merge"
    UNMERGE = "unmerge"


class UpdateRoute(Struct, frozen=True):
    """PUTs the whole endpoint list of a subscription at the Routing Manager."""

    step: int
    instance_id: int
    endpoints: tuple[RmrEndpoint, ...]
    change: RouteChange


class DeleteRoute(Struct, frozen=True):
    """DELETEs one endpoint of a subscription at the Routing Manager."""

    step: int
    instance_id: int
    endpoint: RmrEndpoint


class SendToE2(Struct, frozen=True):
    """Sends a request to the E2 node (RMR type 12010 or 12020). `resend`: the request was sent before.

    `wait`: the seconds that the E2 timer runs, in which the request may wait for a route. The E2 node's own message is
    the answer; `step` is for an EncodeFailed.
    """

    step: int
    message: SubscriptionRequest | SubscriptionDeleteRequest
    resend: bool = False
    wait: float = 0.0


class Notify(Struct, frozen=True):
    """Tells an xApp over HTTP how one detail ended. A failure has `instance_id` 0 and `failure`.

    A partial admission is a success with `not_admitted`. Its room in the notification queue was reserved when the
    request was accepted.
    """

    subscription_id: str
    endpoint: ClientEndpoint
    xapp_event_instance_id: int
    instance_id: int
    failure: Failure | None = None
    not_admitted: tuple[NotAdmitted, ...] = ()


class DropNotifications(Struct, frozen=True):
    """Drops the notifications of a REST subscription that still wait for delivery."""

    subscription_id: str


class AnswerOverRmr(Struct, frozen=True):
    """Answers an xApp that sent a request over RMR; `token` names the request."""

    token: int
    message: SubscriptionResponse | SubscriptionFailure | SubscriptionDeleteResponse


class Outcome(StrEnum):
    """How a procedure ended; a label of metrics."""

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


class About(Struct, frozen=True):
    """Whom a procedure was for, and what it was about. `xapp`: its host; `content`: what is subscribed."""

    xapp: str = ""
    xapp_event_instance_id: int | None = None
    ran_function_id: int | None = None
    content: Content | None = None


NOBODY = About()


class Finished(Struct, frozen=True):
    """Reports that a procedure has ended: one log line, one observation. `seconds` since its start.

    `failure`: why it did not do what it was to do, `detail` the same in the words of the log.
    """

    procedure: str
    outcome: Outcome
    seconds: float
    instance_id: int
    subscription_id: str
    detail: str = ""
    failure: Failure | None = None
    about: About = NOBODY


class Odd(StrEnum):
    """Kinds of input that no procedure expects."""

    UNKNOWN_INSTANCE = "unknown_instance"
    UNEXPECTED = "unexpected"
    UNDECODABLE = "undecodable"
    FOREIGN_MEID = "foreign_meid"
    RETRANSMISSION = "retransmission"
    E2_DOWN = "e2_down"


class Ignored(Struct, frozen=True):
    """Reports an event that changed nothing: it is counted, and logged once per kind."""

    kind: Odd
    what: str


class Noted(Struct, frozen=True):
    """Increments a counter that no other command implies, by `n`."""

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
    ROUTE_UNCONFIRMED = "route removal given up unconfirmed"


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
    | SaveNextInstanceId
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
