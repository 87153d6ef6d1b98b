# SPDX-License-Identifier: Apache-2.0
"""The store over any database: group commit by one writer, and repairs of unknown outcomes.

While a group is on its way to the database the next one gathers, so that a hundred waiting greenlets cost
one round trip. As soon as the database does not answer, everything that waits fails without being sent, and
so does what comes, until the database was found to answer again: nobody waits for one timeout after the
other.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import gevent
from gevent.event import AsyncResult, Event

from submgr.platform.store.base import (
    Change,
    Done,
    FailureKind,
    Operation,
    StoreBackend,
    StoreError,
    StoreObserver,
    StoreStats,
    StoreTimeout,
    StoreUnavailable,
    check_key,
    check_namespace,
)
from submgr.platform.store.ledger import Effect, Ledger, effect_of, split
from submgr.platform.store.reachability import Reach
from submgr.platform.turns import turn

_log = logging.getLogger(__name__)

# Of one group. Building a larger one would hold the hub for more than a few milliseconds.
MAX_GROUP_CHANGES = 256
MAX_GROUP_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class _Submission:
    change: Change
    done: Done
    persistent: bool
    since: float

    @property
    def kind(self) -> FailureKind:
        return "remove" if self.change.remove and not self.change.set else "write"


class _NobodyWatches:
    def on_latency(self, operation: Operation, seconds: float) -> None:
        pass

    def on_failure(self, kind: FailureKind) -> None:
        pass


class CommittingStore:
    """A `Store` over a `StoreBackend`.

    `patience`: seconds a change may wait for its turn; it then fails without being sent. `probe_interval`:
    seconds between two looks at an idle database; one that is away is looked for four times as often.
    """

    def __init__(
        self,
        backend: StoreBackend,
        *,
        patience: float = 2.0,
        probe_interval: float = 1.0,
        observer: StoreObserver | None = None,
    ) -> None:
        self._backend = backend
        self._patience = patience
        self._probe_interval = probe_interval
        self._observer: StoreObserver = observer or _NobodyWatches()
        self._running = False
        self._reset()

    def _reset(self) -> None:
        self._reach = Reach(
            self._backend.probe,
            interval=self._probe_interval,
            observer=self._observer,
            on_look=self._after_look,
        )
        self._repair_due = False
        self._repairs_paused = False
        self._ledgers: dict[str, Ledger] = {}
        self._waiting: dict[str, deque[_Submission]] = {}
        self._in_hand: deque[_Submission] = deque()
        self._work = Event()
        self._flush_until = float("inf")
        self._acknowledged = self._failed = self._groups = 0

    def start(self) -> None:
        if self._running:
            return
        self._reset()
        self._backend.open()
        self._running = True
        self._reach.start()
        self._writer = gevent.spawn(self._write)

    def stop(self, timeout: float = 5.0) -> None:
        if not self._running:
            return
        self._running = False
        self._flush_until = time.monotonic() + timeout
        self._work.set()
        self._writer.join()
        self._repair()
        self._reach.stop()
        pending = sum(ledger.repairs_pending for ledger in self._ledgers.values())
        if pending:
            _log.warning("store stopped with %d keys not brought to the value they shall hold", pending)
        self._backend.close()

    def submit(self, change: Change, done: Done, *, persistent: bool = False) -> None:
        submission = _Submission(change, done, persistent, time.monotonic())
        if not self._running:
            self._failed += 1
            self._observer.on_failure(submission.kind)
            gevent.spawn(self._tell, submission, StoreUnavailable("not written: the store is not running"))
            return
        self._waiting.setdefault(change.namespace, deque()).append(submission)
        self._work.set()

    def write(self, change: Change, *, persistent: bool = False) -> None:
        outcome: AsyncResult[StoreError | None] = AsyncResult()
        self.submit(change, outcome.set, persistent=persistent)
        error = outcome.get()
        if error is not None:
            # The error is shared by the whole group: an exception of its own for each traceback.
            raise type(error)(*error.args)

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        if isinstance(keys, str):
            raise TypeError("keys: a collection of strings, not one string")
        check_namespace(namespace)
        for key in keys:
            check_key(key)
        with self._reading():
            found = self._backend.read(namespace, keys) if keys else {}
        return self._ledger(namespace).corrected(found, keys)

    def read_all(self, namespace: str) -> dict[str, bytes]:
        check_namespace(namespace)
        ledger = self._ledger(namespace)
        with self._reading(), ledger.reading_all() as found:
            found.update(self._backend.read_all(namespace))
        return ledger.corrected(found)

    def keys(self, namespace: str) -> set[str]:
        check_namespace(namespace)
        with self._reading():
            found = self._backend.keys(namespace)
        return self._ledger(namespace).corrected_keys(found)

    def reachable(self) -> bool:
        return self._reach.reachable

    def pause_repairs(self) -> None:
        self._repairs_paused = True
        for ledger in self._ledgers.values():
            ledger.forget_repairs()

    def stats(self) -> StoreStats:
        return StoreStats(
            reachable=self._reach.reachable,
            error=self._reach.error,
            waiting=sum(len(queue) for queue in self._waiting.values()),
            repairs_pending=sum(ledger.repairs_pending for ledger in self._ledgers.values()),
            acknowledged=self._acknowledged,
            failed=self._failed,
            groups=self._groups,
        )

    def _ledger(self, namespace: str) -> Ledger:
        return self._ledgers.setdefault(namespace, Ledger())

    def _after_look(self) -> None:
        if self._reach.reachable and any(ledger.repairs_pending for ledger in self._ledgers.values()):
            self._repair_due = True
            self._work.set()

    def _write(self) -> None:
        while True:
            try:
                self._write_until_stopped()
                return
            except Exception:  # a bug: nobody must wait for ever because of it
                _log.exception("the writer of the store is started anew")
                self._fail(list(self._in_hand), StoreTimeout("outcome unknown: internal error"))
                self._work.set()

    def _write_until_stopped(self) -> None:
        while self._running or self._waiting:
            self._work.wait()
            self._work.clear()
            if self._repair_due:
                self._repair()
            while self._waiting:
                namespace = next(iter(self._waiting))
                group = self._take(namespace)
                self._in_hand.extend(group)
                self._commit(namespace, group)
                # Whoever was told may submit what comes next, and it joins the next group.
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
        if not self._reach.reachable:
            self._fail(group, StoreUnavailable(f"not written: {self._reach.error}"))
            return
        if time.monotonic() > self._flush_until:
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
            if len(group) > 1 and self._reach.reachable:
                # One refused change must not take its neighbours along (a full database takes removals).
                for submission in group:
                    self._commit(namespace, [submission])
            else:
                self._fail(group, error)
        else:
            self._acknowledged += len(group)
            for submission in group:
                self._tell(submission, None)

    def _in_time(self, group: list[_Submission]) -> list[_Submission]:
        """Those of a group that have not waited for too long; the others, at its front, have failed."""
        earliest = time.monotonic() - self._patience
        late = [submission for submission in group if submission.since < earliest]
        if late:
            self._fail(late, StoreUnavailable(f"not written: no turn within {self._patience} s"))
        return group[len(late) :]

    def _see(self, namespace: str, effect: Effect) -> None:
        ledger = self._ledger(namespace)
        unseen = ledger.unseen(effect)
        if unseen:
            with self._reach.asking("read"):
                ledger.seen(self._backend.read(namespace, unseen))

    def _put(self, namespace: str, effect: Effect) -> None:
        if not effect:
            return
        ledger = self._ledger(namespace)
        values, removals = split(effect)
        with ledger.sending(effect), self._reach.asking("write"):
            self._backend.write(namespace, values, removals)
        self._groups += 1
        ledger.acknowledged(effect)

    def _fail(self, group: Collection[_Submission], error: StoreError) -> None:
        unknown = isinstance(error, StoreTimeout)
        self._failed += len(group)
        for submission in group:
            if not self._repairs_paused:
                ledger = self._ledger(submission.change.namespace)
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
        for namespace, ledger in list(self._ledgers.items()):
            for effect in ledger.repairs(MAX_GROUP_CHANGES):
                repaired += self._repair_piece(namespace, effect)
        if repaired:
            _log.info("%d keys brought to the value they shall hold", repaired)

    def _repair_piece(self, namespace: str, effect: Effect) -> int:
        """The number of keys repaired."""
        if not self._reach.reachable or time.monotonic() > self._flush_until:
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
            _log.warning("%d keys of %s could not be repaired: %s", len(effect), namespace, error)
            return 0
        return len(effect)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            if not self._reach.reachable:
                raise StoreUnavailable(f"not read: {self._reach.error}")
            with self._reach.asking("read"):
                yield
        except StoreError:
            self._observer.on_failure("read")
            raise
