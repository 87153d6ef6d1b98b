# SPDX-License-Identifier: Apache-2.0
"""What takes E2 subscriptions from their holders: the E2 node (RIC Subscription Delete Required, E2AP 8.2.3), or an
operator."""

from __future__ import annotations

from collections.abc import Iterator

from submgr.core import failures
from submgr.core.commands import Ignored, Odd
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription, Life
from submgr.core.events import Revoke
from submgr.core.jobs import RemoveJob
from submgr.core.scheduler import Scheduler
from submgr.core.slices import in_slices
from submgr.e2ap.messages import Cause, SubscriptionDeleteRequired


def delete_required(scheduler: Scheduler, event: SubscriptionDeleteRequired, now: float) -> None:
    node = scheduler.node
    for item in event.items:
        sub = node.subscriptions.e2.get(item.request_id.instance)
        if sub is None:
            node.emit(Ignored(Odd.UNKNOWN_INSTANCE, f"delete required for instance {item.request_id.instance}"))
        else:
            _remove(node, sub, item.cause)


def revoke(scheduler: Scheduler, event: Revoke, now: float) -> Iterator[None]:
    node = scheduler.node
    for slice_complete, instance_id in in_slices(event.instance_ids):
        sub = node.subscriptions.e2.get(instance_id)
        if sub is not None:
            _remove(node, sub, event.cause)
        if slice_complete:
            yield


def _remove(node: NodeContext, sub: E2Subscription, cause: Cause | None) -> None:
    """`cause`: why the E2 node wants it; None: an operator does."""
    if cause is not None and node.controls.tell_loss and sub.life is Life.ESTABLISHED:
        node.subscriptions.tell_holders(sub, failures.delete_required(cause))
    node.enqueue(RemoveJob(sub, at_node=True))
