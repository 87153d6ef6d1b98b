# SPDX-License-Identifier: Apache-2.0
"""Compares live subscriptions and removals with their stored records, one `Kind` for each namespace of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from submgr.adapters.records.e2 import decode_e2, encode_e2
from submgr.adapters.records.forms import RecordError
from submgr.adapters.records.namespaces import E2_NAMESPACE, REMOVAL_NAMESPACE, REST_NAMESPACE
from submgr.adapters.records.removals import decode_removal, removal_key
from submgr.adapters.records.rest import decode_rest, encode_rest
from submgr.adapters.records.store import StoredRecords
from submgr.core.model import E2Record, Removal, RestRecord
from submgr.core.node import Node


class Kind(Struct, frozen=True):
    """One kind of record.

    `what`: its name in metrics. `live`: the live objects of a node by key; `find`: the one under a key. `at_rest`:
    nothing works on an object, so that its record is up to date. `record`: its record. `equal`: whether stored bytes
    say the same as a record; raises RecordError for what cannot be read. `has_instance_id`: the key is an instance id.
    """

    what: str
    namespace: str
    live: Callable[[Node], Mapping[str, Any]]
    find: Callable[[Node, str], Any]
    at_rest: Callable[[Node, Any], bool]
    record: Callable[[Any], Any]
    equal: Callable[[str, bytes, Any], bool]
    decode: Callable[[str, bytes], Any]
    save: Callable[[StoredRecords, Any], None]
    erase: Callable[[StoredRecords, str, bytes], None]
    has_instance_id: bool = False

    def same(self, key: str, data: bytes | None, item: object) -> bool:
        """Whether the stored bytes say what the live object says."""
        try:
            return data is not None and self.equal(key, data, self.record(item))
        except RecordError:
            return False

    def readable(self, key: str, data: bytes) -> bool:
        """Whether the record can be read: one that cannot is left where it is."""
        try:
            self.decode(key, data)
        except RecordError:
            return False
        return True

    def meid(self, key: str, data: bytes) -> str:
        """The node of a record. Raises RecordError for one that cannot be read."""
        meid: str = self.decode(key, data).meid
        return meid


def _same_e2(key: str, data: bytes, record: E2Record) -> bool:
    if data == encode_e2(record):
        return True
    stored = decode_e2(key, data)
    if stored.holders is None:
        # the Go implementation's: what it does not know is not in it
        return (stored.meid, stored.content, stored.admitted) == (record.meid, record.content, record.admitted)
    return stored == record


def _same_rest(key: str, data: bytes, record: RestRecord) -> bool:
    if data == encode_rest(record):
        return True
    return _in_order(decode_rest(key, data)) == _in_order(record)


def _in_order(record: RestRecord) -> RestRecord:
    return replace(record, instances=tuple(sorted(record.instances)))


def _same_removal(key: str, data: bytes, record: Removal) -> bool:
    return replace(decode_removal(key, data), since=0.0) == replace(record, since=0.0)


def _find_removal(node: Node, key: str) -> Removal | None:
    removal = node.removals.get(int(key.partition(":")[0]))
    return removal if removal is not None and removal_key(removal.meid, removal.instance_id) == key else None


def _erase_removal(records: StoredRecords, key: str, data: bytes) -> None:
    removal = decode_removal(key, data)
    records.erase_removal(removal.meid, removal.instance_id)


KINDS = (
    Kind(
        "e2_record",
        E2_NAMESPACE,
        live=lambda node: {str(instance_id): sub for instance_id, sub in node.subscriptions.e2.items()},
        find=lambda node, key: node.subscriptions.e2.get(int(key)),
        at_rest=lambda node, sub: node.at_rest(sub),
        record=lambda sub: sub.record(),
        equal=_same_e2,
        decode=decode_e2,
        save=lambda records, sub: records.save_e2(sub.record(), None),
        erase=lambda records, key, data: records.erase_e2(int(key), None),
        has_instance_id=True,
    ),
    Kind(
        "rest_record",
        REST_NAMESPACE,
        live=lambda node: node.subscriptions.rest,
        find=lambda node, key: node.subscriptions.rest.get(key),
        at_rest=lambda node, rest: not rest.ongoing and not rest.deleting and rest.withdrawal is None,
        record=lambda rest: rest.record(),
        equal=_same_rest,
        decode=decode_rest,
        save=lambda records, rest: records.save_rest(rest.record(), None),
        erase=lambda records, key, data: records.erase_rest(key, None),
    ),
    Kind(
        "removal_record",
        REMOVAL_NAMESPACE,
        live=lambda node: {removal_key(each.meid, each.instance_id): each for each in node.removals},
        find=_find_removal,
        at_rest=lambda node, removal: not node.cleans_up(removal.instance_id),
        record=lambda removal: removal,
        equal=_same_removal,
        decode=decode_removal,
        save=lambda records, removal: records.save_removal(removal),
        erase=_erase_removal,
    ),
)
