# SPDX-License-Identifier: Apache-2.0
"""Never two: whatever is late, lost, paused, emptied or failed over, at most one process may act at any moment."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.examples import examples
from support.lease.world import PATIENCE, SECONDS, World

PROCESSES = 3
SLOWEST, FASTEST = 0.96, 1.04
"""Rates of clocks: further apart than those of any two machines, and within the margin of the lease."""

some = st.integers(0, PROCESSES - 1)
LEASES = [0.05, 0.1, 0.3, 0.6, 0.9, 0.95, 1.0, 1.05, 1.3, 2.0, 3.0]
leases = st.sampled_from(LEASES)


class NeverTwo(RuleBasedStateMachine):
    """The processes run all the time; each rule is a fault, or lets the time pass in which faults take effect."""

    @initialize(
        rates=st.lists(st.sampled_from([SLOWEST, 1.0, FASTEST]), min_size=PROCESSES, max_size=PROCESSES),
        seed=st.integers(0, 1 << 30),
    )
    def begin(self, rates: list[float], seed: int) -> None:
        self.world = World(rates, seed)
        self.world.run(2.5 * SECONDS)

    @rule(length=leases)
    def time_passes(self, length: float) -> None:
        self.world.run(length * SECONDS)

    @rule(n=some, length=leases)
    def is_paused(self, n: int, length: float) -> None:
        """SIGSTOP, and later SIGCONT."""
        self.world.processes[n].paused_until = self.world.now + length * SECONDS

    @rule(length=leases)
    def the_holder_is_paused(self, length: float) -> None:
        for process in self.world.acting():
            process.paused_until = self.world.now + length * SECONDS

    @rule(n=some, length=leases)
    def is_cut_off(self, n: int, length: float) -> None:
        """Nothing leaves for the database or comes from it."""
        self.world.processes[n].cut_until = self.world.now + length * SECONDS

    @rule(n=some, to=st.floats(0, 2 * SECONDS), back=st.floats(0, PATIENCE))
    def has_a_slow_network(self, n: int, to: float, back: float) -> None:
        self.world.processes[n].latency = (to, back)

    @rule()
    def all_networks_are_fast(self) -> None:
        for process in self.world.processes:
            process.latency = (0.001, 0.001)

    @rule(length=leases)
    def the_database_hangs(self, length: float) -> None:
        self.world.away_until = self.world.now + length * SECONDS

    @rule()
    def the_database_is_emptied(self) -> None:
        self.world.key.empty()

    @rule(lost=st.integers(0, 8))
    def the_database_fails_over(self, lost: int) -> None:
        self.world.fail_over(lost)

    @rule(n=some)
    def is_killed_and_started(self, n: int) -> None:
        self.world.processes[n].start()

    @rule(n=some)
    def ends_in_order(self, n: int) -> None:
        self.world.processes[n].end_in_order()

    @rule()
    def who_has_lost_is_started_anew(self) -> None:
        for process in self.world.processes:
            if process.lease.lost is not None:
                process.start()

    @rule(seed=st.integers(0, 1 << 30))
    def much_befalls_them(self, seed: int) -> None:
        """Many faults one after the other: more than Hypothesis would put into one example."""
        draw = random.Random(seed)
        for _ in range(60):
            fault = draw.choice(self.faults())
            fault(draw.randrange(PROCESSES), draw.choice(LEASES))
            self.time_passes(draw.choice(LEASES))

    def faults(self) -> list[Callable[[int, float], object]]:
        return [
            self.is_paused,
            lambda n, length: self.the_holder_is_paused(length),
            lambda n, length: self.the_holder_is_paused(length),
            self.is_cut_off,
            lambda n, length: self.has_a_slow_network(n, length * PATIENCE / 2, length * PATIENCE / 3),
            lambda n, length: self.all_networks_are_fast(),
            lambda n, length: self.the_database_hangs(length),
            lambda n, length: self.the_database_is_emptied(),
            lambda n, length: self.the_database_fails_over(n + 1),
            lambda n, length: self.is_killed_and_started(n),
            lambda n, length: self.ends_in_order(n),
            lambda n, length: self.who_has_lost_is_started_anew(),
            lambda n, length: self.who_has_lost_is_started_anew(),
        ]

    @invariant()
    def never_two(self) -> None:
        if hasattr(self, "world"):
            self.world.check()


TestNeverTwo = NeverTwo.TestCase
TestNeverTwo.settings = settings(max_examples=examples(100), stateful_step_count=20, deadline=None)
