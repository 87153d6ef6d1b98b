# SPDX-License-Identifier: Apache-2.0
"""The open connections of an HTTP server: how many there may be, what they hold, which of them lose when it is full."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import gevent
from gevent import event
from msgspec import Struct, field

from submgr.platform.http.error_formats import ErrorFormat
from submgr.platform.http.in_flight import AnswerBytes, RequestBytes
from submgr.platform.sparse_log import Sparsely
from submgr.platform.tls import TlsFiles

log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
"""Bytes. A body is parsed in one piece, and this much of it holds up the process for tens of milliseconds. No honest
request is near it: the E2AP messages that a subscription leads to must fit into 64 KiB."""


_PATIENCE = 1.0
"""Seconds after which a client that sends or reads slowly makes room for a new one before an idle one does."""


class HttpLimits(Struct, frozen=True):
    """The bounds of a server. Times in seconds, sizes in bytes."""

    body: int = MAX_BODY
    large: Mapping[str, int] = field(default_factory=dict)
    """The paths whose bodies may be larger than `body`, and how large."""
    requests: int = 8 * 1024 * 1024
    """Bytes of heads and bodies held for all clients together: eight of the largest, or thousands of usual ones."""
    answers: int = 32 * 1024 * 1024
    """Bytes of answers held for all clients together that have not taken them yet. The list of as many subscriptions as
    there may be, 65,535, has about 20 MB."""
    connections: int = 1000
    idle: float = 300.0
    """How long a connection may stay open between two requests."""
    handshake: float = 10.0
    """The time that the TLS handshake of a client may take."""
    read: float = 30.0
    """The time from the first byte of a request to the last byte of its body."""
    write: float = 30.0
    """The time in which a client takes one piece of its answer."""
    backlog: int = 4096

    def body_of(self, path: str) -> int:
        """The largest body of a request to `path`."""
        return self.large.get(path.partition("?")[0], self.body) if self.large else self.body

    @property
    def small(self) -> int:
        """Bytes of a request that are always taken, however much others hold: a probe of the health, for one."""
        return self.requests // self.connections

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
    host: str
    """The address of the client."""

    def hang_up(self) -> None:
        """End the connection, whose client is waited for."""

    def crowd_out(self) -> None:
        """Answer 503 if the client is still sending its request, and end the connection."""


class Connections:
    """The open connections of the server `name`.

    A handler knows its server by this object only: the server's name for the log, its `limits`, its format of `errors`
    for requests that do not reach the application, its `tls` files, and whether it is `stopping`. It says what it waits
    for (`idle`, `slow`) or that it does not (`works`), and which bytes it holds (`received`, `sends`, `release`).
    """

    def __init__(self, name: str, limits: HttpLimits, errors: ErrorFormat, tls: TlsFiles | None = None) -> None:
        self.name = name
        self.tls = tls
        self.limits = limits
        self.errors = errors
        self.stopping = False
        self._sparsely = Sparsely(log)
        self._sockets = 0
        self._open: set[Connection] = set()
        self._hosts: Counter[str] = Counter()
        self._reserve: dict[Connection, None] = {}
        # in the order in which the waiting began, and when it did
        self._idle: dict[Connection, float] = {}
        self._slow: dict[Connection, float] = {}
        self._requests: RequestBytes[Connection] = RequestBytes()
        self._answers: AnswerBytes[Connection] = AnswerBytes()
        self._empty = event.Event()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def held(self) -> int:
        """The bytes in flight."""
        return self._requests.total + self._answers.total

    @property
    def acceptable(self) -> bool:
        """Whether another client may be accepted: some of those who make room have yet to be closed."""
        return self._sockets < self.limits.connections + self.limits.reserve

    def accepted(self) -> None:
        """A client has been accepted. It will `enter`, and `leave` at the end."""
        self._sockets += 1

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
            self._tell("too many connections", host)
        return placed

    def idle(self, connection: Connection) -> None:
        """The client has no request under way."""
        self._slow.pop(connection, None)
        if connection not in self._reserve:
            self._idle[connection] = time.monotonic()
        if self.stopping:
            connection.hang_up()

    def slow(self, connection: Connection) -> None:
        """The client is waited for: it has begun a request, or has not taken its answer."""
        self._idle.pop(connection, None)
        if connection not in self._reserve:
            self._slow.setdefault(connection, time.monotonic())

    def works(self, connection: Connection) -> None:
        """The client is not waited for: its request has come completely."""
        self._slow.pop(connection, None)

    def received(self, connection: Connection, octets: int) -> bool:
        """So many more bytes of a request are held. Returns False when there is no room for them."""
        self._requests.add(connection, octets)
        return self._requests.total <= self.limits.requests or self._fits(
            connection, self._requests, self.limits.requests, self.limits.small
        )

    def sends(self, connection: Connection, answer: bytes | memoryview) -> bool:
        """An answer, or a piece of one, is held. Returns False when there is no room for it."""
        self._answers.put(connection, answer)
        return self._fits(connection, self._answers, self.limits.answers)

    def release(self, connection: Connection) -> None:
        """Nothing is held for the client any more."""
        self._requests.release(connection)
        self._answers.release(connection)

    def leave(self, connection: Connection) -> None:
        """The connection is closed."""
        self._sockets -= 1
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
        self.release(connection)

    def _tell(self, what: str, host: str) -> None:
        """Says that clients are refused: the first time, then once a minute."""
        self._sparsely.log(logging.WARNING, what, f"requests are refused: {what}", server=self.name, peer=host)

    def _who_makes_room(self, host: str | None) -> Connection | None:
        """The client that has been slow for longest, if that is long, else the one that has been idle for longest, if
        that is long, else the one of the two that has been waited for longer: a client that has just come loses its
        place to no flood of others. Of `host`; without it, of the host that has a crowd here, or of any."""
        crowd = host or self._crowd()
        slow, idle = (_longest(waiting, crowd, others=host is None) for waiting in (self._slow, self._idle))
        long_ago = time.monotonic() - _PATIENCE
        if slow is not None and self._slow[slow] < long_ago:
            return slow
        if slow is None or idle is None or self._idle[idle] < long_ago:
            return idle or slow
        return slow if self._slow[slow] < self._idle[idle] else idle

    def _crowd(self) -> str | None:
        """The host that has most clients, if it has a tenth of all places: in a flood from a thousand addresses one
        that has two clients is no crowd."""
        for host, clients in self._hosts.most_common(1):
            if clients * 10 >= self.limits.connections:
                return host
        return None

    def _longest_of_the_heaviest(self, weight: Callable[[Connection], int], small: int) -> Connection | None:
        weights: Counter[str] = Counter()
        first: dict[str, Connection] = {}
        for connection in self._slow:
            if (own := weight(connection)) > small:
                weights[connection.host] += own
                first.setdefault(connection.host, connection)
        return first[max(weights, key=lambda host: weights[host])] if weights else None

    def _fits(
        self,
        connection: Connection,
        held: RequestBytes[Connection] | AnswerBytes[Connection],
        limit: int,
        small: int = 0,
    ) -> bool:
        """Makes room for what `connection` holds now: the slow clients of the host that holds most lose it first.

        Who holds `small` or less loses nothing.
        """
        while held.total > limit and held.of(connection) > small:
            leaving = self._longest_of_the_heaviest(held.of, small)
            self._tell("too many bytes are in flight", (leaving or connection).host)
            if leaving is None or leaving is connection:
                return False
            del self._slow[leaving]
            self.release(leaving)
            leaving.crowd_out()
        return True


def _longest(waiting: Iterable[Connection], host: str | None, others: bool) -> Connection | None:
    """The first one that waits: of `host`, else of `others` if they count."""
    found = next((each for each in waiting if each.host == host), None) if host is not None else None
    return found if found is not None or not others else next(iter(waiting), None)
