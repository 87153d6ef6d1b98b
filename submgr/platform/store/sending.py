# SPDX-License-Identifier: Apache-2.0
"""Sends writes to the database and keeps the ledgers; mends a database that has lost acknowledged writes.

Nobody but the writer's greenlet sends, so that one write is on its way at a time.
"""

from __future__ import annotations

import logging

from submgr.platform.store.base import StoreBackend, StoreLost
from submgr.platform.store.ledger import Effect, Ledgers, split
from submgr.platform.store.reachability import Reachability

_log = logging.getLogger(__name__)


class Sender:
    """The writes of a store, one after the other.

    `writing_back`: the database has lost writes, and not all are back yet. `paused`: none is written back.
    `repairs_due`: there may be repairs that can be made now. `groups`: the acknowledged writes. `losses`: how often the
    database has lost writes. `written_back`: the keys that were written for that.
    """

    def __init__(self, backend: StoreBackend, reachability: Reachability, ledgers: Ledgers) -> None:
        self.writing_back = self.paused = self.repairs_due = False
        self.groups = self.losses = self.written_back = 0
        self._backend = backend
        self._reachability = reachability
        self._ledgers = ledgers

    @property
    def trouble(self) -> str | None:
        """What the database still lacks of what it has lost, in words; None when nothing."""
        if self.writing_back:
            return f"the database has lost writes: {self._ledgers.repairs_pending} keys are still to be written back"
        return "the database has lost writes" if self.has_lost() and not self.paused else None

    def has_lost(self) -> bool:
        """Whether the database has lost writes and `mend` is due."""
        return self._backend.has_lost()

    def see(self, namespace: str, effect: Effect) -> bool:
        """Reads what the keys of `effect` hold, where a repair would not know what to go back to. Returns whether the
        database was asked. Raises StoreError."""
        ledger = self._ledgers[namespace]
        unseen = ledger.unseen(effect)
        if not unseen:
            return False
        ledger.seen(self._reachability.ask("read", self._backend.read, namespace, unseen))
        return True

    def put(self, namespace: str, effect: Effect) -> None:
        """Writes `effect`. Raises StoreError."""
        if not effect:
            return
        ledger = self._ledgers[namespace]
        ledger.sending(effect)
        values, removals = split(effect)
        try:
            self._reachability.ask("write", self._backend.write, namespace, values, removals)
        except StoreLost:
            self.mend()
            self._reachability.ask("write", self._backend.write, namespace, values, removals)
        finally:
            ledger.sent()
        self.groups += 1
        ledger.acknowledged(values, removals)

    def mend(self) -> None:
        """Plans to write back what the database has lost, and to remove what came back; lets it be written to again.

        The repairs of the ledgers are the plan. Raises StoreError; is then to be called again.
        """
        for namespace, ledger in () if self.paused else list(self._ledgers.items()):
            if self._backend.has_lost(namespace):
                ledger.lost(self._reachability.ask("read", self._backend.keys, namespace) if ledger.complete else ())
        self._reachability.ask("write", self._backend.take_again)
        self.losses += 1
        if self.paused:
            _log.warning("the database has lost writes; it was emptied by hand before, so that nothing is written back")
            self._backend.say_complete()
        else:
            self.writing_back = self.repairs_due = True
            pending = self._ledgers.repairs_pending
            _log.warning("the database has lost writes: everything is written back", extra={"keys": pending})

    def finish(self) -> None:
        """Notes the end of the writing back, if all is back. Raises StoreError."""
        if self.writing_back and not self._ledgers.repairs_pending:
            self._reachability.ask("write", self._backend.say_complete)
            self.writing_back = False
            _log.warning("everything that the database had lost is back")
