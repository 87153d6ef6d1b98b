# SPDX-License-Identifier: Apache-2.0
"""The time between two rounds, which a changed setting ends or prolongs at once."""

from collections.abc import Callable

from gevent.event import Event


class Period:
    """`seconds` gives the setting in force. One greenlet waits at a time."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._changed = Event()

    def wait(self) -> None:
        """Waits for the end of a period that begins now, or with the latest `renew`."""
        while self._changed.wait(self._seconds()):
            self._changed.clear()

    def renew(self) -> None:
        """Begins the period that is under way anew: its length has changed."""
        self._changed.set()
