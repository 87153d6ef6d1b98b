# SPDX-License-Identifier: Apache-2.0
"""The peers a transport sends to, by name: their connections are opened when needed, kept, and opened again."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from time import monotonic
from typing import Any, Protocol

import gevent

from submgr.platform.connecting import connect
from submgr.platform.fair import Share, turns
from submgr.platform.names import Names, neighbours, strangers
from submgr.platform.supervised import SupervisedLoop
from submgr.rmr.addresses import split_address
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.connection import Connection, Put, prepare
from submgr.rmr.wire.send_queue import Item, SendQueue

_LONGEST_PAUSE = 1.0
"""Seconds between two tries to send after a bug."""


class Endpoint:
    """The bounded queue for one "host:port" and the greenlet that empties it.

    The first frame opens the connection, which is then kept. When it breaks, the next frame opens it again, after a
    pause that grows with each failure. There is one connection per name, as with librmr.

    A frame before which none waits leaves at once, without the greenlet. Others of the same turn of the event loop wait
    for each other, and leave together.
    """

    def __init__(
        self,
        name: str,
        config: TransportConfig,
        queue: SendQueue,
        adopt: Callable[[Any, str, Put], Connection],
        names: Names,
    ) -> None:
        """`adopt` makes a connection of a connected socket; its answers are `put` here. `names` looks the host up.

        Raises AddressError when the name is no "host:port".
        """
        self.name = name
        self.last_used = monotonic()
        self.connection: Connection | None = None
        self.trouble = ""
        """Why the last try to connect failed, "" when it did not."""
        self._address = split_address(name)
        self._config = config
        self._queue = queue
        self._adopt = adopt
        self._names = names
        self._pause = 0.0
        self._retry_at = 0.0
        self._loop = SupervisedLoop("rmr endpoint", self._step, longest_pause=_LONGEST_PAUSE)
        self._closed = False
        self._turn = -1
        """The turn of the event loop in which a frame has left at once."""

    @property
    def queued(self) -> int:
        """Frames waiting."""
        return len(self._queue)

    @property
    def connected(self) -> bool:
        """Whether its connection is open."""
        return self.connection is not None and self.connection.open

    def put(self, item: Item) -> bool:
        """Sends or queues a frame; False when the queue is full."""
        self.last_used = monotonic()
        connection, turn = self.connection, turns()
        if turn != self._turn and connection is not None and connection.open:
            self._turn = turn
            if self._queue.send_at_once(connection.sock, item):
                return True
        taken = self._queue.put(item)
        self._loop.start()
        return taken

    def close(self, reason: str) -> None:
        """Closes the connection; what is queued fails for `reason`."""
        self._closed = True
        self._loop.stop(block=False)
        if self.connection is not None:
            self.connection.close(reason)
        self._queue.fail_all(reason)

    def _step(self) -> None:
        queue = self._queue
        queue.wait()
        if not len(queue):
            return
        connection = self.connection
        if connection is None or not connection.open:
            queue.rewind()
            self._connect()
            return
        try:
            queue.flush(connection.sock)
        except OSError as bad:
            connection.close(f"connection broke: {bad}")

    def _connect(self) -> None:
        """One try to connect, after the pause it has to keep. Frames whose time is over are given up."""
        queue = self._queue
        pause = min(self._retry_at, queue.next_deadline()) - monotonic()
        if pause > 0:
            gevent.sleep(pause)
        queue.expire(self.trouble or "no connection")
        if not len(queue) or self._retry_at > monotonic():
            return
        Share().spend()  # thousands of peers may have to be connected to at the same time
        limit = max(min(self._config.connect_timeout, queue.next_deadline() - monotonic()), 0.05)
        try:
            sock = self._open(limit)
        except OSError as bad:
            self._failed(bad)
            return
        if self._closed:  # while the connection came about
            sock.close()
            return
        self.trouble, self._pause = "", 0.0
        self.connection = self._adopt(sock, self.name, self.put)

    def _open(self, limit: float) -> Any:
        """A connected socket; name look-up and connection together take at most `limit` seconds."""
        host, port = self._address
        sock = connect(self._names, host, port, limit)
        try:
            prepare(sock, self._config.stall_timeout)
        except OSError:
            sock.close()
            raise
        return sock

    def _failed(self, bad: OSError) -> None:
        config = self._config
        self.trouble = f"cannot connect to {self.name}: {bad.strerror or bad}"
        self._pause = min(max(self._pause * 2, config.backoff_min), config.backoff_max)
        self._retry_at = monotonic() + self._pause
        self._queue.expire(self.trouble)


class Routed(Protocol):
    """Knows the endpoint names in the route table: nearly, or after a count exactly."""

    @property
    def endpoints(self) -> AbstractSet[str]: ...
    def recount(self) -> AbstractSet[str]: ...


class Endpoints:
    """The endpoints of a transport, by name.

    The first send to a name makes its endpoint. An endpoint is forgotten when no route leads to it any more and it has
    been idle for `idle_timeout`, or when the number of endpoints reaches the limit.
    """

    def __init__(
        self,
        config: TransportConfig,
        new_send_queue: Callable[[], SendQueue],
        adopt: Callable[[Any, str, Put], Connection],
        routed: Routed,
        ours: frozenset[str] = frozenset(),
    ) -> None:
        """`adopt` makes a connection of a connected socket; `routed` knows the names in the route table.

        `ours` are the names from our own settings, whose look-ups wait for no others.
        """
        self._config = config
        self._new_send_queue = new_send_queue
        self._adopt = adopt
        self._routed = routed
        self._ours = ours
        self._known: dict[str, Endpoint] = {}
        self._sweeper = SupervisedLoop("idle rmr endpoints", self._sweep)

    def get(self, name: str) -> Endpoint | None:
        """The endpoint, if it exists."""
        return self._known.get(name)

    def make(self, name: str) -> Endpoint | None:
        """The endpoint of that name, made when it is new; None when too many endpoints are busy.

        There is always room for `ours` and for a name that has a route, however many strangers are to be answered.
        Raises AddressError when the name is no "host:port".
        """
        known = self._known.get(name)
        if known is not None:
            return known
        names = neighbours if name in self._ours else strangers
        made = Endpoint(name, self._config, self._new_send_queue(), self._adopt, names)
        full = len(self._known) >= self._config.max_endpoints and not self._make_room()
        if full and name not in self._ours and name not in self._routed.endpoints:
            return None
        self._known[name] = made
        return made

    def usable(self, name: str) -> bool:
        """Whether a message to that name has a fair chance: the last connect did not fail, the queue is not full."""
        known = self._known.get(name)
        return known is None or (not known.trouble and known.queued < self._config.send_queue)

    def depths(self) -> dict[str, int]:
        """Messages waiting, by endpoint."""
        return {name: endpoint.queued for name, endpoint in self._known.items()}

    def start(self) -> None:
        """From now on idle endpoints are forgotten."""
        self._sweeper.start()

    def close(self, reason: str) -> None:
        """Closes all of them; what is queued fails for `reason`."""
        self._sweeper.stop(block=False)
        known, self._known = self._known, {}
        for endpoint in known.values():
            endpoint.close(reason)

    def _make_room(self) -> bool:
        """Forgets the endpoint unused for longest, among those with nothing to send and no route."""
        routed = self._routed.endpoints
        unused = [one for name, one in self._known.items() if not one.queued and name not in routed]
        if not unused:
            return False
        oldest = min(unused, key=lambda one: one.last_used)
        del self._known[oldest.name]
        oldest.close("connection closed to make room")
        return True

    def _sweep(self) -> None:
        gevent.sleep(self._config.idle_timeout / 4)
        routed, long_ago = self._routed.recount(), monotonic() - self._config.idle_timeout
        for name, one in list(self._known.items()):
            if not one.queued and one.last_used < long_ago and name not in routed:
                del self._known[name]
                one.close("idle")
