# SPDX-License-Identifier: Apache-2.0
"""Changes of one record by the greenlets of one process, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gevent.lock import BoundedSemaphore
from msgspec import Struct, field


class _Record(Struct):
    turn: BoundedSemaphore = field(default_factory=BoundedSemaphore)
    users: int = 0


class OneByOne:
    """Of those who change the same record by compare-and-set at the same time all but one lose. So that only other
    processes can be faster, the greenlets of this one wait for each other."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}

    @contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Goes around the change of the record `key`."""
        record = self._records.setdefault(key, _Record())
        record.users += 1
        try:
            with record.turn:
                yield
        finally:
            record.users -= 1
            if not record.users:
                del self._records[key]
