# SPDX-License-Identifier: Apache-2.0
"""What REST requests do: whether a POST is admitted, and how a DELETE begins."""

from __future__ import annotations

from submgr.core.commands import Accept, ConfirmDelete, DropNotifications, Note, Noted, Refuse
from submgr.core.context import NodeContext
from submgr.core.errors import FieldError
from submgr.core.events import Abandoned, Answered, Notified, Subscribe, Unsubscribe
from submgr.core.model import RestHolder, SubscribeRequest
from submgr.core.procedures.admission import Admission
from submgr.core.procedures.withdrawal import Withdrawal, withdraw
from submgr.core.rest_subscription import RestSubscription
from submgr.core.scheduler import Scheduler
from submgr.e2ap.messages import ActionType

RETRY_AFTER = 5
"""Seconds that a client is asked to wait when the notification queue of its endpoint is full."""


def subscribe(scheduler: Scheduler, event: Subscribe, now: float) -> None:
    """Decides over a valid POST. The order of refusals is 404, 409, 400 (other content), 503 (notification quota)."""
    node, request, token = scheduler.node, event.request, event.token
    subscriptions, digest = node.subscriptions, request.digest()
    if request.subscription_id is not None:
        rest = subscriptions.rest.get(request.subscription_id)
        if rest is None or rest.deleting:
            node.emit(Refuse(token, 404, f"SubscriptionId {request.subscription_id} is not known"))
            return
    else:
        rest = subscriptions.digests.get(digest)
    if rest is not None and rest.ongoing:
        _while_ongoing(node, rest, token, digest)
        return
    if rest is not None:
        errors = _conflicts(node, rest, request)
        if errors:
            message = f"SubscriptionId {rest.subscription_id} exists with other content: delete it first"
            node.emit(Refuse(token, 400, message, errors))
            return
    if not node.registry.quota.reserve(request.endpoint.http, len(request.details)):
        message = f"too many notifications to {request.endpoint.http} wait for delivery"
        node.emit(Refuse(token, 503, message, retry_after=RETRY_AFTER))
        return
    new = rest is None
    if rest is None:
        rest = RestSubscription(event.fresh_id, event.created, request.endpoint, node.meid, request.owner)
        subscriptions.add_rest(rest)
    elif digest in rest.digests:
        node.emit(Noted(Note.DUPLICATE))
    Admission(node, rest, event, digest, new).start(now)


def being_worked_on(subscription_id: str) -> str:
    """Says why other content is refused with 409."""
    return f"SubscriptionId {subscription_id} is being worked on: send other content when that has ended"


def _while_ongoing(node: NodeContext, rest: RestSubscription, token: int, digest: str) -> None:
    """The same request again gets the same answer, and nothing else happens. Another request has to wait."""
    if digest != rest.digests[0]:
        node.emit(Refuse(token, 409, being_worked_on(rest.subscription_id)))
        return
    node.emit(Noted(Note.DUPLICATE))
    if rest.admission is not None:
        rest.admission.join(token)
    else:
        node.emit(Accept(token, rest.subscription_id))


def _conflicts(node: NodeContext, rest: RestSubscription, request: SubscribeRequest) -> tuple[FieldError, ...]:
    """Returns a mistake for each thing that a POST must not change under a known SubscriptionId."""
    errors = []
    if request.endpoint.rmr != rest.endpoint.rmr:
        errors.append(FieldError("ClientEndpoint", f"was {rest.endpoint.rmr}, cannot become {request.endpoint.rmr}"))
    for i, detail in enumerate(request.details):
        instance_id = rest.instances.get(detail.xapp_event_instance_id)
        sub = None if instance_id is None else node.subscriptions.e2.get(instance_id)
        if sub is None or sub.key == detail.content.key():
            continue
        if sub.content.action_type is ActionType.POLICY and detail.content.action_type is ActionType.POLICY:
            continue
        text = f"XappEventInstanceId {detail.xapp_event_instance_id} is subscribed with other content: delete it first"
        errors.append(FieldError(f"SubscriptionDetails[{i}]", text))
    return tuple(errors)


def answered(scheduler: Scheduler, event: Answered, now: float) -> None:
    post = scheduler.node.pending_posts.get(event.token)
    if post is not None:
        post.written(event.token, now)


def abandoned(scheduler: Scheduler, event: Abandoned, now: float) -> None:
    post = scheduler.node.pending_posts.get(event.token)
    if post is not None:
        post.abandoned(event.token, now)


def unsubscribe(scheduler: Scheduler, event: Unsubscribe, now: float) -> None:
    node = scheduler.node
    rest = node.subscriptions.rest.get(event.subscription_id)
    if rest is not None and rest.withdrawal is not None:
        rest.withdrawal.join(event.token)
        return
    if rest is None or rest.deleting:
        node.emit(ConfirmDelete(event.token))
        return
    admission = rest.admission
    node.emit(DropNotifications(rest.subscription_id))
    withdraw(node, rest)
    if admission is not None:
        admission.cancel(now)
    Withdrawal(node, rest, event.token).start(now)


def notified(scheduler: Scheduler, event: Notified, now: float) -> None:
    subscriptions = scheduler.node.subscriptions
    sub = subscriptions.e2.get(event.instance_id)
    if sub is not None:
        subscriptions.mark_told(sub, RestHolder(event.subscription_id, event.xapp_event_instance_id))
