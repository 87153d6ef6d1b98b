# SPDX-License-Identifier: Apache-2.0
"""The RMR transport that speaks the wire format itself, on gevent sockets."""

from __future__ import annotations

import logging
import resource
from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import Any

import gevent
from gevent.server import StreamServer
from msgspec.structs import replace

from submgr.platform.sparse_log import Sparsely
from submgr.rmr import mtypes
from submgr.rmr.addresses import AddressError, join_address, own_host
from submgr.rmr.counters import Counters
from submgr.rmr.framing import EncodeError, Encoder
from submgr.rmr.listener import listen
from submgr.rmr.message import Message, Status, answer_to
from submgr.rmr.receiver import HEALTHY, Receiver
from submgr.rmr.router import Copies, Router
from submgr.rmr.routing.table import RouteTable
from submgr.rmr.transport import Failed, OnError, OnMessage, Stats, TransportConfig, TransportError
from submgr.rmr.wire.connection import Connection, Put, prepare
from submgr.rmr.wire.endpoint import Endpoint, Endpoints
from submgr.rmr.wire.send_queue import Item, SendQueue

_LOG = logging.getLogger(__name__)
_CROWD = 16
"""Connections from which on each reads little at a time: many together hold no more than a few that read much."""
_ACCEPTED_AT_ONCE = 16
"""Connections accepted in one turn of the event loop: each may cost a look at all the others, to make room."""


class WireTransport:
    """RMR over SI95 without librmr; see `submgr.rmr.transport.Transport` for what the methods promise.

    `on_message` is called from one greenlet, message after message; for its exceptions, and for health
    checks, see `submgr.rmr.receiver`.
    """

    def __init__(
        self,
        config: TransportConfig,
        on_message: OnMessage,
        on_error: OnError | None = None,
        ours: frozenset[str] = frozenset(),
    ) -> None:
        """`ours`: the names of peers that our own settings have, see `Endpoints`."""
        self.config = config
        self._counters = Counters()
        self._log = Sparsely(_LOG)
        self._receiver = Receiver(config, self._counters, on_message, on_error, self._answer_health_check)
        self._receive_queue = self._receiver.queue
        self._router = Router(lambda name: self._endpoints.usable(name))
        self._encoder = Encoder()
        self._endpoints = Endpoints(config, self.new_send_queue, self._adopt, self._router, ours)
        self._accepted: set[Connection] = set()
        self._opened: set[Connection] = set()
        self._partial_bytes = 0
        self._server: Any = None
        self._name = ""
        self._port = config.port
        self._most_accepted = config.max_connections

    @property
    def name(self) -> str:
        """Our "host:port" in `src`, known after start."""
        return self._name

    @property
    def port(self) -> int:
        """The port we listen on, known after start."""
        return self._port

    def start(self) -> None:
        """Listens. Raises TransportError, for a port in use with its number."""
        listener = listen(self.config.host, self.config.port)
        self._port = listener.getsockname()[1]
        self._name = join_address(own_host(self.config.name), self._port)
        try:
            address = join_address(self.config.address, self._port) if self.config.address else self._name
            self._encoder = Encoder(self._name, address, self.config.max_frame)
        except EncodeError as bad:
            listener.close()
            raise TransportError(f"our own name does not fit: {bad}") from bad
        self._server = StreamServer(listener, self._serve)
        self._server.max_accept = _ACCEPTED_AT_ONCE
        self._server.start()
        open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most_accepted = min(self.config.max_connections, max(open_files * 3 // 4, 1))
        self._receiver.start()
        self._endpoints.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Sends what is queued, for at most `timeout` seconds, then closes everything."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._receiver.stop()
        ends = monotonic() + timeout
        while self._waiting_to_be_sent() and monotonic() < ends:
            gevent.sleep(0.01)
        self._endpoints.close("stopped")
        for connection in [*self._accepted, *self._opened]:
            connection.close("stopped")

    def ready(self) -> bool:
        """Whether a complete route table has been applied; one without routes counts."""
        return self._router.table is not None

    def set_routes(self, table: RouteTable) -> None:
        """Puts a table in force, at once and as a whole."""
        self._router.apply(table)

    def routes(self) -> RouteTable | None:
        """The table in force, None before the first one."""
        return self._router.table

    def send(self, message: Message, failed: Failed | None = None) -> Status:
        """Sends by the route table: NOENDPT without a route, RETRY when the peer's queue is full."""
        names = self._router.destinations(message)
        if not names:
            return self._counters.not_sent(Status.NOENDPT)
        frame = self._frame(self._encoder.originate, message)
        if isinstance(frame, Status):
            return frame
        if len(names) == 1:
            return self._enqueue(names[0], frame, failed)
        copies = Copies(failed)
        outcomes = [self._enqueue(name, frame, copies.failed) for name in names]
        copies.accepted = outcomes.count(Status.OK)
        return Status.OK if copies.accepted else outcomes[0]

    def send_to(self, endpoint: str, message: Message, failed: Failed | None = None) -> Status:
        """Sends to "host:port", whatever the route table has."""
        frame = self._frame(self._encoder.originate, message)
        return frame if isinstance(frame, Status) else self._enqueue(endpoint, frame, failed)

    def reply(
        self, request: Message, mtype: int, payload: bytes, failed: Failed | None = None, **changes: Any
    ) -> Status:
        """Answers a received message: on the connection it came in on, or to its `src` when that is closed.

        So a stranger's `src` costs no look-up, no endpoint and no wait.
        """
        answer = answer_to(request, mtype, payload, changes)
        frame = self._frame(self._encoder.answer, answer)
        if isinstance(frame, Status):
            return frame
        origin = request.origin
        if isinstance(origin, Connection) and origin.open:
            taken = origin.put(Item(frame, monotonic() + self.config.send_timeout, failed))
            return Status.OK if taken else self._counters.not_sent(Status.RETRY)
        if not request.src:
            return self._counters.not_sent(Status.NOENDPT)
        return self._enqueue(request.src, frame, failed)

    def stats(self) -> Stats:
        """A snapshot of the counters."""
        waiting = self._waiting_to_be_sent() + len(self._receive_queue)
        return self._counters.stats(self._endpoints.depths(), waiting, len(self._accepted) + len(self._opened))

    # What a connection asks of its transport.

    def new_send_queue(self) -> SendQueue:
        """A queue with the limits and the counters of this transport."""
        return SendQueue(self.config, self._counters, self._receiver.tell)

    @property
    def crowded(self) -> bool:
        """Whether there are so many connections that each reads little at a time."""
        return len(self._accepted) + len(self._opened) > _CROWD

    def wait_for_room(self, connection: Connection) -> bool:
        """Waits while the receive queue has no room for what this connection sends; True if it had to wait."""
        return self._receive_queue.wait_for_room(connection, connection.pending > 0)

    def take(self, connection: Connection, messages: list[Message], size: int) -> None:
        """Queues what was read for the handler."""
        self._receive_queue.put(messages, size, connection)

    def unreadable(self, connection: Connection, count: int) -> None:
        """Counts messages whose meid or src is no text."""
        self._counters.dropped["unreadable_name"] += count
        self._log.warning("unreadable_name", connection.host, "message with a meid or src that is no text dropped")

    def broken(self, connection: Connection, reason: str, text: str) -> None:
        """Counts and logs a breach of the format; the connection closes itself."""
        self._counters.receive_error[reason] += 1
        self._log.warning(reason, connection.host, f"{text}; connection closed")

    def partial(self, connection: Connection, change: int) -> None:
        """Keeps account of the memory that unfinished frames take."""
        self._partial_bytes += change
        if change > 0 and self._partial_bytes > self.config.max_partial_bytes:
            unfinished = [other for other in [*self._accepted, *self._opened] if other.pending]
            slowest = min(unfinished, key=lambda other: other.frame_since)
            self.broken(slowest, "too_many_partial", "unfinished frames take too much memory")
            slowest.close("connection closed: unfinished frames take too much memory")

    def closed(self, connection: Connection) -> None:
        """Forgets a connection."""
        self._accepted.discard(connection)
        self._opened.discard(connection)

    def _serve(self, sock: Any, address: Any) -> None:
        peer = join_address(address[0], address[1]) if isinstance(address, tuple) else "?"
        try:
            prepare(sock, self.config.stall_timeout)
        except OSError:
            return  # gone already
        if len(self._accepted) >= self._most_accepted:
            self._make_room()
        connection = Connection(sock, peer, self)
        self._accepted.add(connection)
        connection.read()

    def _make_room(self) -> None:
        """Closes a connection of the host that has most: one host cannot cost the others theirs."""
        counts = Counter(other.host for other in self._accepted)
        most = max(counts.values())
        crowd = [other for other in self._accepted if counts[other.host] == most]
        silent = min(crowd, key=lambda other: (other.proven, other.last_heard))
        self._counters.dropped["too_many_connections"] += 1
        self._log.warning(
            "too_many_connections", silent.host, "connection closed to make room, it was silent for longest"
        )
        silent.close("connection closed to make room")

    def _adopt(self, sock: Any, name: str, put: Put) -> Connection:
        connection = Connection(sock, name, self, put)
        self._opened.add(connection)
        gevent.spawn(connection.read)
        return connection

    def _answer_health_check(self, message: Message) -> Status:
        """On the connection it came in on: a stranger's `src` does not make us connect anywhere."""
        return self.reply(replace(message, src=""), mtypes.RIC_HEALTH_CHECK_RESP, HEALTHY)

    def _frame(self, encode: Callable[[Message], bytes], message: Message) -> bytes | Status:
        try:
            return encode(message)
        except EncodeError as bad:
            self._log.warning("encode", self._name, f"message type {message.mtype} not sent: {bad}")
            return self._counters.not_sent(bad.status)

    def _enqueue(self, name: str, frame: bytes, failed: Failed | None) -> Status:
        endpoint = self._endpoints.get(name) or self._endpoint(name)
        if endpoint is None:
            return self._counters.not_sent(Status.NOENDPT)
        taken = endpoint.put(Item(frame, monotonic() + self.config.send_timeout, failed))
        return Status.OK if taken else self._counters.not_sent(Status.RETRY)

    def _endpoint(self, name: str) -> Endpoint | None:
        if self._server is None:
            return None
        try:
            endpoint = self._endpoints.make(name)
        except AddressError as bad:
            self._log.warning("address", self._name, f"no way to send there: {bad}")
            return None
        if endpoint is None:
            self._counters.dropped["too_many_endpoints"] += 1
        return endpoint

    def _waiting_to_be_sent(self) -> int:
        answers = sum(connection.queued for connection in [*self._accepted, *self._opened])
        return answers + sum(self._endpoints.depths().values())
