# SPDX-License-Identifier: Apache-2.0
"""Connections of urllib3, which the official Kubernetes client uses, to addresses that the rules permit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.poolmanager import PoolManager

from submgr.platform import connecting
from submgr.platform.names import strangers

if TYPE_CHECKING:
    import socket


def connect_by(pools: PoolManager, permitted: connecting.Permitted) -> None:
    """Has `pools` connect only where `permitted` allows it. What it raises becomes the cause of NewConnectionError."""

    def opened(connection: HTTPConnection) -> socket.socket:
        timeout = connection.timeout
        try:
            sock = connecting.connect(strangers, connection.host, connection.port, cast(float, timeout), permitted)
        except TimeoutError as exc:
            raise ConnectTimeoutError(connection, str(exc)) from exc
        except OSError as exc:
            raise NewConnectionError(connection, str(exc)) from exc
        sock.settimeout(cast(float, timeout))
        return cast("socket.socket", sock)

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return opened(self)

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return opened(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    classes: dict[str, Any] = {"http": PlainPool, "https": TlsPool}
    pools.pool_classes_by_scheme = classes
