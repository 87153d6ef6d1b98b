# SPDX-License-Identifier: Apache-2.0
"""How many examples a property is tried with: fewer with each run of a developer, the full number in CI."""

from __future__ import annotations

from hypothesis import settings

FULL = 100
"""Examples of one property in CI."""
QUICK = 25
"""Examples of one property in a developer's run, who makes many runs: each draws others."""


def examples(full: int, least: int = 1) -> int:
    """How many examples the profile that is loaded allows of a property that has `full` of them in CI."""
    return max(least, full * min(settings.default.max_examples, FULL) // FULL)
