# SPDX-License-Identifier: Apache-2.0
"""The scheduler of a node: starts what may start, and hands events to the procedures that run."""

from __future__ import annotations

from submgr.core import planner
from submgr.core.context import NodeContext
from submgr.core.jobs import Job
from submgr.core.planner import Plan
from submgr.core.queue import Entry, RunningProcedure
from submgr.core.slices import SLICE


class Scheduler:
    """Works off the queue of `node`. Times are monotonic seconds."""

    def __init__(self, node: NodeContext) -> None:
        self.node = node

    def schedule(self, now: float) -> bool:
        """Starts the jobs that may start, a slice of them at most. Returns whether others may be left.

        A job is planned again when it has waited for its slot: whether it needs the E2 node may have changed meanwhile.
        """
        node, queue = self.node, self.node.queue
        slots = node.controls.max_ongoing
        for _ in range(SLICE):
            entry = queue.next(slots) if queue.unsettled else None
            if entry is None:
                return False
            plan = planner.plan(entry.work, node)
            if plan.needs_node:
                starts = entry.has_slot or queue.take_slot(entry, slots)
            else:
                starts = entry.has_side_slot or queue.take_side_slot(entry)
            procedure = self._start(entry, plan, now) if starts else None
            if procedure is not None:
                self._go_on(procedure, now)
        return True

    def running(self) -> list[RunningProcedure]:
        """Returns the procedures of all jobs that have started, in the order of the queue."""
        return [entry.procedure for entry in self.node.queue if entry.procedure is not None]

    def deliver(self, procedure: RunningProcedure, event: object, now: float) -> bool:
        """Gives an event to a procedure. Returns False when its state does not know the event."""
        if not procedure.feed(event, now):
            return False
        self._go_on(procedure, now)
        return True

    def expire(self, now: float) -> bool:
        """Does the next thing that is due by now. Returns False when nothing is."""
        due = self.node.take_due(now)
        if due is None:
            return False
        if isinstance(due, Job):
            self.node.enqueue(due)
        else:
            due.expire(now)
            self._go_on(due, now)
        return True

    def _start(self, entry: Entry, plan: Plan, now: float) -> RunningProcedure | None:
        """Starts the procedure for the work of this entry; without one, the entry has ended."""
        procedure = plan.begin()
        if procedure is None:
            self.node.end(entry)
            return None
        entry.procedure = procedure
        procedure.entry = entry
        procedure.start(now)
        return procedure

    def _go_on(self, procedure: RunningProcedure, now: float) -> None:
        """After a step of a procedure: its slot is free, or its follow-up runs, or its job has ended."""
        while procedure.ended:
            self._silence(procedure)
            follow_up = self._follow_up(procedure, now)
            if follow_up is None:
                return
            procedure = follow_up
        entry = procedure.entry
        if entry is not None and not procedure.holds_slot and entry.has_slot:
            self.node.queue.release_slot(entry)

    def _follow_up(self, procedure: RunningProcedure, now: float) -> RunningProcedure | None:
        """Starts what follows a procedure that has ended. None: nothing does, or it waits for its turn."""
        entry = procedure.entry
        if entry is None or entry.procedure is not procedure:
            return None
        if procedure.follow_up is None:
            self.node.end(entry)
            return None
        entry.work = procedure.follow_up
        plan = planner.plan(entry.work, self.node)
        if plan.needs_node and not entry.has_slot:
            self.node.queue.want_slot(entry)
            return None
        return self._start(entry, plan, now)

    def _silence(self, procedure: RunningProcedure) -> None:
        """The E2 node's answers are not for this procedure any more."""
        talking, instance_id = self.node.talking, procedure.instance_id
        if instance_id is not None and talking.get(instance_id) is procedure:
            del talking[instance_id]
