# SPDX-License-Identifier: Apache-2.0
"""The one way in which tests wait for what another greenlet, process or peer has to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import gevent

from submgr.platform.turns import turn

T = TypeVar("T")
LEAST_OFTEN = 0.03
"""Seconds between two questions in the end: a question is often a request, which costs both sides their processor."""


def eventually(
    condition: Callable[[], T], seconds: float = 20.0, *, what: str | Callable[[], object] = "", every: float = 0.003
) -> T:
    """Asks `condition` every few milliseconds, then ever less often; returns its answer as soon as that is true.

    Raises AssertionError after `seconds`, also when `condition` itself hangs. The message has `what` (a text, or a
    function that is asked for one only then) and the last answer.
    """
    __tracebackhide__ = True
    answer: object = "none"
    pause = every
    with gevent.Timeout(seconds, False):
        while not (answer := condition()):
            gevent.sleep(pause)
            pause = max(every, min(1.1 * pause, LEAST_OFTEN))
        return answer
    # the time may have run out while it was asked: once more
    with gevent.Timeout(seconds, False):
        if answer := condition():
            return answer
    told = what() if callable(what) else what
    raise AssertionError(f"not within {seconds:g} s: {told or 'what is awaited'}; the last answer was {answer!r}")


def turns_until(condition: Callable[[], object], at_most: int = 50_000, *, what: str = "") -> None:
    """Gives the other greenlets, sockets and timers one turn after the other until `condition` holds.

    For unit tests, in which no time passes. Raises AssertionError after `at_most` turns.
    """
    __tracebackhide__ = True
    for _ in range(at_most):
        if condition():
            return
        turn()
    raise AssertionError(f"not within {at_most} turns: {what or 'what is awaited'}")


@contextmanager
def at_work(*works: Callable[[], object]) -> Iterator[list[gevent.Greenlet]]:
    """Has `works` done meanwhile, each in a greenlet. None outlives the body: what a test that has failed leaves
    behind would go on beside the next ones of its process."""
    greenlets = [gevent.spawn(work) for work in works]
    try:
        yield greenlets
    finally:
        gevent.killall(greenlets)
