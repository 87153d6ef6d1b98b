# SPDX-License-Identifier: Apache-2.0
"""Withdrawal: a DELETE is written to the store, then answered 204, and only then worked on.

A restart in the middle goes on with it, since the REST record says that the subscription is being deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

from submgr.core.commands import Command, ConfirmDelete, SaveRest
from submgr.core.context import NodeContext
from submgr.core.events import Expired, Saved, SaveFailed, Start
from submgr.core.jobs import LeaveJob, SubscribeJob
from submgr.core.model import RestHolder
from submgr.core.procedures.base import Procedure, Row
from submgr.core.procedures.base import State as S
from submgr.core.queue import Entry
from submgr.core.rest_subscription import RestSubscription
from submgr.core.timers import T_STORE


class Withdrawal(Procedure):
    """Answered 204 whatever the store says. What the store did not take is written when it does."""

    NAME = "withdrawal"
    TABLE = {
        S.NEW: Row({Start: S.SAVING}),
        S.SAVING: Row({Saved: S.DONE, SaveFailed: S.DONE, Expired: S.DONE}, T_STORE),
        S.DONE: Row({}),
    }

    def __init__(self, node: NodeContext, rest: RestSubscription, token: int) -> None:
        super().__init__(node)
        self.rest = rest
        self._tokens: list[int] = []
        self._saved = False
        self.join(token)

    def start(self, now: float) -> None:
        self.rest.withdrawal = self
        super().start(now)

    def join(self, token: int) -> None:
        """The same DELETE once more is not confirmed before the first one."""
        self._tokens.append(token)
        self.node.pending_deletes[token] = self

    def owed(self, reason: str) -> Iterator[Command]:
        for token in self._tokens:
            yield ConfirmDelete(token)

    def enter_saving(self, now: float) -> None:
        self.node.emit(SaveRest(self.rest.record(), self.step))

    def leave_saving(self, event: object) -> None:
        self._saved = isinstance(event, Saved)

    def enter_done(self, now: float) -> None:
        node, rest = self.node, self.rest
        if not self._saved:
            node.subscriptions.save_rest(rest)
        for token in self._tokens:
            node.pending_deletes.pop(token, None)
            node.emit(ConfirmDelete(token))
        rest.withdrawal = None
        rest.withdrawn = True
        leave_all(node, rest)


def withdraw(node: NodeContext, rest: RestSubscription) -> None:
    """From now on xApps do not know the REST subscription; its details that have not started are dropped."""
    rest.deleting = True
    node.subscriptions.forget_digests(rest)
    for holder, entry in _subscribing(node, rest):
        if entry.procedure is None:
            rest.untold.discard(holder.xapp_event_instance_id)
            node.registry.quota.release(rest.endpoint.http, 1)
            node.end(entry)


def leave_all(node: NodeContext, rest: RestSubscription) -> None:
    """Everything that the REST subscription holds, or is about to hold, is left, one after the other; then its record
    goes."""
    node.registry.meids.pop(rest.subscription_id, None)
    holders = {holder: entry.keys for holder, entry in _subscribing(node, rest)}
    for xapp_event_instance_id, instance_id in rest.instances.items():
        holder = RestHolder(rest.subscription_id, xapp_event_instance_id)
        sub = node.subscriptions.e2.get(instance_id)
        if sub is not None:
            holders.setdefault(holder, (sub.line, holder))
    rest.leaving += 1
    for holder, keys in holders.items():
        rest.leaving += 1
        node.enqueue(LeaveJob(holder, rest, keys))
    node.subscriptions.left(rest)


def _subscribing(node: NodeContext, rest: RestSubscription) -> list[tuple[RestHolder, Entry]]:
    """Returns the details of the running request that have not ended, in their order."""
    holders = [RestHolder(rest.subscription_id, xei) for xei in sorted(rest.untold)]
    entries = [(holder, entry) for holder in holders for entry in node.queue.line(holder)]
    return [(holder, entry) for holder, entry in entries if isinstance(entry.job, SubscribeJob)]
