# SPDX-License-Identifier: Apache-2.0
"""Places in the notification queues: who is accepted has the room for being told how it ended."""

from __future__ import annotations

from collections.abc import Callable


class Places:
    """Counts the places taken per group (an xApp's HTTP endpoint).

    `bound` tells the places of one group; it is asked at each reservation, so that a new setting counts at once.
    Not for threads: every operation is one step without a yield.
    """

    def __init__(self, bound: Callable[[], int]) -> None:
        self._bound = bound
        self._taken: dict[str, int] = {}

    def reserve(self, group: str, n: int) -> bool:
        """Take `n` places, or none and answer False when fewer are free."""
        if self.taken(group) + n > self._bound():
            return False
        self.take(group, n)
        return True

    def take(self, group: str, n: int = 1) -> None:
        """Take `n` places, free or not: for what has to be told although nobody asked for it just now."""
        if n > 0:
            self._taken[group] = self.taken(group) + n

    def release(self, group: str, n: int = 1) -> None:
        """Give `n` places back, at most those that are taken."""
        left = self.taken(group) - n
        if left > 0:
            self._taken[group] = left
        else:
            self._taken.pop(group, None)

    def taken(self, group: str) -> int:
        return self._taken.get(group, 0)

    def total(self) -> int:
        """Places taken in all groups."""
        return sum(self._taken.values())
