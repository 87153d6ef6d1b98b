# SPDX-License-Identifier: Apache-2.0
"""The interface of an RMR transport, its configuration and its counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct, field

from submgr.platform.lease.permit import MaySend, always
from submgr.rmr.framing import DEFAULT_MAX_FRAME
from submgr.rmr.message import Message, Status
from submgr.rmr.routing.table import RouteTable

OnMessage = Callable[[Message], None]
OnError = Callable[[BaseException], None]
Failed = Callable[[str], None]


class TransportError(Exception):
    """A transport cannot start. The text says why, and names the port where a port is the reason."""


class TransportConfig(Struct, frozen=True):
    """Where a transport listens, the name it announces, and its limits. Durations are seconds.

    Orderly peers never reach a limit. The limits bound what broken and hostile peers can cost.
    """

    host: str = "0.0.0.0"
    port: int = 4560
    """0 lets the system choose one."""
    name: str = ""
    """Host part of our name in `src`, where peers answer; "" = the host's name up to its first dot."""
    address: str = ""
    """Host part of the srcip field, which is informative only; "" = the name."""
    max_frame: int = DEFAULT_MAX_FRAME
    """Largest frame in bytes, header included, taken or sent."""
    stream_above: int | None = None
    """The payload of a frame of more bytes is handed over in pieces as it comes (`Message.more`), and never stored as a
    whole; None = every payload is handed over whole."""
    usual_size: int = 65536
    """Payload bytes that a buffer of librmr has room for; a larger message costs a new buffer. The wire transport does
    not use it."""
    receive_queue: int = 4096
    """While so many received messages wait for the handler, no socket is read: TCP holds the peers back."""
    receive_bytes: int = 32 << 20
    send_queue: int = 4096
    """While so many messages wait for one peer, a send to it answers RETRY."""
    send_bytes: int = 16 << 20
    max_queued_bytes: int = 64 << 20
    """Bytes that wait for all peers together. Above, who has something waiting gets nothing more."""
    send_timeout: float = 2.0
    """How long an accepted message may wait for a connection that takes it."""
    connect_timeout: float = 2.0
    backoff_min: float = 0.1
    backoff_max: float = 1.0
    """Longest pause between two tries to connect. Below send_timeout, so that each message sees a try."""
    stall_timeout: float = 30.0
    """A connection whose peer reads, or acknowledges, nothing for this long is closed."""
    frame_timeout: float = 30.0
    """A connection is closed when its peer takes longer for one frame."""
    idle_timeout: float = 300.0
    """A connection of ours that has no route any more is closed when unused for this long."""
    max_connections: int = 1024
    """Accepted connections; at most three quarters of the files that the process may open. One more, and the host that
    has most loses the connection that has been silent for longest, first among those that never sent a message."""
    max_endpoints: int = 2048
    max_partial_bytes: int = 16 << 20
    """Bytes of unfinished frames over all connections. One more, and the slowest sender is disconnected."""
    may_send: MaySend = always
    """Asked before each piece that is written to a peer. When it says no, all that waits is given up."""


class Stats(Struct, frozen=True):
    """Counters of a transport since its start, and the depth of its queues at this moment."""

    transmitted: int = 0
    """Frames handed over to a connection."""
    transmit_error: int = 0
    """Sends that failed: no route, a bad message, no connection in time."""
    transmit_retry: int = 0
    """Sends refused because the queue of the peer was full."""
    received: int = 0
    """Messages given to the handler, health checks included."""
    receive_error: dict[str, int] = field(default_factory=dict)
    """Connections closed for what they sent, by reason."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Messages and connections given up, by reason."""
    enqueued: int = 0
    """Messages waiting to be sent or to be handled."""
    endpoints: dict[str, int] = field(default_factory=dict)
    """Messages waiting, by endpoint."""
    connections: int = 0
    """Open connections, accepted and opened by us."""
    handler_errors: int = 0


class Transport(Protocol):
    """Sends and receives RMR messages. No method blocks the caller but start and stop.

    A send answers OK when the transport has accepted the message. The transport then calls `failed(reason)` once if it
    cannot put the message on a connection in time. With any other answer it sends nothing and never calls `failed`.
    """

    @property
    def name(self) -> str:
        """Our "host:port" in `src`, known after start."""

    @property
    def port(self) -> int:
        """The port we listen on, known after start."""

    def start(self) -> None:
        """Listens. Raises TransportError, for a port in use with its number."""

    def stop(self, timeout: float = 1.0) -> None:
        """Sends what is queued, for at most `timeout` seconds, then closes everything."""

    def ready(self) -> bool:
        """Whether a complete route table has been applied; one without routes counts."""

    def set_routes(self, table: RouteTable) -> None:
        """Puts a table in force, at once and as a whole."""

    def routes(self) -> RouteTable | None:
        """The table in force, None before the first one."""

    def send(self, message: Message, failed: Failed | None = None) -> Status:
        """Sends by the route table: NOENDPT without a route, RETRY when the peer's queue is full.

        Each group of the route gets a copy. OK then means that at least one copy was accepted, and `failed` is called
        when none of the accepted copies could be sent.
        """

    def send_to(self, endpoint: str, message: Message, failed: Failed | None = None) -> Status:
        """Sends to "host:port", whatever the route table has."""

    def reply(
        self, request: Message, mtype: int, payload: bytes, failed: Failed | None = None, **changes: Any
    ) -> Status:
        """Answers a received message, once or several times, now or later.

        xid, sid, meid, sub_id, trace and d1 are the request's unless `changes` has others. The answer goes back on the
        connection the request came in on. When that is closed, the answer goes to the request's `src`. NOENDPT when
        that is empty or no address.
        """

    def stats(self) -> Stats:
        """A snapshot of the counters."""
