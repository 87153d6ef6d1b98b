# SPDX-License-Identifier: Apache-2.0
"""TLS before a server that speaks none: the simulators of Routing Manager and xApps."""

from __future__ import annotations

import ssl
from contextlib import suppress

import gevent
from gevent import socket
from gevent.server import StreamServer

from submgr.platform.tls import accept


class TlsFront:
    """Listens on a free port of 127.0.0.1 with TLS, and passes what comes on to `port`."""

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        self._context = context
        self._behind = port
        self._server = StreamServer(("127.0.0.1", 0), self._serve)

    def __enter__(self) -> TlsFront:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def _serve(self, sock: socket.socket, address: tuple[str, int]) -> None:
        with (
            accept(sock, self._context, 5.0) as client,
            socket.create_connection(("127.0.0.1", self._behind)) as server,
        ):
            ways = [gevent.spawn(_pass_on, client, server), gevent.spawn(_pass_on, server, client)]
            gevent.joinall(ways, count=1)
            gevent.killall(ways)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
