# SPDX-License-Identifier: Apache-2.0
"""How many steps procedures take, as numbers: each has its price in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from submgr.core.context import NodeContext
from submgr.core.procedures.base import Procedure


def counted_steps(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """`feeds`: events that procedures are fed; `timers`: those that they arm; both from now on."""
    counts: Counter[str] = Counter()

    def count(owner: type, method_name: str, name: str) -> None:
        method: Callable[..., Any] = getattr(owner, method_name)

        def call(*args: Any) -> Any:
            counts[name] += 1
            return method(*args)

        monkeypatch.setattr(owner, method_name, call)

    count(Procedure, "feed", "feeds")
    count(NodeContext, "new_step", "timers")
    return counts
