# SPDX-License-Identifier: Apache-2.0
"""Keeps idle connections open for the next request to the same server."""

from collections import OrderedDict, deque
from time import monotonic

import gevent

from submgr.platform.http.buffered_socket import BufferedSocket
from submgr.platform.http.errors import Endpoint
from submgr.platform.supervised import SupervisedLoop


class IdlePool:
    """Open connections without a request: at most `per_endpoint` of them to one endpoint and `total` in all.

    A connection that has been idle for `max_age` seconds is closed by a loop, which ends when the pool is empty.
    """

    def __init__(self, per_endpoint: int, total: int, max_age: float) -> None:
        self._per_endpoint = per_endpoint
        self._total = total
        self._max_age = max_age
        self._idle: OrderedDict[Endpoint, deque[tuple[BufferedSocket, float]]] = OrderedDict()
        self._count = 0
        self._sweeper = SupervisedLoop("idle connections", self._sweep)

    def __len__(self) -> int:
        return self._count

    def take(self, endpoint: Endpoint) -> BufferedSocket | None:
        """The connection to `endpoint` that was put back last and that its peer has not closed, or None."""
        kept = self._idle.get(endpoint)
        while kept:
            connection, since = kept.pop()
            self._count -= 1
            if not kept:
                del self._idle[endpoint]
            if monotonic() - since < self._max_age and connection.is_silent():
                return connection
            connection.close()
        return None

    def put(self, endpoint: Endpoint, connection: BufferedSocket) -> None:
        """Keeps a connection. Above a bound, closes the one that has been idle longest, of this endpoint or of all."""
        connection.forget()
        kept = self._idle.get(endpoint)
        if kept is None:
            kept = self._idle[endpoint] = deque()
        else:
            self._idle.move_to_end(endpoint)
        kept.append((connection, monotonic()))
        self._count += 1
        if len(kept) > self._per_endpoint:
            self._drop_oldest(endpoint)
        elif self._count > self._total:
            self._drop_oldest(next(iter(self._idle)))
        self._sweeper.start()

    def close(self) -> None:
        """Closes all connections. The pool may be used again."""
        while self._idle:
            self._drop_oldest(next(iter(self._idle)))
        self._sweeper.stop(block=False)

    def _drop_oldest(self, endpoint: Endpoint) -> None:
        kept = self._idle[endpoint]
        kept.popleft()[0].close()
        self._count -= 1
        if not kept:
            del self._idle[endpoint]

    def _sweep(self) -> bool:
        gevent.sleep(self._max_age / 2)
        now = monotonic()
        for endpoint in list(self._idle):
            kept = self._idle.get(endpoint)
            while kept and now - kept[0][1] >= self._max_age:
                self._drop_oldest(endpoint)
        return bool(self._idle)
