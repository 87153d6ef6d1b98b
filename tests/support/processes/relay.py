# SPDX-License-Identifier: Apache-2.0
"""A TCP relay before a server, that can be cut: nothing passes then, and nobody is told. Or slow."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Any

import gevent
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

from support.ports import free_port

_PIECE = 65536


class Relay:
    """`with Relay(host, port) as relay:` listens on `relay.port`. After `cut` what comes waits until `mend`.

    `delay`: seconds that each piece waits, in either direction.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = free_port()
        self.delay = 0.0
        self._to = (host, port)
        self._open = Event()
        self._open.set()
        self._server = StreamServer(("127.0.0.1", self.port), self._serve)

    def __enter__(self) -> Relay:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.set()
        self._server.stop(timeout=0)

    def cut(self) -> None:
        self._open.clear()

    def mend(self) -> None:
        self._open.set()

    def _serve(self, client: Any, _address: Any) -> None:
        self._open.wait()
        try:
            server = socket.create_connection(self._to)
        except OSError:
            return
        back = gevent.spawn(self._pass, server, client)
        self._pass(client, server)
        back.join()
        server.close()

    def _pass(self, source: Any, sink: Any) -> None:
        with suppress(OSError):  # either end goes
            while data := source.recv(_PIECE):
                if self.delay:
                    gevent.sleep(self.delay)
                self._open.wait()
                sink.sendall(data)
        for sock in (sink, source):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
