# SPDX-License-Identifier: Apache-2.0
"""Where the REST requests wait for their workers."""

from __future__ import annotations

import itertools

from gevent import get_hub
from gevent.hub import Waiter

from submgr.runtime.worker import RestReply


class Replies:
    """REST requests that wait for their worker, by token. The worker calls `reply`, which never blocks."""

    def __init__(self) -> None:
        self._waiting: dict[int, Waiter[RestReply]] = {}
        self._soon = get_hub().loop.run_callback
        self._tokens = itertools.count(1)

    def open(self) -> tuple[int, Waiter[RestReply]]:
        """Returns a new token, and what waits for its reply, once."""
        token = next(self._tokens)
        waiter: Waiter[RestReply] = Waiter()
        self._waiting[token] = waiter
        return token, waiter

    def token(self) -> int:
        """Returns a token for a request that is answered elsewhere (over RMR)."""
        return next(self._tokens)

    def close(self, token: int) -> None:
        """Nobody waits for this reply any more."""
        self._waiting.pop(token, None)

    def reply(self, reply: RestReply) -> None:
        waiter = self._waiting.pop(reply.token, None)
        if waiter is not None:
            self._soon(waiter.switch, reply)
