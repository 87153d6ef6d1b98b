# SPDX-License-Identifier: Apache-2.0
# redis-py annotates only a part of itself.
# mypy: allow-untyped-calls
"""Connections to redis that wait in the gevent hub (in a patched process or not), and the pool that holds them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from gevent import socket
from redis.connection import BlockingConnectionPool, Connection
from redis.exceptions import RedisError, ResponseError

from submgr.platform.connecting import connect
from submgr.platform.names import neighbours
from submgr.platform.readable import silence, wait_until_readable
from submgr.platform.store.sdl_answers import BoundedParser
from submgr.platform.store.sdl_errors import NotSent, in_words

# SO_LINGER on, 0 s: closing discards what the kernel has not sent yet, instead of sending it a minute later.
_DISCARD = struct.pack("ii", 1, 0)


class SdlConnection(Connection):
    """A connection to redis on a gevent socket, with a name of its own at the server.

    `lost` collects the names of the connections that were closed from this side, `tag` begins the names.
    """

    def __init__(self, *, lost: set[str], tag: str | None, **settings: Any) -> None:
        super().__init__(parser_class=BoundedParser, **settings)
        self._lost = lost
        self._tag = tag
        self._named = False

    def _connect(self) -> Any:
        if self._tag is not None:
            self.client_name = f"{self._tag}-{uuid4().hex}"
        assert self.socket_connect_timeout is not None, "the pool gives it"
        sock = connect(neighbours, self.host, self.port, self.socket_connect_timeout)
        sock.settimeout(self.socket_timeout)
        self._silence = silence(sock)
        return sock

    def on_connect_check_health(self, check_health: bool = True) -> None:
        super().on_connect_check_health(check_health=check_health)
        self._named = self._tag is not None

    def has_more(self) -> bool:
        """Whether a part of a further answer has come already."""
        return bool(self._parser.unread())

    # --- for `Lane`, which writes and reads by itself

    @property
    def is_open(self) -> bool:
        return self._sock is not None

    def is_quiet(self) -> bool:
        """Whether the connection is open, and nothing has come that nobody asked for."""
        return self.is_open and not self.has_more() and self._silence()

    def wait_no_longer_than(self, seconds: float | None) -> None:
        """Bounds each wait for the socket; None: who asks bounds the time."""
        sock: Any = self._sock
        if sock is not None:
            sock.settimeout(seconds)

    def exchange(self, data: bytes, most: int) -> bytes:
        """Sends all of `data`; what comes next then, at most so many bytes. Raises OSError.

        The kernel's socket below gevent's is asked first: as a rule neither has to wait.
        """
        sock: Any = self._sock
        try:
            sent = sock._sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            sock.sendall(memoryview(data)[sent:])
        wait_until_readable(sock)
        try:
            answer: bytes = sock._sock.recv(most)
        except BlockingIOError:  # woken for nothing
            answer = sock.recv(most)
        if not answer:
            raise ConnectionResetError("Connection closed by server.")
        return answer

    def put_back(self, data: bytes) -> None:
        """Has the parser read what `exchange` has returned."""
        self._parser.put(data)

    def disconnect(self, *args: Any) -> None:
        sock: Any = self._sock
        if sock is not None:
            if self._named and self.client_name is not None:
                self._lost.add(self.client_name)
            self._named = False
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DISCARD)
        super().disconnect(*args)


class MasterConnection(SdlConnection):
    """A connection to the server that is the master at that moment, as `find_master` says.

    redis-py's own pool for this loses a place with each connection that could not be made.
    """

    def __init__(self, *, find_master: Callable[[], tuple[str, int]], **settings: Any) -> None:
        super().__init__(**settings)
        self._find_master = find_master

    def _connect(self) -> Any:
        self.host, self.port = self._find_master()
        return super()._connect()

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)
        except ResponseError as error:
            if not in_words(error).startswith("READONLY"):
                raise
            # Another one is the master by now: the next command asks the sentinel again.
            self.disconnect()
            raise NotSent(f"{self.host}:{self.port} is not the master any more") from error


class Pool(BlockingConnectionPool):
    """Waits for a free connection. Raises NotSent when there is none, apart from the errors of a command."""

    def get_connection(self, *args: Any, **options: Any) -> Any:
        try:
            return super().get_connection(*args, **options)
        except NotSent:
            raise
        except Exception as error:  # whatever the server said when it was greeted
            raise NotSent(in_words(error) if isinstance(error, RedisError) else repr(error)) from error

    def close_idle(self) -> None:
        """Closes the connections that nobody uses at the moment. They are opened again when they are needed."""
        for connection in list(self.pool.queue):
            if connection is not None:
                connection.disconnect()
