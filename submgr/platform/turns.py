# SPDX-License-Identifier: Apache-2.0
"""Long work in a greenlet without holding up the others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import gevent

from submgr.platform.store import ONE_TURN

__all__ = ["ONE_TURN", "SLICE", "in_turns"]

T = TypeVar("T")

SLICE = 0.005
"""Seconds of work after which the others have their turn."""


def in_turns(items: Iterable[T]) -> Iterator[T]:
    """The items; after each few milliseconds of what is done with them, everybody else has a turn.

    What is gone through must not change meanwhile: give a copy.
    """
    clock = time.monotonic
    until = clock() + SLICE
    for item in items:
        yield item
        if clock() > until:
            gevent.sleep(ONE_TURN)
            until = clock() + SLICE
