# SPDX-License-Identifier: Apache-2.0
"""The ordered log of what a simulator has seen and done, and a way to wait for an event without sleeping."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from gevent.event import Event

DEFAULT_LIMIT = 50_000
KEPT = 200_000
"""A simulator keeps so many of the newest items of a list, and at most a tenth more."""

Entry = dict[str, Any]
T = TypeVar("T")


class EventLog:
    """An ordered log of the last `limit` events.

    An entry has `n` (counts from 1 and never repeats), `time` (seconds, the monotonic clock of the machine,
    comparable between simulators), `event` and the facts of the event.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._count = 0
        self._waiting: list[Event] = []

    def add(self, event: str, **facts: Any) -> None:
        """Appends an event and wakes those who wait."""
        self._count += 1
        self._entries.append({"n": self._count, "time": time.monotonic(), "event": event, **facts})
        self.wake()

    def wake(self) -> None:
        """Wakes those who wait: something has changed that is no event."""
        for waiter in self._waiting:
            waiter.set()

    def entries(self, since: int = 0, event: str | None = None) -> list[Entry]:
        """Entries with a number above `since`, of one kind or of all."""
        return [entry for entry in self._entries if entry["n"] > since and (event is None or entry["event"] == event)]

    def clear(self) -> None:
        """Forgets the entries; their numbers go on."""
        self._entries.clear()

    def wait(self, condition: Callable[[], bool], timeout: float = 10.0) -> bool:
        """Waits until the condition holds, looking again after every event; False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        changed = Event()
        self._waiting.append(changed)
        try:
            while not condition():
                changed.clear()
                if not changed.wait(deadline - time.monotonic()):
                    return condition()
            return True
        finally:
            self._waiting.remove(changed)


def remember(items: list[T], item: T, kept: int = KEPT) -> None:
    """Appends to a list that must not grow for ever."""
    items.append(item)
    if len(items) > kept + kept // 10:
        del items[:-kept]
