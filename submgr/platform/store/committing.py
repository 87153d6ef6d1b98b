# SPDX-License-Identifier: Apache-2.0
"""The store over any database: changes go to its writer, reads to the database, corrected by pending repairs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from typing import TypeVar, TypeVarTuple

from gevent.event import AsyncResult

from submgr.platform.store.base import (
    Change,
    Done,
    FailureKind,
    Operation,
    StoreBackend,
    StoreError,
    StoreObserver,
    StoreStats,
    StoreUnavailable,
    check_key,
    check_namespace,
)
from submgr.platform.store.ledger import Ledgers, effect_of
from submgr.platform.store.reachability import Reachability
from submgr.platform.store.sending import Sender
from submgr.platform.store.writer import Writer

_log = logging.getLogger(__name__)

_Arguments = TypeVarTuple("_Arguments")
_Found = TypeVar("_Found")


class _NobodyWatches:
    def on_latency(self, operation: Operation, seconds: float) -> None:
        pass

    def on_failure(self, kind: FailureKind) -> None:
        pass


class CommittingStore:
    """A `Store` over a `StoreBackend`.

    `patience`: seconds a change may wait for its turn; it then fails without being sent. `probe_interval`:
    seconds between two looks at an idle database; one that is away is looked for four times as often. `fenced`: see
    `Store.fence`.
    """

    def __init__(
        self,
        backend: StoreBackend,
        *,
        patience: float = 2.0,
        probe_interval: float = 1.0,
        observer: StoreObserver | None = None,
        clock: Callable[[], float] = time.monotonic,
        fenced: bool = False,
    ) -> None:
        self._backend = backend
        self._patience = patience
        self._probe_interval = probe_interval
        self._observer: StoreObserver = observer or _NobodyWatches()
        self._clock = clock
        self._fenced = fenced
        self._tell_fenced: Callable[[], None] = lambda: None
        self._running = False
        self._reset()

    def _reset(self) -> None:
        self._ledgers = Ledgers()
        self._reachability = Reachability(
            self._backend.probe,
            interval=self._probe_interval,
            observer=self._observer,
            on_look=self._after_look,
            on_fenced=self._on_fenced,
        )
        self._sender = Sender(self._backend, self._reachability, self._ledgers)
        self._writer = Writer(
            self._sender,
            self._reachability,
            self._ledgers,
            self._patience,
            self._observer,
            self._clock,
            self._probe_interval,
        )
        self._in_trouble = True
        self._writes = not self._fenced

    def start(self) -> None:
        if self._running:
            return
        self._reset()
        self._backend.open()
        self._running = True
        self._reachability.start()
        self._writer.start()

    def stop(self, timeout: float = 5.0) -> None:
        if not self._running:
            return
        self._running = False
        self._writer.stop(timeout)
        self._reachability.stop()
        if self._ledgers.repairs_pending:
            _log.warning(
                "store stopped with %d keys not brought to the value they shall hold", self._ledgers.repairs_pending
            )
        self._backend.close()

    def submit(self, change: Change, done: Done, *, persistent: bool = False, lingers: bool = False) -> None:
        self._writer.submit(change, done, persistent, lingers)

    def write(self, change: Change, *, persistent: bool = False) -> None:
        outcome: AsyncResult[StoreError | None] = AsyncResult()
        self.submit(change, outcome.set, persistent=persistent)
        error = outcome.get()
        if error is not None:
            # The error is shared by the whole group: an exception of its own for each traceback.
            raise type(error)(*error.args)

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        if isinstance(keys, str):
            raise TypeError("keys: a collection of strings, not one string")
        check_namespace(namespace)
        for key in keys:
            check_key(key)
        found = self._ask(self._backend.read, namespace, keys)
        return self._ledgers[namespace].corrected(found, keys)

    def read_all(self, namespace: str) -> dict[str, bytes]:
        check_namespace(namespace)
        ledger = self._ledgers[namespace]
        with ledger.reading_all(anew=not self._writes) as found:
            found.update(self._ask(self._backend.read_all, namespace))
        return ledger.corrected(found)

    def keys(self, namespace: str) -> set[str]:
        check_namespace(namespace)
        found = self._ask(self._backend.keys, namespace)
        return self._ledgers[namespace].corrected_keys(found)

    def reachable(self) -> bool:
        return self._reachability.reachable

    def trouble(self) -> str | None:
        return self._reachability.trouble or self._sender.trouble

    def pause_repairs(self) -> None:
        self._sender.paused = True
        self._ledgers.forget_repairs()

    def marked_epoch(self) -> int:
        return self._backend.marked_epoch()

    def lost_writes(self) -> bool:
        return self._backend.lost_writes()

    def fence(self, epoch: int) -> None:
        try:
            self._backend.fence(epoch)
        except StoreError:
            self._backend.release()  # all servers or none
            raise
        self._writes = True
        if self._backend.has_lost():
            self._writer.repair_soon(at_once=True)

    def release(self) -> None:
        self._backend.release()
        self._writes = not self._fenced
        if not self._writes:
            self._sender.writing_back = False
            self._ledgers.clear()  # another process writes from now on

    def on_fenced(self, tell: Callable[[], None]) -> None:
        self._tell_fenced = tell

    def follow(self, change: Change) -> None:
        self._ledgers[change.namespace].followed(effect_of([change]))

    def stats(self) -> StoreStats:
        return StoreStats(
            reachable=self._reachability.reachable,
            error=self._reachability.error,
            waiting=self._writer.waiting,
            repairs_pending=self._ledgers.repairs_pending,
            acknowledged=self._writer.acknowledged,
            failed=self._writer.failed,
            groups=self._sender.groups,
            losses=self._sender.losses,
            written_back=self._sender.written_back,
            shared=self._backend.shared(),
        )

    def _after_look(self) -> None:
        was_in_trouble, self._in_trouble = self._in_trouble, self._reachability.trouble is not None
        self._on_fenced()
        if self._reachability.reachable and self._writer.repairs_wanted:
            self._writer.repair_soon(at_once=was_in_trouble and not self._in_trouble)

    def _on_fenced(self) -> None:
        if self._backend.overtaken():
            _log.warning("another process has taken the database: nothing is written any more")
            self.release()
            self._tell_fenced()

    def _ask(self, read: Callable[[*_Arguments], _Found], *arguments: *_Arguments) -> _Found:
        try:
            if not self._reachability.reachable:
                raise StoreUnavailable(f"not read: {self._reachability.error}")
            return self._reachability.ask("read", read, *arguments)
        except StoreError:
            self._observer.on_failure("read")
            raise
