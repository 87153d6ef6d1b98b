# SPDX-License-Identifier: Apache-2.0
"""A peer we send to by name: opens the connection when needed, keeps it, opens it again."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from time import monotonic
from typing import Any

import gevent
from gevent import socket

from submgr.rmr.addresses import split_address
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.connection import Connection, prepare
from submgr.rmr.wire.send_queue import Item, Outbox


class Endpoint:
    """The bounded queue for one "host:port" and the greenlet that empties it.

    The connection is opened at the first frame and kept; when it breaks, the next frame opens it again,
    after a pause that grows with each failure. There is one connection a name, as with librmr.
    """

    def __init__(
        self, name: str, config: TransportConfig, outbox: Outbox, adopt: Callable[[Any, str], Connection]
    ) -> None:
        """`adopt` makes a connection of a connected socket. Raises AddressError for a name that is none."""
        self.name = name
        self.last_used = monotonic()
        self.connection: Connection | None = None
        self.trouble = ""
        """Why the last try to connect failed, "" when it did not."""
        self._address = split_address(name)
        self._config = config
        self._outbox = outbox
        self._adopt = adopt
        self._pause = 0.0
        self._retry_at = 0.0
        self._greenlet: Any = None
        self._closed = False

    @property
    def queued(self) -> int:
        """Frames waiting."""
        return len(self._outbox)

    @property
    def connected(self) -> bool:
        """Whether its connection is open."""
        return self.connection is not None and self.connection.open

    def put(self, item: Item) -> bool:
        """Queues a frame; False when the queue is full."""
        self.last_used = monotonic()
        taken = self._outbox.put(item)
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._run)
        return taken

    def close(self, reason: str) -> None:
        """Closes the connection; what is queued fails for `reason`."""
        self._closed = True
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
            self._greenlet = None
        if self.connection is not None:
            self.connection.close(reason)
        self._outbox.fail_all(reason)

    def _run(self) -> None:
        outbox = self._outbox
        while True:
            outbox.wait()
            if not len(outbox):
                continue
            connection = self.connection
            if connection is None or not connection.open:
                outbox.rewind()
                self._connect()
                continue
            try:
                outbox.flush(connection.sock)
            except OSError as bad:
                connection.close(f"connection broke: {bad}")

    def _connect(self) -> None:
        """One try to connect, after the pause it has to keep. Frames whose time is over are given up."""
        outbox = self._outbox
        pause = min(self._retry_at, outbox.next_deadline()) - monotonic()
        if pause > 0:
            gevent.sleep(pause)
        outbox.expire(self.trouble or "no connection")
        if not len(outbox) or self._retry_at > monotonic():
            return
        limit = max(min(self._config.connect_timeout, outbox.next_deadline() - monotonic()), 0.05)
        try:
            sock = self._open(limit)
        except OSError as bad:
            self._failed(bad)
            return
        if self._closed:  # while the connection came about
            sock.close()
            return
        self.trouble, self._pause = "", 0.0
        self.connection = self._adopt(sock, self.name)

    def _open(self, limit: float) -> Any:
        """A connected socket; name look-up and connection together take at most `limit` seconds."""
        timer = gevent.Timeout(limit)
        try:
            with timer:
                sock = _connected(self._address)
        except gevent.Timeout as fired:
            if fired is not timer:
                raise
            raise TimeoutError(f"no connection within {limit:.2g} s") from None
        try:
            prepare(sock, self._config.stall_timeout)
            sock.settimeout(None)
        except OSError:
            sock.close()
            raise
        return sock

    def _failed(self, bad: OSError) -> None:
        config = self._config
        self.trouble = f"cannot connect to {self.name}: {bad.strerror or bad}"
        self._pause = min(max(self._pause * 2, config.backoff_min), config.backoff_max)
        self._retry_at = monotonic() + self._pause
        self._outbox.divert()
        self._outbox.expire(self.trouble)


def _connected(address: tuple[str, int]) -> Any:
    """A socket connected to host and port. Only a name is looked up: that takes a native thread, of which a
    hanging name service may have taken all.
    """
    try:
        ip = ipaddress.ip_address(address[0])
    except ValueError:
        return socket.create_connection(address)
    sock = socket.socket(socket.AF_INET if ip.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock
