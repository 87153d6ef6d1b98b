# SPDX-License-Identifier: Apache-2.0
"""How often and when something is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retries:
    """`tries`: of a request that does not reach the Subscription Manager, or that it cannot take now (503, 409).

    Between two tries are `first` seconds, then twice as many each time, at most `most`; each pause is cut by up to half
    at random, so that xApps that started together do not come together. `resends`: how often `wait` sends a request
    again whose notifications do not come.
    """

    tries: int = 4
    first: float = 0.5
    most: float = 10.0
    resends: int = 2

    def pause(self, tried: int, told: float | None = None) -> float:
        """Seconds before the next try, after `tried` of them. `told`: what the Subscription Manager asked for."""
        longest = min(self.first * 2.0 ** min(tried - 1, 30), self.most)
        if told is not None:
            return min(max(told, 0.0), self.most) + longest * random.uniform(0.0, 0.5)
        return longest * random.uniform(0.5, 1.0)
