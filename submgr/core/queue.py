# SPDX-License-Identifier: Apache-2.0
"""The order of work at one E2 node: FIFO, one procedure at a time, and nothing waits but what must.

A job has keys (the content it is about, the holder it is for). Jobs that share a key run one after the other, in the
order they came. A job that is first at all its keys is *ready*. A ready job that talks to the E2 node then needs one
of the node's slots (`maxOngoingE2Procedures`, normally one), given in the order the jobs came. Every other ready job
(a merge, say) needs one of the `SIDE_SLOTS`, so that a lost node with ten thousand subscriptions does not ask for
everything of the Routing Manager and the store at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from heapq import heappop, heappush
from typing import Protocol

from submgr.core.jobs import Job

SIDE_SLOTS = 64
"""Jobs of a node that run without a slot at a time; the Routing Manager is not asked for more at once anyway."""


class RunningProcedure(Protocol):
    """A procedure as its node sees it, without knowing which kind it is.

    `name` and `described_state` are words for log lines. `step`: the step whose answer the procedure waits for.
    `instance_id`: of the E2 subscription it works on, if any. `follow_up`: the job that takes its place in the queue
    when it has `ended`.
    """

    name: str
    step: int
    entry: Entry | None
    follow_up: Job | None
    ended: bool

    @property
    def described_state(self) -> str: ...
    @property
    def holds_slot(self) -> bool: ...
    @property
    def instance_id(self) -> int | None: ...
    def start(self, now: float) -> None: ...
    def feed(self, event: object, now: float) -> bool: ...
    def expire(self, now: float) -> None: ...
    def not_sent(self, reason: str) -> None: ...
    def could_not_decode(self, message: str) -> None: ...


class Slots:
    """Slots of one kind: how many are `held`, and the jobs that have `wanted` one, by the order they came.

    `side`: for jobs that do not need the E2 node.
    """

    __slots__ = ("held", "side", "wanted")

    def __init__(self, side: bool) -> None:
        self.side = side
        self.held = 0
        self.wanted: list[tuple[int, Entry]] = []


class Entry:
    """A job in the queue: its place in the order, the kind of slot that it has, and once it has started the procedure
    that does it.

    `work`: what is done next for it, the job itself or the follow-up of its procedure.
    """

    __slots__ = ("job", "keys", "order", "procedure", "slots", "work")

    def __init__(self, job: Job, order: int) -> None:
        self.job = self.work = job
        self.keys: tuple[Hashable, ...] = tuple(dict.fromkeys(job.keys))
        self.order = order
        self.slots: Slots | None = None
        self.procedure: RunningProcedure | None = None

    @property
    def has_slot(self) -> bool:
        return self.slots is not None and not self.slots.side

    @property
    def has_side_slot(self) -> bool:
        return self.slots is not None and self.slots.side


class JobQueue:
    """Every operation is O(number of the job's keys) or O(log n).

    `unsettled`: a job has become ready or wants a slot, or a slot is free that others want, so that there may be a next
    job to start.
    """

    def __init__(self) -> None:
        self._lines: defaultdict[Hashable, dict[Entry, None]] = defaultdict(dict)
        self._entries: dict[Entry, None] = {}
        self._ready: list[tuple[int, Entry]] = []
        self._slots = Slots(side=False)
        self._side_slots = Slots(side=True)
        self._next = 0
        self.unsettled = False

    def __len__(self) -> int:
        """Returns the number of jobs that wait or run."""
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def busy(self, key: Hashable) -> bool:
        """Does a job with this key wait or run?"""
        return key in self._lines

    def line(self, key: Hashable) -> list[Entry]:
        """Returns the jobs with this key that wait or run, in the order they came."""
        return list(self._lines.get(key, ()))

    @property
    def slots_held(self) -> int:
        return self._slots.held

    def add(self, job: Job) -> Entry:
        entry = Entry(job, self._next)
        self._next += 1
        self._entries[entry] = None
        first = True
        for key in entry.keys:
            line = self._lines[key]
            first = first and not line
            line[entry] = None
        if first:
            self._is_ready(entry)
        return entry

    def remove(self, entry: Entry) -> None:
        """The job has ended, or will never start: those that wait for its keys and slot may go on."""
        if entry not in self._entries:
            return
        del self._entries[entry]
        self.release_slot(entry)
        for key in entry.keys:
            line = self._lines[key]
            if len(line) == 1:
                del self._lines[key]
                continue
            was_first = next(iter(line)) is entry
            del line[entry]
            if was_first:
                successor = next(iter(line))
                if self._first_everywhere(successor):
                    self._is_ready(successor)

    def _first_everywhere(self, entry: Entry) -> bool:
        return all(next(iter(self._lines[key])) is entry for key in entry.keys)

    def _is_ready(self, entry: Entry) -> None:
        heappush(self._ready, (entry.order, entry))
        self.unsettled = True

    def next(self, slots: int) -> Entry | None:
        """Returns a job that may start, as far as the queue knows; None when there is none.

        First those that have become ready, each once, and without a slot. Then those that have waited for a side slot,
        or for one of these `slots`, the longest waiting first, each with the slot that it has got.
        """
        entry = (
            self._first(self._ready)
            or self._give_next(self._side_slots, SIDE_SLOTS)
            or self._give_next(self._slots, slots)
        )
        if entry is None:
            self.unsettled = False
        return entry

    def take_slot(self, entry: Entry, slots: int) -> bool:
        """Gives the job one of these `slots` at once when nobody else is to get anything first. Returns whether it has
        got one; else it waits for one. A side slot that it has is free."""
        return self._take(entry, self._slots, slots)

    def take_side_slot(self, entry: Entry) -> bool:
        """As `take_slot`, the other way round."""
        return self._take(entry, self._side_slots, SIDE_SLOTS)

    def want_slot(self, entry: Entry) -> None:
        """The job waits for a slot. A side slot that it has is free."""
        self.release_slot(entry)
        self._want(entry, self._slots)

    def release_slot(self, entry: Entry) -> None:
        """The job needs no slot any more: the one that it has, of either kind, is free."""
        kind = entry.slots
        if kind is not None:
            entry.slots = None
            kind.held -= 1
            if kind.wanted:
                self.unsettled = True

    def _take(self, entry: Entry, kind: Slots, most: int) -> bool:
        self.release_slot(entry)
        if self._ready or self._side_slots.wanted or self._slots.wanted or kind.held >= most:
            self._want(entry, kind)
            return False
        self._give(entry, kind)
        self.unsettled = False
        return True

    def _want(self, entry: Entry, kind: Slots) -> None:
        heappush(kind.wanted, (entry.order, entry))
        self.unsettled = True

    def _give_next(self, kind: Slots, most: int) -> Entry | None:
        entry = self._first(kind.wanted) if kind.held < most else None
        if entry is not None:
            self._give(entry, kind)
        return entry

    def _give(self, entry: Entry, kind: Slots) -> None:
        entry.slots = kind
        kind.held += 1

    def _first(self, waiting: list[tuple[int, Entry]]) -> Entry | None:
        """Takes out the job that came first; None: all of them have gone."""
        while waiting:
            _, entry = heappop(waiting)
            if entry in self._entries:
                return entry
        return None
