# SPDX-License-Identifier: Apache-2.0
"""An HTTP server for a WSGI application, on gevent's pywsgi.

The server bounds its connections, the size of a request and the time that a client takes. It logs broken clients at
debug level only.
"""

import errno
import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent import socket
from gevent.pywsgi import WSGIServer

from submgr.platform.fair import turn_is_used_up
from submgr.platform.http.connections import Connections, HttpLimits
from submgr.platform.http.error_formats import ErrorFormat, json_errors
from submgr.platform.http.handler import Handler
from submgr.platform.http.listen import ListenError, cannot_listen, listening_socket, parse_listen
from submgr.platform.http.shortcut import Shortcut
from submgr.platform.tls import TlsError, TlsFiles

log = logging.getLogger(__name__)

_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class _Wsgi(WSGIServer):  # type: ignore[misc]
    handler_class = Handler
    connections: Connections
    shortcut: Shortcut | None

    def do_read(self) -> Any:
        # a flood of new clients: the others come in the next turns, when those who make room have left
        if turn_is_used_up() or not self.connections.acceptable:
            return None
        try:
            accepted = super().do_read()
            if accepted is not None:
                self.connections.accepted()
            return accepted
        except OSError as exc:
            if exc.errno in self.fatal_errors:
                raise
            if exc.errno in _OUT_OF_DESCRIPTORS:
                # the waiting connection keeps the socket readable: look again later instead of spinning
                log.warning("cannot accept", extra={"server": self.connections.name, "why": exc.strerror})
                self.stop_accepting()
                gevent.spawn_later(0.2, self._accept_again)
            return None

    def _accept_again(self) -> None:
        if self.started:
            self.start_accepting()


class HttpServer:
    """Serves the WSGI application `app` on the address `listen` between `start` and `stop`.

    `bind` reserves the port and does not listen yet: a port that is taken ends the start of the daemon early, and
    clients are refused until the daemon can answer them. `shortcut`: answers plain requests before `app`. `errors`: the
    format of the answers to requests that do not reach the application. `tls`: the server speaks HTTPS.
    `len(connections)`: how many clients are connected.
    """

    def __init__(
        self,
        name: str,
        listen: str,
        app: Callable[..., Any],
        *,
        shortcut: Shortcut | None = None,
        limits: HttpLimits | None = None,
        errors: ErrorFormat = json_errors,
        tls: TlsFiles | None = None,
    ) -> None:
        self.connections = Connections(name, limits or HttpLimits(), errors, tls)
        self._listen = listen
        self._app = app
        self._shortcut = shortcut
        self._sock: socket.socket | None = None
        self._server: _Wsgi | None = None

    def bind(self) -> None:
        """Reserves the port. Raises ListenError."""
        try:
            if self.connections.tls is not None:
                self.connections.tls.load()
        except TlsError as exc:
            raise ListenError(f"cannot listen on {self._listen} with TLS: {exc}") from exc
        if self._sock is None:
            self._sock = listening_socket(self._listen)

    def start(self) -> None:
        """Listens and serves. Raises ListenError."""
        self.bind()
        sock = self._sock
        assert sock is not None
        try:
            sock.listen(self.connections.limits.backlog)
        except OSError as exc:
            sock.close()
            self._sock = None
            raise cannot_listen(self._listen, parse_listen(self._listen)[1], exc) from exc
        self.connections.stopping = False
        environ = {
            "SERVER_NAME": parse_listen(self._listen)[0] or "localhost",
            "wsgi.multithread": True,
            "wsgi.url_scheme": "http" if self.connections.tls is None else "https",
        }
        self._server = _Wsgi(sock, self._app, log=None, error_log=None, environ=environ)
        self._server.connections = self.connections
        self._server.shortcut = self._shortcut
        self._server.start()
        log.info("listening", extra={"server": self.connections.name, "address": "{}:{}".format(*self.address)})

    @property
    def address(self) -> tuple[str, int]:
        """The IP address and port in use. Known from `bind` on, RuntimeError before."""
        if self._sock is None:
            raise RuntimeError(f"{self.connections.name} is not bound")
        host, port = self._sock.getsockname()[:2]
        return str(host), int(port)

    @property
    def port(self) -> int:
        """The port in use, 0 before `bind`."""
        return self.address[1] if self._sock is not None else 0

    def tls_trouble(self) -> str | None:
        """Why changed TLS files are not in use, in words; None when they are, and without TLS."""
        return self.connections.tls.trouble() if self.connections.tls is not None else None

    def stop(self, grace: float = 5.0) -> None:
        """Accepts no more clients, lets requests under way finish for `grace` seconds, then cuts them off."""
        self.connections.stopping = True
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        self.connections.drain(grace)
