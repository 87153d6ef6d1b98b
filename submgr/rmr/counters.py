# SPDX-License-Identifier: Apache-2.0
"""What a transport counts while it runs, and its log of broken peers."""

from __future__ import annotations

import logging
from collections import Counter
from time import monotonic

_INTERVAL = 60.0
_MOST_KINDS = 1024


class Counters:
    """The running counters of one transport; `submgr.rmr.transport.Stats` is their snapshot."""

    def __init__(self) -> None:
        self.transmitted = 0
        self.transmit_error = 0
        self.transmit_retry = 0
        self.received = 0
        self.handler_errors = 0
        self.receive_error: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()


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
