# SPDX-License-Identifier: Apache-2.0
"""The database requests of the debug interface, with errors as REST answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from submgr.adapters.records.store import StoredRecords
from submgr.core.errors import RefusedError
from submgr.platform.store.base import StoreError

T = TypeVar("T")


class DebugRecords:
    """They block, and raise RefusedError 503 while the database is away."""

    def __init__(self, records: StoredRecords) -> None:
        self._records = records

    def remove_record(self, instance_id: int) -> bool:
        return _asked(lambda: self._records.remove_record(instance_id))

    def empty(self) -> None:
        _asked(self._records.empty)


def _asked(what: Callable[[], T]) -> T:
    try:
        return what()
    except StoreError as failed:
        raise RefusedError(503, f"the database does not answer: {failed}") from failed
