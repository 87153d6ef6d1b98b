# SPDX-License-Identifier: Apache-2.0
"""What happens when in a storm: drawn from a seed, so that the same seed draws the same again."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from support.chaos.faults import Fault


@dataclass(frozen=True, slots=True)
class Event:
    """`fault` begins `at` seconds after the storm. `lasts`: seconds. `dice` (0..1) is what the fault decides by."""

    at: float
    lasts: float
    fault: Fault
    dice: float

    def __str__(self) -> str:
        return f"{self.at:6.2f} s  {self.fault.part:8} {self.fault.name} for {self.lasts:.2f} s (dice {self.dice:.3f})"


def draw(rng: random.Random, faults: Iterable[Fault], seconds: float) -> dict[str, list[Event]]:
    """The events of each part of the place, one after the other; parts fail beside each other.

    A storm has either faults by which the database does not have what was acknowledged, or faults by which a process
    may end: what neither of them has is lost, see docs/reliability.md. There is always one of these; the other parts
    fail or not.
    """
    losing = rng.random() < 0.5
    possible: dict[str, list[Fault]] = {}
    for fault in faults:
        if not (fault.ends if losing else fault.loses):
            possible.setdefault(fault.part, []).append(fault)
    first = next(part for part in (("redis", "disk", "nodes") if losing else ("process",)) if part in possible)
    others = sorted(possible.keys() - {first})
    parts = [first, *rng.sample(others, rng.randint(0, len(others)))]
    return {part: list(_one_after_the_other(rng, possible[part], seconds)) for part in parts}


def _one_after_the_other(rng: random.Random, faults: Sequence[Fault], seconds: float) -> Iterable[Event]:
    at = rng.uniform(0.0, seconds / 2)
    while at < seconds:
        fault = rng.choice(faults)
        lasts = max(fault.least, rng.uniform(0.05, 0.5) * seconds)
        yield Event(at, lasts, fault, rng.random())
        at += lasts + rng.uniform(0.05, 0.3) * seconds


def in_order(plan: Mapping[str, Sequence[Event]]) -> list[Event]:
    return sorted((event for events in plan.values() for event in events), key=lambda event: event.at)
