# SPDX-License-Identifier: Apache-2.0
"""The one way in which tests wait for what another greenlet, process or peer has to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import gevent

T = TypeVar("T")


def eventually(
    condition: Callable[[], T], seconds: float = 20.0, *, what: str | Callable[[], object] = "", every: float = 0.003
) -> T:
    """Asks `condition` every few milliseconds; returns its answer as soon as that is true.

    Raises AssertionError after `seconds`, also when `condition` itself hangs. The message has `what` (a text, or a
    function that is asked for one only then) and the last answer.
    """
    __tracebackhide__ = True
    answer: object = "none"
    with gevent.Timeout(seconds, False):
        while not (answer := condition()):
            gevent.sleep(every)
        return answer
    # the time may have run out while it was asked: once more
    with gevent.Timeout(seconds, False):
        if answer := condition():
            return answer
    told = what() if callable(what) else what
    raise AssertionError(f"not within {seconds:g} s: {told or 'what is awaited'}; the last answer was {answer!r}")
