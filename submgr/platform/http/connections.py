# SPDX-License-Identifier: Apache-2.0
"""The open connections of an HTTP server: how many there may be, which of them idle, and how they are ended."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

import gevent
from gevent import event

from submgr.platform.http.app import ErrorFormat


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The bounds of a server. Times in seconds, sizes in bytes."""

    body: int = 16 * 1024 * 1024
    connections: int = 1000
    idle: float = 300.0
    """How long a connection may stay open between two requests."""
    read: float = 30.0
    """The time from the first byte of a request to the last byte of its body."""
    write: float = 30.0
    """The time in which a client takes one piece of its answer."""
    backlog: int = 1024


class Connection(Protocol):
    """A connection and the greenlet that serves it."""

    greenlet: gevent.Greenlet

    @property
    def host(self) -> str:
        """The address of the client."""

    def hang_up(self) -> None:
        """End the connection, which is between two requests or whose request has not come completely."""


class Connections:
    """The open connections of the server `name`.

    A handler knows its server by this object only: the server's name for the log, its `limits`, its format of `errors`
    for requests that do not reach the application, and whether it is `stopping`.
    """

    def __init__(self, name: str, limits: HttpLimits, errors: ErrorFormat) -> None:
        self.name = name
        self.limits = limits
        self.errors = errors
        self.stopping = False
        self._open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}
        self._reading: dict[Connection, None] = {}
        self._empty = event.Event()

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, connection: Connection) -> bool:
        """A client has connected. When the server is full, the connection that has been idle longest makes room.

        When none is idle, the host that has most unfinished requests loses the oldest of them, unless the new client is
        of that host, or has as many: a host that sends its requests slowly cannot keep the others out. Returns False
        when nobody makes room.
        """
        if len(self._open) >= self.limits.connections:
            leaving = next(iter(self._idle), None) or self._slowest_of_a_crowd(connection.host)
            if leaving is None:
                return False
            self._idle.pop(leaving, None)
            self._reading.pop(leaving, None)
            leaving.hang_up()
        self._open.add(connection)
        return True

    def idle(self, connection: Connection) -> None:
        """The client has no request under way."""
        self._idle[connection] = None
        if self.stopping:
            connection.hang_up()

    def busy(self, connection: Connection) -> None:
        """The client has begun a request."""
        self._idle.pop(connection, None)
        self._reading[connection] = None

    def complete(self, connection: Connection) -> None:
        """The request has come completely, or was refused."""
        self._reading.pop(connection, None)

    def leave(self, connection: Connection) -> None:
        """The connection is closed."""
        self._idle.pop(connection, None)
        self._reading.pop(connection, None)
        self._open.discard(connection)
        if not self._open:
            self._empty.set()

    def drain(self, grace: float) -> None:
        """End the idle connections, let the requests under way finish for `grace` seconds, then cut them off."""
        for connection in list(self._idle):
            connection.hang_up()
        deadline = time.monotonic() + grace
        while self._open and (left := deadline - time.monotonic()) > 0:
            self._empty.clear()
            self._empty.wait(left)
        gevent.killall([connection.greenlet for connection in self._open])

    def _slowest_of_a_crowd(self, newcomer: str) -> Connection | None:
        counts = Counter(connection.host for connection in self._reading)
        crowd, most = max(counts.items(), key=lambda item: item[1], default=("", 0))
        if most <= counts[newcomer]:
            return None
        return next(connection for connection in self._reading if connection.host == crowd)
