# SPDX-License-Identifier: Apache-2.0
"""The planner: which procedure does a job, now that its turn has come, and whether that needs the E2 node.

Both questions are asked here and nowhere else. The answers can change while a job waits, so a plan is for now alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
from submgr.core.model import HolderKey, RmrHolder
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


class Plan(Struct, frozen=True):
    """How a job is done if it starts at once. `needs_node`: it talks to the E2 node.

    `begin` returns the procedure; None: nothing is to be done (any more), or it is done already.
    """

    needs_node: bool
    begin: Callable[[], Procedure | None]


NOTHING = Plan(False, lambda: None)


def plan(job: Job, node: NodeContext) -> Plan:
    """Changes nothing: `begin` does."""
    return _PLANNERS[type(job)](job, node)


# --- a requester wants an E2 subscription


def _subscribe(job: SubscribeJob, node: NodeContext) -> Plan:
    requester, subscriptions = job.requester, node.subscriptions
    if not node.connected:
        return Plan(False, partial(node.tell_failure, requester, failures.e2_down(Lost(node.lost_because))))
    held = subscriptions.held_by(requester.holder_key)
    if held is not None:
        is_policy = requester.content.action_type is ActionType.POLICY
        return Plan(is_policy, partial(_subscribe_again, requester, held, node))
    partner = subscriptions.partner(requester, node.controls)
    if partner is not None:
        return Plan(False, partial(Merge, node, requester, partner))
    return Plan(True, partial(_subscribe_anew, requester, node))


def _subscribe_anew(requester: Requester, node: NodeContext) -> Procedure | None:
    sub = node.subscriptions.new(requester, node.controls.requestor_id)
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


def _leave(job: LeaveJob, node: NodeContext) -> Plan:
    sub = node.subscriptions.holding.get(job.holder)
    return _leave_sub(sub, job.holder, node) if sub is not None else NOTHING


def _leave_over_rmr(job: LeaveOverRmrJob, node: NodeContext) -> Plan:
    holds = node.subscriptions.alive(job.sub) and job.holder in job.sub.holders
    return _leave_sub(job.sub, job.holder, node) if holds else NOTHING


def _leave_sub(sub: E2Subscription, holder: HolderKey, node: NodeContext) -> Plan:
    """The last holder takes the E2 subscription along."""
    if len(sub.holders) == 1:
        return Plan(node.connected, partial(Delete, node, sub, at_node=node.connected))
    return Plan(False, partial(_release, sub, holder, node))


def _release(sub: E2Subscription, holder: HolderKey, node: NodeContext) -> Procedure:
    endpoint = sub.holders[holder].endpoint
    node.subscriptions.release(holder, sub)
    save_first = isinstance(holder, RmrHolder)
    return Routes(node, sub, unmerges=endpoint not in sub.endpoints, save_first=save_first)


# --- work on one E2 subscription; nothing is to be done when it has gone meanwhile


def _remove(job: RemoveJob, node: NodeContext) -> Plan:
    if not node.subscriptions.alive(job.sub):
        return NOTHING
    at_node = job.at_node and node.connected
    return Plan(at_node, partial(Delete, node, job.sub, at_node, job.stored, job.undo))


def _resubscribe(job: ResubscribeJob, node: NodeContext) -> Plan:
    subscriptions, sub = node.subscriptions, job.sub
    is_due = (
        node.connected
        and subscriptions.alive_and_established(sub)
        and sub.restore_pending
        and not subscriptions.all_leaving(sub)
    )
    return Plan(True, partial(Resubscribe, node, sub)) if is_due else NOTHING


def _routes(job: RoutesJob, node: NodeContext) -> Plan:
    differ = node.subscriptions.alive_and_established(job.sub) and job.sub.routes_differ
    return Plan(False, partial(Routes, node, job.sub)) if differ else NOTHING


# --- what is left of a subscription that is gone


def _cleanup(job: CleanupJob, node: NodeContext) -> Plan:
    removal = node.removals.get(job.instance_id)
    if removal is None:
        return NOTHING
    at_node = job.at_node and node.connected  # lost meanwhile: the delete waits for the next connection
    return Plan(at_node and removal.node_delete, partial(Cleanup, node, removal, at_node))


_PLANNERS: dict[type[Job], Callable[[Any, NodeContext], Plan]] = {
    SubscribeJob: _subscribe,
    LeaveJob: _leave,
    LeaveOverRmrJob: _leave_over_rmr,
    RemoveJob: _remove,
    ResubscribeJob: _resubscribe,
    RoutesJob: _routes,
    CleanupJob: _cleanup,
}
