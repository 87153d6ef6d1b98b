# SPDX-License-Identifier: Apache-2.0
"""Gives received messages to the application, one after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent

from submgr.rmr import mtypes
from submgr.rmr.counters import Counters
from submgr.rmr.inbox import Inbox
from submgr.rmr.message import Message, Status
from submgr.rmr.transport import Failed, OnError, OnMessage, TransportConfig

_LOG = logging.getLogger(__name__)
HEALTHY = b"OK\n"


class Handling:
    """The receive queue of a transport and the greenlet that empties it.

    A health check (type 100) is answered here, through `answer_health`, when its turn comes: it tells that
    the handler is alive. An exception of the handler, or of a sender's `failed`, is a bug: it goes to
    `on_error`, without one to the log with its traceback; the transport goes on.
    """

    def __init__(
        self,
        config: TransportConfig,
        counters: Counters,
        on_message: OnMessage,
        on_error: OnError | None,
        answer_health: Callable[[Message], Status],
    ) -> None:
        self.inbox = Inbox(config.receive_queue, config.receive_bytes)
        self._counters = counters
        self._on_message = on_message
        self._on_error = on_error
        self._answer_health = answer_health
        self._greenlet: Any = None

    def start(self) -> None:
        """Begins to handle what is in the queue."""
        self._greenlet = gevent.spawn(self.inbox.run, self._handle)

    def stop(self) -> None:
        """Handles nothing more, after the message at hand when the handler itself calls it."""
        self.inbox.stop()
        if left := len(self.inbox):
            self._counters.dropped["stopped"] += left
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is not None and greenlet is not gevent.getcurrent():
            greenlet.kill()

    def tell(self, failed: Failed, reason: str) -> None:
        """Tells a sender that its message was not sent."""
        try:
            failed(reason)
        except (Exception, gevent.Timeout) as bug:
            self._bug(bug, "telling that a message was not sent")

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
