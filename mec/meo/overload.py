# SPDX-License-Identifier: Apache-2.0
"""Overload: a platform is over its limits and no other can take its contexts."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from mec.meo.events import Events, Kind, Severity, some_reasons
from mec.meo.metrics import MeoMetrics
from submgr.platform.sparse_log import Sparsely

log = logging.getLogger(__name__)


class Overload:
    """Counts the rounds that end in overload, logs them sparsely, tells the monitor when overload begins and ends."""

    def __init__(
        self,
        metrics: MeoMetrics,
        tell: Callable[[dict[str, Any]], None],
        events: Events,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._metrics = metrics
        self._tell = tell
        self._events = events
        self._wall = wall
        self._sparsely = Sparsely(log)
        self.platform: str | None = None
        """The platform that cannot be relieved at the moment."""

    def on(self, platform: str, reason: str, targets: Mapping[str, str]) -> None:
        """A round could not relieve `platform`. `reason`: its violation. `targets`: why the others take nothing."""
        self._metrics.overloads.inc()
        self._sparsely.log(logging.WARNING, platform, "overload", platform=platform, why=reason, targets=len(targets))
        if self.platform != platform:
            self.platform = platform
            self._events.tell(
                Kind.OVERLOAD, Severity.ERROR, "begun", platform=platform, reason=reason, reasons=some_reasons(targets)
            )
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
        """A round has left no platform in overload."""
        if self.platform is not None:
            log.info("overload is over", extra={"platform": self.platform})
            self._events.tell(Kind.OVERLOAD, Severity.INFO, "over", platform=self.platform)
            self._tell({"alert": "overload ended", "platform": self.platform, "timestamp": self._wall()})
            self.platform = None
