# SPDX-License-Identifier: Apache-2.0
"""A bare RMR peer on a loopback port, for what a well-behaved transport would never do."""

from __future__ import annotations

import socket as stdsocket
import struct
from types import TracebackType
from typing import Any

import gevent
from gevent import socket
from gevent.server import StreamServer

from submgr.rmr.framing import Framer
from submgr.rmr.message import Message


class Link:
    """One raw connection: sends any bytes, collects the messages that come."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.got: list[Message] = []
        self.closed = False
        self._reader: Any = None

    @staticmethod
    def to(port: int, *, read: bool = True) -> Link:
        """Connects to a transport; with `read` false nothing that comes is ever read."""
        link = Link(socket.create_connection(("127.0.0.1", port)))
        if read:
            link.read()
        return link

    def read(self) -> None:
        """From now on reads what comes."""
        self._reader = gevent.spawn(self._read)

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self.sock.sendall(data)

    def reset(self) -> None:
        """Closes the connection with a reset."""
        self.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        if self._reader is not None:
            self._reader.kill()
        self.sock.close()

    def _read(self) -> None:
        framer = Framer(1 << 24)
        try:
            while data := self.sock.recv(65536):
                self.got += framer.feed(data)
        except OSError:
            pass
        self.sock.close()
        self.closed = True


class Peer:
    """A listener whose connections are Links; `with Peer() as peer:`."""

    def __init__(self, port: int = 0, *, read: bool = True) -> None:
        self.links: list[Link] = []
        self._read = read
        listener = socket.socket()
        listener.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEADDR, 1)
        if not read:
            listener.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 1 << 16)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        self.port = int(listener.getsockname()[1])
        self.name = f"127.0.0.1:{self.port}"
        self._server = StreamServer(listener, self._serve)
        self._server.start()

    @property
    def got(self) -> list[Message]:
        """All messages that came, connection after connection."""
        return [message for link in self.links for message in link.got]

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, kind: type[BaseException] | None, bad: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stops listening and closes every connection."""
        self._server.close()
        for link in self.links:
            link.close()

    def _serve(self, sock: Any, address: Any) -> None:
        link = Link(sock)
        self.links.append(link)
        if self._read:
            link._read()
        else:
            gevent.sleep(3600)
