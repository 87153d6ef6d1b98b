# SPDX-License-Identifier: Apache-2.0
"""What the state of the E2 connection does to a node's subscriptions (`controls.onE2Loss`)."""

from __future__ import annotations

from collections.abc import Iterator

from submgr.core import failures
from submgr.core.commands import SaveE2
from submgr.core.context import NodeContext
from submgr.core.controls import OnE2Loss
from submgr.core.e2_subscription import E2Subscription, Life
from submgr.core.events import Lost, NodeConnected, NodeLost
from submgr.core.jobs import CleanupJob, Job, RemoveJob, ResubscribeJob, SubscribeJob
from submgr.core.procedures.withdrawal import leave_all, withdraw
from submgr.core.scheduler import Scheduler
from submgr.core.slices import in_slices


def lost(scheduler: Scheduler, event: NodeLost, now: float) -> Iterator[None]:
    """Running procedures end, waiting requesters are told, then the established subscriptions meet their policy."""
    node = scheduler.node
    if not node.connected:
        return
    node.connected = False
    node.lost_because = event.reason
    loss = Lost(event.reason)
    policy = node.controls.on_e2_loss
    for procedure in scheduler.running():
        scheduler.deliver(procedure, loss, now)
    for slice_complete, entry in in_slices(node.waiting()):
        if isinstance(entry.job, SubscribeJob):
            node.tell_failure(entry.job.requester, failures.e2_down(loss))
            node.end(entry)
        if slice_complete:
            yield
    yield from _apply(policy, node)


def connected(scheduler: Scheduler, event: NodeConnected, now: float) -> Iterator[None]:
    """Also when the node was connected already: a short loss may have been missed.

    Requests that the node has not asked for wait a little: it has only just finished its E2 Setup.
    """
    node = scheduler.node
    node.connected = True
    policy = node.controls.on_e2_loss
    if node.stale:
        node.stale = False
        yield from _apply(policy, node)
    restoring = policy is OnE2Loss.RESTORE
    for slice_complete, sub in in_slices(list(node.subscriptions.e2.values())):
        # one that was kept to be made anew is made anew, whatever the setting is by now
        if sub.life is Life.ESTABLISHED and (restoring or sub.restore_pending):
            _mark(node, sub)
            _after_the_setup(node, now, ResubscribeJob(sub))
        if slice_complete:
            yield
    for slice_complete, removal in in_slices(list(node.removals)):
        if removal.node_delete:
            _after_the_setup(node, now, CleanupJob(removal.instance_id, at_node=True))
        if slice_complete:
            yield


def _after_the_setup(node: NodeContext, now: float, job: Job) -> None:
    delay = node.controls.restore_delay
    if delay:
        node.enqueue_at(now + delay, job)
    else:
        node.enqueue(job)


def _mark(node: NodeContext, sub: E2Subscription) -> None:
    """The E2 node may not have this subscription any more, also after a restart of ours."""
    if not sub.restore_pending:
        sub.restore_pending = True
        node.emit(SaveE2(sub.record()))


def _apply(policy: OnE2Loss, node: NodeContext) -> Iterator[None]:
    """What the loss does to the established subscriptions, and to the REST subscriptions that held them."""
    for slice_complete, sub in in_slices(list(node.subscriptions.e2.values())):
        if sub.life is Life.ESTABLISHED:
            if policy is OnE2Loss.RESTORE:
                _mark(node, sub)
            else:
                if policy is OnE2Loss.NOTIFY or node.controls.tell_loss:
                    node.subscriptions.tell_holders(sub, failures.e2_down(Lost("")))
                node.enqueue(RemoveJob(sub, at_node=False))
        if slice_complete:
            yield
    if policy is OnE2Loss.RESTORE:
        return
    for slice_complete, rest in in_slices(list(node.subscriptions.rest.values())):
        if not rest.deleting and rest.admission is None:
            withdraw(node, rest)
            node.subscriptions.save_rest(rest)
            leave_all(node, rest)
        if slice_complete:
            yield
