# SPDX-License-Identifier: Apache-2.0
"""The door of the core: one E2 node, with its subscriptions and its queue. Events in, commands out; nothing else.

The shell tells the time and performs the commands in their order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from submgr.core import events as e
from submgr.core.commands import Command
from submgr.core.context import NodeContext
from submgr.core.controls import Controls
from submgr.core.e2_subscription import E2Subscription
from submgr.core.handlers import answers, crash, e2_connection, recovery, rest, revocation, rmr, routes
from submgr.core.jobs import CleanupJob
from submgr.core.registry import Registry
from submgr.core.removals import Removals
from submgr.core.requesters import Requester
from submgr.core.scheduler import Scheduler
from submgr.core.slices import SLICE
from submgr.core.subscriptions import Subscriptions
from submgr.e2ap import messages as m

Handler = Callable[[Scheduler, Any, float], Iterator[None] | None]
"""Takes an event. Long work is returned as an iterator, which does one slice of it at each step."""

HANDLERS: dict[type, Handler] = {
    e.Subscribe: rest.subscribe,
    e.Answered: rest.answered,
    e.Abandoned: rest.abandoned,
    e.Unsubscribe: rest.unsubscribe,
    e.Notified: rest.notified,
    e.SubscribeOverRmr: rmr.subscribe,
    e.UnsubscribeOverRmr: rmr.unsubscribe,
    e.Saved: answers.of_port,
    e.SaveFailed: answers.of_port,
    e.RouteDone: answers.of_port,
    e.RouteFailed: answers.of_port,
    e.EncodeFailed: answers.of_port,
    m.SubscriptionResponse: answers.of_e2_node,
    m.SubscriptionFailure: answers.of_e2_node,
    m.SubscriptionDeleteResponse: answers.of_e2_node,
    m.SubscriptionDeleteFailure: answers.of_e2_node,
    e.NotSent: answers.not_sent,
    e.Undecodable: answers.undecodable,
    m.SubscriptionDeleteRequired: revocation.delete_required,
    e.Revoke: revocation.revoke,
    e.RoutesDiffer: routes.differ,
    e.NodeConnected: e2_connection.connected,
    e.NodeLost: e2_connection.lost,
    e.Restored: recovery.restore,
}


class Node:
    """`handle(event, now)` and `handle_timer(now)` return commands; `deadline` is when the next timer is due, and
    `wake_by` is never later.

    An event can concern thousands of subscriptions. `slices` and `timer_slices` return the commands of the same work
    slice by slice, so that others can have their turn in between; the node takes the next event after the last slice.
    Most events are one slice, which is done at once.

    Times are monotonic seconds. Not for threads.
    """

    def __init__(self, meid: str, registry: Registry, controls: Controls, connected: bool) -> None:
        self._context = NodeContext(meid, registry, controls, connected)
        self._scheduler = Scheduler(self._context)

    # --- events in, commands out

    def handle(self, event: e.Event, now: float) -> list[Command]:
        return [command for commands in self.slices(event, now) for command in commands]

    def slices(self, event: e.Event, now: float) -> Iterable[list[Command]]:
        context = self._context
        long_work = HANDLERS[type(event)](self._scheduler, event, now)
        if long_work is None and not (context.queue.unsettled and self._scheduler.schedule(now)):
            return (context.take_commands(),)
        # a slice of jobs has been started, unless it is the handler that has more to do
        return self._slices(long_work or iter((None,)), now)

    def _slices(self, begun: Iterator[None], now: float) -> Iterator[list[Command]]:
        """Goes on with an event's work, then with the jobs that may start."""
        context, scheduler = self._context, self._scheduler
        for _ in begun:
            yield context.take_commands()
        while scheduler.schedule(now):
            yield context.take_commands()
        yield context.take_commands()

    def handle_timer(self, now: float) -> list[Command]:
        """Does everything that is due by now."""
        return [command for commands in self.timer_slices(now) for command in commands]

    def timer_slices(self, now: float) -> Iterator[list[Command]]:
        context, scheduler = self._context, self._scheduler
        while scheduler.expire(now):
            while context.queue.unsettled and scheduler.schedule(now):
                yield context.take_commands()
            if context.commands_waiting() >= SLICE:
                yield context.take_commands()
        yield context.take_commands()

    @property
    def deadline(self) -> float | None:
        return self._context.deadline

    @property
    def wake_by(self) -> float:
        """Until then no timer is due, which is told without a search for the next; infinity without any."""
        timers = self._context.timers
        return timers[0][0] if timers else math.inf

    # --- after a crash

    def answer_waiting(self) -> list[Command]:
        """See `handlers.crash.answer_waiting`."""
        return crash.answer_waiting(self._context)

    def started(self) -> list[Requester]:
        """See `handlers.crash.started`."""
        return crash.started(self._context)

    # --- what there is

    @property
    def meid(self) -> str:
        return self._context.meid

    @property
    def subscriptions(self) -> Subscriptions:
        return self._context.subscriptions

    @property
    def removals(self) -> Removals:
        return self._context.removals

    @property
    def connected(self) -> bool:
        return self._context.connected

    @property
    def controls(self) -> Controls:
        return self._context.controls

    @controls.setter
    def controls(self, controls: Controls) -> None:
        """New procedures obey the new settings; running ones keep those they started with."""
        self._context.controls = controls
        self._context.queue.unsettled = True  # there may be more slots

    @property
    def idle(self) -> bool:
        """Nothing is known of this E2 node: it may be forgotten."""
        context = self._context
        if context.subscriptions.e2 or context.subscriptions.rest:
            return False
        removals = context.removals
        return not (len(removals) or removals.pinned or len(context.queue)) and context.deadline is None

    @property
    def queue_depth(self) -> int:
        return len(self._context.queue)

    @property
    def procedures_running(self) -> int:
        return len(self._context.awaited)

    def at_rest(self, sub: E2Subscription) -> bool:
        """Is it established, and nothing is being done or waits to be done with it?"""
        return self.subscriptions.alive_and_established(sub) and not self._context.queue.busy(sub.line)

    def cleans_up(self, instance_id: int) -> bool:
        """Is what is left of this instance id being undone, or about to be?"""
        return self._context.queue.busy(CleanupJob.key(instance_id))

    def awaits(self, instance_id: int) -> bool:
        """Has the E2 node been asked something about this instance id that it has not answered?"""
        return instance_id in self._context.talking
