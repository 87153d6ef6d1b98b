# SPDX-License-Identifier: Apache-2.0
"""Received messages that wait for the application, by the connection they came in on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic

from gevent.event import Event

from submgr.platform.fair import Share
from submgr.platform.mailbox import Mailbox
from submgr.rmr.message import Message

_ROUND = 0.02
"""Seconds in which each connection has its turn, however many messages of others wait."""
_LONGEST_TURN = 0.001


class _Source:
    """The waiting messages of one connection, in the order they came. `size`: bytes of those since it had none."""

    __slots__ = ("messages", "origin", "size")

    def __init__(self, origin: object, messages: list[Message], size: int) -> None:
        self.origin = origin
        self.messages = deque(messages)
        self.size = size


class ReceiveQueue:
    """The connections take turns: one that sends without an end does not delay the messages of the others.

    The queue is full when `max_messages` or `max_bytes` wait, until half of them are handled. Readers then wait, and
    TCP holds their peers back. A reader whose own messages are all handled need not wait, unless the bytes have filled
    the queue and it has begun a frame: nobody fills the queue for those who send little.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._sources: dict[object, _Source] = {}
        self._ring: Mailbox[_Source] = Mailbox()
        """The sources, beginning with the one whose turn it is."""
        self._messages = 0
        self._bytes = 0
        self._full = False
        self._held_back: dict[object, Event] = {}
        self._stopped = False

    def __len__(self) -> int:
        return self._messages

    def put(self, messages: list[Message], size: int, origin: object = None) -> None:
        """Adds messages that came in `size` bytes. A full queue takes them too: readers call `wait_for_room` before."""
        source = self._sources.get(origin)
        if source is None:
            source = self._sources[origin] = _Source(origin, messages, size)
            self._ring.put(source)
        else:
            source.messages.extend(messages)
            source.size += size
        self._messages += len(messages)
        self._bytes += size
        self._full = self._full or self._messages >= self._max_messages or self._bytes >= self._max_bytes

    def full(self) -> bool:
        """Whether those wait whose messages wait."""
        return self._full

    def wait_for_room(self, origin: object = None, begun: bool = False) -> bool:
        """Waits until this connection may be read; True if it had to wait. `begun`: a part of a frame has come."""
        if not self._must_wait(origin, begun):
            return False
        while self._must_wait(origin, begun):
            self._held_back.setdefault(origin, Event()).wait()
        return True

    def _must_wait(self, origin: object, begun: bool) -> bool:
        return self._full and (origin in self._sources or (begun and self._bytes * 2 > self._max_bytes))

    def stop(self) -> None:
        """Makes `run` return after the message at hand."""
        self._stopped = True

    def run(self, handle: Callable[[Message], None]) -> None:
        """Calls `handle` for message after message until `stop`. After an exception of it, another call goes on."""
        ring, share = self._ring.items, Share()
        while not self._is_stopped():
            if not ring:
                self._ring.wait()
                share.renew()
                continue
            seconds = min(_LONGEST_TURN, _ROUND / len(ring))
            self._turn(ring.popleft(), handle, monotonic() + seconds)
            share.spend()

    def _turn(self, source: _Source, handle: Callable[[Message], None], until: float) -> None:
        messages = source.messages
        try:
            while messages:
                self._messages -= 1
                handle(messages.popleft())
                if self._stopped or monotonic() > until:
                    break
        finally:
            if messages:
                self._ring.items.append(source)  # by the one who takes: nobody waits for it
            else:
                self._emptied(source)
            if self._full and self._messages * 2 <= self._max_messages and self._bytes * 2 <= self._max_bytes:
                self._full = False
                self._go_on(*self._held_back)

    def _emptied(self, source: _Source) -> None:
        del self._sources[source.origin]
        self._bytes -= source.size
        if self._held_back:
            self._go_on(source.origin)

    def _go_on(self, *origins: object) -> None:
        for origin in origins:
            if (event := self._held_back.pop(origin, None)) is not None:
                event.set()

    def _is_stopped(self) -> bool:
        return self._stopped
