# SPDX-License-Identifier: Apache-2.0
"""The records of one kind that replicas share, with a list that says which there are, in which version.

Who asks for all of them reads the list, and of the records only those whose version is another one than before.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Generic, TypeVar
from uuid import uuid4

import msgspec

from submgr.platform.shared.base import Entry, SharedStore, Swap, retried
from submgr.platform.shared.one_by_one import OneByOne

T = TypeVar("T")

log = logging.getLogger(__name__)

_LIST = msgspec.json.Decoder(dict[str, str])


class Catalogue(Generic[T]):
    """Records of type `kind` under `prefix` + id, and their list under `name`. All methods raise StoreError."""

    def __init__(self, shared: SharedStore, namespace: str, kind: type[T], prefix: str, name: str) -> None:
        self._shared = shared
        self._namespace = namespace
        self._prefix = prefix
        self._name = name
        self._decoder = msgspec.json.Decoder(kind)
        self._one_by_one = OneByOne()
        self._listed: bytes | None = None
        self._known: dict[str, tuple[str, T]] = {}

    def load(self) -> None:
        """Brings the list up to date: a process that had the store for itself has made none."""
        retried(self._list_all)

    def all(self) -> Mapping[str, T]:
        """All records by id."""
        listed = self._shared.read(self._namespace, [self._name]).get(self._name)
        if listed != self._listed:
            versions = _versions(listed)
            known = {key: held for key, held in self._known.items() if versions.get(key) == held[0]}
            missing = [key for key in versions if key not in known]
            known.update({key: (versions[key], record) for key, record in self._read(missing).items()})
            self._listed, self._known = listed, known
        return {key: record for key, (_, record) in self._known.items()}

    def get(self, key: str) -> T | None:
        """The record of an id."""
        return self._read([key]).get(key)

    def put(self, key: str, record: T, *, new: bool, entry: Entry | None = None) -> bool:
        """Adds a record, or replaces one unless `new`. False: there is none to be replaced."""
        octets = msgspec.json.encode(record)
        with self._one_by_one.turn(self._name):
            return retried(partial(self._put, key, octets, new, entry))

    def remove(self, key: str, entry: Entry | None = None, *, only: T | None = None) -> bool:
        """Removes a record (`only`: if it still is this one). Whether it was there."""
        with self._one_by_one.turn(self._name):
            return retried(partial(self._remove, key, entry, only))

    def change(self, key: str, change: Callable[[T], T | None]) -> None:
        """Replaces a record by what `change` makes of it; None: leaves it as it is."""
        with self._one_by_one.turn(self._name):
            retried(partial(self._change, key, change))

    def _put(self, key: str, octets: bytes, new: bool, entry: Entry | None) -> bool | None:
        name = self._prefix + key
        found = self._shared.read(self._namespace, [self._name, name])
        listed, before = found.get(self._name), found.get(name)
        if before is None and not new:
            return False
        return self._swap({self._name: listed, name: before}, {name: octets}, listed, {key: uuid4().hex}, entry)

    def _remove(self, key: str, entry: Entry | None, only: T | None) -> bool | None:
        name = self._prefix + key
        found = self._shared.read(self._namespace, [self._name, name])
        listed, before = found.get(self._name), found.get(name)
        if before is None or (only is not None and self._decoded(before) != only):
            return False
        return self._swap({self._name: listed, name: before}, {}, listed, {key: None}, entry)

    def _change(self, key: str, change: Callable[[T], T | None]) -> bool | None:
        name = self._prefix + key
        found = self._shared.read(self._namespace, [self._name, name])
        listed, before = found.get(self._name), found.get(name)
        record = self._decoded(before)
        changed = change(record) if record is not None else None
        if changed is None:
            return True
        values = {name: msgspec.json.encode(changed)}
        return self._swap({self._name: listed, name: before}, values, listed, {key: uuid4().hex}, None)

    def _list_all(self) -> bool | None:
        there = {name[len(self._prefix) :] for name in self._shared.keys(self._namespace, self._prefix)}
        listed = self._shared.read(self._namespace, [self._name]).get(self._name)
        versions = _versions(listed)
        new, gone = there - versions.keys(), versions.keys() - there
        if not new and not gone:
            return True
        # the records are there, or are not, at the moment of the change, too
        found = self._shared.read(self._namespace, [self._prefix + key for key in new | gone])
        expected = {self._name: listed, **{self._prefix + key: found.get(self._prefix + key) for key in new | gone}}
        if any((expected[self._prefix + key] is None) == (key in new) for key in new | gone):
            return None
        return self._swap(expected, {}, listed, {**dict.fromkeys(gone), **{key: uuid4().hex for key in new}}, None)

    def _swap(
        self,
        expected: Mapping[str, bytes | None],
        values: Mapping[str, bytes],
        listed: bytes | None,
        versions: Mapping[str, str | None],
        entry: Entry | None,
    ) -> bool | None:
        """`versions`: the new ones; None: the record is removed. True, or None when others were faster."""
        now = {**_versions(listed), **versions}
        octets = msgspec.json.encode({key: version for key, version in now.items() if version is not None})
        removed = frozenset(self._prefix + key for key, version in versions.items() if version is None)
        swap = Swap(self._namespace, expected, {**values, self._name: octets}, removed, entry)
        return self._shared.swap(swap).made or None

    def _read(self, keys: list[str]) -> dict[str, T]:
        found = self._shared.read(self._namespace, [self._prefix + key for key in keys]) if keys else {}
        records = {name[len(self._prefix) :]: self._decoded(octets) for name, octets in found.items()}
        return {key: record for key, record in records.items() if record is not None}

    def _decoded(self, octets: bytes | None) -> T | None:
        try:
            return self._decoder.decode(octets) if octets is not None else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            log.error("unreadable record", extra={"namespace": self._namespace, "why": str(exc)})
            return None


def _versions(listed: bytes | None) -> dict[str, str]:
    try:
        return _LIST.decode(listed) if listed is not None else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
