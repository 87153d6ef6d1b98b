# SPDX-License-Identifier: Apache-2.0
"""The open connections of an HTTP server: how many there may be, what they hold, which of them lose when it is full."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import gevent
from gevent import event

from submgr.platform.http.app import MAX_BODY, ErrorFormat
from submgr.platform.http.in_flight import InFlight

_PATIENCE = 1.0
"""Seconds after which a client that sends or reads slowly makes room for a new one before an idle one does."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The bounds of a server. Times in seconds, sizes in bytes."""

    body: int = MAX_BODY
    in_flight: int = 32 * 1024 * 1024
    """Bytes held for all clients together: heads and bodies that have come, answers that have not been taken. Room for
    30 of the largest bodies, or for the longest list of subscriptions several times."""
    connections: int = 1000
    idle: float = 300.0
    """How long a connection may stay open between two requests."""
    read: float = 30.0
    """The time from the first byte of a request to the last byte of its body."""
    write: float = 30.0
    """The time in which a client takes one piece of its answer."""
    backlog: int = 1024

    @property
    def reserve(self) -> int:
        """The places, of all, in which new clients of a full server may show that they ask for its health."""
        return max(1, self.connections // 20)

    @property
    def per_host(self) -> int:
        """The places that one address may take. Generous: all xApps may come through one proxy."""
        return max(1, self.connections * 3 // 4)


class Connection(Protocol):
    """A connection and the greenlet that serves it."""

    greenlet: gevent.Greenlet

    @property
    def host(self) -> str:
        """The address of the client."""

    def hang_up(self) -> None:
        """End the connection, whose client is waited for."""

    def crowd_out(self) -> None:
        """Answer 503 if the client is still sending its request, and end the connection."""


class Connections:
    """The open connections of the server `name`.

    A handler knows its server by this object only: the server's name for the log, its `limits`, its format of `errors`
    for requests that do not reach the application, and whether it is `stopping`. It says what it waits for (`idle`,
    `slow`) or that it does not (`works`), and which bytes it holds (`received`, `sends`, `release`).
    """

    def __init__(self, name: str, limits: HttpLimits, errors: ErrorFormat) -> None:
        self.name = name
        self.limits = limits
        self.errors = errors
        self.stopping = False
        self._open: set[Connection] = set()
        self._hosts: Counter[str] = Counter()
        self._reserve: dict[Connection, None] = {}
        self._idle: dict[Connection, float] = {}
        self._slow: dict[Connection, float] = {}
        self._in_flight: InFlight[Connection] = InFlight()
        self._empty = event.Event()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def held(self) -> int:
        """The bytes in flight."""
        return self._in_flight.total

    def enter(self, connection: Connection) -> bool:
        """A client has connected. Returns whether it has a place.

        When the server is full, or the client's host has all its places, a client that is waited for makes room. When
        there is none, the client gets a place of the reserve, in which it may ask for the health only; the one that
        has been there longest makes room.
        """
        places = self.limits.connections - self.limits.reserve
        host = connection.host
        crowd = self._hosts[host] >= self.limits.per_host
        placed = True
        if crowd or len(self._open) - len(self._reserve) >= places:
            leaving = self._who_makes_room(host if crowd else None)
            placed = leaving is not None
            if leaving is None and len(self._reserve) >= self.limits.reserve:
                leaving = next(iter(self._reserve))
            if leaving is not None:
                self._forget(leaving)
                leaving.hang_up()
        self._open.add(connection)
        self._hosts[host] += 1
        if not placed:
            self._reserve[connection] = None
        return placed

    def idle(self, connection: Connection) -> None:
        """The client has no request under way."""
        self._slow.pop(connection, None)
        self._idle[connection] = time.monotonic()
        if self.stopping:
            connection.hang_up()

    def slow(self, connection: Connection) -> None:
        """The client is waited for: it has begun a request, or has not taken its answer."""
        self._idle.pop(connection, None)
        self._slow.setdefault(connection, time.monotonic())

    def works(self, connection: Connection) -> None:
        """The client is not waited for: its request has come completely."""
        self._slow.pop(connection, None)

    def received(self, connection: Connection, octets: int) -> bool:
        """So many more bytes of a request are held. Returns False when there is no room for them."""
        self._in_flight.receive(connection, octets)
        return self._fits(connection)

    def sends(self, connection: Connection, answer: bytes | memoryview) -> bool:
        """An answer, or a piece of one, is held. Returns False when there is no room for it."""
        self._in_flight.send(connection, answer)
        return self._fits(connection)

    def release(self, connection: Connection) -> None:
        """Nothing is held for the client any more."""
        self._in_flight.release(connection)

    def leave(self, connection: Connection) -> None:
        """The connection is closed."""
        self._forget(connection)
        if connection in self._open:
            self._open.remove(connection)
            self._hosts[connection.host] -= 1
            if not self._hosts[connection.host]:
                del self._hosts[connection.host]
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

    def _forget(self, connection: Connection) -> None:
        self._idle.pop(connection, None)
        self._slow.pop(connection, None)
        self._reserve.pop(connection, None)
        self._in_flight.release(connection)

    def _who_makes_room(self, host: str | None) -> Connection | None:
        """Of `host`, or of the host that has most of them: the client that has been slow for longest, if that is long,
        else the one that has been idle for longest, else the slow one all the same."""
        late = time.monotonic() - _PATIENCE
        of_host = [each for each in self._slow if host in (None, each.host) and each not in self._reserve]
        slow = _longest_of_a_crowd(of_host, lambda _: 1)
        if slow is not None and self._slow[slow] < late:
            return slow
        idle = [each for each in self._idle if host in (None, each.host) and each not in self._reserve]
        return _longest_of_a_crowd(idle, lambda _: 1) or slow

    def _fits(self, connection: Connection) -> bool:
        """Makes room for what `connection` holds now: the slow clients of the host that holds most lose it first."""
        while self._in_flight.total > self.limits.in_flight:
            leaving = _longest_of_a_crowd(self._slow, self._in_flight.of)
            if leaving is None or leaving is connection:
                return False
            self._slow.pop(leaving)
            self._in_flight.release(leaving)
            leaving.crowd_out()
        return True


def _longest_of_a_crowd(waiting: Iterable[Connection], weight: Callable[[Connection], int]) -> Connection | None:
    """The first of those `waiting` that are of the host with the greatest weight, and have a weight themselves."""
    hosts: Counter[str] = Counter()
    first: dict[str, Connection] = {}
    for connection in waiting:
        if own := weight(connection):
            hosts[connection.host] += own
            first.setdefault(connection.host, connection)
    return first[max(hosts, key=lambda host: hosts[host])] if hosts else None
