# SPDX-License-Identifier: Apache-2.0
"""Admission: a POST is saved, then answered 201, and worked on once its 201 has been written to the socket."""

from __future__ import annotations

from collections.abc import Iterator

from submgr.core import failures
from submgr.core.commands import Accept, Command, EraseRest, Refuse, SaveRest
from submgr.core.context import NodeContext
from submgr.core.events import Answered, Cancelled, Expired, Saved, SaveFailed, Start, Subscribe
from submgr.core.jobs import SubscribeJob
from submgr.core.procedures.base import Procedure, Row
from submgr.core.procedures.base import State as S
from submgr.core.requesters import RestRequester
from submgr.core.rest_subscription import RestSubscription
from submgr.core.timers import T_ANSWER, T_STORE


class Admission(Procedure):
    """Several equal POSTs may wait for one save: all are answered alike, and the work begins when each 201 is written.

    `new`: the POST makes a REST subscription; else it names one that exists.
    """

    NAME = "admission"
    TABLE = {
        S.NEW: Row({Start: S.SAVING}),
        S.SAVING: Row({Saved: S.ANSWERING, SaveFailed: S.FAILED, Expired: S.FAILED, Cancelled: S.FAILED}, T_STORE),
        S.ANSWERING: Row({Answered: S.DONE, Expired: S.DONE, Cancelled: S.FAILED}, T_ANSWER),
        S.DONE: Row({}),
        S.FAILED: Row({}),
    }

    _told = False
    _status = 404
    _reason = "the request was withdrawn by a DELETE"

    def __init__(self, node: NodeContext, rest: RestSubscription, event: Subscribe, digest: str, new: bool) -> None:
        super().__init__(node)
        self.rest = rest
        self.request = event.request
        self._tokens = {event.token}
        self._new = new
        self._before = (rest.digests, rest.endpoint)
        self._digest = digest
        node.pending_posts[event.token] = self

    def join(self, token: int) -> None:
        self._tokens.add(token)
        self.node.pending_posts[token] = self
        if self.state is S.ANSWERING:
            self.node.emit(Accept(token, self.rest.subscription_id))

    def written(self, token: int, now: float) -> None:
        self._told = True
        self._leave(token, now)

    def abandoned(self, token: int, now: float) -> None:
        """When nobody was answered in the end, nothing is done."""
        self._leave(token, now)

    def _leave(self, token: int, now: float) -> None:
        self._tokens.discard(token)
        self.node.pending_posts.pop(token, None)
        if not self._tokens:
            self.feed(Answered(token) if self._told else Cancelled(), now)

    def cancel(self, now: float) -> None:
        self.feed(Cancelled(), now)

    def owed(self, reason: str) -> Iterator[Command]:
        """Every waiting POST is refused; each detail whose 201 was written already is told that it failed."""
        for token in self._tokens:
            yield Refuse(token, 503, reason)
        if self.state is S.ANSWERING:
            for requester in self.requesters():
                yield requester.failure(failures.INTERNAL)
        else:
            self._release_quota()

    def enter_saving(self, now: float) -> None:
        """The REST subscription is what the POST says from now on, unless it fails."""
        rest, subscriptions = self.rest, self.node.subscriptions
        rest.admission = self
        rest.endpoint = self.request.endpoint
        first = rest.digests[-1] if rest.digests else self._digest
        subscriptions.forget_digests(rest)
        rest.digests = tuple(dict.fromkeys((self._digest, first)))
        subscriptions.index_digests(rest)
        self.node.emit(SaveRest(rest.record(), self.step))

    def leave_saving(self, event: object) -> None:
        if isinstance(event, SaveFailed | Expired):
            words = event.message if isinstance(event, SaveFailed) else "no answer"
            self._reason = f"the database did not take the request: {words}"
            self._status = 503

    def enter_answering(self, now: float) -> None:
        for token in self._tokens:
            self.node.emit(Accept(token, self.rest.subscription_id))

    def enter_done(self, now: float) -> None:
        self._close()
        self.rest.untold = {detail.xapp_event_instance_id for detail in self.request.details}
        for requester in self.requesters():
            self.node.enqueue(SubscribeJob(requester))

    def enter_failed(self, now: float) -> None:
        """Takes back what the POST has changed."""
        rest, subscriptions = self.rest, self.node.subscriptions
        self._close()
        self._release_quota()
        for token in self._tokens:
            self.node.emit(Refuse(token, self._status, self._reason))
        subscriptions.forget_digests(rest)
        rest.digests, rest.endpoint = self._before
        if rest.deleting:
            return
        if self._new:
            subscriptions.forget_rest(rest)
            self.node.emit(EraseRest(rest.subscription_id))
        else:
            subscriptions.index_digests(rest)
            subscriptions.save_rest(rest)

    def _close(self) -> None:
        self.rest.admission = None
        for token in self._tokens:
            self.node.pending_posts.pop(token, None)

    def requesters(self) -> list[RestRequester]:
        """Returns a requester for each detail of the POST."""
        directives = self.request.directives
        return [RestRequester(self.rest, d.xapp_event_instance_id, d.content, directives) for d in self.request.details]

    def _release_quota(self) -> None:
        """No outcome will be told."""
        self.node.registry.quota.release(self.request.endpoint.http, len(self.request.details))
