# SPDX-License-Identifier: Apache-2.0
"""The receive queue of a transport, and the one greenlet that gives its messages to the application."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

import gevent
from gevent.event import Event

from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import Budget
from submgr.rmr import mtypes
from submgr.rmr.counters import Counters
from submgr.rmr.message import Message, Status
from submgr.rmr.transport import Failed, OnError, OnMessage, TransportConfig

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE = 1.0
HEALTHY = b"OK\n"
"""Payload of the answer to a health check."""


class ReceiveQueue:
    """Received messages in the order they came, in batches as the sockets delivered them.

    The queue is full when `max_messages` or `max_bytes` wait. `wait_for_room` then holds the readers back until the
    application has handled half of the messages: the sockets fill up, and TCP holds the peers back.
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
        """Adds a batch that came in `size` bytes. A full queue takes it too: readers call `wait_for_room` before."""
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
        """Makes `run` return after the message at hand."""
        self._stopped = True

    def run(self, handle: Callable[[Message], None]) -> None:
        """Calls `handle` for message after message until `stop`. Others have their turn every few milliseconds.

        After an exception of `handle`, another call goes on with the next message.
        """
        batches = self._batches
        budget = Budget()
        while not self._is_stopped():
            if not batches:
                self._filled.clear()
                self._filled.wait()
                budget.renew()
            messages, size = batches.popleft()
            for at, message in enumerate(messages, 1):
                self._messages -= 1
                try:
                    handle(message)
                except BaseException:
                    batches.appendleft((messages[at:], size))
                    raise
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

    def _is_stopped(self) -> bool:
        return self._stopped


class Receiver:
    """Empties the receive queue of a transport.

    The receiver answers a health check (type 100) itself, through `answer_health`, when the check's turn in the queue
    comes: the answer shows that the handler is alive. An exception of the handler, or of a sender's `failed`, is a
    bug. The receiver passes it to `on_error`, or logs its traceback when there is no `on_error`, and goes on.
    """

    def __init__(
        self,
        config: TransportConfig,
        counters: Counters,
        on_message: OnMessage,
        on_error: OnError | None,
        answer_health: Callable[[Message], Status],
    ) -> None:
        self.queue = ReceiveQueue(config.receive_queue, config.receive_bytes)
        self._counters = counters
        self._on_message = on_message
        self._on_error = on_error
        self._answer_health = answer_health
        self._loop = SupervisedLoop("rmr receiver", self._step, longest_pause=_LONGEST_PAUSE)

    def start(self) -> None:
        """Starts the greenlet that handles the messages in the queue."""
        self._loop.start()

    def stop(self) -> None:
        """Handles no more messages. When the handler itself calls this, the message at hand is the last one."""
        self.queue.stop()
        if left := len(self.queue):
            self._counters.dropped["stopped"] += left
        self._loop.stop()

    def tell(self, failed: Failed, reason: str) -> None:
        """Tells a sender that its message was not sent. Never raises."""
        try:
            failed(reason)
        except (Exception, gevent.Timeout) as bug:
            self._bug(bug, "telling that a message was not sent")

    def _step(self) -> bool:
        self.queue.run(self._handle)
        return False

    def _handle(self, message: Message) -> None:
        self._counters.received += 1
        try:
            if message.mtype != mtypes.RIC_HEALTH_CHECK_REQ:
                self._on_message(message)
            elif self._answer_health(message) is not Status.OK:
                self._counters.dropped["health_check"] += 1
        except (Exception, gevent.Timeout) as bug:
            self._bug(bug, f"handling a message of type {message.mtype}")

    def _bug(self, bug: BaseException, doing: str) -> None:
        self._counters.handler_errors += 1
        if self._on_error is not None:
            self._on_error(bug)
        else:
            _LOG.error("rmr: bug while %s", doing, exc_info=bug)
