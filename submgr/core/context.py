# SPDX-License-Identifier: Apache-2.0
"""The context of a procedure: what it may use of its E2 node. It lies below the procedures and knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush

from submgr.core.commands import AnswerOverRmr, Command, SendToE2
from submgr.core.controls import Controls
from submgr.core.e2_subscription import E2Subscription
from submgr.core.errors import Failure
from submgr.core.jobs import Job, LeaveJob, LeaveOverRmrJob
from submgr.core.model import RmrEndpoint
from submgr.core.queue import Entry, JobQueue, RunningProcedure
from submgr.core.registry import Registry
from submgr.core.removals import Removals
from submgr.core.requesters import Requester, RestRequester, RmrRequester
from submgr.core.rest_subscription import PendingDelete, PendingPost
from submgr.core.subscriptions import Subscriptions
from submgr.e2ap.messages import SubscriptionDeleteResponse, SubscriptionFailure, SubscriptionResponse

TIMERS_PER_STEP = 8
"""Most timers outlive the step that they were for. When a procedure ends, and there are more than so many for each step
and each later job that is waited for, the timers of steps that have ended are thrown away."""

Transaction = tuple[RmrEndpoint, bytes]
"""An RMR request of an xApp: where it came from, and its RMR transaction id."""


class NodeContext:
    """The state of one E2 node, and the few things that procedures and handlers do with it.

    `pending_posts`, `pending_deletes`: REST requests that have not been answered, by token. `talking`: the procedure
    that gets the E2 node's answers, by instance id. `awaited`: the procedure that gets the ports' answers, by step.
    `timers`: when each step is over at the latest, and when each later job is due, a heap; some of the steps have ended
    already. `stale`: the node was not connected at the start, so what was restored may be gone there. Times are
    monotonic seconds.
    """

    def __init__(self, meid: str, registry: Registry, controls: Controls, connected: bool) -> None:
        self.meid = meid
        self.registry = registry
        self.controls = controls
        self.connected = connected
        self.lost_because = "" if connected else "not connected"
        self.stale = False
        self._commands: list[Command] = []
        self.emit: Callable[[Command], None] = self._commands.append
        self.removals = Removals(registry, self.emit)
        self.subscriptions = Subscriptions(meid, registry, self.removals, self.emit)
        self.queue = JobQueue()
        self.pending_posts: dict[int, PendingPost] = {}
        self.pending_deletes: dict[int, PendingDelete] = {}
        self.talking: dict[int, RunningProcedure] = {}
        self.awaited: dict[int, RunningProcedure] = {}
        self.timers: list[tuple[float, int]] = []
        self._step = 0
        self._later: dict[int, Job] = {}
        self._transactions: dict[int, Transaction] = {}
        self._open_transactions: set[Transaction] = set()

    # --- commands

    def take_commands(self) -> list[Command]:
        """Returns the commands that were emitted since the last call."""
        commands = self._commands.copy()
        self._commands.clear()
        return commands

    def commands_waiting(self) -> int:
        return len(self._commands)

    def talk(self, procedure: RunningProcedure, command: SendToE2) -> None:
        """Sends to the E2 node; its answers for this instance id go to this procedure."""
        self.talking[command.message.request_id.instance] = procedure
        self.emit(command)

    # --- requesters

    def tell_success(self, requester: Requester, sub: E2Subscription) -> None:
        if isinstance(requester, RmrRequester):
            self.subscriptions.mark_told(sub, requester.holder_key)
        self._tell(requester, requester.success(sub))

    def tell_failure(self, requester: Requester, failure: Failure) -> None:
        self._tell(requester, requester.failure(failure))

    def _tell(self, requester: Requester, command: Command | None) -> None:
        requester.told = True
        if command is not None:
            self.emit(command)
        if isinstance(requester, RestRequester):
            self.subscriptions.detail_told(requester.rest, requester.xapp_event_instance_id)
        elif isinstance(requester, RmrRequester):
            self._end_transaction(requester.token)

    def begin_transaction(self, token: int, transaction: Transaction) -> bool:
        """Returns False when the same request of the same xApp is being worked on."""
        if transaction in self._open_transactions:
            return False
        self._open_transactions.add(transaction)
        self._transactions[token] = transaction
        return True

    def answer_over_rmr(
        self, token: int, message: SubscriptionResponse | SubscriptionFailure | SubscriptionDeleteResponse
    ) -> None:
        """Answers the RMR request with this token, which ends its transaction."""
        self.emit(AnswerOverRmr(token, message))
        self._end_transaction(token)

    def _end_transaction(self, token: int) -> None:
        transaction = self._transactions.pop(token, None)
        if transaction is not None:
            self._open_transactions.discard(transaction)

    # --- steps and timers

    def new_step(self, procedure: RunningProcedure, deadline: float) -> int:
        """Begins a step of a procedure: the answer to its commands, or the timer, goes to the procedure."""
        self.awaited.pop(procedure.step, None)
        step = self._step = self._step + 1
        self.awaited[step] = procedure
        heappush(self.timers, (deadline, step))
        return step

    def end_step(self, procedure: RunningProcedure) -> None:
        """Whatever is still answered to the procedure's step is not for it any more."""
        self.awaited.pop(procedure.step, None)
        if not self.awaited and not self._later:
            self.timers.clear()
        elif len(self.timers) > TIMERS_PER_STEP * (len(self.awaited) + len(self._later)):
            self.timers = [timer for timer in self.timers if timer[1] in self.awaited or timer[1] in self._later]
            heapify(self.timers)

    def enqueue_at(self, when: float, job: Job) -> None:
        """Enqueues a job later."""
        self._step += 1
        self._later[self._step] = job
        heappush(self.timers, (when, self._step))

    @property
    def deadline(self) -> float | None:
        """When the next timer is due; None without any."""
        timers = self.timers
        while timers:
            due, step = timers[0]
            if step in self.awaited or step in self._later:
                return due
            heappop(timers)
        return None

    def take_due(self, now: float) -> RunningProcedure | Job | None:
        """Returns the next thing that is due by now: a procedure whose timer has expired, or a job to be enqueued."""
        deadline = self.deadline
        if deadline is None or deadline > now:
            return None
        _, step = heappop(self.timers)
        return self.awaited.get(step) or self._later.pop(step)

    # --- the queue

    def enqueue(self, job: Job) -> None:
        self.queue.add(job)

    def waiting(self) -> Iterator[Entry]:
        """Yields the entries whose job has not started."""
        return (entry for entry in list(self.queue) if entry.procedure is None)

    def end(self, entry: Entry) -> None:
        """The job of this entry has ended, or will never start: whoever waits for that is told."""
        self.queue.remove(entry)
        if entry.procedure is not None:
            # so that both are freed at once, not by the garbage collector
            entry.procedure.entry = None
        match entry.job:
            case LeaveJob(rest=rest):
                self.subscriptions.left(rest)
            case LeaveOverRmrJob(token=token, answer=answer):
                self.answer_over_rmr(token, answer)
