# SPDX-License-Identifier: Apache-2.0
"""A server of the attackers in native threads: it needs no event loop, and can send for ever."""

from __future__ import annotations

import contextlib
import socket
import threading


class NativeServer:
    """Listens on a free port. A subclass serves one connection in `serve`, in a thread of its own.

    `open`: the connections that `hang_up` ends.
    """

    def __init__(self) -> None:
        self.open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def serve(self, sock: socket.socket) -> None:
        raise NotImplementedError

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Ends the connections that are open."""
        for sock in list(self.open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.open.add(sock)
                threading.Thread(target=self.serve, args=(sock,), daemon=True).start()
