# SPDX-License-Identifier: Apache-2.0
"""What the state of the E2 connection does to a node's subscriptions (`onE2Loss`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from submgr.core import failures
from submgr.core.commands import SaveE2
from submgr.core.controls import OnE2Loss
from submgr.core.jobs import CleanupJob, RemoveJob, RestoreJob, SubscribeJob
from submgr.core.procedure import Lost
from submgr.core.rest import leave_all, withdraw
from submgr.core.subscription import Life

if TYPE_CHECKING:
    from submgr.core.node import Node


def lost(node: Node, reason: str, now: float) -> None:
    """Running procedures end, waiting ones are told, then the established subscriptions meet their policy."""
    if not node.connected:
        return
    node.connected = False
    node.lost_because = reason
    event = Lost(reason)
    for procedure in node.running():
        node.deliver(procedure, event, now)
    for job in node.waiting_jobs():
        if isinstance(job, SubscribeJob):
            job.claim.tell_failure(node, failures.e2_down(event))
            node.cancel(job)
    _apply_policy(node)


def connected(node: Node) -> None:
    """Also when it was connected already: a short loss may have been missed."""
    node.connected = True
    if node.stale:
        node.stale = False
        _apply_policy(node)
    restoring = node.controls.on_e2_loss is OnE2Loss.RESTORE
    for sub in list(node.subs.values()):
        # one that was kept for its restore gets it, whatever the setting is by now
        if sub.life is Life.ESTABLISHED and (restoring or sub.restore_pending):
            _mark(node, sub.instance_id)
            node.enqueue(RestoreJob(sub))
    for removal in list(node.removals.values()):
        if removal.node_delete:
            node.enqueue(CleanupJob(removal.instance_id, at_node=True))


def _mark(node: Node, instance_id: int) -> None:
    sub = node.subs[instance_id]
    if not sub.restore_pending:
        sub.restore_pending = True
        node.emit(SaveE2(sub.record()))


def _apply_policy(node: Node) -> None:
    policy = node.controls.on_e2_loss
    if policy is OnE2Loss.RESTORE:
        for sub in node.subs.values():
            if sub.life is Life.ESTABLISHED:
                _mark(node, sub.instance_id)
        return
    for sub in list(node.subs.values()):
        if sub.life is Life.ESTABLISHED:
            if policy is OnE2Loss.NOTIFY:
                node.tell_holders(sub, failures.e2_down(Lost("")))
            node.enqueue(RemoveJob(sub, at_node=False))
    for rest in list(node.rests.values()):
        if not rest.deleting and rest.admission is None:
            withdraw(node, rest)
            node.save_rest(rest)
            leave_all(node, rest)
