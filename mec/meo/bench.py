# SPDX-License-Identifier: Apache-2.0
"""`mec bench-meo`: measures an admission by the number of platforms, with the store in memory and nothing to deploy."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from prometheus_client import CollectorRegistry

from mec.meo.app import Orchestrator
from mec.meo.model import App, AppInfo, Platform, Support, Wish
from mec.meo.settings import MeoSettings
from submgr.platform.store.memory import MemoryStore

SIZES = (10, 100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of the draw alone, and of a whole admission with its record in the store."""

    platforms: int
    draw: float
    admission: float


def measure(sizes: Sequence[int] = SIZES, times: int = 300) -> list[Timing]:
    """The medians for each number of platforms."""
    return [_measure(platforms, times) for platforms in sizes]


def _measure(platforms: int, times: int) -> Timing:
    store = MemoryStore()
    store.start()
    orchestrator = Orchestrator(MeoSettings(period=3600.0, seed=1), store, CollectorRegistry())
    orchestrator.start()
    meo, rng = orchestrator.meo, Random(1)
    app = meo.inventory.add_app(App(AppInfo("d", "app", "p", "1", "1"), (Support("noop", blacklist=frozenset("x")),)))
    for number in range(platforms):
        meo.state.put_platform(Platform(f"p{number}", "noop", f"http://p{number}/"))
        meo.inventory.tell(f"p{number}", load=rng.random(), key=rng.random())
    wish = Wish({"appName": "app"})
    for _ in range(20):
        meo.admit(wish)
    draws = [_timed(lambda: meo.place(app)) for _ in range(times)]
    admissions = [_timed(lambda: meo.admit(wish)) for _ in range(times)]
    orchestrator.stop()
    store.stop()
    return Timing(platforms, statistics.median(draws), statistics.median(admissions))


def _timed(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return (time.perf_counter() - began) * 1000.0
