# SPDX-License-Identifier: Apache-2.0
"""Failures in the words that the xApp is told: ErrorCause, ErrorSource and TimeoutType of the notification."""

from __future__ import annotations

from submgr.core.commands import Outcome
from submgr.core.errors import Failure, Source, TimeoutType
from submgr.core.events import EncodeFailed, Lost, RouteFailed, RouteFailureKind, SaveFailed
from submgr.e2ap.causes import describe
from submgr.e2ap.messages import Cause, SubscriptionDeleteFailure, SubscriptionFailure

NO_INSTANCE_ID = Failure("no free E2 instance id: all 65534 are in use", Source.SUBMGR)
INTERNAL = Failure("internal error: the request was not worked on, please send it again", Source.SUBMGR)
CHANGED_MEANWHILE = Failure("the subscription was changed by another request meanwhile", Source.SUBMGR)


def unknown(event: object) -> bool:
    """Returns True when the failed write or route call may have been done all the same."""
    match event:
        case SaveFailed():
            return event.timed_out
        case RouteFailed():
            return event.kind in (RouteFailureKind.TIMEOUT, RouteFailureKind.BROKEN)
        case _:
            return True


def store(event: object) -> Failure:
    """The store refused a write, or did not answer in time. `event`: SaveFailed or Expired."""
    match event:
        case SaveFailed(message=message, timed_out=False):
            return Failure(message or "database write failed", Source.DBAAS)
        case SaveFailed(message=message):
            return Failure(message or "database write timeout", Source.DBAAS, TimeoutType.DBAAS)
        case _:
            return Failure("database write timeout: no answer", Source.DBAAS, TimeoutType.DBAAS)


def route_or_link(what: str, event: object) -> tuple[Outcome, Failure]:
    """A routing state ended by RouteFailed, Expired or Lost. `what`: "create" or "update"."""
    match event:
        case Lost():
            return Outcome.E2_DOWN, e2_down(event)
        case RouteFailed(kind=RouteFailureKind.TIMEOUT, message=message):
            return Outcome.ROUTE, _route_timeout(what, message)
        case RouteFailed(message=message):
            return Outcome.ROUTE, Failure(f"RTMGR route {what} failure: {message}", Source.RTMGR)
        case _:
            return Outcome.ROUTE, _route_timeout(what, "no answer")


def _route_timeout(what: str, message: str) -> Failure:
    return Failure(f"RTMGR route {what} timeout: {message}", Source.RTMGR, TimeoutType.RTMGR)


def refused(event: SubscriptionFailure) -> Failure:
    """The E2 node refused: its cause by name, or the causes of the actions it did not admit (E2AP 9.1.1.3)."""
    if event.cause is not None:
        words = describe(event.cause)
    else:
        words = ", ".join(f"action {item.action_id}: {describe(item.cause)}" for item in event.not_admitted)
    return Failure(f"RICSubscriptionFailure. E2NodeCause: {words or 'none given'}", Source.E2NODE)


def delete_required(cause: Cause) -> Failure:
    """The E2 node has required the delete of an established subscription (E2AP 8.2.3)."""
    return Failure(f"RICSubscriptionDeleteRequired. E2NodeCause: {describe(cause)}", Source.E2NODE)


def delete_refused(event: SubscriptionDeleteFailure) -> Failure:
    """The E2 node refused a delete: its cause by name (E2AP 9.1.1.6)."""
    words = describe(event.cause) if event.cause is not None else ""
    return Failure(f"RICSubscriptionDeleteFailure. E2NodeCause: {words or 'none given'}", Source.E2NODE)


def delete_unanswered(not_sent_because: str) -> Failure:
    """All sends of a delete are unanswered."""
    cause = "E2 RICSubscriptionDeleteResponse timeout"
    if not_sent_because:
        cause += f" (not sent: {not_sent_because})"
    return Failure(cause, Source.SUBMGR, TimeoutType.E2)


def silent(undecodable: str, not_sent_because: str) -> Failure:
    """All sends are unanswered; or answered by something that the codec refused, which is then the reason."""
    if undecodable:
        return Failure(undecodable, Source.ASN1)
    cause = "E2 RICSubscriptionResponse timeout"
    if not_sent_because:
        cause += f" (not sent: {not_sent_because})"
    return Failure(cause, Source.SUBMGR, TimeoutType.E2)


def encoding(event: EncodeFailed) -> Failure:
    return Failure(event.message or "the request cannot be encoded", Source.ASN1)


def e2_down(event: Lost) -> Failure:
    return Failure(f"E2 interface down: {event.reason}" if event.reason else "E2 interface down", Source.E2NODE)
