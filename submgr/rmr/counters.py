# SPDX-License-Identifier: Apache-2.0
"""The running counters of a transport, and its log of broken peers."""

from __future__ import annotations

import logging
from collections import Counter
from time import monotonic

from submgr.rmr.message import Status
from submgr.rmr.transport import Stats

_INTERVAL = 60.0
_MOST_KINDS = 1024


class Counters:
    """The running counters of one transport; see `submgr.rmr.transport.Stats` for what each counts."""

    def __init__(self) -> None:
        self.transmitted = 0
        self.transmit_error = 0
        self.transmit_retry = 0
        self.received = 0
        self.handler_errors = 0
        self.receive_error: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.queued_bytes = 0
        """Bytes that wait to be sent now, over all peers."""

    def not_sent(self, status: Status) -> Status:
        """Counts a send that is refused with this status, and returns the status."""
        if status is Status.RETRY:
            self.transmit_retry += 1
        else:
            self.transmit_error += 1
        return status

    def stats(self, endpoints: dict[str, int], enqueued: int, connections: int = 0) -> Stats:
        """A snapshot, with the depth of the queues at this moment."""
        return Stats(
            transmitted=self.transmitted,
            transmit_error=self.transmit_error,
            transmit_retry=self.transmit_retry,
            received=self.received,
            receive_error=dict(self.receive_error),
            dropped=dict(self.dropped),
            enqueued=enqueued,
            endpoints=endpoints,
            connections=connections,
            handler_errors=self.handler_errors,
        )


class SparseLog:
    """Logs a kind of event from a peer once a minute at most, and then how often it happened in between."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._last: dict[tuple[str, str], tuple[float, int]] = {}

    def warning(self, kind: str, peer: str, text: str) -> None:
        """Logs `text`, unless this kind of thing from this peer was logged within the last minute."""
        now = monotonic()
        last, silenced = self._last.get((kind, peer), (-_INTERVAL, 0))
        if now - last < _INTERVAL:
            self._last[kind, peer] = (last, silenced + 1)
            return
        if len(self._last) >= _MOST_KINDS:
            self._last.clear()
        self._last[kind, peer] = (now, 0)
        if silenced:
            text = f"{text} (and {silenced} times more since the last such line)"
        self._logger.warning("rmr: %s: %s", peer, text)
