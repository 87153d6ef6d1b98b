# SPDX-License-Identifier: Apache-2.0
"""Long work in a greenlet without holding up the others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import gevent
from gevent.lock import Semaphore

from submgr.platform.store.base import ONE_TURN

__all__ = ["ONE_TURN", "SLICE", "in_turns", "pause"]

T = TypeVar("T")

SLICE = 0.005
"""Seconds of work after which the others have their turn."""

_next_long_one = Semaphore(1)


def pause() -> None:
    """Between two slices of long work: everybody else has a turn.

    Whoever is at long work, too, goes on in another turn of the event loop: twenty slices in one would hold up the
    rest as one long one does.
    """
    with _next_long_one:
        gevent.sleep(ONE_TURN)


def in_turns(items: Iterable[T]) -> Iterator[T]:
    """The items; after each few milliseconds of what is done with them, everybody else has a turn.

    What is gone through must not change meanwhile: give a copy.
    """
    clock = time.monotonic
    until = clock() + SLICE
    for item in items:
        yield item
        if clock() > until:
            pause()
            until = clock() + SLICE
