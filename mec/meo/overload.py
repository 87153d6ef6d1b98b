# SPDX-License-Identifier: Apache-2.0
"""Overload: a platform over its limits, and nowhere to go for what runs on it."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from mec.meo.metrics import MeoMetrics
from submgr.platform.sparse_log import Sparsely

log = logging.getLogger(__name__)


class Overload:
    """Counts every round that ends so; logs sparsely; tells the monitor when it begins and when it is over."""

    def __init__(
        self,
        metrics: MeoMetrics,
        tell: Callable[[dict[str, Any]], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._metrics = metrics
        self._tell = tell
        self._wall = wall
        self._sparsely = Sparsely(log)
        self.platform: str | None = None
        """The platform that cannot be relieved at the moment."""

    def on(self, platform: str, reason: str, targets: Mapping[str, str]) -> None:
        """`reason`: what is wrong with `platform`; `targets`: why nothing can go to each of the others."""
        self._metrics.overloads.inc()
        self._sparsely.log(logging.WARNING, platform, "overload", platform=platform, why=reason, targets=len(targets))
        if self.platform != platform:
            self.platform = platform
            self._tell(
                {
                    "alert": "overload",
                    "platform": platform,
                    "reason": reason,
                    "reasons": dict(targets),
                    "timestamp": self._wall(),
                }
            )

    def off(self) -> None:
        """A round has found nothing that it could not relieve."""
        if self.platform is not None:
            log.info("overload is over", extra={"platform": self.platform})
            self._tell({"alert": "overload ended", "platform": self.platform, "timestamp": self._wall()})
            self.platform = None
