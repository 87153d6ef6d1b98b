# SPDX-License-Identifier: Apache-2.0
"""An HTTP/1.1 client on gevent sockets, with pooled connections, total deadlines and bounded answers.

A request with a body has a Content-Length and is never chunked: several xApp servers understand nothing else. The
client does not follow redirects.
"""

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

from gevent.lock import BoundedSemaphore
from msgspec import Struct

from submgr.platform.http.answer import Answer
from submgr.platform.http.buffered_socket import BufferedSocket
from submgr.platform.http.callback_mark import MARK
from submgr.platform.http.connect import connect
from submgr.platform.http.errors import Endpoint, HttpConnectError, HttpProtocolError, HttpTimeout
from submgr.platform.http.exchange import attempt, late, request_bytes, words
from submgr.platform.http.idle_pool import IdlePool
from submgr.platform.http.target import Target, parse
from submgr.platform.lease.permit import NOT_ACTING, MaySend, always
from submgr.platform.names import Names, strangers
from submgr.platform.outbound_rules import Outbound
from submgr.platform.tls import TlsFiles

_CHUNK = 64 * 1024


class HttpResponse(Struct, frozen=True):
    """A complete answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


class Gate(Struct):
    """The bound on the connections to one endpoint. `users`: the greenlets that have a connection or wait for one."""

    free: BoundedSemaphore
    users: int = 0


class HttpClient:
    """Makes requests. Any number of greenlets may share one client.

    At most `connections` are open to one host and port; further requests wait for a free one within their connect
    timeout. None: who makes requests bounds them itself. `idle` connections to one host and port, and `idle_total` in
    all, are kept open between requests for `idle_seconds`. `tls` is asked for the context of each new https connection
    (`submgr.platform.tls`). `names` looks hosts up: `neighbours` for a client whose hosts all come from our own
    settings. `outbound`: the rules for addresses that peers chose, None when all come from settings; such requests are
    marked (see `callbacks`). `may_send` is asked right before a request is written to its connection. `certified`: the
    name in the certificates of https servers that are called by their addresses; empty: the host of each URL.

    The peer may close a kept connection in the moment in which a request is sent on it. When not one byte of an
    answer has come from a kept connection, the client sends the request once more on a new connection, POST too: a
    server that closes an idle connection has not read the request. A request on a new connection is sent once.
    """

    def __init__(
        self,
        *,
        connections: int | None = 64,
        idle: int = 32,
        idle_total: int = 256,
        idle_seconds: float = 30.0,
        tls: TlsFiles | None = None,
        user_agent: str = "ric-submgr",
        names: Names = strangers,
        outbound: Outbound | None = None,
        may_send: MaySend = always,
        certified: str = "",
    ) -> None:
        self._certified = certified
        self._connections = connections
        self._tls = tls
        self._always = (f"User-Agent: {user_agent}", *([f"{MARK}: 1"] if outbound is not None else []))
        self._pool = IdlePool(idle, idle_total, idle_seconds)
        self._names = names
        self._outbound = outbound
        self._rules = outbound.rules if outbound is not None else None
        self._may_send = may_send
        self._gates: dict[Endpoint, Gate] = {}

    def close(self) -> None:
        """Closes the idle connections. Requests under way go on."""
        self._pool.close()

    def request(
        self,
        method: str,
        url: str | Target,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 5.0,
        max_response: int = 16 * 1024 * 1024,
    ) -> HttpResponse:
        """Sends a request and reads the whole answer.

        `connect_timeout` (s) covers waiting for a free connection, the name look-up and the handshakes.
        `read_timeout` (s) covers everything from the first byte sent to the last byte read. Infinity: who asks is ended
        by a limit of its own.
        Raises HttpConnectError, HttpTimeout or HttpProtocolError (also for a body over `max_response` bytes).
        """
        with self.stream(
            method, url, body=body, headers=headers, connect_timeout=connect_timeout, read_timeout=read_timeout
        ) as answer:
            return HttpResponse(answer.status, answer.headers, answer.read(max_response))

    def stream(
        self,
        method: str,
        url: str | Target,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 5.0,
    ) -> "HttpStream":
        """Sends a request and reads the head of the answer. The caller reads the body from the returned HttpStream.

        Times and errors are those of `request`.
        """
        endpoint, path = parse(url)
        payload = request_bytes(method, endpoint, path, headers or {}, body, self._always)
        gate = self._enter(endpoint, connect_timeout) if self._connections is not None else None
        try:
            answer = self._exchange(endpoint, method, payload, connect_timeout, read_timeout)
        except BaseException:
            if gate is not None:
                self._leave(endpoint, gate)
            raise
        return HttpStream(self, endpoint, gate, answer, read_timeout)

    def _exchange(
        self, endpoint: Endpoint, method: str, payload: bytes, connect_timeout: float, read_timeout: float
    ) -> Answer:
        outbound = self._outbound
        if outbound is not None and outbound.rules is not self._rules:
            self._rules = outbound.rules
            self._pool.close()  # they may refuse where a kept connection leads
        source = self._pool.take(endpoint)
        reused = source is not None
        while True:
            if source is None:
                permitted = outbound.permitted if outbound is not None else None
                sock = connect(endpoint, self._names, connect_timeout, self._tls, permitted, self._certified)
                source = BufferedSocket(sock)
            if not self._may_send():
                source.close()
                raise HttpConnectError(NOT_ACTING)
            answer = attempt(source, endpoint, method, payload, read_timeout)
            if answer is not None:
                return answer
            if not reused:
                raise HttpProtocolError(f"{endpoint} closed the connection without an answer")
            source, reused = None, False

    def _enter(self, endpoint: Endpoint, timeout: float) -> Gate:
        gate = self._gates.get(endpoint)
        if gate is None:
            gate = self._gates[endpoint] = Gate(BoundedSemaphore(self._connections))
        gate.users += 1
        free = False
        try:
            free = gate.free.acquire(timeout=timeout)
        finally:
            if not free:  # or who waits is ended
                self._forget(endpoint, gate)
        if free:
            return gate
        raise HttpTimeout(f"all {self._connections} connections to {endpoint} were busy for {timeout:g} s", sent=False)

    def _leave(self, endpoint: Endpoint, gate: Gate) -> None:
        gate.free.release()
        self._forget(endpoint, gate)

    def _forget(self, endpoint: Endpoint, gate: Gate) -> None:
        # endpoints come and go: a gate nobody uses or waits for is not kept
        gate.users -= 1
        if not gate.users:
            del self._gates[endpoint]

    def _finished(self, endpoint: Endpoint, gate: Gate | None, answer: Answer) -> None:
        if answer.reusable:
            self._pool.put(endpoint, answer.source)
        else:
            answer.source.close()
        if gate is not None:
            self._leave(endpoint, gate)


class HttpStream:
    """An answer whose body is read by the caller. Use it in a `with` block; leaving early closes the connection.

    `allowed`: the seconds for the whole answer. `ok`: the status is a 2xx. A redirect is not followed, and is none.
    """

    def __init__(
        self,
        client: HttpClient,
        endpoint: Endpoint,
        gate: Gate | None,
        answer: Answer,
        allowed: float,
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._gate = gate
        self._answer = answer
        self._allowed = allowed
        self._open = True
        head = answer.head
        self.status = head.status
        self.ok = head.ok

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.head.fields

    @property
    def length(self) -> int | None:
        """The bytes of the body; None when they are not told."""
        return self._answer.length

    def read(self, limit: int) -> bytes:
        """The whole body within what is left of the request's read timeout.

        Raises HttpTimeout, or HttpProtocolError when the body breaks off or has more than `limit` bytes.
        """
        if self.length is not None and self.length > limit:
            raise self._too_large(limit)
        allowed = self._allowed
        data = self._read(limit + 1, allowed)
        if len(data) > limit:
            raise self._too_large(limit)
        if not self._answer.complete:
            self._read(1, allowed)  # tells why it broke off
        return data

    def at_once(self) -> bytes | None:
        """The whole body, when all of it came with the head, as that of a short answer does; else None: read it."""
        return self._answer.at_once()

    def chunks(self, read_timeout: float = 5.0) -> Iterator[bytes]:
        """The body in pieces of at most 64 KiB; `read_timeout` (s) holds for each of them.

        Raises HttpTimeout or HttpProtocolError when the peer stops or closes in the middle.
        """
        while not self._answer.complete:
            self._answer.allow(read_timeout)
            if piece := self._read(_CHUNK, read_timeout):
                yield piece

    def pieces(self, silence: float) -> Iterator[bytes]:
        """The body as it comes, which need not have an end; no two pieces are more than `silence` s apart.

        Raises as `chunks`.
        """
        while not self._answer.complete:
            self._answer.allow(silence)
            if piece := self._within(silence, lambda: self._answer.some(_CHUNK)):
                yield piece

    def close(self) -> None:
        """Keeps the connection for the next request when the body was read to its end, else closes it."""
        if self._open:
            self._open = False
            self._client._finished(self._endpoint, self._gate, self._answer)

    def _read(self, most: int, allowed: float) -> bytes:
        return self._within(allowed, lambda: self._answer.read(most))

    def _within(self, allowed: float, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except TimeoutError:
            raise late(self._endpoint, allowed) from None
        except (OSError, ValueError) as exc:
            raise HttpProtocolError(f"{self._endpoint} broke off in the body: {words(exc)}") from exc

    def _too_large(self, limit: int) -> HttpProtocolError:
        return HttpProtocolError(f"{self._endpoint} answered with more than {limit} bytes")
