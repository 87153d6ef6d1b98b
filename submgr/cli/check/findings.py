# SPDX-License-Identifier: Apache-2.0
"""What was found in a file."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import Struct, field

from submgr.platform.config.file import Problem

MOST = 1000
"""Mistakes that are kept; more are counted."""


class Findings(Struct):
    """The mistakes in a file, in the order of its lines.

    `verdict`: what becomes of the file, "" when there is nothing to add to the number of mistakes. `notes`: what was
    not looked at.
    """

    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    verdict: str = ""
    notes: list[str] = field(default_factory=list)

    def add(self, problems: Iterable[Problem]) -> None:
        """Takes mistakes; a second one in the same words and place follows from the first."""
        for problem in problems:
            if problem in self.problems[-100:]:
                continue
            self.count += 1
            if len(self.problems) < MOST:
                self.problems.append(problem)

    def sort(self) -> None:
        """Puts the mistakes into the order of the file. What is said of the whole file comes last."""
        self.problems.sort(key=lambda problem: problem.line or (0 if problem.path else math.inf))
