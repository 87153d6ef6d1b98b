# SPDX-License-Identifier: Apache-2.0
"""The time between two rounds. A changed setting takes effect at once."""

from collections.abc import Callable

from gevent.event import Event


class Period:
    """Waits for so long as `seconds` says. One greenlet waits at a time."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._changed = Event()

    def wait(self) -> None:
        """Waits for the end of a period. The period begins now, and anew with each `renew`."""
        while self._changed.wait(self._seconds()):
            self._changed.clear()

    def renew(self) -> None:
        """Begins the period that is under way anew: its length has changed."""
        self._changed.set()
