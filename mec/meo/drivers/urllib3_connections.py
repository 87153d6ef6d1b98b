# SPDX-License-Identifier: Apache-2.0
"""Connections of urllib3, which the official Kubernetes client uses: where the rules permit it, and within bounds.

urllib3 reads for as long as bytes come, and whatever a server sends. A platform may be at the address of anybody.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.poolmanager import PoolManager

from submgr.platform import connecting
from submgr.platform.names import strangers
from submgr.platform.turns import Budget, turn

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

MOST_BYTES = 512 * 1024
"""Of all answers on one connection. An object of Kubernetes has a few kilobytes."""


class _Incoming(io.RawIOBase):
    """What comes on a connection: at most MOST_BYTES, and others have their turns while it comes quickly."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream
        self._left = MOST_BYTES
        self._budget = Budget(give=turn)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._budget.spend()
        count: int | None = self._stream.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise OSError(f"more than {MOST_BYTES} bytes came")
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Bounded:
    """A socket whose `makefile`, by which http.client reads, is an `_Incoming`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(cast(io.RawIOBase, self._sock.makefile("rb", buffering=0))))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def connect_by(pools: PoolManager, permitted: connecting.Permitted) -> None:
    """Has `pools` connect only where `permitted` allows it. What it raises becomes the cause of NewConnectionError."""

    def opened(connection: HTTPConnection) -> socket.socket:
        timeout = cast(float, connection.timeout)
        try:
            sock = connecting.connect(strangers, connection.host, connection.port, timeout, permitted)
        except TimeoutError as exc:
            raise ConnectTimeoutError(connection, str(exc)) from exc
        except OSError as exc:
            raise NewConnectionError(connection, str(exc)) from exc
        sock.settimeout(timeout)
        return cast("socket.socket", sock)

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return opened(self)

        def connect(self) -> None:
            super().connect()
            self.sock = cast("socket.socket", _Bounded(self.sock))

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return opened(self)

        def connect(self) -> None:
            super().connect()
            self.sock = cast("socket.socket", _Bounded(self.sock))

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    classes: dict[str, Any] = {"http": PlainPool, "https": TlsPool}
    pools.pool_classes_by_scheme = classes
