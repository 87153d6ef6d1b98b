# SPDX-License-Identifier: Apache-2.0
"""The port where mirrors bring S1AP: their connections, what each may cost, and which of them loses to a new one."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer

from mec.controller.model import Association
from mec.controller.protocol.framing import Framer, FramingError
from submgr.platform.fair import Share
from submgr.platform.http.listen import listening_socket
from submgr.platform.sparse_log import Sparsely

log = logging.getLogger(__name__)

_BACKLOG = 1024
"""A flood of connections that finds no place here delays the next one by a second (TCP asks again)."""
_CHUNK = 32 * 1024
_ACCEPTED_AT_ONCE = 16
"""Connections accepted in one turn of the event loop: each may cost a look at all the others, to make room."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What mirrors may cost. `idle`: seconds without an octet, 0 for no limit; `unfinished`: seconds that a PDU may
    take to come; `unfinished_bytes`: octets of unfinished PDUs over all connections."""

    idle: float = 3600.0
    connections: int = 1000
    unfinished: float = 30.0
    unfinished_bytes: int = 32 << 20


@dataclass(slots=True, eq=False)
class Stream:
    """One connection. `begun`: since when a PDU is unfinished (monotonic s); `proven`: a PDU has come."""

    sock: socket.socket
    association: Association
    framer: Framer
    last_heard: float = field(default_factory=time.monotonic)
    begun: float | None = None
    proven: bool = False
    open: bool = True


class Listener:
    """Takes connections between `start` and `stop`, and gives their PDUs to `take`, one after the other.

    `ended` is called after the last PDU of a connection. `lengths`: each PDU follows its size. Of too many connections,
    the host that has most loses the one that has been silent for longest, first among those that never sent a PDU.
    `counts`: connections, and why they were closed; `skipped octets` and `short frames` cost no connection.
    """

    def __init__(
        self,
        lengths: bool,
        limits: Limits,
        take: Callable[[Association, bytes], None],
        ended: Callable[[Association], None],
    ) -> None:
        self.counts: dict[str, int] = dict.fromkeys(
            ("opened", "closed", "impossible", "cut", "idle", "slow", "made room", "skipped octets", "short frames"), 0
        )
        self._lengths = lengths
        self._limits = limits
        self._take = take
        self._ended = ended
        self._order = 0
        self._streams: set[Stream] = set()
        self._unfinished = 0
        self._server: StreamServer | None = None
        self._sparsely = Sparsely(log)

    def __len__(self) -> int:
        """Open connections."""
        return len(self._streams)

    @property
    def listening(self) -> bool:
        return self._server is not None

    @property
    def address(self) -> tuple[str, int]:
        """The address and port where it listens."""
        assert self._server is not None
        host, port = self._server.socket.getsockname()[:2]
        return str(host), int(port)

    def start(self, listen: str) -> None:
        """Raises ListenError."""
        sock = listening_socket(listen)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.listen(_BACKLOG)
        self._server = StreamServer(sock, self._serve, spawn=Pool())
        self._server.max_accept = _ACCEPTED_AT_ONCE
        self._server.start()
        log.info("listening", extra={"server": "S1AP", "address": "{}:{}".format(*self.address)})

    def stop(self) -> None:
        """Closes all connections."""
        if self._server is not None:
            self._server.stop(timeout=1)
            self._server = None

    def _serve(self, sock: socket.socket, address: tuple[str, int]) -> None:
        if len(self._streams) >= self._limits.connections:
            self._make_room()
        self._order += 1
        self.counts["opened"] += 1
        stream = Stream(sock, Association(self._order, address[0]), Framer(self._lengths))
        self._streams.add(stream)
        try:
            self._read(stream)
        except FramingError as exc:
            self.counts["impossible"] += 1
            self._closed(stream, "what comes is not S1AP in this framing", why=str(exc))
        except TimeoutError:
            self._too_late(stream)
        except OSError as exc:
            log.debug("connection lost", extra={"peer": stream.association.peer, "why": str(exc)})
        finally:
            self._forget(stream)

    def _read(self, stream: Stream) -> None:
        sock, share = stream.sock, Share()
        sock.settimeout(self._limits.idle or None)
        while data := sock.recv(_CHUNK):
            if len(data) < _CHUNK:
                share.renew()
            share.spend()
            before = stream.framer.pending
            complete = 0
            for pdu in stream.framer.feed(data):
                self._take(stream.association, pdu)
                complete += 1
                share.spend()
            self._account(stream, stream.framer.pending - before, complete)

    def _account(self, stream: Stream, grown: int, complete: int) -> None:
        """Keeps the limits by the clock: a socket that always has another octet never times out."""
        now = stream.last_heard = time.monotonic()
        framer, limits = stream.framer, self._limits
        stream.proven = stream.proven or complete > 0
        self.counts["skipped octets"] += framer.skipped
        self.counts["short frames"] += framer.short
        framer.skipped = framer.short = 0
        if not framer.unfinished:
            stream.begun = None
            stream.sock.settimeout(limits.idle or None)
        else:
            if complete or stream.begun is None:
                stream.begun = now
            left = stream.begun + limits.unfinished - now
            if left <= 0:
                raise TimeoutError
            stream.sock.settimeout(left)
        self._unfinished += grown
        if grown > 0 and self._unfinished > limits.unfinished_bytes:
            slowest = min((each for each in self._streams if each.begun is not None), key=lambda each: each.begun or 0)
            self._evict(slowest, "unfinished PDUs take too much memory")

    def _make_room(self) -> None:
        counts = Counter(each.association.peer for each in self._streams)
        most = max(counts.values())
        crowd = [each for each in self._streams if counts[each.association.peer] == most]
        self._evict(min(crowd, key=lambda each: (each.proven, each.last_heard)), "too many, it was silent for longest")

    def _evict(self, stream: Stream, why: str) -> None:
        self.counts["made room"] += 1
        self._closed(stream, "to make room", why=why)
        self._drop(stream)
        stream.sock.close()  # its reader ends by that

    def _too_late(self, stream: Stream) -> None:
        if stream.begun is None:
            self.counts["idle"] += 1
            log.info("connection closed: it was silent", extra={"peer": stream.association.peer})
        else:
            self.counts["slow"] += 1
            self._closed(stream, "a PDU did not come to its end", why=f"not within {self._limits.unfinished:g} s")

    def _closed(self, stream: Stream, what: str, why: str) -> None:
        peer = stream.association.peer
        framing = "len32" if self._lengths else "raw"
        self._sparsely.log(
            logging.WARNING, f"{what} {peer}", f"connection closed: {what}", peer=peer, why=why, framing=framing
        )

    def _drop(self, stream: Stream) -> None:
        if stream.open:
            stream.open = False
            self._streams.discard(stream)
            self._unfinished -= stream.framer.pending

    def _forget(self, stream: Stream) -> None:
        self._drop(stream)
        self.counts["closed"] += 1
        if stream.framer.unfinished:
            self.counts["cut"] += 1
        self._ended(stream.association)
        stream.sock.close()
