# SPDX-License-Identifier: Apache-2.0
"""Subscriptions that xApps make over RMR themselves (RIC Subscription Request, 12010, and Delete Request, 12020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from submgr.core.commands import AnswerOverRmr, Ignored, Odd
from submgr.core.events import SubscribeOverRmr, UnsubscribeOverRmr
from submgr.core.jobs import LeaveRmrJob, SubscribeJob
from submgr.core.model import RmrHolder
from submgr.core.requesters import RmrClaim
from submgr.e2ap.messages import RequestId, SubscriptionDeleteResponse

if TYPE_CHECKING:
    from submgr.core.node import Node


def subscribe(node: Node, event: SubscribeOverRmr) -> None:
    if not node.connected:
        node.emit(Ignored(Odd.E2_DOWN, f"subscription request of {event.source}: E2 node is not connected"))
        return
    if _retransmission(node, event):
        return
    node.enqueue(SubscribeJob(RmrClaim(event.token, event.source, event.requestor_id, event.content)))


def unsubscribe(node: Node, event: UnsubscribeOverRmr) -> None:
    """Always answered with a Delete Response, when the work is done, also for what is not known."""
    if _retransmission(node, event):
        return
    request_id = RequestId(event.requestor_id, event.instance_id)

    def answer() -> None:
        node.emit(AnswerOverRmr(event.token, SubscriptionDeleteResponse(request_id, event.ran_function_id)))
        node.rmr_told(event.token)

    sub = node.subs.get(event.instance_id)
    holder = RmrHolder(event.source, event.requestor_id)
    if sub is None or holder not in sub.holders:
        answer()
        return
    node.enqueue(LeaveRmrJob((sub.line, (holder, event.instance_id)), holder, event.instance_id, answer))


def _retransmission(node: Node, event: SubscribeOverRmr | UnsubscribeOverRmr) -> bool:
    """The same message of the same xApp, while the first one is worked on, is dropped."""
    transaction = (event.source, event.xid)
    if event.xid.strip(b"\0") and not node.begin_transaction(event.token, transaction):
        node.emit(Ignored(Odd.RETRANSMISSION, f"{event.source} repeats a request that is being worked on"))
        return True
    return False
