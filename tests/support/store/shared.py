# SPDX-License-Identifier: Apache-2.0
"""Shared records in the memory of a test, for several services that stand for as many processes."""

from __future__ import annotations

from collections.abc import Callable, Collection

from submgr.platform.shared.base import Swap, Swapped
from submgr.platform.store.base import StoreUnavailable, check_key, check_namespace


class MemoryShared:
    """Does to dictionaries what `SharedRedis` does to redis. While it is `away` every call raises StoreUnavailable.

    `before`: called before each change, so that a test can be somebody who is faster.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.away = False
        self.calls = 0
        self.before: Callable[[Swap], None] = lambda swap: None
        self._values: dict[tuple[str, str], tuple[bytes, float | None]] = {}
        self._wakes: list[tuple[str, str, Callable[[], None]]] = []

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def empty(self) -> None:
        """As a database that has lost everything."""
        self._values.clear()

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        self._asked()
        found = {key: self._get(namespace, key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    def keys(self, namespace: str, prefix: str) -> set[str]:
        self._asked()
        return {
            key
            for name, key in list(self._values)
            if name == namespace and key.startswith(prefix) and self._get(name, key) is not None
        }

    def swap(self, swap: Swap) -> Swapped:
        self._asked()
        before, self.before = self.before, lambda swap: None
        try:
            before(swap)
        finally:
            self.before = before
        namespace = swap.namespace
        if any(self._get(namespace, key) != value for key, value in swap.expected.items()):
            return Swapped(False)
        number = None
        if (entry := swap.entry) is not None:
            last = int(self._get(namespace, f"{entry.log}/next") or 0)
            if last - int(self._get(namespace, f"{entry.log}/done") or 0) < entry.most:
                number = last + 1
                self._values[namespace, f"{entry.log}/next"] = b"%d" % number, None
                self._values[namespace, f"{entry.log}/{number}"] = entry.payload, None
        until = None if swap.seconds is None else self.now + swap.seconds
        for key, value in swap.set.items():
            self._values[namespace, key] = value, until
        for key in swap.remove:
            self._values.pop((namespace, key), None)
        if number is not None and entry is not None:
            self._tell(namespace, entry.log)
        return Swapped(True, number)

    def lend(self, namespace: str, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        check_namespace(namespace)
        check_key(key)
        self._asked()
        if self._get(namespace, key) != expected:
            return False
        if value is None:
            self._values.pop((namespace, key), None)
        else:
            self._values[namespace, key] = value, self.now + seconds
        return True

    def listen(self, namespace: str, channel: str, wake: Callable[[], None]) -> None:
        self._wakes.append((namespace, channel, wake))
        wake()

    def _tell(self, namespace: str, channel: str) -> None:
        for name, each, wake in self._wakes:
            if (name, each) == (namespace, channel):
                wake()

    def _get(self, namespace: str, key: str) -> bytes | None:
        value, until = self._values.get((namespace, key), (None, None))
        return value if until is None or self.now < until else None

    def _asked(self) -> None:
        self.calls += 1
        if self.away:
            raise StoreUnavailable("away")
