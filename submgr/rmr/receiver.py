# SPDX-License-Identifier: Apache-2.0
"""The one greenlet of a transport that gives received messages to the application."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gevent

from submgr.platform.supervised import SupervisedLoop
from submgr.rmr import mtypes
from submgr.rmr.counters import Counters
from submgr.rmr.message import Message, Status
from submgr.rmr.receive_queue import ReceiveQueue
from submgr.rmr.transport import Failed, OnError, OnMessage, TransportConfig

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE = 1.0
HEALTHY = b"OK\n"
"""Payload of the answer to a health check."""


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
