# SPDX-License-Identifier: Apache-2.0
"""What a simulator has seen and done, in order, and a way to wait for it without sleeping."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from gevent.event import Event

DEFAULT_LIMIT = 50_000

Entry = dict[str, Any]


class EventLog:
    """An ordered log of the last `limit` events.

    An entry has `n` (counts from 1 and never repeats), `time` (seconds, the monotonic clock of the machine,
    comparable between simulators), `event` and the facts of the event.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._count = 0
        self._changed = Event()

    def add(self, event: str, **facts: Any) -> None:
        """Appends an event and wakes who waits."""
        self._count += 1
        self._entries.append({"n": self._count, "time": time.monotonic(), "event": event, **facts})
        self.changed()

    def changed(self) -> None:
        """Lets those who wait look again."""
        if not self._changed.is_set():
            self._changed.set()

    def entries(self, since: int = 0, event: str | None = None) -> list[Entry]:
        """Entries with a number above `since`, of one kind or of all."""
        return [entry for entry in self._entries if entry["n"] > since and (event is None or entry["event"] == event)]

    def clear(self) -> None:
        """Forgets the entries; their numbers go on."""
        self._entries.clear()

    def wait(self, condition: Callable[[], bool], timeout: float = 10.0) -> bool:
        """Waits until the condition holds, looking again after every event; False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._changed.clear()
            self._changed.wait(left)
        return True
