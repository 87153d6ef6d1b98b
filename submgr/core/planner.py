# SPDX-License-Identifier: Apache-2.0
"""The planner: which procedure does a job, now that its turn has come, and whether that needs the E2 node.

Both questions are asked here and nowhere else. The answers can change while a job waits, so they are asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from submgr.core import failures
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import Lost
from submgr.core.jobs import (
    CleanupJob,
    Job,
    LeaveJob,
    LeaveOverRmrJob,
    RemoveJob,
    ResubscribeJob,
    RoutesJob,
    SubscribeJob,
)
from submgr.core.model import RmrHolder
from submgr.core.procedures.base import Procedure
from submgr.core.procedures.cleanup import Cleanup
from submgr.core.procedures.delete import Delete
from submgr.core.procedures.merge import Merge
from submgr.core.procedures.policy_update import PolicyUpdate
from submgr.core.procedures.resubscribe import Resubscribe
from submgr.core.procedures.routes import Routes
from submgr.core.procedures.subscribe import Subscribe
from submgr.core.requesters import Requester
from submgr.e2ap.messages import ActionType


def needs_node(job: Job, node: NodeContext) -> bool:
    """Would the job talk to the E2 node if it started now?"""
    return node.connected and _PLANS[type(job)].needs_node(job, node)


def plan(job: Job, node: NodeContext) -> Procedure | None:
    """Returns the procedure that does the job; None: nothing is to be done (any more), or it is done already."""
    return _PLANS[type(job)].procedure(job, node)


# --- a requester wants an E2 subscription


def _subscribe_needs_node(job: SubscribeJob, node: NodeContext) -> bool:
    requester = job.requester
    if node.subscriptions.held_by(requester.holder_key) is not None:
        return requester.content.action_type is ActionType.POLICY
    return node.subscriptions.partner(requester, node.controls) is None


def _subscribe(job: SubscribeJob, node: NodeContext) -> Procedure | None:
    requester, subscriptions = job.requester, node.subscriptions
    if not node.connected:
        node.tell_failure(requester, failures.e2_down(Lost(node.lost_because)))
        return None
    held = subscriptions.held_by(requester.holder_key)
    if held is not None:
        return _subscribe_again(requester, held, node)
    partner = node.subscriptions.partner(requester, node.controls)
    if partner is not None:
        return Merge(node, requester, partner)
    sub = subscriptions.new(requester, node.controls.requestor_id)
    if sub is None:
        node.tell_failure(requester, failures.NO_INSTANCE_ID)
        return None
    return Subscribe(node, requester, sub)


def _subscribe_again(requester: Requester, held: E2Subscription, node: NodeContext) -> Procedure | None:
    """This holder has a subscription already: a POLICY is updated, an equal request is just told again."""
    if requester.content.action_type is ActionType.POLICY and held.content.action_type is ActionType.POLICY:
        return PolicyUpdate(node, requester, held)
    if held.key != requester.key:
        node.tell_failure(requester, failures.CHANGED_MEANWHILE)
        return None
    known, now = held.holders[requester.holder_key], requester.holder()
    if (known.endpoint, known.routed) != (now.endpoint, now.routed):
        return Merge(node, requester, held)
    node.subscriptions.hold(requester, held)
    node.tell_success(requester, held)
    return None


# --- a holder leaves


def _left(job: LeaveJob | LeaveOverRmrJob, node: NodeContext) -> E2Subscription | None:
    """Returns the E2 subscription that the holder leaves, if it still holds it."""
    if isinstance(job, LeaveJob):
        return node.subscriptions.holding.get(job.holder)
    return job.sub if node.subscriptions.alive(job.sub) and job.holder in job.sub.holders else None


def _leave_needs_node(job: LeaveJob | LeaveOverRmrJob, node: NodeContext) -> bool:
    sub = _left(job, node)
    return sub is not None and len(sub.holders) == 1


def _leave(job: LeaveJob | LeaveOverRmrJob, node: NodeContext) -> Procedure | None:
    sub = _left(job, node)
    if sub is None:
        return None
    if len(sub.holders) == 1:
        return Delete(node, sub, at_node=node.connected)
    endpoint = sub.holders[job.holder].endpoint
    node.subscriptions.release(job.holder, sub)
    save_first = isinstance(job.holder, RmrHolder)
    return Routes(node, sub, unmerges=endpoint not in sub.endpoints, save_first=save_first)


# --- work on one E2 subscription; nothing is to be done when it has gone meanwhile


def _remove(job: RemoveJob, node: NodeContext) -> Procedure | None:
    if not node.subscriptions.alive(job.sub):
        return None
    return Delete(node, job.sub, job.at_node and node.connected, job.stored, job.undo)


def _resubscribe_is_due(job: ResubscribeJob, node: NodeContext) -> bool:
    subscriptions, sub = node.subscriptions, job.sub
    return (
        node.connected
        and subscriptions.alive_and_established(sub)
        and sub.restore_pending
        and not subscriptions.all_leaving(sub)
    )


def _routes(job: RoutesJob, node: NodeContext) -> Procedure | None:
    differ = node.subscriptions.alive_and_established(job.sub) and job.sub.routes_differ
    return Routes(node, job.sub) if differ else None


# --- what is left of a subscription that is gone


def _cleanup_needs_node(job: CleanupJob, node: NodeContext) -> bool:
    removal = node.removals.get(job.instance_id)
    return job.at_node and removal is not None and removal.node_delete


def _cleanup(job: CleanupJob, node: NodeContext) -> Procedure | None:
    removal = node.removals.get(job.instance_id)
    # lost meanwhile: the delete waits for the next connection
    return Cleanup(node, removal, job.at_node and node.connected) if removal is not None else None


class _Plan(Struct, frozen=True):
    needs_node: Callable[[Any, NodeContext], bool]
    procedure: Callable[[Any, NodeContext], Procedure | None]


_PLANS: dict[type[Job], _Plan] = {
    SubscribeJob: _Plan(_subscribe_needs_node, _subscribe),
    LeaveJob: _Plan(_leave_needs_node, _leave),
    LeaveOverRmrJob: _Plan(_leave_needs_node, _leave),
    RemoveJob: _Plan(lambda job, node: job.at_node and node.subscriptions.alive(job.sub), _remove),
    ResubscribeJob: _Plan(
        _resubscribe_is_due, lambda job, node: Resubscribe(node, job.sub) if _resubscribe_is_due(job, node) else None
    ),
    RoutesJob: _Plan(lambda job, node: False, _routes),
    CleanupJob: _Plan(_cleanup_needs_node, _cleanup),
}
