# SPDX-License-Identifier: Apache-2.0
"""Keeps idle connections open for the next request to the same server."""

import ssl
import time
from collections import OrderedDict, deque
from collections.abc import Callable

import gevent
from gevent import socket

from submgr.platform.http.errors import Endpoint


class IdlePool:
    """Connections nobody uses at the moment, bounded per endpoint, in all, and in age.

    A greenlet sweeps out the old ones; it ends when nothing is left.
    """

    def __init__(
        self, per_endpoint: int, total: int, max_age: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_endpoint = per_endpoint
        self._total = total
        self._max_age = max_age
        self._clock = clock
        self._idle: OrderedDict[Endpoint, deque[tuple[socket.socket, float]]] = OrderedDict()
        self._count = 0
        self._sweeper: gevent.Greenlet | None = None

    def __len__(self) -> int:
        return self._count

    def take(self, endpoint: Endpoint) -> socket.socket | None:
        """The most recently used live connection to `endpoint`, if there is one."""
        kept = self._idle.get(endpoint)
        while kept:
            sock, since = kept.pop()
            self._count -= 1
            if not kept:
                del self._idle[endpoint]
            if self._clock() - since < self._max_age and _silent(sock):
                sock.settimeout(None)
                return sock
            sock.close()
        return None

    def put(self, endpoint: Endpoint, sock: socket.socket) -> None:
        """Keep `sock`; when there are too many, the longest unused of this endpoint (or of any) is closed."""
        sock.settimeout(0.0)
        kept = self._idle.setdefault(endpoint, deque())
        kept.append((sock, self._clock()))
        self._idle.move_to_end(endpoint)
        self._count += 1
        if len(kept) > self._per_endpoint:
            self._drop_oldest(endpoint)
        elif self._count > self._total:
            self._drop_oldest(next(iter(self._idle)))
        if self._sweeper is None:
            self._sweeper = gevent.spawn(self._sweep)

    def close(self) -> None:
        """Close all of them. The pool may be used again."""
        while self._idle:
            self._drop_oldest(next(iter(self._idle)))
        if self._sweeper is not None:
            self._sweeper.kill(block=False)
            self._sweeper = None

    def _drop_oldest(self, endpoint: Endpoint) -> None:
        kept = self._idle[endpoint]
        kept.popleft()[0].close()
        self._count -= 1
        if not kept:
            del self._idle[endpoint]

    def _sweep(self) -> None:
        while self._idle:
            gevent.sleep(self._max_age / 2)
            now = self._clock()
            for endpoint in list(self._idle):
                kept = self._idle.get(endpoint)
                while kept and now - kept[0][1] >= self._max_age:
                    self._drop_oldest(endpoint)
        self._sweeper = None


def _silent(sock: socket.socket) -> bool:
    """Whether a connection that owes us nothing has nothing to read: neither an end nor stray bytes."""
    try:
        sock.recv(1)  # does not wait: idle connections have a timeout of zero
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False
