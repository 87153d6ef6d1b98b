# SPDX-License-Identifier: Apache-2.0
"""Log lines of procedures that have ended: INFO when they did what they were to do, else WARNING."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from submgr.core.commands import Finished, Notify, Outcome
from submgr.platform.log_records import Line
from submgr.platform.sparse_log import Sparsely

log = logging.getLogger(__name__)

GOOD = (Outcome.SUCCESS, Outcome.PARTIAL)
BURST = 20
"""Failures of one procedure, outcome, E2 node and cause that have a line each in a minute. The others are counted."""
MOST = 2000
"""Failures of all kinds that have a line each in a minute."""


class ProcedureLines:
    """Writes the lines. An outsider can make procedures fail at will, so failures that are alike are not all logged."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._sparsely = Sparsely(log, clock=clock, burst=BURST, most=MOST)

    def ended(self, meid: str, finished: Finished) -> None:
        """A procedure has ended."""
        good = finished.outcome in GOOD
        if good and not log.isEnabledFor(logging.INFO):
            return
        about, outcome = finished.about, finished.outcome.value
        fields: dict[str, Any] = {
            "meid": meid,
            "instance_id": finished.instance_id,
            "subscription_id": finished.subscription_id,
            "outcome": outcome,
            "ms": round(finished.seconds * 1000, 1),
            "detail": finished.detail,
            "xapp": about.xapp,
        }
        if about.xapp_event_instance_id is not None:
            fields["xapp_event_instance_id"] = about.xapp_event_instance_id
        if about.ran_function_id is not None:
            fields["ran_function_id"] = about.ran_function_id
        if finished.failure is not None:
            fields["source"] = finished.failure.source.value
        message = f"{finished.procedure} {outcome}"
        if good:
            log.handle(Line(log.name, logging.INFO, message, fields))
        else:
            self._sparsely.log(logging.WARNING, f"{message} {meid} {finished.detail}", message, **fields)

    def unmet(self, meid: str, told: Notify, ran_function_id: int | None) -> None:
        """An xApp is told of a failure that no procedure has had."""
        failure = told.failure
        assert failure is not None
        self._sparsely.log(
            logging.WARNING,
            f"unmet {meid} {failure.cause}",
            "subscribe failed",
            meid=meid,
            xapp=told.endpoint.host,
            xapp_event_instance_id=told.xapp_event_instance_id,
            ran_function_id=ran_function_id,
            subscription_id=told.subscription_id,
            outcome=Outcome.FAILED.value,
            detail=failure.cause,
            source=failure.source.value,
        )
