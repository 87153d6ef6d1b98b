# SPDX-License-Identifier: Apache-2.0
"""What a Service of Kubernetes is to replicas: each connection goes to the next one of those that take it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import gevent
from gevent import socket
from gevent.server import StreamServer

from support.ports import free_port

_PIECE = 65536


class RoundRobin:
    """`with RoundRobin(ports) as front:` listens on `front.port`, on the loopback."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.port = free_port()
        self.served = dict.fromkeys(ports, 0)
        """Connections by the port that they went to."""
        self._ports = list(ports)
        self._server = StreamServer(("127.0.0.1", self.port), self._serve)

    def __enter__(self) -> RoundRobin:
        self._server.start()
        return self

    def __exit__(self, *how: object) -> None:
        self._server.stop(timeout=0)

    def _serve(self, client: Any, address: object) -> None:
        server = self._connected()
        if server is None:
            client.close()
            return
        back = gevent.spawn(self._pass, server, client)
        self._pass(client, server)
        back.join()
        server.close()
        client.close()

    def _connected(self) -> Any:
        for _ in self._ports:
            port = self._ports.pop(0)
            self._ports.append(port)
            with suppress(OSError):
                server = socket.create_connection(("127.0.0.1", port))
                self.served[port] += 1
                return server
        return None

    @staticmethod
    def _pass(source: Any, sink: Any) -> None:
        with suppress(OSError):
            while data := source.recv(_PIECE):
                sink.sendall(data)
        for sock in (sink, source):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
