# SPDX-License-Identifier: Apache-2.0
"""The bounded queue between the sockets and the one greenlet that handles messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from gevent.event import Event

from submgr.platform.turns import Budget
from submgr.rmr.message import Message


class Inbox:
    """Messages in the order they came, in batches as they were read.

    When more than `max_messages` or `max_bytes` wait, `wait_for_room` holds the readers back until half
    of it has been handled: what is not read fills the sockets, and TCP holds the peers back.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._batches: deque[tuple[list[Message], int]] = deque()
        self._messages = 0
        self._bytes = 0
        self._filled = Event()
        self._room = Event()
        self._room.set()
        self._stopped = False

    def __len__(self) -> int:
        return self._messages

    def put(self, messages: list[Message], size: int) -> None:
        """Takes a batch that came in `size` bytes. Always succeeds: see wait_for_room."""
        self._batches.append((messages, size))
        self._messages += len(messages)
        self._bytes += size
        if self._messages >= self._max_messages or self._bytes >= self._max_bytes:
            self._room.clear()
        if not self._filled.is_set():
            self._filled.set()

    def full(self) -> bool:
        """Whether readers have to wait."""
        return not self._room.is_set()

    def wait_for_room(self) -> None:
        """Waits while the queue is full."""
        self._room.wait()

    def stop(self) -> None:
        """Lets `run` end after the message at hand."""
        self._stopped = True

    def _is_stopped(self) -> bool:
        return self._stopped

    def run(self, handle: Callable[[Message], None]) -> None:
        """Handles messages until it is stopped, letting others have their turn every few milliseconds."""
        batches = self._batches
        budget = Budget()
        while not self._is_stopped():
            if not batches:
                self._filled.clear()
                self._filled.wait()
                budget.renew()
            messages, size = batches.popleft()
            for message in messages:
                self._messages -= 1
                handle(message)
                if self._is_stopped():
                    return
                budget.spend()
            self._bytes -= size
            if (
                not self._room.is_set()
                and self._messages <= self._max_messages // 2
                and self._bytes <= self._max_bytes // 2
            ):
                self._room.set()
