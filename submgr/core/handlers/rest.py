# SPDX-License-Identifier: Apache-2.0
"""REST subscriptions: how a POST is admitted, and how a DELETE withdraws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from submgr.core.commands import Accept, ConfirmDelete, DropNotifications, EraseRest, Note, Noted, Refuse, SaveRest
from submgr.core.errors import FieldError
from submgr.core.events import Answered, Saved, SaveFailed, Subscribe, Unsubscribe
from submgr.core.jobs import LeaveJob, SubscribeJob
from submgr.core.model import ClientEndpoint, RestHolder, RestRecord, SubscribeRequest
from submgr.core.procedures.base import Cancelled, Expired, Procedure, Start
from submgr.core.procedures.base import State as S
from submgr.core.requesters import RestClaim
from submgr.core.timers import T_ANSWER, T_STORE
from submgr.e2ap.messages import ActionType

if TYPE_CHECKING:
    from submgr.core.node import Node

RETRY_AFTER = 5
"""Seconds that a client is asked to wait when the notification queue of its endpoint is full."""


class RestSubscription:
    """Owned by its node. `instances`: XappEventInstanceId → instance id of what it holds.

    `untold`: XappEventInstanceIds of the running request whose outcome the xApp does not know yet; while there are
    any, the request is ongoing. `withdrawn`: its DELETE is written down, as far as it can be. `digests`: of the newest
    request that names it, and of the one that created it.
    """

    def __init__(self, subscription_id: str, created: str, endpoint: ClientEndpoint, meid: str) -> None:
        self.subscription_id = subscription_id
        self.created = created
        self.endpoint = endpoint
        self.meid = meid
        self.instances: dict[int, int] = {}
        self.untold: set[int] = set()
        self.digests: tuple[str, ...] = ()
        self.admission: Admission | None = None
        self.withdrawal: Withdrawal | None = None
        self.deleting = False
        self.withdrawn = False
        self.leaving = 0

    @property
    def ongoing(self) -> bool:
        return self.admission is not None or bool(self.untold)

    def told(self, node: Node, xapp_event_instance_id: int) -> None:
        """The outcome of this detail is on its way to the xApp."""
        self.untold.discard(xapp_event_instance_id)
        if not self.untold:
            node.save_rest(self)

    def record(self) -> RestRecord:
        return RestRecord(
            subscription_id=self.subscription_id,
            created=self.created,
            host=self.endpoint.host,
            http_port=self.endpoint.http_port or None,
            rmr=self.endpoint.rmr,
            meid=self.meid,
            instances=tuple(self.instances.items()),
            request_ongoing=self.ongoing,
            delete_ongoing=self.deleting,
            digests=self.digests,
        )


class Admission(Procedure):
    """A POST is saved, then answered 201, then (its 201 being written) worked on.

    Several equal POSTs may wait for one save: all are answered alike, and work begins when each 201 is written.
    """

    NAME = "admission"
    TRANSITIONS = {
        S.NEW: {Start: S.SAVING},
        S.SAVING: {Saved: S.ANSWERING, SaveFailed: S.FAILED, Expired: S.FAILED, Cancelled: S.FAILED},
        S.ANSWERING: {Answered: S.DONE, Expired: S.DONE, Cancelled: S.FAILED},
        S.DONE: {},
        S.FAILED: {},
    }
    TIMERS = {S.SAVING: T_STORE, S.ANSWERING: T_ANSWER}

    def __init__(self, node: Node, rest: RestSubscription, event: Subscribe, digest: str, new: bool) -> None:
        super().__init__(node)
        self.rest = rest
        self.request = event.request
        self.tokens = {event.token}
        self._new = new
        self._told = False
        self._before = (rest.digests, rest.endpoint)
        self._digest = digest
        self._reason = "the request was withdrawn by a DELETE"
        self._status = 404

    def start(self, now: float) -> None:
        rest, request = self.rest, self.request
        rest.admission = self
        rest.endpoint = request.endpoint
        first = rest.digests[-1] if rest.digests else self._digest
        self.node.forget_digests(rest)
        rest.digests = tuple(dict.fromkeys((self._digest, first)))
        self.node.index_digests(rest)
        super().start(now)

    def join(self, token: int) -> None:
        """The same request once more."""
        self.tokens.add(token)
        self.node.admissions[token] = self
        if self.state is S.ANSWERING:
            self.node.emit(Accept(token, self.rest.subscription_id))

    def answered(self, token: int, now: float) -> None:
        """This 201 is written."""
        self._told = True
        self._leave(token, now)

    def abandoned(self, token: int, now: float) -> None:
        """Nobody waits for this answer; if nobody was answered, nothing is done."""
        self._leave(token, now)

    def _leave(self, token: int, now: float) -> None:
        self.tokens.discard(token)
        self.node.admissions.pop(token, None)
        if not self.tokens:
            self.feed(Answered(token) if self._told else Cancelled(), now)

    def taken(self, event: object, now: float) -> None:
        if isinstance(event, SaveFailed | Expired):
            words = event.message if isinstance(event, SaveFailed) else "no answer"
            self._reason = f"the database did not take the request: {words}"
            self._status = 503

    def entered(self, now: float) -> None:
        match self.state:
            case S.SAVING:
                self.node.emit(SaveRest(self.rest.record(), self.step))
            case S.ANSWERING:
                for token in self.tokens:
                    self.node.emit(Accept(token, self.rest.subscription_id))
            case S.DONE:
                self._close()
                self._begin()
            case S.FAILED:
                self._take_back()

    def _close(self) -> None:
        self.rest.admission = None
        for token in self.tokens:
            self.node.admissions.pop(token, None)

    @property
    def accepted(self) -> bool:
        """Answered 201, and not worked on yet."""
        return self.state is S.ANSWERING

    def claims(self) -> list[RestClaim]:
        """One for each detail."""
        directives = self.request.directives
        return [RestClaim(self.rest, d.xapp_event_instance_id, d.content, directives) for d in self.request.details]

    def release_places(self) -> None:
        """Nobody will be told how it ended."""
        self.node.registry.places.release(self.request.endpoint.http, len(self.request.details))

    def _begin(self) -> None:
        self.rest.untold = {detail.xapp_event_instance_id for detail in self.request.details}
        for claim in self.claims():
            self.node.enqueue(SubscribeJob(claim))

    def _take_back(self) -> None:
        rest = self.rest
        self._close()
        self.release_places()
        for token in self.tokens:
            self.node.emit(Refuse(token, self._status, self._reason))
        self.node.forget_digests(rest)
        rest.digests, rest.endpoint = self._before
        if rest.deleting:
            return
        if self._new:
            self.node.forget_rest(rest)
            self.node.emit(EraseRest(rest.subscription_id))
        else:
            self.node.index_digests(rest)
            self.node.save_rest(rest)


def subscribe(node: Node, event: Subscribe, now: float) -> None:
    """Decide over a valid POST; the order of refusals is 404, 409, 400 (other content), 503."""
    request = event.request
    digest = request.digest()
    if request.subscription_id is not None:
        rest = node.rests.get(request.subscription_id)
        if rest is None or rest.deleting:
            node.emit(Refuse(event.token, 404, f"SubscriptionId {request.subscription_id} is not known"))
            return
    else:
        rest = node.digests.get(digest)
    if rest is not None and rest.ongoing:
        _while_ongoing(node, rest, event.token, digest)
        return
    if rest is not None:
        errors = _conflicts(node, rest, request)
        if errors:
            message = f"SubscriptionId {rest.subscription_id} exists with other content: delete it first"
            node.emit(Refuse(event.token, 400, message, errors))
            return
    if not node.registry.places.reserve(request.endpoint.http, len(request.details)):
        message = f"too many notifications to {request.endpoint.http} wait for delivery"
        node.emit(Refuse(event.token, 503, message, retry_after=RETRY_AFTER))
        return
    new = rest is None
    if rest is None:
        rest = RestSubscription(event.fresh_id, event.created, request.endpoint, node.meid)
        node.add_rest(rest)
    elif digest in rest.digests:
        node.emit(Noted(Note.DUPLICATE))
    admission = Admission(node, rest, event, digest, new)
    node.admissions[event.token] = admission
    admission.start(now)


def being_worked_on(subscription_id: str) -> str:
    """Why other content is refused with 409."""
    return f"SubscriptionId {subscription_id} is being worked on: send other content when that has ended"


def _while_ongoing(node: Node, rest: RestSubscription, token: int, digest: str) -> None:
    """The same request again: same answer, nothing else. Another one has to wait."""
    if digest != rest.digests[0]:
        node.emit(Refuse(token, 409, being_worked_on(rest.subscription_id)))
        return
    node.emit(Noted(Note.DUPLICATE))
    if rest.admission is not None:
        rest.admission.join(token)
    else:
        node.emit(Accept(token, rest.subscription_id))


def _conflicts(node: Node, rest: RestSubscription, request: SubscribeRequest) -> tuple[FieldError, ...]:
    errors = []
    if request.endpoint.rmr != rest.endpoint.rmr:
        errors.append(FieldError("ClientEndpoint", f"was {rest.endpoint.rmr}, cannot become {request.endpoint.rmr}"))
    for i, detail in enumerate(request.details):
        instance_id = rest.instances.get(detail.xapp_event_instance_id)
        sub = None if instance_id is None else node.subs.get(instance_id)
        if sub is None or sub.key == detail.content.key():
            continue
        if sub.content.action_type is ActionType.POLICY and detail.content.action_type is ActionType.POLICY:
            continue
        text = f"XappEventInstanceId {detail.xapp_event_instance_id} is subscribed with other content: delete it first"
        errors.append(FieldError(f"SubscriptionDetails[{i}]", text))
    return tuple(errors)


class Withdrawal(Procedure):
    """A DELETE is written down, then answered 204, whatever the store says. Only then does its work begin, so that a
    restart in the middle goes on with it."""

    NAME = "withdrawal"
    TRANSITIONS = {
        S.NEW: {Start: S.SAVING},
        S.SAVING: {Saved: S.DONE, SaveFailed: S.DONE, Expired: S.DONE},
        S.DONE: {},
    }
    TIMERS = {S.SAVING: T_STORE}

    def __init__(self, node: Node, rest: RestSubscription, token: int) -> None:
        super().__init__(node)
        self.rest = rest
        self._tokens: list[int] = []
        self._written = False
        self.join(token)

    def join(self, token: int) -> None:
        """The same DELETE once more: it is not confirmed before the first one is."""
        self._tokens.append(token)
        self.node.withdrawals.add(token)

    def start(self, now: float) -> None:
        self.rest.withdrawal = self
        super().start(now)

    def taken(self, event: object, now: float) -> None:
        self._written = isinstance(event, Saved)

    def entered(self, now: float) -> None:
        node, rest = self.node, self.rest
        if self.state is S.SAVING:
            node.emit(SaveRest(rest.record(), self.step))
            return
        if not self._written:
            node.save_rest(rest)
        for token in self._tokens:
            node.withdrawals.discard(token)
            node.emit(ConfirmDelete(token))
        rest.withdrawal = None
        rest.withdrawn = True
        leave_all(node, rest)


def unsubscribe(node: Node, event: Unsubscribe, now: float) -> None:
    rest = node.rests.get(event.subscription_id)
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
        admission.feed(Cancelled(), now)
    Withdrawal(node, rest, event.token).start(now)


def withdraw(node: Node, rest: RestSubscription) -> None:
    """From now on it is not known to xApps; its details that have not started are dropped."""
    rest.deleting = True
    node.forget_digests(rest)
    for holder, job in _jobs(node, rest):
        if job.procedure is None:
            rest.untold.discard(holder.xapp_event_instance_id)
            node.registry.places.release(rest.endpoint.http, 1)
            node.cancel(job)


def leave_all(node: Node, rest: RestSubscription) -> None:
    """Everything it holds, or is about to hold, is left, one after the other; then its record goes."""
    node.registry.nodes.pop(rest.subscription_id, None)
    holders = {holder: job.keys for holder, job in _jobs(node, rest)}
    for xapp_event_instance_id, instance_id in rest.instances.items():
        holder = RestHolder(rest.subscription_id, xapp_event_instance_id)
        sub = node.subs.get(instance_id)
        if sub is not None:
            holders.setdefault(holder, (sub.line, holder))
    rest.leaving += 1
    for holder, keys in holders.items():
        rest.leaving += 1
        node.enqueue(LeaveJob(keys, holder, lambda: node.left(rest)))
    node.left(rest)


def _jobs(node: Node, rest: RestSubscription) -> list[tuple[RestHolder, SubscribeJob]]:
    """The details of the running request that have not ended, in their order."""
    holders = (RestHolder(rest.subscription_id, xei) for xei in sorted(rest.untold))
    return [(holder, job) for holder in holders if (job := node.claims.get(holder)) is not None]
