# SPDX-License-Identifier: Apache-2.0
"""Typed records of one kind, as JSON in a namespace of the store."""

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Generic, TypeVar

import msgspec

from submgr.platform.store.base import Change, Done, Store, StoreError

T = TypeVar("T")

log = logging.getLogger(__name__)


def left_to_the_store(error: StoreError | None) -> None:
    """The callback of a change that nobody waits for. The store's own log and metrics tell when it is late or lost."""


class Records(Generic[T]):
    """Records of type `kind` (dataclasses, msgspec structs, plain JSON types) under `prefix` + key.

    Kinds that share a namespace have different prefixes. Writing is group-committed by the store: whoever writes
    many uses the `_soon` forms, which do not wait and are carried out as soon as the database lets them.
    """

    def __init__(self, store: Store, namespace: str, kind: type[T], prefix: str = "") -> None:
        self._store = store
        self._namespace = namespace
        self._prefix = prefix
        self._decoder = msgspec.json.Decoder(kind)
        self._encoder = msgspec.json.Encoder()
        self.unreadable = 0
        """Records that `load` could not read; they stay where they are."""

    def load(self) -> dict[str, T]:
        """All records by key. Raises StoreError."""
        keys = [key for key in self._store.keys(self._namespace) if key.startswith(self._prefix)]
        return self.read(key[len(self._prefix) :] for key in keys) if keys else {}

    def read(self, keys: Iterable[str]) -> dict[str, T]:
        """The records of `keys` that exist. Raises StoreError."""
        found = self._store.read(self._namespace, [self._prefix + key for key in keys])
        records: dict[str, T] = {}
        for name, value in found.items():
            try:
                records[name[len(self._prefix) :]] = self._decoder.decode(value)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
                self.unreadable += 1
                log.error("unreadable record", extra={"namespace": self._namespace, "why": str(exc)})
        return records

    def change(self, records: Mapping[str, T], remove: Collection[str] = ()) -> Change:
        """One atomic change, for `Store.write` or `Store.submit`."""
        values = {self._prefix + key: self._encoder.encode(value) for key, value in records.items()}
        return Change(self._namespace, values, frozenset(self._prefix + key for key in remove))

    def save(self, key: str, record: T) -> None:
        """Writes one record and waits until the store has it. Raises StoreError."""
        self._store.write(self.change({key: record}))

    def remove(self, *keys: str) -> None:
        """Removes records and waits until the store has done so. Raises StoreError."""
        self._store.write(self.change({}, keys))

    def save_soon(self, key: str, record: T, done: Done | None = None) -> None:
        """Writes one record without waiting. The store tries until this or a later change of the key is written."""
        self._store.submit(self.change({key: record}), done or left_to_the_store, persistent=True)

    def remove_soon(self, *keys: str) -> None:
        """Remove records without waiting."""
        if keys:
            self._store.submit(self.change({}, keys), left_to_the_store, persistent=True)
