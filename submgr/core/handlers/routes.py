# SPDX-License-Identifier: Apache-2.0
"""What the reconciler finds: the Routing Manager was told something else than an E2 subscription wants."""

from __future__ import annotations

from submgr.core.e2_subscription import Life
from submgr.core.events import RoutesDiffer
from submgr.core.jobs import RoutesJob
from submgr.core.scheduler import Scheduler


def differ(scheduler: Scheduler, event: RoutesDiffer, now: float) -> None:
    """Tells it anew, unless something is being done with the subscription anyway."""
    node = scheduler.node
    sub = node.subscriptions.e2.get(event.instance_id)
    if sub is not None and sub.life is Life.ESTABLISHED and not node.queue.busy(sub.line):
        sub.routes = tuple(dict.fromkeys((*sub.routes, *event.told)))
        sub.routes_unsure = bool(sub.routes or sub.wanted_routes)
        node.enqueue(RoutesJob(sub))
