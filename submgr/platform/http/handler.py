# SPDX-License-Identifier: Apache-2.0
"""Serves one connection of an HTTP server. pywsgi runs the application; requests are read here, strictly and bounded.

A request is read completely, head and body, before the application is called: an application never waits for its
client. A request that is refused is answered in the server's error format, and the connection ends.
"""

import logging
from io import BytesIO
from typing import Any
from urllib.parse import unquote

import gevent
from gevent import socket
from gevent.pywsgi import WSGIHandler

from submgr.platform.http.app import reason_of
from submgr.platform.http.buffered_socket import BufferedSocket, ChunkedBody, Malformed, PeerClosed, TooLong
from submgr.platform.http.connections import Connections
from submgr.platform.http.request_head import Refused, RequestFields, request_fields, request_line

log = logging.getLogger(__name__)

_REQUEST_LINE = 8191
_ONE_PIECE = 64 * 1024
_LINGER_SECONDS = 5.0
_LINGER_BYTES = 64 * 1024 * 1024


class _Body(BytesIO):
    """A request body that has been read. pywsgi discards what the application has left of a body: there is nothing."""

    def _discard(self) -> None:
        pass


class Handler(WSGIHandler):  # type: ignore[misc]
    """pywsgi makes one per connection and calls `handle`."""

    connections: Connections
    command: str | None
    response_headers: list[tuple[bytes, bytes]]
    _fields: RequestFields
    _body: bytes

    def __init__(self, sock: socket.socket, address: tuple[Any, ...], server: Any) -> None:
        super().__init__(sock, address, server, rfile=BytesIO())  # pywsgi's own reader, which is not used
        self._source = BufferedSocket(sock)

    def handle(self) -> None:
        """Serves the requests of the connection until it ends."""
        self.connections = self.server.connections
        self.greenlet = gevent.getcurrent()
        sock = self.socket
        try:
            if self.connections.enter(self):
                super().handle()
            else:
                self._answer(Refused(503, "too many connections"), {"Retry-After": "1"})
        except OSError as exc:
            log.debug("connection lost", extra={"peer": str(self.client_address), "why": str(exc)})
        finally:
            self.connections.leave(self)
            sock.close()

    @property
    def host(self) -> str:
        """The address of the client."""
        return str(self.client_address[0])

    def hang_up(self) -> None:
        """Ends the connection, which is between two requests or within one. Called from another greenlet."""
        sock = self.__dict__.get("socket")
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError as exc:
                log.debug("connection was gone", extra={"why": str(exc)})

    def handle_one_request(self) -> bool | None:
        """Reads a request, has it answered. Returns None when the connection is to be closed."""
        self.command = None
        try:
            if not self._wait_for_request():
                return None
            self._read_request()
        except Refused as refused:
            self._answer(refused)
            return None
        self.socket.settimeout(self.connections.limits.write)
        self.environ = self.get_environ()
        self.application = self.server.application
        self.handle_one_response()
        return None if self.close_connection else True

    def _wait_for_request(self) -> bool:
        """Waits for the first byte of a request, as long as a connection may idle. Returns False when none comes."""
        if not self._source.pending:
            self.connections.idle(self)
            self._source.allow(self.connections.limits.idle)
            try:
                if not self._source.fill():
                    return False
            except TimeoutError:
                return False
        self.connections.busy(self)
        self._source.begin(self.connections.limits.read)
        return True

    def _read_request(self) -> None:
        """Reads head and body. Raises Refused, or OSError when the client leaves within the head."""
        try:
            self._read_head()
            self._body = self._read_body()
        except TimeoutError:
            raise Refused(408, f"the request was not complete within {self.connections.limits.read:g} s") from None
        finally:
            self.connections.complete(self)

    def _read_head(self) -> None:
        self.requestline = self._read_request_line() or self._read_request_line()
        self.command, self.path, self.request_version = request_line(self.requestline)
        try:
            lines = self._source.header_lines()
        except TooLong:
            raise Refused(431, "the head of the request is too long") from None
        self._fields = request_fields(lines, self.request_version)
        self.content_length = self._fields.framing.length
        self.close_connection = self._fields.framing.closes

    def _read_request_line(self) -> str:
        """A line without its end. Some clients send an empty one after the body before (RFC 9112 section 2.2)."""
        try:
            line = self._source.line(_REQUEST_LINE)
        except TooLong:
            raise Refused(414, "the request line is too long") from None
        return line.decode("latin-1").rstrip("\r\n")

    def _read_body(self) -> bytes:
        length, chunked = self._fields.framing.length, self._fields.framing.chunked
        if not chunked and not length:
            return b""
        limit = self.connections.limits.body
        if length is not None and length > limit:
            raise self._too_large()
        if self._fields.framing.expects_continue:
            self._source.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = ChunkedBody(self._source) if chunked else self._source
        wanted = limit + 1 if length is None else length
        octets = bytearray()  # in place of a list of pieces, which would be many times as large when they are tiny
        try:
            while wanted and (piece := body.some(wanted)):
                octets += piece
                wanted -= len(piece)
        except PeerClosed as exc:
            raise Refused(400, f"the body is incomplete: {exc}") from exc
        except Malformed as exc:
            raise Refused(400, f"the chunks of the body are malformed: {exc}") from exc
        if wanted and not chunked:
            raise Refused(400, f"the body is incomplete: {wanted} bytes are missing")
        if not wanted and chunked:
            raise self._too_large()
        return bytes(octets)

    def _too_large(self) -> Refused:
        return Refused(413, f"the body is larger than {self.connections.limits.body} bytes")

    def get_environ(self) -> dict[str, Any]:
        """The WSGI environment of the request that has been read."""
        env: dict[str, Any] = self.server.get_environ()
        path, _, query = self.path.partition("?")
        env["REQUEST_METHOD"] = self.command
        env["PATH_INFO"] = unquote(path, "latin-1")
        env["QUERY_STRING"] = query
        env["SERVER_PROTOCOL"] = self.request_version
        env["REMOTE_ADDR"] = self.client_address[0].removeprefix("::ffff:")
        env["REMOTE_PORT"] = str(self.client_address[1])
        env.update(self._fields.environ)
        if self._body or self.content_length is not None:
            env["CONTENT_LENGTH"] = str(len(self._body))
        self.wsgi_input = env["wsgi.input"] = _Body(self._body)
        env["wsgi.input_terminated"] = True
        return env

    def finalize_headers(self) -> None:
        """Adds the header fields that the application left out."""
        super().finalize_headers()
        if self.request_version == "HTTP/1.0" and not self.response_use_chunked and self.code not in (204, 304):
            known = any(name.lower() == b"content-length" for name, _ in self.response_headers)
            self.close_connection = self.close_connection or not known  # its end is the end of the connection
        if self.connections.stopping:
            self.close_connection = True
        if self.close_connection:
            fields = [field for field in self.response_headers if field[0].lower() != b"connection"]
            self.response_headers = [*fields, (b"Connection", b"close")]

    def _write_with_headers(self, data: bytes) -> None:
        """Sends a small answer in one piece. pywsgi sends the head on its own: one more system call and packet."""
        if self.response_use_chunked or len(data) > _ONE_PIECE:
            super()._write_with_headers(data)
            return
        self.headers_sent = True
        self.finalize_headers()
        if self.response_use_chunked:  # decided just now
            data = b"%x\r\n%s\r\n" % (len(data), data) if data else b""
        head = b"".join([b"%s: %s\r\n" % field for field in self.response_headers])
        self._sendall(b"HTTP/1.1 %s\r\n%s\r\n%s" % (self.status, head, data))

    def log_request(self) -> None:
        """Logs one line at debug level in place of an access log."""
        if log.isEnabledFor(logging.DEBUG):
            seconds = (self.time_finish or self.time_start) - self.time_start
            log.debug(
                "http",
                extra={"server": self.connections.name, "request": self.requestline, "status": self.code,
                       "ms": round(seconds * 1000, 2)},
            )  # fmt: skip

    def handle_error(self, t: Any, v: Any, tb: Any) -> None:
        """The iterator of the application failed, or the client does not take its answer."""
        if (self.code or 0) < 0:  # pywsgi's mark for "could not be sent"
            log.debug("answer not taken", extra={"peer": str(self.client_address), "why": str(v)})
            self.close_connection = True
        elif not issubclass(t, gevent.GreenletExit):
            log.error("request failed", exc_info=(t, v, tb), extra={"request": self.requestline})
            self._send_error_response_if_possible(500)
        else:
            self.close_connection = True

    def _send_error_response_if_possible(self, error_code: int) -> None:
        self.close_connection = True
        if not self.response_length:  # else the client sees that the answer breaks off
            self._answer(Refused(error_code, "internal error, see the log"))

    def _answer(self, refused: Refused, headers: dict[str, str] | None = None) -> None:
        """Sends an error, then reads on for a while: closing with unread input would reset the connection too early."""
        self.close_connection = True
        body, content_type = self.connections.errors(refused.status, refused.message, (), {})
        lines = [f"HTTP/1.1 {refused.status} {reason_of(refused.status)}", f"Content-Type: {content_type}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        head = "\r\n".join(lines).encode("latin-1")
        log.debug(
            "request refused", extra={"server": self.connections.name, "status": refused.status, "why": str(refused)}
        )
        self._source.allow(self.connections.limits.write)
        self._source.send(head if self.command == "HEAD" else head + body)
        self.socket.shutdown(socket.SHUT_WR)
        self._source.allow(_LINGER_SECONDS)
        self._source.discard(_LINGER_BYTES)
