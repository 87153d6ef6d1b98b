# SPDX-License-Identifier: Apache-2.0
"""One TCP connection: a greenlet reads it, and another greenlet writes the answers queued for it.

Only one writes to a socket: a frame that the kernel has taken in part goes on with its own octets, not with another's.
"""

from __future__ import annotations

import socket as stdsocket
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

import gevent

from submgr.platform.fair import Share
from submgr.platform.readable import wait_until_readable
from submgr.platform.turns import turn
from submgr.rmr.framing import Framer
from submgr.rmr.message import Message
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.send_queue import Item, SendQueue

Put = Callable[[Item], bool]

_SMALL_READ = 1 << 14
_LARGE_READ = 1 << 16


class Owner(Protocol):
    """The transport, as its connections use it."""

    config: TransportConfig

    def new_send_queue(self) -> SendQueue: ...
    @property
    def crowded(self) -> bool:
        """Whether there are so many connections that each reads little at a time."""

    def wait_for_room(self, connection: Connection) -> bool:
        """Waits while the receive queue has no room for what this connection sends; True if it had to wait."""

    def take(self, connection: Connection, messages: list[Message], size: int) -> None: ...
    def unreadable(self, connection: Connection, count: int) -> None: ...
    def broken(self, connection: Connection, reason: str, text: str) -> None: ...
    def partial(self, connection: Connection, change: int) -> None: ...
    def closed(self, connection: Connection) -> None: ...


def prepare(sock: Any, stall_timeout: float) -> None:
    """Sets the options of an RMR connection.

    Small frames are not delayed. The kernel notices a peer that is gone within 11 s when nothing is on its way to it,
    else when the peer has acknowledged nothing for `stall_timeout` seconds.
    """
    sock.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_NODELAY, 1)
    sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_KEEPALIVE, 1)
    sock.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_KEEPIDLE, 5)
    sock.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_KEEPINTVL, 2)
    sock.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_KEEPCNT, 3)
    sock.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_USER_TIMEOUT, int(stall_timeout * 1000))


class Connection:
    """A connection, accepted or opened by us. Both kinds are read, and answers may be written on both.

    The connection is the `origin` of the messages read from it.
    """

    def __init__(self, sock: Any, peer: str, owner: Owner, put: Put | None = None) -> None:
        """`put`: queues an answer with all else that is written to this socket. None: nobody else writes to it."""
        self.sock = sock
        self.peer = peer
        self.host = peer.rpartition(":")[0]
        self.last_heard = monotonic()
        self.frame_since = 0.0
        self.proven = False
        """Whether its peer has sent a message yet."""
        self.open = True
        self._owner = owner
        self._framer = Framer(owner.config.max_frame, self, owner.config.stream_above)
        self._put = put
        self._queue: SendQueue | None = None
        self._writer: Any = None

    @property
    def pending(self) -> int:
        """Bytes of the frame that is not complete yet."""
        return self._framer.pending

    @property
    def queued(self) -> int:
        """Answers waiting to be written here."""
        return 0 if self._queue is None else len(self._queue)

    def read(self) -> None:
        """Reads until the peer closes, breaks the format or the connection is closed here. Never raises."""
        owner, size, share, drained = self._owner, _SMALL_READ, Share(), True
        try:
            while self.open:
                if owner.wait_for_room(self) and self._framer.unfinished:
                    self._frame_begins()
                if drained:
                    wait_until_readable(self.sock)
                data = self.sock.recv(size)
                if not data:
                    break
                drained = len(data) < size
                share.spend()
                self._got(data)
                if not drained:
                    size = _SMALL_READ if owner.crowded else _LARGE_READ
                    turn()  # the handler's above all: the queue stays short, and its messages in the processor's cache
                elif len(data) < _SMALL_READ:
                    size = _SMALL_READ
                    share.renew()
        except TimeoutError:
            waited = owner.config.frame_timeout
            owner.broken(self, "slow_frame", f"a frame was not complete after {waited:g} s")
        except OSError:
            pass  # reset by the peer, or closed here: there is nothing more to read
        finally:
            self.close("connection closed")

    def _got(self, data: bytes) -> None:
        if not self.open:  # it was closed while others had their turn
            return
        framer, owner = self._framer, self._owner
        before, streaming = framer.pending, framer.streaming
        messages = framer.feed(data)
        self.last_heard = monotonic()
        after = framer.pending
        if not framer.unfinished:
            if before or streaming:
                self.sock.settimeout(None)
        elif messages or not before or streaming:
            self._frame_begins()
        else:
            left = self.frame_since + owner.config.frame_timeout - self.last_heard
            if left <= 0:  # a socket that always has another byte never times out
                raise TimeoutError
            self.sock.settimeout(left)
        if messages:
            self.proven = True
            owner.take(self, messages, len(data))
        if framer.unreadable:
            owner.unreadable(self, framer.unreadable)
            framer.unreadable = 0
        if after != before:
            owner.partial(self, after - before)
        if framer.error is not None:
            owner.broken(self, framer.error.reason, str(framer.error))
            self.close("connection closed: it broke the format")

    def _frame_begins(self) -> None:
        self.frame_since = monotonic()
        self.sock.settimeout(self._owner.config.frame_timeout)

    def put(self, item: Item) -> bool:
        """Queues an answer to be written here; False when the connection is closed or its queue is full."""
        if not self.open:
            return False
        if self._put is not None:
            return self._put(item)
        if self._queue is None:
            self._queue = self._owner.new_send_queue()
        taken = self._queue.put(item)
        if self._writer is None:
            self._writer = gevent.spawn(self._write)
        return taken

    def _write(self) -> None:
        queue = self._queue
        assert queue is not None
        try:
            while True:
                queue.wait()
                queue.flush(self.sock)
        except OSError as bad:
            self._writer = None
            self.close(f"connection broke: {bad}")
        finally:  # after a bug nobody writes what is queued here
            self._writer = None
            self.close("connection broke")

    def close(self, reason: str) -> None:
        """Closes the connection; queued answers fail for `reason`. Does nothing the second time."""
        if not self.open:
            return
        self.open = False
        if pending := self._framer.pending:
            self._owner.partial(self, -pending)
        self._framer.forget()  # it knows this connection: the frame would stay until the next garbage collection
        self._put = None
        self.sock.close()
        self._owner.closed(self)
        if self._queue is not None:
            self._queue.fail_all(reason)
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.kill(block=False)
