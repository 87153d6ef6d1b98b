# SPDX-License-Identifier: Apache-2.0
"""Faults at random under a mixed load, drawn from a seed. When it is quiet again, nothing is lost and nothing left.

CHAOS_SEED        what faults happen when (each run of `make chaos` has another one)
CHAOS_SECONDS     how long to go on at each kind of place (default: CHAOS_STORMS storms)
CHAOS_KIND        one kind of place only: file, redis, pair, sentinel
CHAOS_STORM       that storm only, as a failure told it

The faults are in `support.chaos.faults`; docs/reliability.md has what must hold under each.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import statistics
import time
from pathlib import Path

import pytest
from support.chaos.faults import FAULTS
from support.chaos.place import FILE, KINDS, SENTINEL, Place
from support.chaos.plan import draw, in_order
from support.chaos.storm import Weather
from support.processes.redis_server import MISSING, REDIS_SERVER

SEED = int(os.environ.get("CHAOS_SEED", "15"))
STORMS = int(os.environ.get("CHAOS_STORMS", "1"))
SECONDS = float(os.environ.get("CHAOS_SECONDS", "0"))
ONLY = int(os.environ.get("CHAOS_STORM", "0"))
LENGTH = float(os.environ.get("CHAOS_LENGTH", "2"))
"""Seconds of one storm."""
KIND = os.environ.get("CHAOS_KIND")
NEEDS_REDIS = (pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING))
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def numbers() -> list[int] | itertools.count[int]:
    """Of the storms that may come."""
    if ONLY:
        return [ONLY]
    return itertools.count(1) if SECONDS else list(range(1, STORMS + 1))


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if kind == FILE else NEEDS_REDIS) for kind in KINDS if KIND in (None, kind)],
)
def test_nothing_is_lost_in_storms(kind: str) -> None:
    began = time.monotonic()
    until = f"{SECONDS:g} s" if SECONDS else f"{STORMS} storms"
    print(f"{0:7.1f} s  {kind}, seed {SEED}: starting, for {until}", flush=True)
    # after a failover to a replica that is older than a take-over, what was removed before comes back: reconciled
    reconcile = 1.0 if kind == SENTINEL else random.Random(f"{SEED} {kind} reconcile").choice([0.0, 1.0])
    with Place(kind, reconcile) as place:
        weather = Weather(place, kind, SEED, LENGTH)
        for number in numbers():
            if SECONDS and time.monotonic() - began > SECONDS:
                break
            weather.storm(number)
            takes = sorted(place.takes)
            print(
                f"{time.monotonic() - began:7.1f} s  {kind}, seed {SEED}: storm {number}, "
                f"{weather.faults.total()} faults, {weather.accepted} requests accepted, {weather.told} told, "
                f"{weather.kept} kept, lost 0, orphaned 0, {len(takes)} take-overs"
                + (f" (p50 {statistics.median(takes):.2f} s, max {takes[-1]:.2f} s)" if takes else ""),
                flush=True,
            )


def test_the_same_seed_draws_the_same_and_every_fault_is_drawn() -> None:
    faults = [*FAULTS.values()]
    plans = [[in_order(draw(random.Random(f"{seed}"), faults, 3.0)) for seed in range(300)] for _ in range(2)]
    assert plans[0] == plans[1]
    events = [event for plan in plans[0] for event in plan]
    assert {event.fault.name for event in events} == set(FAULTS)
    for plan in plans[0]:
        assert not ({event.fault.loses for event in plan} >= {True} and any(event.fault.ends for event in plan))


def test_every_fault_has_its_place_in_the_page() -> None:
    rows = [line.split("|")[1].strip() for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert [name for name in FAULTS if name not in rows] == []


def test_the_tests_that_the_page_names_are_there() -> None:
    root = PAGE.parents[1]
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE.read_text()))
    assert len(named) > 20
    missing = [
        (path, name)
        for path, name in sorted(named)
        if not re.search(rf"^def {name}\(", (root / path).read_text(), re.MULTILINE)
    ]
    assert missing == []
