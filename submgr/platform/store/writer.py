# SPDX-License-Identifier: Apache-2.0
"""The writer of a store: one greenlet that writes changes in groups, and makes the repairs that are due.

While a group is on its way to the database the next one gathers, so that a hundred waiting greenlets cost
one round trip. A change that nobody waits for lingers until the next group of its namespace, which it joins. As
soon as the database does not answer, the waiting changes fail without being sent, and so does every new one, until
the database answers again: nobody waits for one timeout after the other.
"""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from itertools import chain
from operator import attrgetter
from typing import Any

import gevent
from gevent.event import Event
from msgspec import Struct

from submgr.platform.store.base import (
    Change,
    Done,
    FailureKind,
    StoreError,
    StoreFenced,
    StoreObserver,
    StoreTimeout,
    StoreUnavailable,
)
from submgr.platform.store.ledger import Ledgers, effect_of
from submgr.platform.store.reachability import Reachability
from submgr.platform.store.repairs import Repairs
from submgr.platform.store.sending import Sender
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import step_back

_log = logging.getLogger(__name__)

# The bounds of one group. Building a larger one would hold the hub for more than a few milliseconds.
MAX_GROUP_CHANGES = 256
MAX_GROUP_BYTES = 1_000_000

LONGEST_LINGER = 0.03
"""Seconds that a change lingers at most for which nobody waits, while no other one of its namespace comes. It lingers
for half of that at least: whoever asks for one subscription after the other has asked for the next one by then."""


class _Submission(Struct):
    change: Change
    done: Done
    persistent: bool
    since: float
    told: bool = False

    @property
    def kind(self) -> FailureKind:
        return "remove" if self.change.remove and not self.change.set else "write"


_change_of: Callable[[_Submission], Change] = attrgetter("change")


class Writer:
    """Writes the submitted changes of each namespace in their order, and tells each submitter the outcome.

    `patience`: seconds a change may wait for its turn; it then fails without being sent. `shortest_repair_pause`:
    seconds after the first refusal of a repair.
    """

    def __init__(
        self,
        sender: Sender,
        reachability: Reachability,
        ledgers: Ledgers,
        patience: float,
        observer: StoreObserver,
        clock: Callable[[], float],
        shortest_repair_pause: float,
    ) -> None:
        self.acknowledged = self.failed = 0
        self._sender = sender
        self._reachability = reachability
        self._ledgers = ledgers
        self._patience = patience
        self._observer = observer
        self._clock = clock
        self._running = False
        self._repairs = Repairs(
            sender,
            reachability,
            ledgers,
            observer,
            clock,
            shortest_repair_pause,
            keys=MAX_GROUP_CHANGES,
            size=MAX_GROUP_BYTES,
        )
        self._waiting: defaultdict[str, list[_Submission]] = defaultdict(list)
        self._due: dict[str, None] = {}
        """The namespaces whose turn it is, in order; in the others all that waits lingers."""
        self._linger: Any = None
        self._in_hand: list[_Submission] = []
        """The group that is being written."""
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
        self._end_lingering()
        self._work.set()
        self._loop.join()
        self._repairs.make(self._flush_until, self._write_group)

    def submit(self, change: Change, done: Done, persistent: bool, lingers: bool) -> None:
        """As `Store.submit`."""
        submission = _Submission(change, done, persistent, self._clock())
        if not self._running:
            self.failed += 1
            self._observer.on_failure(submission.kind)
            gevent.spawn(_tell, [submission], StoreUnavailable("not written: the store is not running"))
            return
        namespace = change.namespace
        self._waiting[namespace].append(submission)
        if lingers:
            if self._linger is None:
                self._look_later()
        elif namespace not in self._due:
            self._due[namespace] = None
            self._work.set()

    def _look_later(self) -> None:
        # a timer of libev that has expired would expire at once when it is started again
        self._linger = gevent.get_hub().loop.timer(LONGEST_LINGER / 2)
        self._linger.start(self._end_lingering)

    def _end_lingering(self) -> None:
        """Has that written which has lingered for long enough, and looks again later for the rest."""
        self._linger = None
        latest = self._clock() - LONGEST_LINGER / 2 if self._running else math.inf
        lingering = [namespace for namespace in self._waiting if namespace not in self._due]
        long = [namespace for namespace in lingering if self._waiting[namespace][0].since <= latest]
        if long:
            self._due.update(dict.fromkeys(long))
            self._work.set()
        if len(long) < len(lingering):
            self._look_later()

    def repair_soon(self, *, at_once: bool = False) -> None:
        """Has the pending repairs written before the next group.

        Repairs that were refused are tried again after growing pauses. `at_once`: the reason may be gone, so the pause
        is over.
        """
        self._repairs.plan(at_once=at_once)
        self._work.set()

    @property
    def repairs_wanted(self) -> bool:
        """Whether `repair_soon` has anything to do."""
        return self._repairs.wanted

    @property
    def waiting(self) -> int:
        """Changes that are in no group yet."""
        return sum(len(queue) for queue in self._waiting.values())

    def _step(self) -> bool:
        """Writes what waits. Returns whether there may be more to write."""
        self._work.wait()
        self._work.clear()
        try:
            while self._due or self._sender.repairs_due:
                if self._sender.repairs_due:
                    self._repairs.make(self._flush_until, self._write_group)
                self._write_group()
                if self._due:
                    # Whoever was told may submit what comes next, and it joins the next group. Sockets and timers have
                    # their turn while the database works on that.
                    step_back()
        except (Exception, gevent.Timeout):  # a bug: nobody must wait for ever because of it
            self._work.set()
            untold = [submission for submission in self._in_hand if not submission.told]
            self._fail(untold, StoreTimeout("outcome unknown: internal error"))
            raise
        return self._running or bool(self._waiting)

    def _write_group(self) -> None:
        if self._due:
            namespace = next(iter(self._due))
            del self._due[namespace]
            group = self._in_hand = self._waiting.pop(namespace)
            if len(group) > 1 and (rest := _cut(group)):
                self._waiting[namespace] = rest
                self._due[namespace] = None  # at the end: other namespaces first
            self._commit(namespace, group)
            self._in_hand = []

    def _commit(self, namespace: str, group: list[_Submission]) -> None:
        if not self._reachability.reachable:
            self._fail(group, StoreUnavailable(f"not written: {self._reachability.error}"))
            return
        now = self._clock()
        if now > self._flush_until:
            self._fail(group, StoreUnavailable("not written: the store was stopped"))
            return
        group = self._in_time(group, now)
        effect = effect_of(map(_change_of, group))
        try:
            if self._sender.see(namespace, effect):  # which has taken its time
                group = self._in_time(group, self._clock())
                effect = effect_of(map(_change_of, group))
        except StoreError as error:
            self._fail(group, StoreUnavailable(f"not written: {error}"))
            return
        try:
            self._sender.put(namespace, effect)
        except StoreError as error:
            if len(group) > 1 and self._reachability.reachable:
                # One refused change must not take its neighbours along (a full database takes removals).
                for submission in group:
                    self._commit(namespace, [submission])
            else:
                self._fail(group, error)
        else:
            self.acknowledged += len(group)
            _tell(group, None)

    def _in_time(self, group: list[_Submission], now: float) -> list[_Submission]:
        """Those of a group that have not waited for too long; the others, at its front, have failed."""
        earliest = now - self._patience
        if group and group[0].since >= earliest:
            return group
        late = [submission for submission in group if submission.since < earliest]
        if late:
            self._fail(late, StoreUnavailable(f"not written: no turn within {self._patience} s"))
        return group[len(late) :]

    def _fail(self, group: Collection[_Submission], error: StoreError) -> None:
        unknown = isinstance(error, StoreTimeout)
        repairable = not self._sender.paused and not isinstance(error, StoreFenced)
        self.failed += len(group)
        for submission in group:
            if repairable:
                ledger = self._ledgers[submission.change.namespace]
                ledger.failed(submission.change, persistent=submission.persistent, unknown=unknown)
            self._observer.on_failure(submission.kind)
        _tell(group, error)


def _tell(group: Iterable[_Submission], error: StoreError | None) -> None:
    for submission in group:
        submission.told = True
        try:
            submission.done(error)
        except Exception:  # a caller's bug: the other changes of the group must still be told
            _log.exception("the outcome of a change could not be told")


def _cut(group: list[_Submission]) -> list[_Submission]:
    """Leaves as many of a group, from its beginning, as one may have. Returns the rest."""
    if len(group) <= MAX_GROUP_CHANGES and _size(group) <= MAX_GROUP_BYTES:
        return []
    count = min(len(group), MAX_GROUP_CHANGES)
    size = _size(group[:count])
    while size > MAX_GROUP_BYTES and count > 1:
        count -= 1
        size -= _size(group[count : count + 1])
    rest = group[count:]
    del group[count:]
    return rest


def _size(group: Iterable[_Submission]) -> int:
    """Bytes of the values that are to be set."""
    return sum(map(len, chain.from_iterable(submission.change.set.values() for submission in group)))
