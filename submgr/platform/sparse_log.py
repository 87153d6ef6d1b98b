# SPDX-License-Identifier: Apache-2.0
"""Keeps the log lines few that an outsider can cause at will: unknown answers, broken frames, refused writes."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any


class Sparsely:
    """Logs the first event of a kind, then at most one line per kind and `interval` (s) with how many it stands for.

    `max_kinds`: so many kinds are remembered, the latest ones.
    """

    def __init__(
        self,
        logger: logging.Logger,
        interval: float = 60.0,
        max_kinds: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._interval = interval
        self._max_kinds = max_kinds
        self._clock = clock
        self._kinds: OrderedDict[str, list[float]] = OrderedDict()

    def log(self, level: int, kind: str, message: str, **fields: Any) -> None:
        """Logs `message` with `fields`, unless `kind` was logged less than `interval` ago.

        After events were left out, the field `times` tells how many events the line stands for.
        """
        now = self._clock()
        seen = self._kinds.get(kind)
        if seen is not None and now - seen[0] < self._interval:
            seen[1] += 1
            return
        if seen is not None and seen[1]:
            fields["times"] = int(seen[1]) + 1
        self._kinds[kind] = [now, 0]
        self._kinds.move_to_end(kind)
        if len(self._kinds) > self._max_kinds:
            self._kinds.popitem(last=False)
        self._logger.log(level, message, extra=fields)
