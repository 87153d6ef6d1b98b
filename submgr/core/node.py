# SPDX-License-Identifier: Apache-2.0
"""One E2 node: its REST and E2 subscriptions, its queue of procedures. Events in, commands out; nothing else.

`Node.handle` is the only door. The shell tells the time and performs the commands in their order.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator

from submgr.core.commands import Command, Ignored, Odd, SendToE2
from submgr.core.controls import Controls
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import (
    Abandoned,
    Answered,
    EncodeFailed,
    Event,
    NodeConnected,
    NodeLost,
    Notified,
    NotSent,
    Restored,
    Revoke,
    RouteDone,
    RouteFailed,
    Saved,
    SaveFailed,
    Subscribe,
    SubscribeOverRmr,
    Undecodable,
    Unsubscribe,
    UnsubscribeOverRmr,
)
from submgr.core.handlers import e2_connection as link
from submgr.core.handlers import recovery, rest
from submgr.core.handlers import rmr as legacy
from submgr.core.jobs import CleanupJob, Job, RemoveJob, SubscribeJob, SyncRoutesJob
from submgr.core.procedures.base import Procedure
from submgr.core.procedures.cleanup import Cleanup
from submgr.core.procedures.e2 import E2Procedure
from submgr.core.queue import JobQueue
from submgr.core.registry import Registry
from submgr.core.requesters import Claim
from submgr.core.slices import PIECE, paced
from submgr.core.subscriptions import Books
from submgr.e2ap.messages import (
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionResponse,
)

E2Answer = SubscriptionResponse | SubscriptionFailure | SubscriptionDeleteResponse | SubscriptionDeleteFailure


class Node(Books):
    """`handle(event, now)` and `handle_timer(now)` give commands; `deadline` is when the next timer is due.

    An event can concern thousands of subscriptions. `slices` and `timer_slices` give the commands of the same work
    piece by piece, so that others can have their turn in between; this node takes the next event after the last piece.

    Times are monotonic seconds. Not for threads.
    """

    def __init__(self, meid: str, registry: Registry, controls: Controls, connected: bool) -> None:
        super().__init__(meid, registry)
        self.controls = controls
        self.connected = connected
        self.lost_because = "" if connected else "not connected"
        self.stale = False
        """The node was not connected at the start: what was restored may be gone there."""
        self._commands: list[Command] = []
        self._queue = JobQueue()
        self._awaited: dict[int, Procedure] = {}
        self._talking: dict[int, Procedure] = {}
        self._timers: list[tuple[float, int, Procedure | Job]] = []
        self._step = 0

    # --- the door

    def handle(self, event: Event, now: float) -> list[Command]:
        return [command for piece in self.slices(event, now) for command in piece]

    def slices(self, event: Event, now: float) -> Iterator[list[Command]]:
        for _ in self._dispatch(event, now):
            yield self._take_commands()
        for _ in self._schedule(now):
            yield self._take_commands()
        yield self._take_commands()

    def handle_timer(self, now: float) -> list[Command]:
        """Everything that is due by now."""
        return [command for piece in self.timer_slices(now) for command in piece]

    def timer_slices(self, now: float) -> Iterator[list[Command]]:
        while self._timers and self._timers[0][0] <= now:
            due, _, what = heapq.heappop(self._timers)
            if isinstance(what, Job):
                self._queue.add(what)
            elif what.deadline == due and not what.ended:
                what.expire(now)
                self._went_on(what, now)
            for _ in self._schedule(now):
                yield self._take_commands()
            if len(self._commands) >= PIECE:
                yield self._take_commands()
        yield self._take_commands()

    @property
    def deadline(self) -> float | None:
        while self._timers:
            due, _, what = self._timers[0]
            if isinstance(what, Job) or (what.deadline == due and not what.ended):
                return due
            heapq.heappop(self._timers)
        return None

    @property
    def idle(self) -> bool:
        """Nothing is known of this node: it may be forgotten."""
        known = self.subs or self.rests or self.removals or self.pins or len(self._queue)
        return not known and self.deadline is None

    @property
    def queue_depth(self) -> int:
        return len(self._queue)

    @property
    def procedures_running(self) -> int:
        return len(self._awaited)

    def _take_commands(self) -> list[Command]:
        commands, self._commands = self._commands, []
        return commands

    def _dispatch(self, event: Event, now: float) -> Iterable[None]:
        """Long work is given back, to be done piece by piece."""
        match event:
            case Saved() | SaveFailed() | RouteDone() | RouteFailed() | EncodeFailed():
                self._port_answered(event, now)
            case (
                SubscriptionResponse()
                | SubscriptionFailure()
                | SubscriptionDeleteResponse()
                | SubscriptionDeleteFailure()
            ):
                self._node_answered(event, now)
            case Subscribe():
                rest.subscribe(self, event, now)
            case Answered(token=token):
                admission = self.admissions.get(token)
                if admission is not None:
                    admission.answered(token, now)
            case Abandoned(token=token):
                admission = self.admissions.get(token)
                if admission is not None:
                    admission.abandoned(token, now)
            case Unsubscribe():
                rest.unsubscribe(self, event, now)
            case Notified():
                self.notified(event)
            case NotSent(instance_id=instance_id, reason=reason):
                talking = self._talking.get(instance_id)
                if isinstance(talking, E2Procedure | Cleanup):
                    talking.not_sent(reason)
            case Undecodable():
                self._undecodable(event)
            case SubscribeOverRmr():
                legacy.subscribe(self, event)
            case UnsubscribeOverRmr():
                legacy.unsubscribe(self, event)
            case SubscriptionDeleteRequired():
                self._delete_required(event)
            case Revoke(instance_ids=instance_ids):
                return self._revoke(instance_ids)
            case NodeConnected():
                return link.connected(self)
            case NodeLost(reason=reason):
                return link.lost(self, reason, now)
            case Restored():
                return recovery.restore(self, event, now)
        return ()

    # --- what comes back

    def _port_answered(self, event: Saved | SaveFailed | RouteDone | RouteFailed | EncodeFailed, now: float) -> None:
        if isinstance(event, Saved):
            self.record_erased(event.step)
        procedure = self._awaited.get(event.step)
        if procedure is not None and procedure.feed(event, now):
            self._went_on(procedure, now)

    def _node_answered(self, event: E2Answer, now: float) -> None:
        instance_id = event.request_id.instance
        procedure = self._talking.get(instance_id)
        if procedure is None:
            known = instance_id in self.subs
            kind = Odd.UNEXPECTED if known else Odd.UNKNOWN_INSTANCE
            self.emit(Ignored(kind, f"{type(event).__name__} for instance {instance_id}"))
        elif procedure.feed(event, now):
            self._went_on(procedure, now)
        else:
            state = procedure.state.name.lower()
            what = f"{type(event).__name__} for instance {instance_id} while {procedure.name} is {state}"
            self.emit(Ignored(Odd.UNEXPECTED, what))

    def _undecodable(self, event: Undecodable) -> None:
        self.emit(Ignored(Odd.UNDECODABLE, event.message))
        named = self._talking.get(event.instance_id)
        for procedure in [named] if named is not None else list(self._talking.values()):
            if isinstance(procedure, E2Procedure):
                procedure.could_not_decode(event.message)

    def _delete_required(self, event: SubscriptionDeleteRequired) -> None:
        for item in event.items:
            sub = self.subs.get(item.request_id.instance)
            if sub is None:
                self.emit(Ignored(Odd.UNKNOWN_INSTANCE, f"delete required for instance {item.request_id.instance}"))
            else:
                self.enqueue(RemoveJob(sub, at_node=True))

    def _revoke(self, instance_ids: Iterable[int]) -> Iterator[None]:
        for pause, instance_id in paced(instance_ids):
            sub = self.subs.get(instance_id)
            if sub is not None:
                self.enqueue(RemoveJob(sub, at_node=True))
            if pause:
                yield

    # --- for the procedures

    def emit(self, command: Command) -> None:
        self._commands.append(command)

    def talk(self, procedure: Procedure, command: SendToE2) -> None:
        """Send to the E2 node; answers to this instance id go to this procedure."""
        self._talking[command.message.request_id.instance] = procedure
        self.emit(command)

    def new_step(self, procedure: Procedure) -> int:
        self._step += 1
        self._awaited[self._step] = procedure
        return self._step

    def forget_step(self, procedure: Procedure) -> None:
        self._awaited.pop(procedure.step, None)

    def arm(self, procedure: Procedure, deadline: float) -> None:
        procedure.deadline = deadline
        self._push_timer(deadline, procedure)

    def sync_routes_later(self, sub: E2Subscription, when: float) -> None:
        self._push_timer(when, SyncRoutesJob(sub))

    def cleanup_later(self, instance_id: int, when: float, at_node: bool) -> None:
        self._push_timer(when, CleanupJob(instance_id, at_node))

    def _push_timer(self, when: float, what: Procedure | Job) -> None:
        self._step += 1
        heapq.heappush(self._timers, (when, self._step, what))

    # --- the queue

    def enqueue(self, job: Job) -> None:
        if isinstance(job, SubscribeJob):
            self.claims[job.claim.holder_key] = job
        self._queue.add(job)

    def cancel(self, job: Job) -> None:
        """It had not started."""
        self._end(job)

    def waiting_jobs(self) -> list[Job]:
        return [job for job in self._queue if job.procedure is None]

    def running(self) -> list[Procedure]:
        return [job.procedure for job in self._queue if job.procedure is not None]

    def deliver(self, procedure: Procedure, event: object, now: float) -> None:
        """Give an event to one procedure from outside its own waiting."""
        if procedure.feed(event, now):
            self._went_on(procedure, now)

    def _schedule(self, now: float) -> Iterator[None]:
        """Start what may start; whether a job needs the E2 node is asked again when its turn has come."""
        queue = self._queue
        for n in itertools.count(1):
            if n % PIECE == 0:
                yield
            if (job := queue.next_ready()) is not None:
                if job.wants_slot(self):
                    queue.want_slot(job)
                else:
                    queue.want_place(job)
            elif (job := queue.next_with_place()) is not None:
                if job.wants_slot(self):
                    queue.want_slot(job)
                else:
                    self._run(job, now)
            elif (job := queue.next_with_slot(self.controls.max_ongoing)) is not None:
                if job.procedure is None and not job.wants_slot(self):
                    queue.want_place(job)
                else:
                    self._run(job, now)
            else:
                return

    def _run(self, job: Job, now: float) -> None:
        procedure = job.procedure or job.plan(self)
        if procedure is None:
            self._end(job)
            return
        job.procedure = procedure
        procedure.job = job
        procedure.start(now)
        self._went_on(procedure, now)

    def _went_on(self, procedure: Procedure, now: float) -> None:
        """After a step of a procedure: who holds the slot, who is next."""
        job = procedure.job
        if procedure.ended:
            self._quiet(procedure)
        if job is None or job.procedure is not procedure:
            return
        if not procedure.ended:
            if procedure.state not in procedure.SLOT:
                self._queue.release_slot(job)
            return
        successor = procedure.successor
        if successor is None:
            self._end(job)
            return
        job.procedure = successor
        successor.job = job
        if successor.starts_with_slot and not job.has_slot:
            self._queue.want_slot(job)
            return
        self._run(job, now)

    def _quiet(self, procedure: Procedure) -> None:
        """An ended procedure is not spoken to any more."""
        sub = getattr(procedure, "subscription", None) or getattr(procedure, "removal", None)
        if sub is not None and self._talking.get(sub.instance_id) is procedure:
            del self._talking[sub.instance_id]

    def _end(self, job: Job) -> None:
        if isinstance(job, SubscribeJob) and self.claims.get(job.claim.holder_key) is job:
            del self.claims[job.claim.holder_key]
        self._queue.remove(job)
        if job.procedure is not None:
            # so that both are freed at once, not by the garbage collector
            job.procedure.job = None
        done: Callable[[], None] | None = job.done
        if done is not None:
            done()

    def awaits(self, instance_id: int) -> bool:
        """Has the E2 node been asked something about this id that it has not answered?"""
        return instance_id in self._talking

    def unfinished_claims(self) -> tuple[list[Claim], list[Claim]]:
        """Those whose requester has not been told yet: not started, and started. For a worker that ends by a bug."""
        waiting: list[Claim] = []
        started: list[Claim] = []
        for job in self._queue:
            if isinstance(job, SubscribeJob) and not job.claim.told:
                (waiting if job.procedure is None else started).append(job.claim)
        for admission in dict.fromkeys(self.admissions.values()):
            if admission.accepted:
                waiting += admission.claims()
        return waiting, started
