# SPDX-License-Identifier: Apache-2.0
"""The records of subscriptions and removals in the key-value store.

A write is handed over to the store and its outcome comes back through a callback; loading blocks.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from gevent.event import Event

from submgr.adapters.records.e2 import encode_e2
from submgr.adapters.records.loaded import Loaded, loaded_from
from submgr.adapters.records.namespaces import (
    E2_NAMESPACE,
    NAMESPACES,
    NEXT_INSTANCE_ID,
    REMOVAL_NAMESPACE,
    REST_NAMESPACE,
    ROUTES,
    STATE_NAMESPACE,
)
from submgr.adapters.records.removals import encode_removal, removal_key
from submgr.adapters.records.rest import encode_rest
from submgr.core.errors import RefusedError
from submgr.core.model import E2Record, Removal, RestRecord
from submgr.platform.store.base import Change, Done, Store, StoreError, StoreTimeout
from submgr.platform.supervised import SupervisedLoop
from submgr.runtime.ports import WriteFailure, Written

_log = logging.getLogger(__name__)

_LONGEST_PAUSE = 30.0
"""Seconds between two tries of an erasure that the database refuses."""

Key = tuple[str, str]


class StoredRecords:
    """Implements `submgr.runtime.ports.Records` over a store, and the database requests of the debug interface.

    The owner of the store starts and stops it. The store itself retries an erasure that fails. If the caller gave
    `done`, this class erases the record again as well, every `retry_interval` seconds, until the store reports that
    the record is gone; it then calls `done` a second time, with None. While a database that answers refuses the
    erasures, the pauses grow, to half a minute at most.
    """

    def __init__(self, store: Store, *, retry_interval: float = 1.0) -> None:
        self._store = store
        self._retry_interval = retry_interval
        self._awaited: dict[Key, list[Written]] = {}
        self._refused_again = False
        self._retry_pause = retry_interval
        self._retrying = SupervisedLoop("erasing records", self._retry)
        self._stopped = Event()
        self._paused = False

    def stop(self) -> None:
        """Stops erasing again. The store goes on with failed erasures as with every persistent change."""
        self._stopped.set()
        self._awaited.clear()

    def save_rest(self, record: RestRecord, done: Written | None) -> None:
        self._save(REST_NAMESPACE, record.subscription_id, encode_rest(record), done, lingers=done is None)

    def erase_rest(self, subscription_id: str, done: Written | None) -> None:
        self._erase(REST_NAMESPACE, subscription_id, done)

    def save_e2(self, record: E2Record, done: Written | None) -> None:
        self._save(E2_NAMESPACE, str(record.instance_id), encode_e2(record), done, lingers=done is None)

    def erase_e2(self, instance_id: int, done: Written | None) -> None:
        self._erase(E2_NAMESPACE, str(instance_id), done)

    def save_removal(self, removal: Removal, done: Written | None = None) -> None:
        key = removal_key(removal.meid, removal.instance_id)
        self._save(REMOVAL_NAMESPACE, key, encode_removal(removal), done)

    def erase_removal(self, meid: str, instance_id: int) -> None:
        self._erase(REMOVAL_NAMESPACE, removal_key(meid, instance_id), None)

    def save_next_instance_id(self, mark: int) -> None:
        self._save(STATE_NAMESPACE, NEXT_INSTANCE_ID, str(mark).encode(), None)

    def save_routes(self, table: bytes) -> None:
        self._save(STATE_NAMESPACE, ROUTES, table, None)

    def load(self) -> Loaded:
        """Reads the whole store. Records that cannot be read are logged, and listed in `unreadable`.

        Raises:
            StoreError: the database does not answer.
        """
        return loaded_from({namespace: self._store.read_all(namespace) for namespace in NAMESPACES})

    def stored(self, namespace: str, keys: Collection[str] | None = None) -> dict[str, bytes]:
        """The records of a namespace (those under `keys`, else all) once all writes so far have been tried.

        Raises StoreError.
        """
        self._store.write(Change(namespace))
        return self._store.read_all(namespace) if keys is None else self._store.read(namespace, keys)

    def keys(self, namespace: str) -> set[str]:
        """The keys of all records of a namespace. Raises StoreError."""
        return self._store.keys(namespace)

    def put(self, namespace: str, records: Mapping[str, bytes]) -> None:
        """Writes records as they are. Waits for the outcome. Raises StoreError."""
        self._store.write(Change(namespace, records))

    def take_out(self, namespace: str, keys: Collection[str]) -> None:
        """Removes records; what the store does not take now is repeated."""
        self._store.submit(Change(namespace, remove=frozenset(keys)), _nobody_waits, persistent=True)

    @property
    def paused(self) -> bool:
        """Whether records were removed by hand, so that the database is left as it is until the next start."""
        return self._paused

    def flush(self) -> None:
        """Waits until the store has tried every write handed over so far. Raises StoreError."""
        for namespace in NAMESPACES:
            self._store.write(Change(namespace))

    # --- the debug interface

    def remove_record(self, instance_id: int) -> bool:
        """Removes one E2 record from the database. No failed write is repeated until the next start.

        False when there is no such record. Blocks the calling greenlet.

        Raises:
            RefusedError: 503, the database does not answer.
        """
        key = str(instance_id)
        with _refused_while_away():
            found = self._store.read(E2_NAMESPACE, {key})
            self._pause()
            if found:
                self._store.write(Change(E2_NAMESPACE, remove=frozenset({key})))
        return bool(found)

    def empty(self) -> None:
        """Removes all records from the database. No failed write is repeated until the next start.

        Blocks the calling greenlet.

        Raises:
            RefusedError: 503, the database does not answer.
        """
        with _refused_while_away():
            self.flush()  # fails while the database is away: failed writes are repeated then
            self._pause()
            for namespace in NAMESPACES:
                keys = self._store.keys(namespace)
                if keys:
                    self._store.write(Change(namespace, remove=frozenset(keys)))

    def _pause(self) -> None:
        self._paused = True
        self._store.pause_repairs()

    def _save(self, namespace: str, key: str, value: bytes, done: Written | None, *, lingers: bool = False) -> None:
        written = _nobody_waits if done is None else partial(_tell, done)
        if self._awaited:
            overtaken = self._awaited.pop((namespace, key), [])
            written = partial(_tell_overtaken, overtaken, written)
        self._store.submit(Change(namespace, {key: value}), written, persistent=done is None, lingers=lingers)

    def _erase(self, namespace: str, key: str, done: Written | None) -> None:
        def erased(error: StoreError | None) -> None:
            if done is None:
                return
            _tell(done, error)
            if error is not None and not self._stopped.is_set():
                self._await(namespace, key, done)

        self._store.submit(Change(namespace, remove=frozenset({key})), erased, persistent=True)

    def _await(self, namespace: str, key: str, done: Written) -> None:
        self._awaited.setdefault((namespace, key), []).append(done)
        if not self._retrying.running:
            self._retry_pause = self._retry_interval
            self._retrying.start()

    def _retry(self) -> bool:
        """Repeats the removals that were refused. Returns whether any may still be to be repeated."""
        if not self._awaited or self._stopped.wait(self._retry_pause):
            return False
        if self._paused or not self._store.reachable():
            self._retry_pause = self._retry_interval
            return True
        self._retry_pause = min(2 * self._retry_pause, _LONGEST_PAUSE) if self._refused_again else self._retry_interval
        self._refused_again = False
        for namespace, key in list(self._awaited):
            self._erase_again(namespace, key)
        return True

    def _erase_again(self, namespace: str, key: str) -> None:
        def erased(error: StoreError | None) -> None:
            if error is not None:
                self._refused_again = True
                return
            for done in self._awaited.pop((namespace, key), []):
                done(None)

        self._store.submit(Change(namespace, remove=frozenset({key})), erased, persistent=True)


@contextmanager
def _refused_while_away() -> Iterator[None]:
    try:
        yield
    except StoreError as failed:
        raise RefusedError(503, f"the database does not answer: {failed}") from failed


def _nobody_waits(error: StoreError | None) -> None:
    pass


def _tell(done: Written, error: StoreError | None) -> None:
    done(None if error is None else _failure(error))


def _tell_overtaken(overtaken: list[Written], written: Done, error: StoreError | None) -> None:
    """Tells those who waited for an erasure of the record that it is not needed any more."""
    for done in overtaken:
        done(None)
    written(error)


def _failure(error: StoreError) -> WriteFailure:
    return WriteFailure(str(error), isinstance(error, StoreTimeout))
