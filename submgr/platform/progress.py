# SPDX-License-Identifier: Apache-2.0
"""How far long work is, on standard error: a bar at a terminal, a line now and then anywhere else.

Standard output is for results, and is never touched. Work that is done within two seconds says nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
import gevent

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

QUIET = 2.0
"""Seconds in which nothing is said."""
LONGEST = 15.0
"""Seconds between two lines at most; they come further and further apart."""
_LOOK = 0.25
"""Seconds between two looks whether there is something to say, and two pictures of a bar."""


class Progress:
    """Tells of work that has `total` steps, or nobody knows how many. Use it in a `with` block.

    A greenlet says how long it has taken while the work waits for something; work that never waits calls `step`.
    Outside of its block it says nothing.
    """

    def __init__(self, total: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        """May become known later."""
        self._clock = clock
        self._words = ""
        self._done = 0
        self._began = self._looked = clock()
        self._pause = QUIET
        self._next = self._began + QUIET
        self._bar: Bar | None = None
        self._ticking: gevent.Greenlet[[], None] | None = None

    def __enter__(self) -> Self:
        self._ticking = gevent.spawn(self._tick)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ticking is not None:
            self._ticking.kill()
            self._ticking = None
        self._erase()

    def prints(self, result: str | bytes) -> None:
        """A line of the result on standard output. A bar makes room for it first: both may be at one terminal."""
        self._erase()
        click.echo(result)

    def says(self, words: str) -> None:
        """What is under way from now on."""
        self._words = words
        self.step(0)

    def step(self, count: int = 1) -> None:
        """So many steps are done. Costs next to nothing."""
        self._done += count
        now = self._clock()
        if now - self._looked >= _LOOK:
            self._looked = now
            self.look(now)

    def look(self, now: float) -> None:
        """Says how far it is, if it is time for that."""
        if now < self._next or self._ticking is None:
            return
        if sys.stderr.isatty():
            self._draw()
            return
        self._pause = min(2 * self._pause, LONGEST)
        self._next = now + self._pause
        click.echo(f"{now - self._began:.0f} s: {self.words()}", err=True)

    def words(self) -> str:
        """What is under way, and how much of it is done."""
        done = f"{self._done} of {self.total}" if self.total is not None else str(self._done or "")
        return ", ".join(filter(None, [self._words, done])) or "under way"

    def _tick(self) -> None:
        while True:
            gevent.sleep(_LOOK)
            self.look(self._clock())

    def _draw(self) -> None:
        if self._bar is None:
            self._bar = _bar(self.total)
            self._bar.start()
        (task,) = self._bar.task_ids
        took = f"{self._clock() - self._began:.0f} s"
        self._bar.update(task, description=f"{took}  {self._words or 'under way'}", completed=self._done)
        self._bar.refresh()

    def _erase(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _bar(total: int | None) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = [TextColumn("{task.description}", markup=False), BarColumn()]
    if total is not None:
        columns.append(MofNCompleteColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True, auto_refresh=False, redirect_stdout=False)
    bar.add_task("", total=total)
    return bar
