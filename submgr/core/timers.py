# SPDX-License-Identifier: Apache-2.0
"""The timers as a table: what each waits for, how long, and how often the guarded request is sent.

The seconds and tries of `T_SUB` and `T_DEL` come from the request or the configuration. `T_ROUTE`, `T_STORE` and
`T_ANSWER` guard the ports, which bound their own work a little tighter: such a timer fires only when a port never
answers. The seconds of `T_ROUTE` follow the configured time of a route call.
"""

from __future__ import annotations

from msgspec import Struct


class Timer(Struct, frozen=True):
    """`seconds` and `tries` are defaults; a setting may be from `low` to `high` seconds."""

    name: str
    seconds: float
    tries: int
    low: float
    high: float
    waits_for: str


T_SUB = Timer("T_SUB", 2.0, 2, 0.01, 600.0, "RIC Subscription Response or Failure from the E2 node")
T_DEL = Timer("T_DEL", 2.0, 2, 0.01, 600.0, "RIC Subscription Delete Response or Failure from the E2 node")
T_ROUTE = Timer("T_ROUTE", 4.0, 1, 1.0, 60.0, "the Routing Manager's answer")
T_STORE = Timer("T_STORE", 4.0, 1, 1.0, 60.0, "the acknowledgement of a write")
T_ANSWER = Timer("T_ANSWER", 10.0, 1, 1.0, 60.0, "the 201 to be written to its socket")
T_REMOVAL = Timer("T_REMOVAL", 10.0, 0, 1.0, 300.0, "the next try of what could not be done")

TIMERS = (T_SUB, T_DEL, T_ROUTE, T_STORE, T_ANSWER, T_REMOVAL)
ADJUSTABLE = (T_SUB, T_DEL, T_ROUTE)
"""Those that run as long as the request or the configuration says."""


def removal_delay(failures: int) -> float:
    """Returns the seconds to the next try after this many failed ones: 10, 20, 40 ... at most 300."""
    return float(min(T_REMOVAL.seconds * 2 ** min(failures - 1, 10), T_REMOVAL.high))
