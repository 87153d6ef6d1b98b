# SPDX-License-Identifier: Apache-2.0
"""The worker: the greenlet of one E2 node. It takes events from its inbox, asks the core, and performs the commands.

It waits for nothing but its inbox and the next timer: the answers of the ports come back as events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import gevent
from gevent.event import Event
from msgspec import Struct

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.node import Node
from submgr.e2ap import codec
from submgr.e2ap.messages import (
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionRequest,
    SubscriptionResponse,
)
from submgr.platform.fair import Share
from submgr.platform.mailbox import Mailbox
from submgr.runtime.alarm import Alarm
from submgr.runtime.ports import Clock, E2Sender, MType, Notifier, Observer, Records, RouteFailure, Routes, WriteFailure

TURN = 64
"""Events that are handled before the worker looks at its timers."""

FROM_OUTSIDE = (
    e.Subscribe,
    e.Abandoned,
    e.Unsubscribe,
    e.SubscribeOverRmr,
    e.UnsubscribeOverRmr,
    e.Revoke,
    e.NodeConnected,
    e.NodeLost,
    SubscriptionDeleteRequired,
)

RestReply = c.Accept | c.Refuse | c.ConfirmDelete


class Ports(Struct, frozen=True):
    """The ports that a worker acts through. `reply` answers a waiting REST request; it does not block."""

    records: Records
    routes: Routes
    notifier: Notifier
    sender: E2Sender
    reply: Callable[[RestReply], None]
    observer: Observer
    clock: Clock


class Worker:
    """Owns a `Node`. When nothing is known of the node any more, the worker asks `retire`, and ends if that is True.

    An exception is a bug: the worker has ended when it calls `crashed` with it.
    """

    def __init__(
        self,
        node: Node,
        ports: Ports,
        retire: Callable[[Worker], bool],
        crashed: Callable[[Worker, Exception], None],
    ) -> None:
        self.node = node
        self.meid = node.meid
        self.busy_since: float | None = None
        """Monotonic seconds: since when the worker has worked without a pause; None while it waits."""
        self.begun = Event()
        """Set when the first events have been handled, or the worker crashed while handling them."""
        self._ports = ports
        self._clock = ports.clock
        self._saw = ports.observer.saw
        self._retire = retire
        self._crashed = crashed
        self._inbox: Mailbox[e.Event | None] = Mailbox()
        """None only wakes the worker."""
        self.post: Callable[[e.Event], None] = self._inbox.put
        """Puts an event into the inbox; never blocks."""
        self._alarm = Alarm(ports.clock, lambda: self._inbox.put(None))
        self._greenlet: gevent.Greenlet | None = None
        self._share = Share()
        self._refused: list[c.Command] = []
        """Commands that could not be performed, of those that are being performed."""
        self._perform: dict[type, Callable[..., None]] = {
            c.Accept: ports.reply,
            c.Refuse: ports.reply,
            c.ConfirmDelete: ports.reply,
            c.SaveRest: self._save_rest,
            c.EraseRest: self._erase_rest,
            c.SaveE2: self._save_e2,
            c.EraseE2: self._erase_e2,
            c.SaveRemoval: self._save_removal,
            c.EraseRemoval: self._erase_removal,
            c.SaveNextInstanceId: self._save_next_instance_id,
            c.CreateRoute: self._create_route,
            c.UpdateRoute: self._update_route,
            c.DeleteRoute: self._delete_route,
            c.SendToE2: self._send_to_e2,
            c.Notify: self._notify,
            c.DropNotifications: self._drop_notifications,
            c.AnswerOverRmr: self._answer_over_rmr,
            c.Finished: self._only_tell,
            c.Ignored: self._only_tell,
            c.Noted: self._only_tell,
        }

    @property
    def inbox_depth(self) -> int:
        return len(self._inbox.items)

    def start(self, first: Iterable[e.Event] = ()) -> None:
        """Starts the greenlet. The events of `first` come before those that were posted already."""
        self._greenlet = gevent.spawn(self._run, tuple(first))

    def stop(self) -> None:
        if self._greenlet is not None and self._greenlet is not gevent.getcurrent():
            self._greenlet.kill(block=False)

    def perform(self, commands: list[c.Command]) -> None:
        """Performs commands that no event of this worker has brought."""
        for command in commands:
            self._perform[type(command)](command)
        self._saw(self.meid, None, self._performed(commands))

    def undelivered(self) -> list[e.Event]:
        """Returns, from a worker that has ended, the unhandled events that came from outside.

        The others are answers of ports to a node that is no more.
        """
        waiting = list(self._inbox.items)
        self._inbox.items.clear()
        return [event for event in waiting if isinstance(event, FROM_OUTSIDE)]

    def _run(self, first: Iterable[e.Event]) -> None:
        # the one place where any exception is taken: a bug in one node's work must not touch the others
        try:
            self.busy_since = self._clock()
            self._give_way()
            for event in first:
                self._work(event, self.node.slices(event, self._clock()))
                self._share_turn()
            self.begun.set()
            self._loop()
        except Exception as bug:
            self._crashed(self, bug)
        finally:
            self._alarm.stop()
            self.busy_since = None
            self.begun.set()

    def _loop(self) -> None:
        node, inbox, clock = self.node, self._inbox.items, self._clock
        wake_by = node.wake_by
        while not (node.idle and self._retire(self)):
            if not inbox:
                self._wait(wake_by)
            for _ in range(TURN):
                event = inbox.popleft()
                if event is not None:
                    self._work(event, node.slices(event, clock()))
                if not inbox:
                    break
                self._share_turn()
            wake_by = node.wake_by
            if wake_by <= (now := clock()):
                self._work(None, node.timer_slices(now))
                wake_by = node.wake_by

    def _wait(self, until: float) -> None:
        """Returns when there is something in the inbox: the alarm puts something there at that time."""
        if until < self._alarm.at:
            self._alarm.set(until)
        self.busy_since = None
        self._inbox.wait()
        self._share.begin()  # many workers may have got their events in one turn of the event loop
        self.busy_since = self._clock()

    def _work(self, event: e.Event | None, slices: Iterable[list[c.Command]]) -> None:
        """Performs the commands that an event brings (None: a timer), and tells the observer. Others have their turn
        between two slices of it; the worker's own inbox waits until the event is dealt with."""
        perform = self._perform
        for commands in slices:
            if event is None:  # a timer, or not the first slice: the loop has not asked before this one
                self._share_turn()
            for command in commands:
                perform[type(command)](command)
            if self._refused:
                commands = self._performed(commands)
            self._saw(self.meid, event, commands)
            event = None

    def _share_turn(self) -> None:
        """After each few milliseconds of work others have their turn."""
        if not self._share.lasts():
            self._give_way()

    def _give_way(self) -> None:
        self.busy_since = None
        self._share.spend()
        self.busy_since = self._clock()

    def _performed(self, commands: list[c.Command]) -> list[c.Command]:
        """Leaves out what could not be performed: the core learns of that by an event."""
        refused, self._refused = self._refused, []
        return [command for command in commands if command not in refused]

    def _only_tell(self, command: c.Command) -> None:
        """A report: there is nothing to be done but to tell the observer."""

    # --- the store

    def _written(self, step: int | None) -> Callable[[WriteFailure | None], None] | None:
        if step is None:
            return None

        def done(failure: WriteFailure | None) -> None:
            if failure is None:
                self.post(e.Saved(step))
            else:
                self.post(e.SaveFailed(step, failure.message, failure.timed_out))

        return done

    def _save_rest(self, command: c.SaveRest) -> None:
        self._ports.records.save_rest(command.record, self._written(command.step))

    def _erase_rest(self, command: c.EraseRest) -> None:
        self._ports.records.erase_rest(command.subscription_id, self._written(command.step))

    def _save_e2(self, command: c.SaveE2) -> None:
        self._ports.records.save_e2(command.record, self._written(command.step))

    def _erase_e2(self, command: c.EraseE2) -> None:
        self._ports.records.erase_e2(command.instance_id, self._written(command.step))

    def _save_removal(self, command: c.SaveRemoval) -> None:
        self._ports.records.save_removal(command.removal, self._written(command.step))

    def _erase_removal(self, command: c.EraseRemoval) -> None:
        self._ports.records.erase_removal(command.meid, command.instance_id)

    def _save_next_instance_id(self, command: c.SaveNextInstanceId) -> None:
        self._ports.records.save_next_instance_id(command.mark)

    # --- the Routing Manager

    def _routed(self, step: int) -> Callable[[RouteFailure | None], None]:
        def done(failure: RouteFailure | None) -> None:
            if failure is None:
                self.post(e.RouteDone(step))
            else:
                self.post(e.RouteFailed(step, failure.kind, failure.message))

        return done

    def _create_route(self, command: c.CreateRoute) -> None:
        self._ports.routes.create(command.instance_id, command.endpoint, self._routed(command.step))

    def _update_route(self, command: c.UpdateRoute) -> None:
        done = self._routed(command.step)
        self._ports.routes.update(command.instance_id, command.endpoints, command.change, done)

    def _delete_route(self, command: c.DeleteRoute) -> None:
        self._ports.routes.delete(command.instance_id, command.endpoint, self._routed(command.step))

    # --- the E2 node, and xApps

    def _send_to_e2(self, command: c.SendToE2) -> None:
        message = command.message
        try:
            payload = codec.encode(message)
        except codec.EncodeError as refused:
            self._refused.append(command)
            self.post(e.EncodeFailed(command.step, str(refused)))
            return
        instance_id = message.request_id.instance
        mtype = MType.SUBSCRIBE if isinstance(message, SubscriptionRequest) else MType.DELETE

        def failed(reason: str) -> None:
            self.post(e.NotSent(instance_id, reason))

        self._ports.sender.send_to_node(self.meid, mtype, instance_id, payload, failed, command.wait)

    def _answer_over_rmr(self, command: c.AnswerOverRmr) -> None:
        message = command.message
        if isinstance(message, SubscriptionResponse):
            mtype = MType.SUBSCRIBED
        else:
            deleted = isinstance(message, SubscriptionDeleteResponse)
            mtype = MType.DELETED if deleted else MType.SUBSCRIBE_FAILED
        self._ports.sender.answer(command.token, mtype, message.request_id.instance, codec.encode(message))

    def _notify(self, command: c.Notify) -> None:
        def done() -> None:
            if command.instance_id:
                event = e.Notified(command.subscription_id, command.xapp_event_instance_id, command.instance_id)
                self.post(event)

        self._ports.notifier.notify(command, done)

    def _drop_notifications(self, command: c.DropNotifications) -> None:
        self._ports.notifier.drop(command.subscription_id)
