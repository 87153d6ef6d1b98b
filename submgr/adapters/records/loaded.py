# SPDX-License-Identifier: Apache-2.0
"""Decodes the records of the whole store, and keeps those apart that cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct, field

from submgr.adapters.records.e2 import decode_e2
from submgr.adapters.records.forms import RecordError
from submgr.adapters.records.namespaces import (
    E2_NAMESPACE,
    NEXT_INSTANCE_ID,
    REMOVAL_NAMESPACE,
    REST_NAMESPACE,
    ROUTES,
    STATE_NAMESPACE,
)
from submgr.adapters.records.removals import decode_removal
from submgr.adapters.records.rest import decode_rest
from submgr.core.model import E2Record, Removal, RestRecord
from submgr.platform.turns import in_turns

_log = logging.getLogger(__name__)

Record = TypeVar("Record")
DecodeRest = Callable[[str, bytes, Mapping[int, int]], RestRecord]


class Unreadable(Struct, frozen=True):
    """A stored record that cannot be read. It stays in the store, and its instance id must not be given out."""

    namespace: str
    key: str
    why: str

    @property
    def instance_id(self) -> int | None:
        """The instance id in the key; None for a REST record, and for a key without an instance id."""
        number = self.key.partition(":")[0]
        if self.namespace == REST_NAMESPACE or not (number.isascii() and number.isdecimal() and len(number) <= 5):
            return None
        return int(number)


class Loaded(Struct, frozen=True):
    """Everything in the store, in the order of the keys. `routes`: the last route table, see `StoredRoutes`."""

    e2: list[E2Record] = field(default_factory=list)
    rest: list[RestRecord] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    next_instance_id: int | None = None
    routes: bytes | None = None


def loaded_from(
    stored: Mapping[str, Mapping[str, bytes]],
    e2: Callable[[str, bytes], E2Record] = decode_e2,
    rest: DecodeRest = decode_rest,
) -> Loaded:
    """The records in the values of each namespace. `e2` and `rest` decode them, and raise RecordError."""
    state = stored[STATE_NAMESPACE]
    loaded = Loaded(next_instance_id=_mark(state.get(NEXT_INSTANCE_ID)), routes=state.get(ROUTES))
    loaded.e2.extend(_decoded(E2_NAMESPACE, stored[E2_NAMESPACE], e2, loaded.unreadable))
    requestors = {record.instance_id: record.xapp_requestor_id for record in loaded.e2}
    loaded.rest.extend(
        _decoded(
            REST_NAMESPACE,
            stored[REST_NAMESPACE],
            lambda key, data: rest(key, data, requestors),
            loaded.unreadable,
        )
    )
    loaded.removals.extend(_decoded(REMOVAL_NAMESPACE, stored[REMOVAL_NAMESPACE], decode_removal, loaded.unreadable))
    return loaded


def _decoded(
    namespace: str,
    stored: Mapping[str, bytes],
    decode: Callable[[str, bytes], Record],
    unreadable: list[Unreadable],
) -> list[Record]:
    """The records of a namespace. Others have their turn in between: there may be tens of thousands of records."""
    records = []
    for key in in_turns(sorted(stored)):
        try:
            records.append(decode(key, stored[key]))
        except RecordError as error:
            _log.error("%s: the record under %r cannot be read and is left as it is: %s", namespace, key, error)
            unreadable.append(Unreadable(namespace, key, str(error)))
    return records


def _mark(data: bytes | None) -> int | None:
    """The stored mark of the instance ids; None when there is none that can be read."""
    if data is None:
        return None
    if not (data.isdigit() and len(data) <= 6):
        _log.warning("the mark of the instance ids cannot be read: %r", data[:40])
        return None
    return int(data)
