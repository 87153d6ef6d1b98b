# SPDX-License-Identifier: Apache-2.0
"""What the state of the E2 connection does to a node's subscriptions (`onE2Loss`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from submgr.core import failures
from submgr.core.commands import SaveE2
from submgr.core.controls import OnE2Loss
from submgr.core.e2_subscription import Life
from submgr.core.handlers.rest import leave_all, withdraw
from submgr.core.jobs import CleanupJob, RemoveJob, RestoreJob, SubscribeJob
from submgr.core.procedures.base import Lost
from submgr.core.slices import paced

if TYPE_CHECKING:
    from submgr.core.node import Node


def lost(node: Node, reason: str, now: float) -> Iterator[None]:
    """Running procedures end, waiting ones are told, then the established subscriptions meet their policy."""
    if not node.connected:
        return
    node.connected = False
    node.lost_because = reason
    event = Lost(reason)
    policy = node.controls.on_e2_loss
    for procedure in node.running():
        node.deliver(procedure, event, now)
    for pause, job in paced(node.waiting_jobs()):
        if isinstance(job, SubscribeJob):
            job.claim.tell_failure(node, failures.e2_down(event))
            node.cancel(job)
        if pause:
            yield
    yield from _apply(policy, node)


def connected(node: Node) -> Iterator[None]:
    """Also when it was connected already: a short loss may have been missed."""
    node.connected = True
    policy = node.controls.on_e2_loss
    if node.stale:
        node.stale = False
        yield from _apply(policy, node)
    restoring = policy is OnE2Loss.RESTORE
    for pause, sub in paced(list(node.subs.values())):
        # one that was kept for its restore gets it, whatever the setting is by now
        if sub.life is Life.ESTABLISHED and (restoring or sub.restore_pending):
            _mark(node, sub.instance_id)
            node.enqueue(RestoreJob(sub))
        if pause:
            yield
    for pause, removal in paced(list(node.removals.values())):
        if removal.node_delete:
            node.enqueue(CleanupJob(removal.instance_id, at_node=True))
        if pause:
            yield


def _mark(node: Node, instance_id: int) -> None:
    sub = node.subs[instance_id]
    if not sub.restore_pending:
        sub.restore_pending = True
        node.emit(SaveE2(sub.record()))


def _apply(policy: OnE2Loss, node: Node) -> Iterator[None]:
    for pause, sub in paced(list(node.subs.values())):
        if sub.life is Life.ESTABLISHED:
            if policy is OnE2Loss.RESTORE:
                _mark(node, sub.instance_id)
            else:
                if policy is OnE2Loss.NOTIFY:
                    node.tell_holders(sub, failures.e2_down(Lost("")))
                node.enqueue(RemoveJob(sub, at_node=False))
        if pause:
            yield
    if policy is OnE2Loss.RESTORE:
        return
    for pause, rest in paced(list(node.rests.values())):
        if not rest.deleting and rest.admission is None:
            withdraw(node, rest)
            node.save_rest(rest)
            leave_all(node, rest)
        if pause:
            yield
