# SPDX-License-Identifier: Apache-2.0
"""Serves one connection of an HTTP server. pywsgi runs the application; requests are read by `request_reader.py`.

A request is read completely, head and body, before the application is called: an application never waits for its
client. A request that is refused is answered in the server's error format, and the connection ends. Requests are let
in by time: all connections together share a slice of each turn of the event loop, also for requests that come one
behind the other on the same connection. Only probes of the health pass at once.
"""

import logging
import sys
import time
from io import BytesIO
from typing import Any

import gevent
from gevent import socket

from submgr.platform.http.answering import AnsweringHandler, no_room
from submgr.platform.http.buffered_socket import BufferedSocket, PeerClosed
from submgr.platform.http.error_formats import reason_of
from submgr.platform.http.peer import SOCKET
from submgr.platform.http.plain_answers import PlainAnswer
from submgr.platform.http.request_head import Refused
from submgr.platform.http.request_reader import RETRY, Request, read_request
from submgr.platform.http.shortcut import FAILED, Asked
from submgr.platform.tls import accept

log = logging.getLogger(__name__)

_LINGER_SECONDS = 5.0
_LINGER_BYTES = 64 * 1024 * 1024
_RESERVE_SECONDS = 2.0
"""The time in which a client that found the server full may ask for its health."""


class Handler(AnsweringHandler):
    """pywsgi makes one per connection and calls `handle`."""

    command: str | None
    environ: dict[str, Any] | None

    def __init__(self, sock: socket.socket, address: tuple[Any, ...], server: Any) -> None:
        super().__init__(sock, address, server, rfile=BytesIO())  # pywsgi's own reader, which is not used
        self.host = str(address[0])
        self._request: Request | None = None
        self._placed = True
        self._reading = False
        self._refused = False
        self._crowded_out = False

    def handle(self) -> None:
        """Serves the requests of the connection until it ends."""
        self.connections = self.server.connections
        self.greenlet = gevent.getcurrent()
        sock = self.socket
        try:
            self._placed = self.connections.enter(self)
            sock = self._secured(sock)
            self._source = BufferedSocket(sock, self._received)
            super().handle()
        except OSError as exc:
            log.debug("connection lost", extra={"peer": str(self.client_address), "why": str(exc)})
        finally:
            sock.close()
            self.connections.leave(self)
            self._request = self.environ = None
            self.__dict__.pop("_source", None)  # it knows this handler: both would stay until a garbage collection

    def _secured(self, sock: socket.socket) -> socket.socket:
        """Makes the TLS handshake, if the server has TLS, and goes on with its socket. Raises OSError."""
        tls = self.connections.tls
        if tls is None:
            return sock
        self.connections.slow(self)  # a client that says nothing makes room as one does that sends half a request
        self.socket = accept(sock, tls.context, self.connections.limits.handshake)
        return self.socket

    def hang_up(self) -> None:
        """Ends the connection, whose client is waited for. Called from another greenlet."""
        self._shut(socket.SHUT_RDWR)

    def crowd_out(self) -> None:
        """Has a request that is still coming answered by 503, and ends the connection. Called from another greenlet."""
        self._crowded_out = True
        self._source.forget()
        self._shut(socket.SHUT_RD if self._reading else socket.SHUT_RDWR)

    def _shut(self, how: int) -> None:
        sock = self.__dict__.get("socket")
        if sock is not None:
            try:
                sock.shutdown(how)
            except OSError as exc:
                log.debug("connection was gone", extra={"why": str(exc)})

    def handle_one_request(self) -> bool | None:
        """Reads a request, has it answered. Returns None when the connection is to be closed."""
        self.command = None
        self._reading = True
        refused = None
        try:
            if not self._wait_for_request():
                return None
            self._read_request()
        except Refused as exc:
            refused = Refused(exc.status, exc.message, exc.headers)  # the traceback of `exc` holds what has come
        if refused is not None:
            self._answer(refused)
            return None
        self._reading = False
        self.connections.works(self)
        self.handle_one_response()
        self._let_go()
        return None if self.close_connection else True

    def _let_go(self) -> None:
        """A connection between two requests holds nothing but what has already come of the next one."""
        self._request = self.environ = None
        self.connections.release(self)
        come = self._source.pending
        if come:
            self.connections.received(self, come)
        else:
            self._source.forget()

    def _wait_for_request(self) -> bool:
        """Waits for the first byte of a request, as long as a connection may idle. Returns False when none comes."""
        limits = self.connections.limits
        if not self._source.pending:
            self.connections.idle(self)
            try:
                if not self._source.fill_later(limits.idle if self._placed else _RESERVE_SECONDS):
                    return False
            except TimeoutError:
                if not self._placed:
                    raise Refused(503, "too many connections", RETRY) from None
                return False
        self.connections.slow(self)
        self._source.begin(limits.read if self._placed else _RESERVE_SECONDS)
        return True

    def _received(self, octets: int) -> None:
        if self._refused:  # what comes now is not kept
            return
        if self._crowded_out or not self.connections.received(self, octets):
            raise no_room()

    def _read_request(self) -> None:
        """Raises Refused, or OSError when the connection is lost."""
        limits = self.connections.limits
        try:
            request = self._request = read_request(self._source, limits, not self._placed)
        except TimeoutError:
            raise Refused(408, f"the request was not complete within {limits.read:g} s") from None
        except OSError as exc:
            if self._crowded_out:
                raise no_room() from None
            if not isinstance(exc, PeerClosed):
                raise
            raise Refused(400, f"the request is incomplete: {exc}") from exc
        if self._crowded_out:  # while it waited for its turn
            raise no_room()
        line = request.first.line
        self.command, self.request_version = line.method, line.version
        self.close_connection = request.fields.framing.closes

    def handle_one_response(self) -> None:
        """Has the request answered, whatever happens meanwhile. In place of pywsgi's, which discards what the
        application has left of a body: it has come completely here."""
        self.time_start = time.time()
        self.code = self.status = None
        self.headers_sent = self.response_use_chunked = False
        self.response_length = 0
        try:
            self.run_application()
        except OSError as exc:
            if exc.errno in self.ignored_socket_errors:  # the client is gone
                self.close_connection = True
            else:
                self.handle_error(*sys.exc_info())
        except BaseException:
            self.handle_error(*sys.exc_info())
        finally:
            if log.isEnabledFor(logging.DEBUG):
                self._log_request()

    def run_application(self) -> None:
        """Has the request answered, on the short way if there is one."""
        request, shortcut = self._request, self.server.shortcut
        assert request is not None
        first = request.first
        answered = None
        if shortcut is not None:
            answered = shortcut(Asked(first.line.method, first.path, request.fields.environ, request.body, self.socket))
        if answered is None:
            self._ask_application(request)
            return
        try:
            if isinstance(answered.answer, PlainAnswer):
                self.send_plain(answered.answer)
            else:
                self._ask_application(request, failed=answered.answer)
        finally:
            if answered.follows is not None:
                answered.follows()

    def _ask_application(self, request: Request, failed: Exception | None = None) -> None:
        """`failed`: the error with which the request has failed already."""
        self.environ = self.get_environ()
        if failed is not None:
            self.environ[FAILED] = failed
        self.application = self.server.application
        super().run_application()

    def get_environ(self) -> dict[str, Any]:
        """The WSGI environment of the request that has been read."""
        request = self._request
        assert request is not None
        env: dict[str, Any] = self.server.get_environ()
        env["REQUEST_METHOD"] = self.command
        env["PATH_INFO"] = request.first.path
        env["QUERY_STRING"] = request.first.query
        env["SERVER_PROTOCOL"] = self.request_version
        env["REMOTE_ADDR"] = self.client_address[0].removeprefix("::ffff:")
        env["REMOTE_PORT"] = str(self.client_address[1])
        env[SOCKET] = self.socket
        env.update(request.fields.environ)
        if request.first.line.host is not None:
            env["HTTP_HOST"] = request.first.line.host
        if request.body or request.fields.framing.length is not None:
            env["CONTENT_LENGTH"] = str(len(request.body))
        env["wsgi.input"] = BytesIO(request.body)
        env["wsgi.input_terminated"] = True
        return env

    def _log_request(self) -> None:
        """One line at debug level in place of an access log."""
        seconds = time.time() - self.time_start
        log.debug(
            "http",
            extra={"server": self.connections.name, "request": self._text(), "status": self.code,
                   "ms": round(seconds * 1000, 2)},
        )  # fmt: skip

    def _text(self) -> str:
        return self._request.first.text if self._request is not None else ""

    def handle_error(self, t: Any, v: Any, tb: Any) -> None:
        """The iterator of the application failed, or the client does not take its answer."""
        if issubclass(t, Refused):
            self._break_off(v)
        elif (self.code or 0) < 0:
            log.debug("answer not taken", extra={"peer": str(self.client_address), "why": str(v)})
            self.close_connection = True
        elif not issubclass(t, gevent.GreenletExit):
            log.error("request failed", exc_info=(t, v, tb), extra={"request": self._text()})
            self._break_off(Refused(500, "internal error, see the log"))
        else:
            self.close_connection = True

    def _break_off(self, refused: Refused) -> None:
        self.close_connection = True
        if not self.response_length:  # else the client sees that the answer breaks off
            self._answer(refused)

    def _answer(self, refused: Refused) -> None:
        """Sends an error, then reads on for a while: closing with unread input would reset the connection too early."""
        self.close_connection = True
        self.code = refused.status
        self._refused = True
        self.connections.release(self)
        self.connections.slow(self)
        body, content_type = self.connections.errors(refused.status, refused.message, (), {})
        fields = {"Content-Type": content_type, **refused.headers, "Content-Length": str(len(body))}
        lines = [f"HTTP/1.1 {refused.status} {reason_of(refused.status)}", *map(": ".join, fields.items())]
        head = "\r\n".join((*lines, "Connection: close", "", "")).encode("latin-1")
        told = {"server": self.connections.name, "status": refused.status, "why": str(refused)}
        log.debug("request refused", extra=told)
        self._source.allow(self.connections.limits.write)
        self._source.send(head if self.command == "HEAD" else head + body)
        self.socket.shutdown(socket.SHUT_WR)
        self._source.allow(_LINGER_SECONDS)
        self._source.discard(_LINGER_BYTES)
