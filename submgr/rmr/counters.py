# SPDX-License-Identifier: Apache-2.0
"""The running counters of a transport."""

from __future__ import annotations

from collections import Counter

from submgr.rmr.message import Status
from submgr.rmr.transport import Stats


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
