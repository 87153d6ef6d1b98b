# SPDX-License-Identifier: Apache-2.0
"""Background loops that go on whatever happens in them, and what readiness and the metrics say about them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from weakref import WeakSet

import gevent

from submgr.platform.fair import turns
from submgr.platform.sparse_log import Sparsely
from submgr.platform.turns import Budget, turn

_log = logging.getLogger(__name__)
_sparsely = Sparsely(_log)

SHORTEST_PAUSE = 0.1
"""Seconds between the first failure and the next step."""
LONGEST_PAUSE = 30.0
KEEPS_FAILING = 2
"""So many steps in a row must have failed for readiness to name their loop."""

failures: Counter[str] = Counter()
"""Steps that failed since the start of the process, by the name of their loop."""

_loops: WeakSet[SupervisedLoop] = WeakSet()


class SupervisedLoop:
    """Calls `step` again and again, in a greenlet of its own, until `stop`.

    A step waits for something: for its next time, for work, for data. A step that raises has failed: the loop counts
    it, logs it with its traceback (once a minute for each kind of error), and makes the next step after a pause. The
    pause doubles with each failure in a row, up to `longest_pause` s. A step that returns False is the last one, until
    somebody calls `start` again. `name`: a few fixed words, for the log, readiness and the metrics.
    """

    def __init__(self, name: str, step: Callable[[], bool | None], *, longest_pause: float = LONGEST_PAUSE) -> None:
        self.name = name
        self._step = step
        self._longest_pause = longest_pause
        self._in_a_row = 0
        self._last = ""
        self._greenlet: gevent.Greenlet | None = None

    @property
    def running(self) -> bool:
        """Whether steps are made, or will be after a pause."""
        return self._greenlet is not None and not self._greenlet.dead

    @property
    def trouble(self) -> str | None:
        """Which error makes step after step fail, in words; None when the last steps went well."""
        if self._in_a_row < KEEPS_FAILING or not self.running:
            return None
        return f"failed {self._in_a_row} times in a row, is tried again: {self._last}"

    def start(self) -> None:
        """Begins with the first step. Does nothing while the loop runs."""
        if self._greenlet is None or self._greenlet.dead:
            self._in_a_row = 0
            _loops.add(self)
            failures[self.name] += 0  # a counter that begins at its first failure shows no increase
            self._greenlet = gevent.spawn(self._run)

    def stop(self, *, block: bool = True) -> None:
        """Ends the loop in whatever step. `block`: waits until the step has cleaned up. A step may call this itself."""
        greenlet, self._greenlet = self._greenlet, None
        _loops.discard(self)
        if greenlet is not None and greenlet is not gevent.getcurrent():
            greenlet.kill(block=block)

    def join(self) -> None:
        """Waits for the step that returns False."""
        if self._greenlet is not None:
            self._greenlet.join()

    def _run(self) -> None:
        # `turn`: the loop must not queue behind everybody's long work
        this, began_in = gevent.getcurrent(), turns()
        budget: Budget | None = None
        while self._greenlet is this:
            try:
                last = self._step() is False
            except (Exception, gevent.Timeout) as error:
                gevent.sleep(self._failed(error))
                continue
            self._in_a_row = 0
            if last:
                break
            ended_in = turns()
            if ended_in != began_in:  # the step has waited: the others have had their turn
                began_in, budget = ended_in, None
            elif budget is None:
                budget = Budget(give=turn)
            else:
                budget.spend()
        if self._greenlet is this:
            self._greenlet = None

    def _failed(self, error: BaseException) -> float:
        """Seconds until the next step."""
        self._in_a_row += 1
        self._last = f"{type(error).__name__}: {error}"[:300]
        failures[self.name] += 1
        kind = f"{self.name} {type(error).__name__}"
        _sparsely.log(logging.ERROR, kind, f"{self.name}: a background loop failed, it goes on", error=error)
        pause: float = SHORTEST_PAUSE * 2 ** min(self._in_a_row - 1, 20)
        return min(pause, self._longest_pause)


def trouble() -> str | None:
    """The loops of the process whose steps keep failing, with the reasons; None when there are none."""
    found = {loop.name: why for loop in list(_loops) if (why := loop.trouble) is not None}
    return "; ".join(f"{name} {why}" for name, why in sorted(found.items())) or None
