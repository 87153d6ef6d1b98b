# SPDX-License-Identifier: Apache-2.0
"""Keeps the entries few of what somebody outside repeats at will, so that they push nothing else out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

INTERVAL = 60.0
"""Seconds."""
KINDS = 1000
"""Kinds that are remembered, the latest ones."""


class Repeats:
    """Tells whether something of a kind is due to be written down: `at_once` times in an interval, then after it."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._kinds: OrderedDict[Hashable, list[float]] = OrderedDict()
        """Since when each kind is counted, and how often it has come since."""

    def due(self, kind: Hashable, now: float) -> int | None:
        """How many of the kind were left out before this one; None: this one is left out, too. `now` in seconds."""
        seen = self._kinds.get(kind)
        if seen is not None and now - seen[0] < INTERVAL:
            seen[1] += 1
            return 0 if seen[1] <= self._at_once else None
        self._kinds[kind] = [now, 1]
        self._kinds.move_to_end(kind)
        if len(self._kinds) > KINDS:
            self._kinds.popitem(last=False)
        return max(0, int(seen[1]) - self._at_once) if seen is not None else 0


def and_more(left_out: int) -> str:
    """What is added to the words of something that stands for others as well; "" when it stands for none."""
    return f" (and {left_out} more like it)" if left_out else ""
