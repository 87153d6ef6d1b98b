# SPDX-License-Identifier: Apache-2.0
"""What requests over RMR do: xApps send RIC Subscription (Delete) Requests themselves (RMR types 12010 and 12020)."""

from __future__ import annotations

from submgr.core.commands import Ignored, Odd
from submgr.core.context import NodeContext
from submgr.core.events import SubscribeOverRmr, UnsubscribeOverRmr
from submgr.core.jobs import LeaveOverRmrJob, SubscribeJob
from submgr.core.model import RmrHolder
from submgr.core.requesters import RmrRequester
from submgr.core.scheduler import Scheduler
from submgr.e2ap.messages import RequestId, SubscriptionDeleteResponse


def subscribe(scheduler: Scheduler, event: SubscribeOverRmr, now: float) -> None:
    node = scheduler.node
    if not node.connected:
        node.emit(Ignored(Odd.E2_DOWN, f"subscription request of {event.source}: E2 node is not connected"))
        return
    if _is_retransmission(node, event):
        return
    node.enqueue(SubscribeJob(RmrRequester(event.token, event.source, event.requestor_id, event.content)))


def unsubscribe(scheduler: Scheduler, event: UnsubscribeOverRmr, now: float) -> None:
    """A delete is always answered with a Delete Response when its work is done, also for an unknown subscription."""
    node = scheduler.node
    if _is_retransmission(node, event):
        return
    answer = SubscriptionDeleteResponse(RequestId(event.requestor_id, event.instance_id), event.ran_function_id)
    sub = node.subscriptions.e2.get(event.instance_id)
    holder = RmrHolder(event.source, event.requestor_id)
    if sub is None or holder not in sub.holders:
        node.answer_over_rmr(event.token, answer)
        return
    node.enqueue(LeaveOverRmrJob(holder, sub, event.token, answer))


def _is_retransmission(node: NodeContext, event: SubscribeOverRmr | UnsubscribeOverRmr) -> bool:
    """The same message of the same xApp is dropped while the first one is worked on."""
    transaction = (event.source, event.xid)
    if event.xid.strip(b"\0") and not node.begin_transaction(event.token, transaction):
        node.emit(Ignored(Odd.RETRANSMISSION, f"{event.source} repeats a request that is being worked on"))
        return True
    return False
