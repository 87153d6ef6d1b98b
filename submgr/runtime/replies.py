# SPDX-License-Identifier: Apache-2.0
"""Where the REST requests wait for their workers."""

from __future__ import annotations

import itertools

from gevent.event import AsyncResult

from submgr.runtime.worker import RestReply


class Replies:
    """REST requests that wait for their worker, by token. The worker calls `reply`, which never blocks."""

    def __init__(self) -> None:
        self._waiting: dict[int, AsyncResult[RestReply]] = {}
        self._tokens = itertools.count(1)

    def open(self) -> tuple[int, AsyncResult[RestReply]]:
        """Returns a new token, and where its reply will be."""
        token = next(self._tokens)
        result: AsyncResult[RestReply] = AsyncResult()
        self._waiting[token] = result
        return token, result

    def token(self) -> int:
        """Returns a token for a request that is answered elsewhere (over RMR)."""
        return next(self._tokens)

    def close(self, token: int) -> None:
        """Nobody waits for this reply any more."""
        self._waiting.pop(token, None)

    def reply(self, reply: RestReply) -> None:
        waiting = self._waiting.pop(reply.token, None)
        if waiting is not None:
            waiting.set(reply)
