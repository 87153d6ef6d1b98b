# SPDX-License-Identifier: Apache-2.0
"""Processes that take part in a lease, their database and the network between, in simulated time."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable

from submgr.platform.lease.lease import GAP, Found, Lease, Request
from submgr.platform.lease.record import Holder
from support.lease.key import MemoryKey

SECONDS = 3.0
PATIENCE = SECONDS / 3
"""Seconds after which a process gives up a request."""


class Process:
    """Looks after its lease as `Leadership` does. `latency`: seconds of a request, and of an answer, on their way.

    `paused_until`: nothing of it runs before, as after SIGSTOP; what comes meanwhile waits.
    """

    def __init__(self, world: World, name: str, rate: float) -> None:
        self.world, self.name, self.rate = world, name, rate
        self.offset = world.random.uniform(0, 1e5)
        self.latency = (0.001, 0.001)
        self.paused_until = 0.0
        self.cut_until = 0.0
        self.start()

    def start(self) -> None:
        token = f"{self.name}-{next(self.world.numbers)}"
        self.lease = Lease(Holder(self.name, "", token), SECONDS, lambda: f"claim-{next(self.world.numbers)}")
        self.round = next(self.world.numbers)
        self.later(0.0, self.ask, self.round)

    def clock(self) -> float:
        return self.offset + self.rate * self.world.now

    def acts(self) -> bool:
        return self.lease.may_act(self.clock())

    def later(self, seconds: float, what: Callable[..., None], *arguments: object) -> None:
        """Calls it after so many seconds of the world, or when this process goes on."""

        def due() -> None:
            if self.world.now < self.paused_until:
                # in any order: a timer and a socket may both be due when it goes on
                self.world.at(self.paused_until + self.world.random.uniform(0, 1e-6), due)
            else:
                what(*arguments)

        self.world.at(self.world.now + seconds, due)

    def ask(self, round_: int) -> None:
        if round_ != self.round or self.lease.lost is not None:
            return
        request, sent = self.lease.next(self.clock()), self.clock()
        number = self.round = next(self.world.numbers)
        if self.world.now >= self.cut_until:
            self.world.arrives(self.latency[0], request, lambda found: self.answer(number, request, sent, found))
        self.later(PATIENCE / self.rate, self.give_up, number, request)

    def answer(self, number: int, request: Request, sent: float, found: Found) -> None:
        if self.world.now >= self.cut_until:
            self.later(self.latency[1], self.answered, number, request, sent, found)

    def answered(self, number: int, request: Request, sent: float, found: Found) -> None:
        if number == self.round:
            self.lease.answered(request, sent, self.clock(), found)
            self.goes_on(True)

    def give_up(self, number: int, request: Request) -> None:
        if number == self.round:
            self.lease.unanswered(request)
            self.goes_on(False)

    def goes_on(self, answered: bool) -> None:
        self.world.check()
        number = self.round = next(self.world.numbers)
        self.later(max(self.lease.pause(self.clock(), answered), 1e-4) / self.rate, self.ask, number)

    def end_in_order(self) -> None:
        request = self.lease.release(self.clock())
        if request is not None:
            self.world.arrives(self.latency[0], request, lambda found: None)


class World:
    """`check` fails when two processes act."""

    def __init__(self, rates: list[float], seed: int) -> None:
        self.random = random.Random(seed)
        self.numbers = itertools.count(1)
        self.now = 0.0
        self.key = MemoryKey()
        self.away_until = 0.0
        self.era = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self.processes = [Process(self, f"p{n}", rate) for n, rate in enumerate(rates)]

    def at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self.numbers), what))

    def arrives(self, seconds: float, request: Request, answer: Callable[[Found], None]) -> None:
        """The request reaches the database, unless that has failed over meanwhile. One that hangs answers later."""
        era = self.era

        def carried_out() -> None:
            if self.now < self.away_until:
                self.at(self.away_until, carried_out)
            elif era == self.era:
                answer(self.key.carry_out(request))

        self.at(self.now + seconds, carried_out)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, what = heapq.heappop(self._events)
            what()
        self.now = end
        self.check()

    def fail_over(self, lost: int) -> None:
        """To a replica that has lost the last writes. It takes its time; what was on its way is lost."""
        self.era += 1
        self.away_until = self.now + GAP * SECONDS / min(each.rate for each in self.processes)
        self.key.value = self.key.history[-1 - min(lost, len(self.key.history) - 1)]
        self.key.history.append(self.key.value)

    def acting(self) -> list[Process]:
        return [process for process in self.processes if process.acts()]

    def check(self) -> None:
        acting = self.acting()
        assert len(acting) <= 1, [(each.name, each.lease.epoch) for each in acting]
