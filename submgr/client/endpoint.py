# SPDX-License-Identifier: Apache-2.0
"""The place where an xApp is notified: an HTTP server in threads, bounded in size, time and number."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from submgr.client.values import Notification, notification_of

log = logging.getLogger(__name__)

PATH = "/ric/v1/subscriptions/response"
LARGEST = 256 * 1024
"""Bytes of a notification, which has some hundred."""
CONNECTIONS = 64
REQUEST_SECONDS = 10.0
"""For a whole request, from its first byte on; and for a handshake."""
IDLE_SECONDS = 60.0
_LOOK = 0.2


class NotificationEndpoint:
    """Takes notifications between `start` and `stop`, and gives each to `take`, once it has been answered.

    `listen`: the address to listen on, "" for all; `port` 0 picks one. Bodies that are no notifications are answered
    400 and nobody is told. Any number of clients may come: the one that is slow for longest makes room.
    """

    def __init__(
        self, listen: str, port: int, take: Callable[[Notification], None], context: ssl.SSLContext | None = None
    ) -> None:
        self._server = _Server(listen, port, take, context)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_LOOK,), daemon=True)
        self._thread.name = "notifications"
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        """Begins to answer. The port is open, and connections wait, from the constructor on."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and every connection."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.end()


class _Server(HTTPServer):
    """`HTTPServer` with a thread for each connection, of which there are a bounded number, for a bounded time."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, listen: str, port: int, take: Callable[[Notification], None], context: ssl.SSLContext | None
    ) -> None:
        self.take = take
        self.context = context
        self._lock = threading.Lock()
        self._ends: dict[socket.socket, float] = {}
        if ":" in listen:
            self.address_family = socket.AF_INET6
        super().__init__((listen, port), _Handler)

    def server_bind(self) -> None:
        """Binds, and asks no name server who we are, as `HTTPServer` does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """A connection gets a thread; when there are too many, the one that has least time left ends."""
        with self._lock:
            if len(self._ends) >= CONNECTIONS:
                least = min(self._ends, key=lambda one: self._ends[one])
                del self._ends[least]
                _cut(least)
            self._ends[request] = time.monotonic() + REQUEST_SECONDS
        threading.Thread(target=self._serve, args=(request, client_address), name="notification", daemon=True).start()

    def allow(self, connection: Any, seconds: float) -> None:
        """The connection ends when nothing else is said of it for `seconds`."""
        with self._lock:
            if connection in self._ends:
                self._ends[connection] = time.monotonic() + seconds

    def service_actions(self) -> None:
        """Called five times a second: ends what takes too long."""
        now = time.monotonic()
        with self._lock:
            for connection in [one for one, end in self._ends.items() if end < now]:
                _cut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """No thread could be had for the connection, which is closed by the caller."""
        log.warning("notification of %s not taken", client_address, exc_info=True)
        with self._lock:
            self._ends.pop(request, None)

    def end(self) -> None:
        """Closes everything."""
        self.server_close()
        with self._lock:
            for connection in self._ends:
                _cut(connection)

    def _serve(self, connection: socket.socket, client_address: Any) -> None:
        stream: socket.socket = connection
        try:
            connection.settimeout(REQUEST_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                stream = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                with self._lock:
                    self._ends[stream] = self._ends.pop(connection, 0.0)
                stream.do_handshake()
            _Handler(stream, client_address, self)
        except (OSError, ValueError) as error:
            log.debug("connection of %s lost: %s", client_address, error)
        finally:
            with self._lock:
                self._ends.pop(stream, None)
                self._ends.pop(connection, None)
            stream.close()
            connection.close()


def _cut(connection: socket.socket) -> None:
    """Ends a connection whose thread is waiting for it."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # also of a TLS connection, without its words of farewell


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ric-submgr-client"
    sys_version = ""
    server: _Server

    def handle_one_request(self) -> None:
        self.server.allow(self.connection, IDLE_SECONDS)
        self.connection.settimeout(IDLE_SECONDS)
        if not self.rfile.peek(1):  # type: ignore[attr-defined]  # the first byte, or the end
            self.close_connection = True
            return
        self.server.allow(self.connection, REQUEST_SECONDS)
        self.connection.settimeout(REQUEST_SECONDS)
        super().handle_one_request()

    def do_POST(self) -> None:  # the name is http.server's
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            self._answer(411, close=True)
        elif len(length) > 10 or int(length) > LARGEST:
            self._answer(413, close=True)
        else:
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                self.close_connection = True
            elif self.path.partition("?")[0].rstrip("/") != PATH:
                self._answer(404)
            else:
                self._take(body)

    def _take(self, body: bytes) -> None:
        """Answers first: who waits for the notification may end the program as soon as it is there, and one without an
        answer would be sent again and again."""
        try:
            notification = notification_of(json.loads(body))
        except (ValueError, RecursionError) as error:
            log.warning("%s sent what is no notification: %s", self.client_address[0], error)
            self._answer(400)
            return
        try:
            self._answer(200)
        finally:
            self.server.take(notification)

    def _refuse_method(self) -> None:
        self._answer(405, close=True)

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse_method

    def _answer(self, status: int, close: bool = False) -> None:
        self.send_response(status)
        if status == 405:
            self.send_header("Allow", "POST")
        self.send_header("Content-Length", "0")
        if close:
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Lines of every request are not wanted; `log_error` comes here, too."""
        log.debug(format.replace("%", "%%") if not args else format, *args)
