# SPDX-License-Identifier: Apache-2.0
"""Requests to E2 nodes that wait for the first route table after a start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import gevent
from msgspec import Struct

HELD_REQUESTS = 10_000
"""Requests that may wait. One more is told as not sent at once."""
MARGIN = 0.1
"""Seconds before the end of its E2 timer at which a request is told as not sent, or a tenth of a shorter timer: the
timer must not run out before the reason is known."""


class Timer(Protocol):
    """A call in the future."""

    def kill(self, *, block: bool) -> None: ...


class _Held(Struct, frozen=True):
    has_route: Callable[[], bool]
    send: Callable[[], None]
    give_up: Callable[[], None]
    timer: Timer


class HeldRequests:
    """Holds a request until it has a route, at most as long as its E2 timer runs.

    A later request for the same subscription replaces the earlier one: the earlier one's procedure is over.
    `later(seconds, call, argument)` makes a timer.
    """

    def __init__(self, later: Callable[..., Timer] = gevent.spawn_later) -> None:
        self._later = later
        self._held: dict[tuple[str, int], _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def hold(
        self,
        key: tuple[str, int],
        wait: float,
        has_route: Callable[[], bool],
        send: Callable[[], None],
        give_up: Callable[[], None],
    ) -> bool:
        """Calls `send` when `has_route()`, or `give_up` shortly before `wait` seconds are over. False: no room."""
        self.drop(key)
        if len(self._held) >= HELD_REQUESTS:
            return False
        timer = self._later(wait - min(MARGIN, wait / 10), self._expire, key)
        self._held[key] = _Held(has_route, send, give_up, timer)
        return True

    def drop(self, key: tuple[str, int]) -> None:
        """Forgets a request without a word."""
        if (known := self._held.pop(key, None)) is not None:
            known.timer.kill(block=False)

    def drop_node(self, meid: str) -> None:
        """Forgets the requests to an E2 node."""
        for key in [key for key in self._held if key[0] == meid]:
            self.drop(key)

    def release(self) -> None:
        """Sends those that have a route now, oldest first."""
        for key, held in list(self._held.items()):
            if held.has_route():
                self.drop(key)
                held.send()

    def _expire(self, key: tuple[str, int]) -> None:
        known = self._held.pop(key, None)
        if known is not None:
            known.give_up()
