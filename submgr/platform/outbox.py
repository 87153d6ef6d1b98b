# SPDX-License-Identifier: Apache-2.0
"""The outbox repeats deliveries until they succeed; it keeps their order, and it is bounded.

The deliveries of one *key* (a REST subscription, a UE) go out one after the other; keys do not wait for each other.
A *group* (a client endpoint) has a number of places for unfinished deliveries, and a number of tries that may be under
way at the same time. In all, too, only so many tries are under way: groups that take deliveries share one *lane*, and
the others share another, so that a thousand dead endpoints hold up nobody who answers.
"""

import enum
import time
from collections import deque
from collections.abc import Callable, Hashable
from functools import partial

import gevent
from msgspec import Struct, field

from submgr.platform.crew import Crew
from submgr.platform.descriptors import part
from submgr.platform.http.errors import HttpError


class Outcome(enum.Enum):
    """How a delivery ended."""

    DELIVERED = "delivered"
    GIVEN_UP = "given up"
    DROPPED = "dropped"


class Result(Struct, frozen=True):
    """The outcome of a delivery: after how many tries, how many seconds after `put`, and the last error in words."""

    outcome: Outcome
    tries: int
    age: float
    error: str = ""


class RetryPolicy(Struct, frozen=True):
    """How often and how soon a delivery is tried.

    The pause after try n is delay * backoff ** (n - 1), at most max_delay (all in seconds).
    """

    tries: int = 10
    delay: float = 5.0
    backoff: float = 1.0
    max_delay: float = 300.0

    def pause(self, tries: int) -> float:
        """Seconds to wait after `tries` failed tries."""
        return min(self.delay * self.backoff ** min(tries - 1, 1000), self.max_delay)


_REMEMBERED = 10_000
"""Groups that took their last delivery; more than there are xApps in any RIC."""

Send = Callable[[], bool | None]
"""Makes one try. The try failed when it returns False or raises HttpError or OSError; otherwise it has delivered."""
Done = Callable[[Result], None]


class _Delivery(Struct):
    group: "_Group"
    send: Send
    done: Done | None
    policy: RetryPolicy
    since: float
    tries: int = 0
    error: str = ""


class _Queue(Struct):
    """The deliveries of one key, the first of which is being tried or waits for its next try."""

    key: Hashable
    deliveries: deque[_Delivery] = field(default_factory=deque)
    trying: bool = False
    pause: gevent.Greenlet | None = None
    cancelled: bool = False


class _Group(Struct):
    name: Hashable
    taken: int = 0
    """Places with an unfinished delivery."""
    under_way: int = 0
    ready: deque[_Queue] = field(default_factory=deque)


class _Lane(Struct, eq=False):
    """Tries that share one bound. `waiting`: the groups with a queue that is ready, which have a turn each."""

    proven: bool
    under_way: int = 0
    waiting: dict[Hashable, _Group] = field(default_factory=dict)


class Outbox:
    """See the module.

    `places`: per group. `at_once`: tries per group at the same time. `lane`: tries at the same time of all groups whose
    last try delivered, and as many of all others (None: 1024, or what descriptors are there for). Of these others a
    group has one try at a time when their lane is more than half full. `later`: calls a function after some seconds.
    """

    def __init__(
        self,
        *,
        policy: RetryPolicy | None = None,
        places: int = 10_000,
        at_once: int = 64,
        lane: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[..., gevent.Greenlet] = gevent.spawn_later,
    ) -> None:
        self._places = places
        self._policy = policy or RetryPolicy()
        self._at_once = at_once
        self._lane = lane or part(1024)
        self._proven, self._unproven = _Lane(proven=True), _Lane(proven=False)
        self._took: dict[Hashable, None] = {}
        """The names of the groups whose last try delivered, in the order in which they came here."""
        self._clock = clock
        self._later = later
        self._queues: dict[Hashable, _Queue] = {}
        self._groups: dict[Hashable, _Group] = {}
        self._waiting = 0
        self._crew = Crew()
        self._stopped = False

    def put(
        self,
        group: Hashable,
        key: Hashable,
        send: Send,
        done: Done | None = None,
        *,
        policy: RetryPolicy | None = None,
    ) -> bool:
        """Delivers by `send`, after the deliveries that were put before for `key`. False: the group has no place.

        `done` is called exactly once, unless the outbox is stopped before; it must not block.
        """
        known = self._groups.get(group) or _Group(group)
        if known.taken >= self._places:
            return False
        self._groups[group] = known
        known.taken += 1
        queue = self._queues.setdefault(key, _Queue(key))
        queue.deliveries.append(_Delivery(known, send, done, policy or self._policy, self._clock()))
        self._waiting += 1
        if len(queue.deliveries) == 1:
            self._ready(queue)
        return True

    def drop(self, key: Hashable) -> int:
        """Forgets the waiting deliveries of `key`, and returns how many these were.

        A try under way goes on, and is the last one of its delivery.
        """
        queue = self._queues.get(key)
        if queue is None:
            return 0
        if queue.pause is not None:
            queue.pause.kill(block=False)
            queue.pause = None
        kept = queue.deliveries.popleft() if queue.trying else None
        dropped = list(queue.deliveries)
        queue.deliveries.clear()
        if kept is not None:
            queue.deliveries.append(kept)
            queue.cancelled = True
        else:
            self._forget(queue)
        for delivery in dropped:
            self._finish(delivery, Outcome.DROPPED)
        return len(dropped)

    @property
    def waiting(self) -> int:
        """Deliveries that are not finished."""
        return self._waiting

    def waiting_in(self, group: Hashable) -> int:
        """Those of one group."""
        known = self._groups.get(group)
        return known.taken if known is not None else 0

    def oldest(self) -> float:
        """Seconds since the oldest delivery that is not finished was put; 0 when there is none."""
        firsts = [queue.deliveries[0].since for queue in self._queues.values() if queue.deliveries]
        return self._clock() - min(firsts) if firsts else 0.0

    def stop(self, grace: float = 0.0) -> int:
        """Begins no further tries; gives those under way `grace` s. How many deliveries are forgotten unfinished."""
        self._stopped = True
        for queue in self._queues.values():
            if queue.pause is not None:
                queue.pause.kill(block=False)
        self._crew.stop(grace)
        left, self._waiting = self._waiting, 0
        self._queues.clear()
        self._groups.clear()
        return left

    def _ready(self, queue: _Queue) -> None:
        queue.pause = None
        group = queue.deliveries[0].group
        group.ready.append(queue)
        self._begin(group)

    def _begin(self, group: _Group) -> None:
        """Begins the tries of a group that are ready, as many as there is room for."""
        lane = self._proven if group.name in self._took else self._unproven
        while group.ready and group.under_way < self._most(lane) and not self._stopped:
            if lane.under_way >= self._lane:
                lane.waiting[group.name] = group
                return
            queue = group.ready.popleft()
            if queue.deliveries and not queue.trying:  # else it was dropped meanwhile
                group.under_way += 1
                lane.under_way += 1
                queue.trying = True
                self._crew.do(partial(self._try, queue, lane))

    def _most(self, lane: _Lane) -> int:
        """The tries that a group may have under way."""
        return self._at_once if lane.proven or lane.under_way < self._lane // 2 else 1

    def _try(self, queue: _Queue, lane: _Lane) -> None:
        """One try of the first delivery of a queue, and what follows from it."""
        delivery = queue.deliveries[0]
        delivery.tries += 1
        outcome: Outcome | None = Outcome.GIVEN_UP  # what a bug in `send` leads to: the key must go on
        try:
            outcome = self._outcome(queue, delivery)
        except gevent.GreenletExit:  # `stop` waits no longer
            outcome = None
        finally:
            queue.trying = False
            self._tried(delivery.group, lane, outcome is Outcome.DELIVERED)
            self._proceed(queue, delivery, outcome)

    def _tried(self, group: _Group, lane: _Lane, delivered: bool) -> None:
        """Makes room for the next tries: of the groups that wait, then of the same group."""
        if not delivered:
            self._took.pop(group.name, None)
        elif group.name not in self._took:
            self._took[group.name] = None
            if len(self._took) > _REMEMBERED:
                del self._took[next(iter(self._took))]
        group.under_way -= 1
        lane.under_way -= 1
        while lane.waiting and lane.under_way < self._lane:
            self._begin(lane.waiting.pop(next(iter(lane.waiting))))
        if group.ready:
            self._begin(group)

    def _outcome(self, queue: _Queue, delivery: _Delivery) -> Outcome | None:
        try:
            if delivery.send() is not False:
                return Outcome.DELIVERED
            delivery.error = "refused"
        except (HttpError, OSError) as exc:
            delivery.error = str(exc) or type(exc).__name__
        if queue.cancelled:
            return Outcome.DROPPED
        return Outcome.GIVEN_UP if delivery.tries >= delivery.policy.tries else None

    def _proceed(self, queue: _Queue, delivery: _Delivery, outcome: Outcome | None) -> None:
        if outcome is None:
            if self._stopped:
                return
            queue.pause = self._later(delivery.policy.pause(delivery.tries), self._ready, queue)
            return
        queue.cancelled = False
        queue.deliveries.popleft()
        if queue.deliveries:
            self._ready(queue)
        else:
            self._forget(queue)
        self._finish(delivery, outcome)

    def _finish(self, delivery: _Delivery, outcome: Outcome) -> None:
        self._waiting -= 1
        self._free(delivery.group)
        if delivery.done is not None:
            delivery.done(Result(outcome, delivery.tries, self._clock() - delivery.since, delivery.error))

    def _free(self, group: _Group) -> None:
        group.taken -= 1
        if not group.taken and self._groups.get(group.name) is group:
            del self._groups[group.name]

    def _forget(self, queue: _Queue) -> None:
        if self._queues.get(queue.key) is queue:
            del self._queues[queue.key]
