# SPDX-License-Identifier: Apache-2.0
"""Makes the repairs that the ledgers have planned, in pieces; the changes that wait have their turn in between."""

from __future__ import annotations

import logging
from collections.abc import Callable

from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import StoreError, StoreObserver
from submgr.platform.store.ledger import Effect, Ledgers, split
from submgr.platform.store.reachability import Reachability
from submgr.platform.store.sending import Sender

_log = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0
"""Seconds between two tries of a repair that the database refuses, in the end; each pause is twice the one before."""


class Repairs:
    """Brings keys to the values that they shall hold.

    `shortest_pause`: seconds after the first refusal. A piece has at most `keys` keys and about `size` bytes.
    """

    def __init__(
        self,
        sender: Sender,
        reachability: Reachability,
        ledgers: Ledgers,
        observer: StoreObserver,
        clock: Callable[[], float],
        shortest_pause: float,
        *,
        keys: int,
        size: int,
    ) -> None:
        self._sender = sender
        self._reachability = reachability
        self._ledgers = ledgers
        self._observer = observer
        self._clock = clock
        self._shortest_pause = shortest_pause
        self._keys = keys
        self._size = size
        self._pause = 0.0
        self._not_before = float("-inf")
        self._refusal = Outage(_log)

    @property
    def wanted(self) -> bool:
        """Whether there is anything to be done."""
        return bool(self._ledgers.repairs_pending) or self._sender.writing_back or self._sender.has_lost()

    def plan(self, *, at_once: bool) -> None:
        """Makes the repairs due, unless they were refused lately. `at_once`: the reason of that may be gone."""
        if at_once:
            self._pause = 0.0
        elif self._clock() < self._not_before:
            return
        self._sender.repairs_due = True

    def make(self, until: float, between: Callable[[], None]) -> None:
        """Tries all repairs, until the time `until`; calls `between` after each piece."""
        self._sender.repairs_due = False
        repaired = 0
        try:
            if self._sender.has_lost():
                self._sender.mend()
            for namespace, ledger in list(self._ledgers.items()):
                for effect in ledger.repairs(self._keys, self._size):
                    if not self._reachability.reachable or self._clock() > until:
                        break
                    repaired += self._make_piece(namespace, effect)
                    between()
            self._sender.finish()
        except StoreError as error:
            self._refusal.goes_on(f"what the database has lost is not back yet: {error}", "lost")
        if repaired:
            _log.info("%d keys brought to the value they shall hold", repaired)
        if self.wanted:
            self._pause = min(2 * self._pause or self._shortest_pause, LONGEST_PAUSE)
            self._not_before = self._clock() + self._pause
        else:
            self._pause = 0.0
            self._refusal.over("all repairs of the database are made")

    def _make_piece(self, namespace: str, effect: Effect) -> int:
        """The number of keys repaired."""
        if not self._reachability.reachable:
            return 0
        writing_back = self._sender.writing_back
        try:
            self._sender.put(namespace, effect)
        except StoreError as error:
            values, removals = split(effect)
            if values and removals:
                # A full database takes removals, and they make room.
                return self._make_piece(namespace, dict.fromkeys(removals)) + self._make_piece(namespace, dict(values))
            self._observer.on_failure("write" if values else "remove")
            message = (
                f"{len(effect)} keys of {namespace} could not be repaired, tried again after growing pauses: {error}"
            )
            self._refusal.goes_on(message, "refused")
            return 0
        self._sender.written_back += len(effect) if writing_back else 0
        return len(effect)
