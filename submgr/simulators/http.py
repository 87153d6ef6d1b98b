# SPDX-License-Identifier: Apache-2.0
"""HTTP side of the simulators: a server that can answer wrongly on purpose, and the control interface they share.

GET /state                   what the simulator holds
GET /log?since=N&event=E     ordered log, entries after number N, of one kind
GET /rules                   rules with how often each was used
PUT /rules · POST /rules     replace them · append some
DELETE /rules                behave well
POST /reset                  forget rules, log and state
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote

import gevent
import msgspec
from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer
from msgspec import Struct, field

from submgr.platform.http import request_reader
from submgr.platform.http.buffered_socket import BufferedSocket
from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.error_formats import reason_of
from submgr.platform.http.listen import listening_socket, parse_listen
from submgr.platform.http.plain_answers import encode_json
from submgr.platform.http.request_head import Refused
from submgr.simulators.events import EventLog
from submgr.simulators.rules import HttpRule, R, RuleBook, RuleError

_log = logging.getLogger(__name__)

_HTML = b"<html><head><title>Bad Gateway</title></head><body><h1>502</h1><p>upstream</p></body></html>"
MAX_CONNECTIONS = 10_000
_LIMITS = HttpLimits(body=64 * 1024 * 1024)
_PATIENCE = 3600.0
"""Seconds that a client may take for a request, or for its answer."""


class Request(Struct, frozen=True):
    """One HTTP request; `path` is unquoted and without its query."""

    method: str
    path: str
    query: dict[str, str]
    host: str
    body: bytes
    chunked: bool = False
    """The body came in chunks instead of with a Content-Length."""


class Reply(Struct, frozen=True):
    """One answer, or one of the ways to give none."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    raw: bool = field(default=False)
    """HTTP/1.0 without Content-Length."""
    hang: bool = False
    """Says nothing until the client closes."""
    close: bool = False
    """Closes the connection without an answer."""


def json_reply(value: object, status: int = 200) -> Reply:
    """A value as JSON."""
    return Reply(status, encode_json(value))


def error_reply(status: int, message: str) -> Reply:
    """An error in the form that the platform's services use."""
    return json_reply({"code": status, "message": message, "errors": []}, status)


def spoiled(rule: HttpRule | None, well: Reply) -> Reply:
    """The reply to a request as the rule spoils it; `well` is the reply without a rule."""
    if rule is None:
        return well
    body, content_type = well.body, well.content_type
    status = rule.status or (302 if rule.redirect else well.status)
    if status not in range(200, 300):
        body = encode_json({"code": status, "message": "as the script says"})
    if rule.html:
        body, content_type = _HTML, "text/html"
    if rule.body is not None:
        body = rule.body.encode()
    if rule.body_size is not None:
        body = b"x" * rule.body_size
    if status in (204, 304):
        body = b""  # these have none (RFC 9110 15.3.5)
    headers = (("Location", rule.redirect),) if rule.redirect else ()
    return Reply(status, body, content_type, headers, raw=rule.http10, hang=rule.hang, close=rule.close)


class HttpListener:
    """Serves requests through a function of one argument."""

    def __init__(self, listen: str, answer: Callable[[Request], Reply]) -> None:
        self._listen = listen
        self._answer = answer
        self._server: StreamServer | None = None
        self._address = ("", 0)

    def start(self) -> None:
        """Listens; after a stop on the same port as before.

        Raises:
            ListenError: the address is not free.
        """
        host, port = parse_listen(self._listen)
        sock = listening_socket(f"[{host}]:{port}" if ":" in host else f"{host}:{port or self._address[1]}")
        sock.listen(1024)
        self._address = sock.getsockname()[:2]
        self._server = StreamServer(sock, self._serve, spawn=Pool(MAX_CONNECTIONS))
        self._server.start()

    def stop(self) -> None:
        """Closes the listener and cuts every connection."""
        if self._server is not None:
            self._server.stop(timeout=0)
            self._server = None

    @property
    def address(self) -> str:
        """host:port in use, known after start."""
        host, port = self._address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def port(self) -> int:
        """The port in use, known after start."""
        return self._address[1]

    def _serve(self, sock: socket.socket, address: object) -> None:
        """One connection. A client that goes away ends it without a word, and so does a stop of the server."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        source = BufferedSocket(sock)
        try:
            while source.pending or source.fill_later(math.inf):
                source.begin(_PATIENCE)
                try:
                    asked = request_reader.read_request(source, _LIMITS, probes_only=False)
                except Refused as refused:
                    source.send(_octets(error_reply(refused.status, str(refused)), closes=True))
                    return
                if not self._reply(source, asked):
                    return
        except OSError:
            pass  # clients that go away in the middle are what the simulators are for
        finally:
            sock.close()

    def _reply(self, source: BufferedSocket, asked: request_reader.Request) -> bool:
        """Answers a request. Returns whether the connection goes on."""
        first, fields = asked.first, asked.fields
        request = Request(
            first.line.method,
            unquote(first.line.path.partition("?")[0]),
            {key: values[-1] for key, values in parse_qs(first.query).items()} if first.query else {},
            fields.environ.get("HTTP_HOST", ""),
            asked.body,
            fields.framing.chunked,
        )
        try:
            reply = self._answer(request)
        except Exception:
            _log.exception("a simulator failed to answer %s %s", request.method, request.path)
            reply = error_reply(500, "a bug of the simulator, see its log")
        if reply.hang:
            while source.fill():
                source.forget()
        if reply.hang or reply.close:
            return False
        closes = fields.framing.closes or reply.raw or first.line.version == "HTTP/1.0"
        source.send(_octets(reply, closes))
        return not closes


def _octets(reply: Reply, closes: bool) -> bytes:
    """A reply as it is sent."""
    line = f"{reply.status} {reason_of(reply.status)}"
    if reply.raw:
        return f"HTTP/1.0 {line}\r\nServer: simulator\r\n\r\n".encode() + reply.body
    fields = [("Content-Length", str(len(reply.body))), *reply.headers]
    if reply.body:
        fields.append(("Content-Type", reply.content_type))
    if closes:
        fields.append(("Connection", "close"))
    return "\r\n".join([f"HTTP/1.1 {line}", *map(": ".join, fields), "", ""]).encode("latin-1") + reply.body


class Control:
    """The control interface of one simulator."""

    def __init__(
        self,
        log: EventLog,
        rules: RuleBook[R],
        state: Callable[[], object],
        counts: Callable[[], dict[str, int]],
        reset: Callable[[], None],
    ) -> None:
        self._log = log
        self._rules: RuleBook[Any] = rules
        self._state = state
        self._counts = counts
        self._reset = reset

    def answer(self, request: Request) -> Reply | None:
        """The answer to a request of the control interface; None when the request is for something else."""
        match request.method, request.path.rstrip("/"):
            case "GET", "/state":
                return json_reply(self._state())
            case "GET", "/counts":
                return json_reply(self._counts())
            case "GET", "/log":
                return self._entries(request)
            case "GET", "/rules":
                return json_reply(self._rules.report())
            case (("PUT" | "POST" | "DELETE"), "/rules"):
                return self._change_rules(request)
            case "POST", "/reset":
                self._reset()
                return Reply(204)
            case _, ("/state" | "/counts" | "/log" | "/rules" | "/reset"):
                return error_reply(405, f"{request.method} is not possible on {request.path}")
        return None

    def _entries(self, request: Request) -> Reply:
        since = request.query.get("since", "0")
        if not (since.isascii() and since.isdigit()):
            return error_reply(400, f"since: {since!r} is no number")
        return json_reply(self._log.entries(int(since), request.query.get("event")))

    def _change_rules(self, request: Request) -> Reply:
        if request.method == "DELETE":
            self._rules.clear()
            return Reply(204)
        try:
            rules = self._rules.parse(msgspec.json.decode(request.body))
        except (RuleError, msgspec.DecodeError) as error:
            return error_reply(400, str(error))
        if request.method == "PUT":
            self._rules.replace(rules)
        else:
            self._rules.add(*rules)
        return json_reply(self._rules.report())


def pause(rule: HttpRule | None) -> None:
    """Waits for the delay of a rule. Only the greenlet of the request waits."""
    if rule is not None and rule.delay:
        gevent.sleep(rule.delay)
