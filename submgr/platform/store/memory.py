# SPDX-License-Identifier: Apache-2.0
"""The store in the memory of the process: gone when the process ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from submgr.platform.store.base import OwnDatabase, StoreObserver
from submgr.platform.store.committing import CommittingStore


class MemoryBackend(OwnDatabase):
    """The `StoreBackend` of dictionaries; they outlive a `stop()` and `start()` in one process."""

    def __init__(self) -> None:
        self._namespaces: dict[str, dict[str, bytes]] = {}

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def probe(self) -> None:
        pass

    def write(self, namespace: str, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        held = self._namespaces.setdefault(namespace, {})
        held.update(values)
        for key in removals:
            held.pop(key, None)

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        held = self._namespaces.get(namespace, {})
        return {key: held[key] for key in keys if key in held}

    def read_all(self, namespace: str) -> dict[str, bytes]:
        return dict(self._namespaces.get(namespace, {}))

    def keys(self, namespace: str) -> set[str]:
        return set(self._namespaces.get(namespace, {}))


class MemoryStore(CommittingStore):
    """A `Store` without a database."""

    def __init__(self, *, observer: StoreObserver | None = None) -> None:
        super().__init__(MemoryBackend(), observer=observer)
