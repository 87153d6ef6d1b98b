# SPDX-License-Identifier: Apache-2.0
"""Tallies: how many procedures ended and how, in steps of five seconds. Of all nodes for an hour, of each for a minute.

Nothing runs in the background: the steps go on when somebody counts or looks.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from msgspec import Struct, field

from submgr.adapters.journal.entries import Entry

STEP = 5.0
"""Seconds."""
SAMPLES = 720
"""Steps that are kept: one hour."""
MINUTE = 12
"""Steps of a minute."""
LATENCIES = 1000
"""Durations of one step that are kept for its percentiles. Of more, the newest."""
KNOWN = 10_000
"""Nodes and xApps that are counted apart: those that were counted last."""
REFUSING_FOR = 600.0
"""Seconds after which a refusal is forgotten, if the node is not asked any more."""


class Sample(Struct, frozen=True):
    """What happened in one step. Percentiles in seconds, None when nothing was subscribed."""

    subscribes: int = 0
    deletes: int = 0
    failures: int = 0
    p50: float | None = None
    p99: float | None = None


class _Open(Struct):
    """The step that has not ended."""

    subscribes: int = 0
    deletes: int = 0
    failures: int = 0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))

    def sample(self) -> Sample:
        ordered = sorted(self.latencies)
        return Sample(self.subscribes, self.deletes, self.failures, _at(ordered, 0.5), _at(ordered, 0.99))


class Tallies:
    """`subscribed`, `deleted` and `failed` count; the rest is for those who look. `clock`: seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._step = int(clock() // STEP)
        self._open = _Open()
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._nodes: OrderedDict[str, Tally] = OrderedDict()
        self._xapps: OrderedDict[str, Entry] = OrderedDict()

    # --- counting

    def subscribed(self, meid: str, seconds: float, now: float) -> None:
        """A subscription was granted, `seconds` after it was asked for."""
        current = self._current(now)
        current.subscribes += 1
        current.latencies.append(seconds)
        tally = self._of(meid)
        tally.subscribes[self._slot(tally)] += 1
        tally.refused_in_a_row = 0

    def deleted(self, now: float) -> None:
        """A subscription was deleted."""
        self._current(now).deletes += 1

    def failed(self, meid: str, xapp: str, entry: Entry | None, now: float, refused: bool) -> None:
        """A procedure failed. `refused`: a subscribe, by a refusal of the E2 node. `entry`: None for one of many."""
        self._current(now).failures += 1
        tally = self._of(meid)
        tally.failures[self._slot(tally)] += 1
        tally.last_failure = entry or tally.last_failure
        if refused:
            tally.refused_in_a_row += 1
            tally.refused_at = now
        if xapp and entry is not None:
            self._xapps[xapp] = entry
            self._xapps.move_to_end(xapp)
            if len(self._xapps) > KNOWN:
                self._xapps.popitem(last=False)

    # --- looking

    def history(self) -> tuple[float, list[Sample]]:
        """The time of the newest sample (its end, in seconds since 1970), and the samples, the oldest first."""
        self._current(self._clock())
        return self._step * STEP, list(self._samples)

    def rates(self) -> tuple[float, float, float]:
        """Subscribes, deletes and failures per second, over the last minute."""
        _, samples = self.history()
        last = [*samples[-MINUTE:], self._open.sample()]
        span = max((len(last) - 1) * STEP + self._clock() - self._step * STEP, STEP)
        return (
            sum(each.subscribes for each in last) / span,
            sum(each.deletes for each in last) / span,
            sum(each.failures for each in last) / span,
        )

    def of_node(self, meid: str) -> Tally | None:
        tally = self._nodes.get(meid)
        if tally is not None:
            self._current(self._clock())
            self._slot(tally)
        return tally

    def failure_of(self, xapp: str) -> Entry | None:
        """The last failure that concerned this xApp."""
        return self._xapps.get(xapp)

    def refused_in_a_row(self, meid: str) -> int:
        """How many subscribes a node has refused since it granted one; 0 when it was not asked for a while."""
        tally = self._nodes.get(meid)
        lately = tally is not None and tally.refused_at >= self._clock() - REFUSING_FOR
        return tally.refused_in_a_row if tally is not None and lately else 0

    def _of(self, meid: str) -> Tally:
        tally = self._nodes.get(meid)
        if tally is None:
            tally = self._nodes[meid] = Tally(self._step)
            if len(self._nodes) > KNOWN:
                self._nodes.popitem(last=False)
        return tally

    def _current(self, now: float) -> _Open:
        step = int(now // STEP)
        if step > self._step:
            self._samples.append(self._open.sample())
            for _ in range(min(step - self._step - 1, SAMPLES)):
                self._samples.append(Sample())
            self._open = _Open()
            self._step = step
        return self._open

    def _slot(self, tally: Tally) -> int:
        """Where the present step is counted; what is older than a minute is forgotten."""
        if tally.step != self._step:
            for step in range(max(tally.step, self._step - MINUTE) + 1, self._step + 1):
                tally.subscribes[step % MINUTE] = tally.failures[step % MINUTE] = 0
            tally.step = self._step
        return self._step % MINUTE


class Tally:
    """The last minute of one node, and its last failure."""

    __slots__ = ("failures", "last_failure", "refused_at", "refused_in_a_row", "step", "subscribes")

    def __init__(self, step: int) -> None:
        self.step = step
        self.subscribes = [0] * MINUTE
        self.failures = [0] * MINUTE
        self.last_failure: Entry | None = None
        self.refused_in_a_row = 0
        self.refused_at = 0.0


def _at(ordered: list[float], part: float) -> float | None:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else None
