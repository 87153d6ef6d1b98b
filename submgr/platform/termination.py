# SPDX-License-Identifier: Apache-2.0
"""Runs a program until SIGTERM or SIGINT."""

import signal
from collections.abc import Callable

import gevent
from gevent.event import Event

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_until_terminated(
    start: Callable[[], object],
    stop: Callable[[], object],
    ended: Event | None = None,
    end: Callable[[], object] | None = None,
) -> None:
    """Calls `start`, waits for `ended` or one of SIGNALS, and calls `stop`, also when `start` raises.

    `end` is called at a signal and has to set `ended`; by default it does only that.
    """
    over = Event() if ended is None else ended
    for number in SIGNALS:
        gevent.signal_handler(number, over.set if end is None else end)
    try:
        start()
        over.wait()
    finally:
        stop()
