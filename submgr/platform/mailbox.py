# SPDX-License-Identifier: Apache-2.0
"""What many greenlets leave for one, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from gevent import get_hub
from gevent.hub import Waiter

T = TypeVar("T")


class Mailbox(Generic[T]):
    """A queue without a bound, whose `items` one greenlet takes. gevent's queues, with time limits and any number of
    takers, need twice the time."""

    __slots__ = ("_soon", "_waiter", "items")

    def __init__(self) -> None:
        self.items: deque[T] = deque()
        self._waiter: Waiter[None] | None = None
        self._soon: Callable[..., object] = get_hub().loop.run_callback

    def put(self, item: T) -> None:
        """Leaves an item. Never blocks."""
        self.items.append(item)
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            self._soon(waiter.switch, None)

    def wait(self) -> None:
        """Returns when there is an item. For the one greenlet that takes them."""
        while not self.items:
            waiter: Waiter[None] = Waiter()
            self._waiter = waiter
            waiter.get()
