# SPDX-License-Identifier: Apache-2.0
"""The bounded queue of frames for one peer, and how it is written to a socket."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import gevent
from msgspec import Struct

from submgr.platform.fair import Share
from submgr.platform.lease.permit import NOT_ACTING
from submgr.platform.mailbox import Mailbox
from submgr.rmr.counters import Counters
from submgr.rmr.transport import Failed, TransportConfig

_BATCH_BYTES = 1 << 16


class Item(Struct, frozen=True):
    """A frame that waits to be sent, until `deadline` on the monotonic clock."""

    frame: bytes
    deadline: float
    failed: Failed | None


class SendQueue:
    """Frames waiting for one peer, oldest first, bounded in number and bytes.

    A frame leaves the queue when the kernel has taken all of it, or when its time is over. If the connection breaks
    when the kernel has taken a part of a frame, the next connection sends the frame from its beginning: the peer cannot
    have received all of it. A frame that the kernel has taken whole is never sent twice.
    """

    def __init__(self, config: TransportConfig, counters: Counters, tell: Callable[[Failed, str], None]) -> None:
        """`tell` calls a sender's `failed` with a reason; it must not raise."""
        self._config = config
        self._counters = counters
        self._tell = tell
        self._mailbox: Mailbox[Item] = Mailbox()
        self._items = self._mailbox.items
        self._bytes = 0
        self._sent = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> bool:
        """Takes a frame, or answers False when the queue is full."""
        items, config = self._items, self._config
        if len(items) >= config.send_queue or self._bytes >= config.send_bytes:
            return False
        if items and self._counters.queued_bytes >= config.max_queued_bytes:
            return False
        self._count(len(item.frame))
        self._mailbox.put(item)
        return True

    def send_at_once(self, sock: Any, item: Item) -> bool:
        """Sends a frame, unless others wait before it or it may not be sent. Returns whether the kernel has taken it
        all. Else `put` it: `flush` goes on where this one has ended, and meets its error."""
        if self._items or not self._config.may_send():
            return False
        try:
            self._sent = sock._sock.send(item.frame)
        except OSError:
            return False
        if self._sent < len(item.frame):
            return False
        self._sent = 0
        self._counters.transmitted += 1
        return True

    def wait(self) -> None:
        """Waits until there is something to send."""
        self._mailbox.wait()

    def next_deadline(self) -> float:
        """The time on the monotonic clock at which the oldest frame is given up."""
        return self._items[0].deadline

    def rewind(self) -> None:
        """The connection broke: a frame that it took in part has to be sent from its beginning."""
        self._sent = 0

    def expire(self, reason: str) -> None:
        """Gives up the frames whose time is over. A frame that the kernel has taken in part stays."""
        items, now = self._items, monotonic()
        started = items.popleft() if self._sent and items else None
        while items and items[0].deadline <= now:
            self._give_up(items.popleft(), reason)
        if started is not None:
            items.appendleft(started)

    def fail_all(self, reason: str) -> None:
        """Gives up everything."""
        self.rewind()
        drained = list(self._items)
        self._items.clear()
        for item in drained:
            self._give_up(item, reason)

    def flush(self, sock: Any) -> None:
        """Writes until the queue is empty, waiting for the peer where needed.

        Raises OSError when the connection breaks, its peer has read nothing for `stall_timeout`, or nothing more may be
        sent and a frame has left in part.
        """
        items = self._items
        progress = monotonic()
        share = Share()
        while items:
            if not self._config.may_send():
                self._give_up_all()
                return
            taken = self._send(sock, self._chunk())
            if taken:
                progress = monotonic()
                self._account(taken)
                share.spend()
                continue
            share.renew()
            self.expire("the peer does not read")
            if monotonic() - progress > self._config.stall_timeout:
                raise TimeoutError(f"the peer read nothing for {self._config.stall_timeout:g} s")

    def _give_up_all(self) -> None:
        partly = self._sent
        self.fail_all(NOT_ACTING)
        if partly:
            raise ConnectionAbortedError(NOT_ACTING)

    def _send(self, sock: Any, chunk: bytes | memoryview) -> int:
        """Bytes taken by the socket; 0 when it had no room, and has some or the deadlines have to be looked at."""
        try:
            return int(sock._sock.send(chunk))
        except BlockingIOError:
            pass
        # gevent's send() would wait for as long as the socket's timeout says, which is the reader's, and would not
        # ask once more whether anything may be sent
        with gevent.Timeout(self._patience(), False), suppress(TimeoutError):
            sock._wait(sock._write_event)
        return 0

    def _patience(self) -> float:
        """Seconds to wait for room in the socket before the deadlines are looked at again."""
        return min(max(self._items[0].deadline - monotonic(), 0.1), self._config.send_timeout)

    def _chunk(self) -> bytes | memoryview:
        items = self._items
        head = items[0].frame
        if self._sent:
            return memoryview(head)[self._sent :]
        if len(items) == 1 or len(head) >= _BATCH_BYTES:
            return head
        frames, size = [], 0
        for item in items:
            size += len(item.frame)
            frames.append(item.frame)
            if size >= _BATCH_BYTES:
                break
        return b"".join(frames)

    def _account(self, taken: int) -> None:
        items = self._items
        taken += self._sent
        while items and taken >= (size := len(items[0].frame)):
            items.popleft()
            taken -= size
            self._count(-size)
            self._counters.transmitted += 1
        self._sent = taken

    def _count(self, change: int) -> None:
        self._bytes += change
        self._counters.queued_bytes += change

    def _give_up(self, item: Item, reason: str) -> None:
        self._count(-len(item.frame))
        self._counters.transmit_error += 1
        if item.failed is not None:
            self._tell(item.failed, reason)
