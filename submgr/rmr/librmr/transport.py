# SPDX-License-Identifier: Apache-2.0
"""The RMR transport through librmr_si.so, for those who want the original library to do the work."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from time import monotonic
from types import MappingProxyType
from typing import Any

import gevent
from gevent import socket
from msgspec.structs import replace

from submgr.platform.lease.permit import NOT_ACTING
from submgr.platform.native_threads import NativeThreads
from submgr.platform.sparse_log import Sparsely
from submgr.platform.supervised import SupervisedLoop
from submgr.rmr import mtypes
from submgr.rmr.addresses import AddressError, join_address, own_host, split_address
from submgr.rmr.counters import Counters
from submgr.rmr.framing import EncodeError, Encoder, FramingError
from submgr.rmr.librmr.binding import Library, load_library
from submgr.rmr.librmr.buffers import Outgoing, Received
from submgr.rmr.librmr.send_lane import Job, SendLane
from submgr.rmr.listener import probe
from submgr.rmr.message import CALL_MSG, Message, Status, answer_to
from submgr.rmr.receiver import HEALTHY, Receiver
from submgr.rmr.router import Copies, Router
from submgr.rmr.routing.table import RouteTable
from submgr.rmr.transport import Failed, OnError, OnMessage, Stats, TransportConfig, TransportError

_LOG = logging.getLogger(__name__)
_LANES = 4
_ANSWERS = _LANES
"""The number of one more lane, for answers: librmr looks up the `src` of a request, which a stranger wrote, before it
uses the connection that the request came in on."""
_BATCH = 256
"""Messages taken from librmr before the reader waits for its descriptor again, and the others have their turn."""
_NO_CALL = bytes(4)


class LibrmrTransport:
    """RMR by librmr; see `submgr.rmr.transport.Transport` for what the methods promise.

    librmr takes its route tables itself, from its own control port or seed file, as the RMR_* variables say. It then
    refuses a message without a route through `failed` instead of NOENDPT, since only a blocking call can tell. A table
    given to `set_routes` replaces librmr's: from then on messages go straight to the endpoints of that table.

    Blocking calls are made on native threads, one for each of a few lanes. Messages of one meid (or, without a meid, to
    one peer) share a lane, so that they keep their order. Answers have a lane of their own. The transport cannot see
    what librmr drops because its ring of 4095 received messages is full. One transport a process: librmr has no real
    end.
    """

    def __init__(
        self,
        config: TransportConfig,
        on_message: OnMessage,
        on_error: OnError | None = None,
        variables: Mapping[str, str] = MappingProxyType({}),
        load: Callable[[], Any] = load_library,
    ) -> None:
        """`variables` are the RMR_* variables that librmr is to find; `load` returns the C library (see `start`)."""
        self.config = config
        self._variables = variables
        self._load = load
        self._library: Library | None = None
        self._counters = Counters()
        self._log = Sparsely(_LOG)
        self._receiver = Receiver(config, self._counters, on_message, on_error, self._answer_health_check)
        self._router = Router(lambda name: True)
        self._encoder = Encoder()
        self._threads = NativeThreads(_LANES + 1)
        self._lanes: list[SendLane] = []
        self._wormholes: list[dict[str, int]] = []
        self._reader: Any = None
        self._name = ""

    @property
    def name(self) -> str:
        """Our "host:port" in `src`, known after start."""
        return self._name

    @property
    def port(self) -> int:
        """The port we listen on."""
        return self.config.port

    def start(self) -> None:
        """Starts librmr. Raises TransportError: the library is missing, or the port is in use."""
        config = self.config
        library = Library(self._load())
        probe(config.host, config.port)
        host = own_host(config.name)
        self._name = join_address(host, config.port)
        try:
            self._encoder = Encoder(self._name, max_frame=config.max_frame)
        except EncodeError as bad:
            raise TransportError(f"our own name does not fit: {bad}") from bad
        # librmr writes the name that this variable has into `src`, whatever we take our name to be
        variables = {**self._variables, "RMR_SRC_ID": f"[{host}]" if ":" in host else host}
        self._threads.call(library.open, config.port, config.usual_size, variables)
        self._lanes = [SendLane(self._threads, config.send_queue) for _ in range(_LANES + 1)]
        self._wormholes = [{} for _ in self._lanes]
        self._library = library
        self._receiver.start()
        self._reader = SupervisedLoop("librmr receiver", partial(self._read, library, library.receive_fd()))
        self._reader.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Sends what is queued, for at most `timeout` seconds. librmr keeps its port until the process ends."""
        library, self._library = self._library, None
        if library is None:
            return
        self._reader.stop()
        self._receiver.stop()
        ends = monotonic() + timeout
        while any(self._lanes) and monotonic() < ends:
            gevent.sleep(0.01)
        for lane in self._lanes:
            lane.stop("stopped")
        library.close()

    def ready(self) -> bool:
        """Whether a complete route table has been applied, here or in librmr."""
        if self._router.table is not None:
            return True
        return self._library is not None and self._library.ready()

    def set_routes(self, table: RouteTable) -> None:
        """Puts a table in force in place of librmr's own, at once and as a whole."""
        self._router.apply(table)

    def routes(self) -> RouteTable | None:
        """The table given to set_routes; None while librmr uses its own."""
        return self._router.table

    def send(self, message: Message, failed: Failed | None = None) -> Status:
        """Sends by librmr's route table, or by the one of set_routes when there is one."""
        if self._router.table is None:
            return self._queue(_originated(message), None, failed, _lane(message.meid or str(message.mtype)))
        names = self._router.destinations(message)
        if not names:
            return self._counters.not_sent(Status.NOENDPT)
        if len(names) == 1:
            return self.send_to(names[0], message, failed)
        copies = Copies(failed)
        outcomes = [self.send_to(name, message, copies.failed) for name in names]
        copies.accepted = outcomes.count(Status.OK)
        return Status.OK if copies.accepted else outcomes[0]

    def send_to(self, endpoint: str, message: Message, failed: Failed | None = None) -> Status:
        """Sends to "host:port", whatever the route table has."""
        return self._queue(_originated(message), endpoint, failed, _lane(message.meid or endpoint))

    def reply(
        self, request: Message, mtype: int, payload: bytes, failed: Failed | None = None, **changes: Any
    ) -> Status:
        """Answers a received message; the first answer may use the connection it came in on."""
        answer = answer_to(request, mtype, payload, changes)
        received = request.origin.take() if isinstance(request.origin, Received) else None
        if received is None and not answer.src:
            return self._counters.not_sent(Status.NOENDPT)
        return self._queue(answer, answer.src, failed, _ANSWERS, received)

    def stats(self) -> Stats:
        """A snapshot of the counters."""
        depths = {f"lane {number}": len(lane) for number, lane in enumerate(self._lanes)}
        return self._counters.stats(depths, sum(depths.values()) + len(self._receiver.queue))

    def _read(self, library: Library, fd: int) -> None:
        """Takes messages while the descriptor is readable.

        Its count may stay above zero for good with nothing to receive, because librmr publishes a message
        before it counts it: a wake-up that yields nothing takes one off the count and looks once more.
        """
        socket.wait_read(fd)
        self._receiver.queue.wait_for_room()
        if not self._drain(library):
            _take_one_off(fd)
            self._drain(library)

    def _drain(self, library: Library) -> int:
        """Receives what waits, up to a fair number; how many buffers there were."""
        messages: list[Message] = []
        size = 0
        count = 0
        while count < _BATCH and (buffer := library.receive()) is not None:
            count += 1
            received = Received(library, buffer)
            try:
                message = library.read(buffer, self.config.max_frame, received)
            except FramingError as bad:
                self._counters.receive_error[bad.reason] += 1
                self._log.warning(bad.reason, self._name, f"message from librmr dropped: {bad}")
            else:
                messages.append(message)
                size += len(message.payload)
        if messages:
            self._receiver.queue.put(messages, size)
        return count

    def _answer_health_check(self, message: Message) -> Status:
        return self.reply(message, mtypes.RIC_HEALTH_CHECK_RESP, HEALTHY)

    def _queue(
        self, message: Message, endpoint: str | None, failed: Failed | None, number: int, received: Any = None
    ) -> Status:
        """Queues a message for the lane `number`: to an endpoint, or by librmr's table, or back where it came from."""
        library = self._library
        try:
            self._encoder.answer(message)
            if endpoint and received is None:
                split_address(endpoint)
        except EncodeError as bad:
            self._log.warning("encode", self._name, f"message type {message.mtype} not sent: {bad}")
            return self._discard(received, bad.status)
        except AddressError as bad:
            self._log.warning("address", self._name, f"no way to send there: {bad}")
            return self._counters.not_sent(Status.NOENDPT)
        if library is None:
            return self._discard(received, Status.NOENDPT)
        outgoing = Outgoing(library, message, received)
        attempt: Callable[[], tuple[Status, str]]
        if received is not None:
            attempt = outgoing.back
        elif endpoint is None:
            attempt = outgoing.by_route
        else:
            to, wormholes = endpoint, self._wormholes[number]
            attempt = lambda: outgoing.through(wormholes, to)  # noqa: E731
        deadline = monotonic() + self.config.send_timeout
        permitted = lambda: attempt() if self.config.may_send() else (Status.NOENDPT, NOT_ACTING)  # noqa: E731
        job = Job(permitted, deadline, self._sent, lambda reason: self._lost(failed, reason), outgoing.dispose)
        if not self._lanes[number].put(job):
            outgoing.dispose()
            return self._counters.not_sent(Status.RETRY)
        return Status.OK

    def _discard(self, received: Any, status: Status) -> Status:
        if received is not None and self._library is not None:
            self._library.free(received)
        return self._counters.not_sent(status)

    def _sent(self) -> None:
        self._counters.transmitted += 1

    def _lost(self, failed: Failed | None, reason: str) -> None:
        self._counters.transmit_error += 1
        if failed is not None:
            self._receiver.tell(failed, reason)


def _lane(order: str) -> int:
    """The number of the lane for the messages of one meid or peer."""
    return hash(order) % _LANES


def _originated(message: Message) -> Message:
    """As the wire transport sends it: no call id unless it is a call."""
    if message.d1[:1] in (b"", b"\0") or message.flags & CALL_MSG:
        return message if message.d1 else replace(message, d1=_NO_CALL)
    return replace(message, d1=_NO_CALL)


def _take_one_off(fd: int) -> None:
    with suppress(BlockingIOError):  # somebody was faster: the count is right again
        os.read(fd, 8)
