# SPDX-License-Identifier: Apache-2.0
"""The order of work at one E2 node: FIFO, one procedure at a time, and nothing waits but what must.

A job has keys (the content it is about, the holder it is for). Jobs that share a key run one after the other, in the
order they came. A job that is first at all its keys is *ready*. A ready job that talks to the E2 node then needs one
of the node's slots (`maxOngoingE2Procedures`, normally one), given in the order the jobs came; a job that does not
(a merge, say) needs one of `PLACES` places beside them, so that what becomes of ten thousand subscriptions when their
node is lost does not ask for everything of the Routing Manager and the store at once.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from submgr.core.jobs import Job


PLACES = 64
"""Jobs of a node that run without a slot at a time; the Routing Manager is not asked for more at once anyway."""


class JobQueue:
    """Every operation is O(number of the job's keys) or O(log n)."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, dict[Job, None]] = {}
        self._jobs: dict[Job, None] = {}
        self._ready: list[tuple[int, Job]] = []
        self._slot_wanted: list[tuple[int, Job]] = []
        self._slots_held = 0
        self._place_wanted: list[tuple[int, Job]] = []
        self._places_held = 0
        self._next = 0

    def __len__(self) -> int:
        """Jobs that are waiting or running."""
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs)

    @property
    def slots_held(self) -> int:
        return self._slots_held

    def add(self, job: Job) -> None:
        job.order = self._next
        self._next += 1
        self._jobs[job] = None
        first = True
        for key in job.keys:
            line = self._lines.setdefault(key, {})
            first = first and not line
            line[job] = None
        if first:
            heapq.heappush(self._ready, (job.order, job))

    def remove(self, job: Job) -> None:
        """The job has ended, or will never start."""
        if job not in self._jobs:
            return
        del self._jobs[job]
        self.release_slot(job)
        self._release_place(job)
        for key in job.keys:
            line = self._lines[key]
            was_first = next(iter(line)) is job
            del line[job]
            if not line:
                del self._lines[key]
            elif was_first:
                successor = next(iter(line))
                if self._first_everywhere(successor):
                    heapq.heappush(self._ready, (successor.order, successor))

    def _first_everywhere(self, job: Job) -> bool:
        return all(next(iter(self._lines[key])) is job for key in job.keys)

    def next_ready(self) -> Job | None:
        """A job that may start as far as its keys go; each is given once."""
        while self._ready:
            job = heapq.heappop(self._ready)[1]
            if job in self._jobs:
                return job
        return None

    def want_slot(self, job: Job) -> None:
        self._release_place(job)
        heapq.heappush(self._slot_wanted, (job.order, job))

    def next_with_slot(self, slots: int) -> Job | None:
        """The longest waiting job that wants a slot, which it then has; None when all `slots` are taken."""
        while self._slot_wanted and self._slots_held < slots:
            job = heapq.heappop(self._slot_wanted)[1]
            if job in self._jobs:
                job.has_slot = True
                self._slots_held += 1
                return job
        return None

    def want_place(self, job: Job) -> None:
        self.release_slot(job)
        heapq.heappush(self._place_wanted, (job.order, job))

    def next_with_place(self) -> Job | None:
        """The longest waiting job that wants a place, which it then has; None when all are taken."""
        while self._place_wanted and self._places_held < PLACES:
            job = heapq.heappop(self._place_wanted)[1]
            if job in self._jobs:
                job.has_place = True
                self._places_held += 1
                return job
        return None

    def _release_place(self, job: Job) -> None:
        if job.has_place:
            job.has_place = False
            self._places_held -= 1

    def release_slot(self, job: Job) -> None:
        if job.has_slot:
            job.has_slot = False
            self._slots_held -= 1
