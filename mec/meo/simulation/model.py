# SPDX-License-Identifier: Apache-2.0
"""Simulates many platforms whose load and keys come and go, to compare scores by their results.

The placement and the choice of what migrates are those of the orchestrator; deployments and messages are left out.

Every platform has a capacity (contexts that would fill it) and a background load that wanders around a mean of its own
and swings with the hours; its key store is filled at a rate of its own and drained by its contexts. Contexts come at
random and stay for a random time. Telemetry is told once per round; placement in between goes by the last telemetry, as
in reality.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from mec.meo.model import App, AppInfo, Site, Support
from mec.meo.placement import SCORES, Choice, Rules, candidates, place, violations

ROUND = 10.0
"""Seconds between two rounds of telemetry and optimisation."""
STRATEGIES = (*SCORES, "random")
"""The scores, and a draw without one."""

_ANY = Support("any")
_APP = App(AppInfo("simulated", "simulated", "simulated", "1", "1"), (_ANY,))


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is scarce: `load` is the mean of the background load, `use` the share of the remaining capacity that the
    contexts would fill if all were admitted, `keys` the supply of keys as a multiple of what they would use.

    `spread`: how different platforms are (0: all alike, 1: from nothing to twice the mean).
    """

    name: str
    load: float
    use: float
    keys: float
    spread: float = 0.5


SCENARIOS = (
    Scenario("enough of both", load=0.3, use=0.4, keys=2.0),
    Scenario("load is scarce", load=0.45, use=0.5, keys=2.0),
    Scenario("keys are scarce", load=0.3, use=0.4, keys=1.1),
    Scenario("both are scarce", load=0.45, use=0.5, keys=1.1),
    Scenario("too much is asked for", load=0.55, use=0.7, keys=1.0),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated: platforms, contexts there would be at a time, hours, the mean stay of a context (s)."""

    platforms: int = 200
    contexts: int = 4000
    hours: float = 2.0
    stay: float = 1200.0

    @property
    def rounds(self) -> tuple[int, int]:
        """Rounds of a simulation: those that count, and those before."""
        return int(self.hours * 3600 / ROUND), int(self.stay / ROUND)


@dataclass(frozen=True, slots=True)
class Result:
    """What a strategy led to. Shares are 0..1; `migrations` per admitted context; `overload` is the share of the time
    of platforms with contexts in which the load was over or the keys under the limit; `fairness` is Jain's index of
    the loads, 1 when all are alike."""

    rejected: float
    migrations: float
    overload: float
    keyless: float
    fairness: float

    @staticmethod
    def mean(results: "list[Result]") -> "Result":
        """Of several runs."""
        count = len(results)
        return Result(
            sum(each.rejected for each in results) / count,
            sum(each.migrations for each in results) / count,
            sum(each.overload for each in results) / count,
            sum(each.keyless for each in results) / count,
            sum(each.fairness for each in results) / count,
        )


@dataclass(slots=True)
class _Place:
    name: str
    capacity: float
    mean_load: float
    background: float
    phase: float
    key_rate: float
    key_store: float
    keys: float
    contexts: list[int] = field(default_factory=list)

    @property
    def load(self) -> float:
        return min(self.background + len(self.contexts) / self.capacity, 1.0)

    @property
    def key(self) -> float:
        return self.keys / self.key_store


class Simulation:
    """One run of one strategy; the same seed gives all strategies the same platforms and the same demand."""

    def __init__(self, scenario: Scenario, size: Size, strategy: str, rules: Rules, seed: int) -> None:
        self._size = size
        self._strategy = strategy
        self._rules = replace(rules, score=strategy) if strategy in SCORES else rules
        self._world = Random(f"world {seed}")
        self._demand = Random(f"demand {seed}")
        self._draws = Random(f"draws {seed}")
        self._places = self._make_places(scenario)
        self._by_name = {one.name: one for one in self._places}
        self._sites: list[Site] = []
        self._where: dict[int, _Place] = {}
        self._ends: dict[int, list[int]] = {}
        self._next_id = 0
        self._asked = self._rejected = self._migrated = 0
        self._occupied = self._overloaded = self._keyless = 0
        self._fairness: list[float] = []

    def run(self, migrations_per_round: int, done: Callable[[], None] = lambda: None) -> Result:
        """From empty platforms on; what happens in the first mean stay is not counted. `done`: after each round."""
        rounds, warm_up = self._size.rounds
        for number in range(-warm_up, rounds):
            if number == 0:
                self._forget_figures()
            self._wander(number)
            self._sites = [Site(one.name, "any", one.load, 0.0, one.key, 0.0) for one in self._places]
            self._observe()
            self._optimise(migrations_per_round)
            for context in self._ends.pop(number, ()):
                self._where.pop(context).contexts.remove(context)
            self._arrive(number)
            done()
        admitted = max(self._asked - self._rejected, 1)
        return Result(
            self._rejected / max(self._asked, 1),
            self._migrated / admitted,
            self._overloaded / max(self._occupied, 1),
            self._keyless / max(self._occupied, 1),
            sum(self._fairness) / len(self._fairness),
        )

    def _make_places(self, scenario: Scenario) -> list[_Place]:
        size, world = self._size, self._world
        share = size.contexts / size.platforms
        low, high = 1.0 - scenario.spread, 1.0 + scenario.spread
        places = []
        for number in range(size.platforms):
            mean_load = min(scenario.load * world.uniform(low, high), 0.95)
            capacity = share / (1.0 - scenario.load) / scenario.use * world.uniform(low, high)
            key_rate = scenario.keys * share * world.uniform(low, high)
            key_store = share * 600.0 / ROUND  # what its share of the contexts uses in 10 minutes
            keys = key_store * world.random()
            phase = world.uniform(0.0, 2.0 * math.pi)
            places.append(_Place(f"p{number}", capacity, mean_load, mean_load, phase, key_rate, key_store, keys))
        return places

    def _wander(self, number: int) -> None:
        for one in self._places:
            swing = 0.15 * math.sin(2.0 * math.pi * number * ROUND / 3600.0 + one.phase)
            pull = 0.02 * (one.mean_load + swing - one.background)
            one.background = min(max(one.background + pull + self._world.gauss(0.0, 0.012), 0.0), 1.0)
            # one key per context and round
            one.keys = min(max(one.keys + one.key_rate - len(one.contexts), 0.0), one.key_store)

    def _observe(self) -> None:
        loads = [one.load for one in self._places]
        self._fairness.append(sum(loads) ** 2 / (len(loads) * sum(load * load for load in loads) or 1.0))
        for one in self._places:
            if one.contexts:
                self._occupied += 1
                keyless = one.key < self._rules.min_key
                self._keyless += keyless
                self._overloaded += keyless or one.load > self._rules.max_load

    def _optimise(self, most: int) -> None:
        moved = 0
        for bad in violations(self._sites, self._rules, 0.0):
            origin = self._by_name[bad.site.name]
            while origin.contexts and moved < most:
                choice = self._draw({origin.name: "the origin"})
                if choice is None:
                    return
                context = origin.contexts.pop()
                target = self._by_name[choice.name]
                target.contexts.append(context)
                self._where[context] = target
                self._migrated += 1
                moved += 1

    def _arrive(self, number: int) -> None:
        for _ in range(_poisson(self._demand, self._size.contexts / self._size.stay * ROUND)):
            stay = 1 + int(self._demand.expovariate(1.0 / self._size.stay) / ROUND)
            self._asked += 1
            site = self._draw({})
            if site is None:
                self._rejected += 1
                continue
            target = self._by_name[site.name]
            target.contexts.append(self._next_id)
            self._where[self._next_id] = target
            self._ends.setdefault(number + stay, []).append(self._next_id)
            self._next_id += 1

    def _draw(self, without: Mapping[str, str]) -> Site | None:
        if self._strategy == "random":
            found = candidates(_ANY, self._sites, self._rules, 0.0, without)
            return self._draws.choice(found) if found else None
        outcome = place(_APP, lambda kind: self._sites, self._rules, 0.0, self._draws, without)
        return outcome.site if isinstance(outcome, Choice) else None

    def _forget_figures(self) -> None:
        self._asked = self._rejected = self._migrated = 0
        self._occupied = self._overloaded = self._keyless = 0
        self._fairness.clear()


def _poisson(rng: Random, mean: float) -> int:
    """How many of something that happens `mean` times on average: arrivals at exponential distances."""
    count, at = 0, rng.expovariate(1.0)
    while at < mean:
        count += 1
        at += rng.expovariate(1.0)
    return count


def compare(
    scenario: Scenario,
    size: Size,
    rules: Rules,
    *,
    seeds: range,
    migrations_per_round: int,
    done: Callable[[], None] = lambda: None,
) -> dict[str, Result]:
    """What every strategy leads to, on average over `seeds`. `done` is called after each round of a simulation."""
    return {
        strategy: Result.mean(
            [Simulation(scenario, size, strategy, rules, seed).run(migrations_per_round, done) for seed in seeds]
        )
        for strategy in STRATEGIES
    }
