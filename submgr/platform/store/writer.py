# SPDX-License-Identifier: Apache-2.0
"""The writer of a store: one greenlet that writes changes in groups, and the repairs that are due.

While a group is on its way to the database the next one gathers, so that a hundred waiting greenlets cost
one round trip. As soon as the database does not answer, the waiting changes fail without being sent, and so does
every new one, until the database answers again: nobody waits for one timeout after the other.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

import gevent
from gevent.event import Event

from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import (
    Change,
    Done,
    FailureKind,
    StoreBackend,
    StoreError,
    StoreObserver,
    StoreTimeout,
    StoreUnavailable,
)
from submgr.platform.store.ledger import Effect, Ledgers, effect_of, split
from submgr.platform.store.reachability import Reachability
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import turn

_log = logging.getLogger(__name__)

# The bounds of one group. Building a larger one would hold the hub for more than a few milliseconds.
MAX_GROUP_CHANGES = 256
MAX_GROUP_BYTES = 1_000_000

LONGEST_REPAIR_PAUSE = 30.0
"""Seconds between two tries of a repair that the database refuses, in the end; each pause is twice the one before."""


@dataclass(frozen=True, slots=True)
class _Submission:
    change: Change
    done: Done
    persistent: bool
    since: float

    @property
    def kind(self) -> FailureKind:
        return "remove" if self.change.remove and not self.change.set else "write"


class Writer:
    """Writes the submitted changes of each namespace in their order, and tells each submitter the outcome.

    `patience`: seconds a change may wait for its turn; it then fails without being sent. `repairs_paused`: while
    it is set, a failed change leaves no repair. `shortest_repair_pause`: seconds after the first refusal of a repair.
    """

    def __init__(
        self,
        backend: StoreBackend,
        reachability: Reachability,
        ledgers: Ledgers,
        patience: float,
        observer: StoreObserver,
        clock: Callable[[], float],
        shortest_repair_pause: float,
    ) -> None:
        self.repairs_paused = False
        self.acknowledged = self.failed = self.groups = 0
        self._backend = backend
        self._reachability = reachability
        self._ledgers = ledgers
        self._patience = patience
        self._observer = observer
        self._clock = clock
        self._shortest_repair_pause = shortest_repair_pause
        self._running = False
        self._repair_due = False
        self._repair_pause = 0.0
        self._repair_not_before = float("-inf")
        self._refusal_of_repairs = Outage(_log)
        self._waiting: dict[str, deque[_Submission]] = {}
        self._in_hand: deque[_Submission] = deque()
        self._work = Event()
        self._flush_until = float("inf")
        self._loop = SupervisedLoop("store writer", self._step, longest_pause=shortest_repair_pause)

    def start(self) -> None:
        self._running = True
        self._loop.start()

    def stop(self, timeout: float) -> None:
        """Writes what waits and what has to be repaired, for `timeout` seconds; what then still waits fails."""
        self._running = False
        self._flush_until = self._clock() + timeout
        self._work.set()
        self._loop.join()
        self._repair()

    def submit(self, change: Change, done: Done, persistent: bool) -> None:
        """As `Store.submit`."""
        submission = _Submission(change, done, persistent, self._clock())
        if not self._running:
            self.failed += 1
            self._observer.on_failure(submission.kind)
            gevent.spawn(self._tell, submission, StoreUnavailable("not written: the store is not running"))
            return
        self._waiting.setdefault(change.namespace, deque()).append(submission)
        self._work.set()

    def repair_soon(self, *, at_once: bool = False) -> None:
        """Has the pending repairs written before the next group.

        Repairs that were refused are tried again after growing pauses. `at_once`: the reason may be gone, so the pause
        is over.
        """
        if at_once:
            self._repair_pause = 0.0
        elif self._clock() < self._repair_not_before:
            return
        self._repair_due = True
        self._work.set()

    @property
    def waiting(self) -> int:
        """Changes that are in no group yet."""
        return sum(len(queue) for queue in self._waiting.values())

    def _step(self) -> bool:
        """Writes what waits. Returns whether there may be more to write."""
        self._work.wait()
        self._work.clear()
        try:
            self._write()
        except (Exception, gevent.Timeout):  # a bug: nobody must wait for ever because of it
            self._work.set()
            self._fail(list(self._in_hand), StoreTimeout("outcome unknown: internal error"))
            raise
        return self._running or bool(self._waiting)

    def _write(self) -> None:
        if self._repair_due:
            self._repair()
        while self._waiting:
            namespace = next(iter(self._waiting))
            group = self._take(namespace)
            self._in_hand.extend(group)
            self._commit(namespace, group)
            if self._waiting:
                # Whoever was told may submit what comes next, and it joins the next group. When nothing waits,
                # waiting for work gives them the same chance, without a detour through a timer.
                turn()

    def _take(self, namespace: str) -> list[_Submission]:
        queue = self._waiting.pop(namespace)
        group: list[_Submission] = []
        size = 0
        while queue and len(group) < MAX_GROUP_CHANGES and size < MAX_GROUP_BYTES:
            group.append(queue.popleft())
            size += sum(map(len, group[-1].change.set.values()))
        if queue:
            self._waiting[namespace] = queue  # at the end: other namespaces first
        return group

    def _commit(self, namespace: str, group: list[_Submission]) -> None:
        if not self._reachability.reachable:
            self._fail(group, StoreUnavailable(f"not written: {self._reachability.error}"))
            return
        if self._clock() > self._flush_until:
            self._fail(group, StoreUnavailable("not written: the store was stopped"))
            return
        try:
            group = self._in_time(group)
            self._see(namespace, effect_of(submission.change for submission in group))
            group = self._in_time(group)
        except StoreError as error:
            self._fail(group, StoreUnavailable(f"not written: {error}"))
            return
        effect = effect_of(submission.change for submission in group)
        try:
            self._put(namespace, effect)
        except StoreError as error:
            if len(group) > 1 and self._reachability.reachable:
                # One refused change must not take its neighbours along (a full database takes removals).
                for submission in group:
                    self._commit(namespace, [submission])
            else:
                self._fail(group, error)
        else:
            self.acknowledged += len(group)
            for submission in group:
                self._tell(submission, None)

    def _in_time(self, group: list[_Submission]) -> list[_Submission]:
        """Those of a group that have not waited for too long; the others, at its front, have failed."""
        earliest = self._clock() - self._patience
        late = [submission for submission in group if submission.since < earliest]
        if late:
            self._fail(late, StoreUnavailable(f"not written: no turn within {self._patience} s"))
        return group[len(late) :]

    def _see(self, namespace: str, effect: Effect) -> None:
        """Reads what the keys of `effect` hold, where a repair would not know what to go back to."""
        ledger = self._ledgers.of(namespace)
        unseen = ledger.unseen(effect)
        if unseen:
            with self._reachability.asking("read"):
                ledger.seen(self._backend.read(namespace, unseen))

    def _put(self, namespace: str, effect: Effect) -> None:
        if not effect:
            return
        ledger = self._ledgers.of(namespace)
        values, removals = split(effect)
        with ledger.sending(effect), self._reachability.asking("write"):
            self._backend.write(namespace, values, removals)
        self.groups += 1
        ledger.acknowledged(effect)

    def _fail(self, group: Collection[_Submission], error: StoreError) -> None:
        unknown = isinstance(error, StoreTimeout)
        self.failed += len(group)
        for submission in group:
            if not self.repairs_paused:
                ledger = self._ledgers.of(submission.change.namespace)
                ledger.failed(submission.change, persistent=submission.persistent, unknown=unknown)
            self._observer.on_failure(submission.kind)
            self._tell(submission, error)

    def _tell(self, submission: _Submission, error: StoreError | None) -> None:
        if self._in_hand and self._in_hand[0] is submission:
            self._in_hand.popleft()
        try:
            submission.done(error)
        except Exception:  # a caller's bug: the other changes of the group must still be told
            _log.exception("the outcome of a change could not be told")

    def _repair(self) -> None:
        self._repair_due = False
        repaired = 0
        for namespace, ledger in self._ledgers.items():
            for effect in ledger.repairs(MAX_GROUP_CHANGES):
                repaired += self._repair_piece(namespace, effect)
        if repaired:
            _log.info("%d keys brought to the value they shall hold", repaired)
        if self._ledgers.repairs_pending:
            self._repair_pause = min(2 * self._repair_pause or self._shortest_repair_pause, LONGEST_REPAIR_PAUSE)
            self._repair_not_before = self._clock() + self._repair_pause
        else:
            self._repair_pause = 0.0
            self._refusal_of_repairs.over("all repairs of the database are made")

    def _repair_piece(self, namespace: str, effect: Effect) -> int:
        """The number of keys repaired."""
        if not self._reachability.reachable or self._clock() > self._flush_until:
            return 0
        try:
            self._put(namespace, effect)
        except StoreError as error:
            values, removals = split(effect)
            if values and removals:
                # A full database takes removals, and they make room.
                return self._repair_piece(namespace, dict.fromkeys(removals)) + self._repair_piece(
                    namespace, dict(values)
                )
            self._observer.on_failure("write" if values else "remove")
            message = (
                f"{len(effect)} keys of {namespace} could not be repaired, tried again after growing pauses: {error}"
            )
            self._refusal_of_repairs.goes_on(message, "refused")
            return 0
        return len(effect)
