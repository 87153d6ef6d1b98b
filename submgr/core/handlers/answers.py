# SPDX-License-Identifier: Apache-2.0
"""What answers do: those of the ports (store, Routing Manager, codec) by step, those of the E2 node by instance id."""

from __future__ import annotations

from submgr.core.commands import Ignored, Odd
from submgr.core.events import EncodeFailed, NotSent, RouteDone, RouteFailed, Saved, SaveFailed, Undecodable
from submgr.core.scheduler import Scheduler
from submgr.e2ap.messages import (
    SubscriptionDeleteFailure,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionResponse,
)

E2Answer = SubscriptionResponse | SubscriptionFailure | SubscriptionDeleteResponse | SubscriptionDeleteFailure


def of_port(
    scheduler: Scheduler, event: Saved | SaveFailed | RouteDone | RouteFailed | EncodeFailed, now: float
) -> None:
    procedure = scheduler.node.awaited.get(event.step)
    if procedure is not None:
        scheduler.deliver(procedure, event, now)
    elif isinstance(event, Saved):
        # it took longer than its procedure has waited
        scheduler.node.removals.saved(event.step)


def of_e2_node(scheduler: Scheduler, event: E2Answer, now: float) -> None:
    node, instance_id = scheduler.node, event.request_id.instance
    procedure = node.talking.get(instance_id)
    if procedure is not None and scheduler.deliver(procedure, event, now):
        return
    what = f"{type(event).__name__} for instance {instance_id}"
    if procedure is not None:
        node.emit(Ignored(Odd.UNEXPECTED, f"{what} while {procedure.name} is {procedure.described_state}"))
    else:
        known = instance_id in node.subscriptions.e2
        node.emit(Ignored(Odd.UNEXPECTED if known else Odd.UNKNOWN_INSTANCE, what))


def not_sent(scheduler: Scheduler, event: NotSent, now: float) -> None:
    procedure = scheduler.node.talking.get(event.instance_id)
    if procedure is not None:
        procedure.not_sent(event.reason)


def undecodable(scheduler: Scheduler, event: Undecodable, now: float) -> None:
    """An answer that names no instance may be of any procedure that waits for the E2 node."""
    node = scheduler.node
    node.emit(Ignored(Odd.UNDECODABLE, event.message))
    named = node.talking.get(event.instance_id)
    for procedure in [named] if named is not None else list(node.talking.values()):
        procedure.could_not_decode(event.message)
