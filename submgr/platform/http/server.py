# SPDX-License-Identifier: Apache-2.0
"""An HTTP server for a WSGI application: bounded, quiet about broken clients, with TCP_NODELAY."""

import errno
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent import event, socket
from gevent.pywsgi import WSGIServer

from submgr.platform.http.app import ErrorFormat, json_errors
from submgr.platform.http.handler import Handler

log = logging.getLogger(__name__)

_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class ListenError(Exception):
    """The address cannot be listened on; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of a server. Times in seconds, sizes in bytes."""

    body: int = 16 * 1024 * 1024
    connections: int = 1000
    idle: float = 300.0
    """How long a connection may stay open between two requests."""
    read: float = 30.0
    """From the first byte of a request to the last one of its body."""
    write: float = 30.0
    """For a client to take one piece of its answer."""
    backlog: int = 1024


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of "host:port", "[v6]:port", ":port" or "port"; the host is empty for all addresses.

    Raises ValueError with a message that names the text.
    """
    host, _, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r} is not a listen address: a version 6 address goes in brackets")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f'{text!r} is not a listen address like ":8080" or "127.0.0.1:8080"')
    return host, int(port)


def listening_socket(listen: str) -> socket.socket:
    """A bound TCP socket with TCP_NODELAY, which accepted connections inherit. Raises ListenError.

    pywsgi writes the head and the body of an answer separately; without TCP_NODELAY the body waits for the client's
    delayed acknowledgement of the head, 40 ms a request.
    """
    try:
        host, port = parse_listen(listen)
        family, address = _bind_address(host, port)
        sock = socket.socket(family, socket.SOCK_STREAM)
    except (ValueError, OSError) as exc:
        raise ListenError(f"cannot listen on {listen}: {exc}") from exc
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6 and not host:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
    except OSError as exc:
        sock.close()
        raise _cannot_listen(listen, port, exc) from exc
    return sock


def _bind_address(host: str, port: int) -> tuple[int, tuple[Any, ...]]:
    if not host:
        return (socket.AF_INET6, ("::", port)) if _has_dual_stack() else (socket.AF_INET, ("0.0.0.0", port))
    family, _, _, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)[0]
    return family, address


def _has_dual_stack() -> bool:
    """Whether one socket can serve both versions of IP here."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def _cannot_listen(listen: str, port: int, exc: OSError) -> ListenError:
    if exc.errno == errno.EADDRINUSE:
        return ListenError(f"cannot listen on {listen}: port {port} is taken by another process")
    return ListenError(f"cannot listen on {listen} (port {port}): {exc.strerror or exc}")


class _Wsgi(WSGIServer):  # type: ignore[misc]
    handler_class = Handler
    owner: "HttpServer"

    def do_read(self) -> Any:
        try:
            return super().do_read()
        except OSError as exc:
            if exc.errno in self.fatal_errors:
                raise
            if exc.errno in _OUT_OF_DESCRIPTORS:
                # the waiting connection keeps the socket readable: look again later instead of spinning
                log.warning("cannot accept", extra={"server": self.owner.name, "why": exc.strerror})
                self.stop_accepting()
                gevent.spawn_later(0.2, self._accept_again)
            return None

    def _accept_again(self) -> None:
        if self.started:
            self.start_accepting()


class HttpServer:
    """Serves `app` on `listen` between `start` and `stop`.

    `bind` reserves the port without listening yet, so that a taken port ends a start early while clients are
    refused until there is something to answer. `errors` is the format of what is refused before the application
    sees it.
    """

    def __init__(
        self,
        name: str,
        listen: str,
        app: Callable[..., Any],
        *,
        limits: HttpLimits | None = None,
        errors: ErrorFormat = json_errors,
    ) -> None:
        self.name = name
        self.limits = limits or HttpLimits()
        self.errors = errors
        self.stopping = False
        self._listen = listen
        self._app = app
        self._sock: socket.socket | None = None
        self._server: _Wsgi | None = None
        self._connections: set[Handler] = set()
        self._idle: dict[Handler, None] = {}
        self._empty = event.Event()

    def bind(self) -> None:
        """Reserve the port. Raises ListenError."""
        if self._sock is None:
            self._sock = listening_socket(self._listen)

    def start(self) -> None:
        """Listen and serve. Raises ListenError."""
        self.bind()
        sock = self._sock
        assert sock is not None
        try:
            sock.listen(self.limits.backlog)
        except OSError as exc:
            sock.close()
            self._sock = None
            raise _cannot_listen(self._listen, parse_listen(self._listen)[1], exc) from exc
        self.stopping = False
        environ = {"SERVER_NAME": parse_listen(self._listen)[0] or "localhost", "wsgi.multithread": True}
        self._server = _Wsgi(sock, self._app, log=None, error_log=None, environ=environ)
        self._server.owner = self
        self._server.start()
        log.info("listening", extra={"server": self.name, "address": "{}:{}".format(*self.address)})

    @property
    def address(self) -> tuple[str, int]:
        """Address and port in use, which are known from `bind` on."""
        if self._sock is None:
            raise RuntimeError(f"{self.name} is not bound")
        host, port = self._sock.getsockname()[:2]
        return str(host), int(port)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def stop(self, grace: float = 5.0) -> None:
        """Accept nothing more, let requests under way finish for `grace` seconds, then cut them off."""
        self.stopping = True
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        for handler in list(self._idle):
            handler.hang_up()
        deadline = time.monotonic() + grace
        while self._connections and (left := deadline - time.monotonic()) > 0:
            self._empty.clear()
            self._empty.wait(left)
        gevent.killall([handler.greenlet for handler in self._connections])

    def enter(self, handler: Handler) -> bool:
        """A client has connected. False: there are too many, and none of them idle that could make room."""
        if len(self._connections) >= self.limits.connections:
            if not self._idle:
                return False
            longest = next(iter(self._idle))
            del self._idle[longest]
            longest.hang_up()
        self._connections.add(handler)
        return True

    def idle(self, handler: Handler) -> None:
        """The client has no request under way."""
        self._idle[handler] = None
        if self.stopping:
            handler.hang_up()

    def busy(self, handler: Handler) -> None:
        """The client has begun a request."""
        self._idle.pop(handler, None)

    def leave(self, handler: Handler) -> None:
        """The client is gone."""
        self._idle.pop(handler, None)
        self._connections.discard(handler)
        if not self._connections:
            self._empty.set()
