# SPDX-License-Identifier: Apache-2.0
"""A standby's warm copy of the records: all of them are read once, then those that the active process changes.

The active process publishes the keys that it writes, in the same atomic step (`{namespace},changes`). The copy reads
them again. Publishing costs the database no memory, as a stream would, and needs no right to configure it, as keyspace
events would. One connection keeps the order, and a connection that is lost is noticed: then everything is read anew.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any
from uuid import uuid4

import gevent
from gevent.event import Event
from gevent.queue import Empty, SimpleQueue

from submgr.adapters.records.e2 import decode_e2
from submgr.adapters.records.forms import RecordError
from submgr.adapters.records.loaded import Loaded, loaded_from
from submgr.adapters.records.namespaces import E2_NAMESPACE, NAMESPACES, REST_NAMESPACE
from submgr.adapters.records.rest import decode_rest
from submgr.core.model import E2Record, RestRecord
from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import Change, Store, StoreError
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_marked import CHANGES
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import in_turns

log = logging.getLogger(__name__)

_BARRIER = b"\0"
"""Begins a message that is no keys: it tells the sender that all before it has come."""
_AT_ONCE = 250
"""Keys that are read together."""
_AGAIN = 0.5
"""Seconds until what could not be read is read again."""


class WarmRecords:
    """Follows the records in `store` by way of `channel`. It holds what a take-over needs.

    A database that has lost writes is not followed: the copy stays as it is, and whoever takes over writes it back.
    """

    def __init__(self, store: Store, channel: SdlChannel) -> None:
        self._store = store
        self._channel = channel
        self._values: dict[str, dict[str, bytes]] = {namespace: {} for namespace in NAMESPACES}
        self._e2: dict[str, tuple[bytes, E2Record]] = {}
        self._rest: dict[str, tuple[bytes, RestRecord]] = {}
        """The values that are decoded already, with their records: half of the work of a take-over."""
        self._done: dict[str, dict[str, Any]] = {E2_NAMESPACE: self._e2, REST_NAMESPACE: self._rest}
        self._work: SimpleQueue[tuple[str, bytes | None]] = SimpleQueue()
        self._unread = set(NAMESPACES)
        """Namespaces of which changes may have been missed: they have to be read anew."""
        self._copied = False
        """Whether all of them have been read once."""
        self._behind = Outage(log)
        self._barriers: set[tuple[str, bytes]] = set()
        self._passed = Event()
        self._loop = SupervisedLoop("followed records", self._step, longest_pause=_AGAIN)

    def start(self) -> None:
        """Begins to follow. Raises StoreError for wrong settings."""
        self._channel.start()
        self._loop.start()
        for namespace in NAMESPACES:
            self._channel.listen(
                namespace,
                CHANGES,
                partial(self._changed, namespace),
                partial(self._work.put, (namespace, None)),
            )

    def stop(self) -> None:
        self._loop.stop()
        self._channel.stop()

    @property
    def size(self) -> int:
        """How many records the copy has."""
        return sum(map(len, self._values.values()))

    @property
    def complete(self) -> bool:
        """Whether the copy has all that was told so far."""
        return not self._unread and not self._work.qsize()

    def caught_up(self, within: float) -> Loaded | None:
        """All records, once everything that was published before has come. None: not `within` so many seconds.

        Nobody else may write any more when it is called. Blocks.
        """
        token = _BARRIER + uuid4().bytes
        self._barriers = {(namespace, token) for namespace in NAMESPACES}
        self._passed.clear()
        try:
            with gevent.Timeout(within):
                for namespace in NAMESPACES:
                    self._channel.publish(namespace, CHANGES, token)
                self._passed.wait()
        except (gevent.Timeout, StoreError) as late:
            log.warning("the warm copy of the records is not used: %s", late)
            return None
        if self._unread and not (self._copied and self._has_lost()):
            log.warning("the warm copy of the records is not complete, it is not used")
            return None
        return loaded_from(self._values, self._e2_record, self._rest_record)

    def _changed(self, namespace: str, payload: bytes) -> None:
        self._work.put((namespace, payload))

    def _step(self) -> None:
        try:
            namespace, payload = self._work.peek(timeout=_AGAIN if self._unread else None)
        except Empty:
            for each in sorted(self._unread):
                self._read_all(each)
            return
        if payload is None:
            self._read_all(namespace)
            self._work.get()
        elif payload.startswith(_BARRIER):
            self._work.get()
            self._barriers.discard((namespace, payload))
            if not self._barriers:
                self._passed.set()
        else:
            self._read(namespace, self._keys(namespace))

    def _keys(self, namespace: str) -> set[str]:
        """Takes the keys of the next message, and of those after it as far as they are of the same namespace."""
        keys: set[str] = set()
        while len(keys) < _AT_ONCE and self._work.qsize():
            following, payload = self._work.peek()
            if following != namespace or payload is None or payload.startswith(_BARRIER):
                break
            self._work.get()
            keys.update(payload.decode(errors="replace").split("\n"))
        return keys

    def _read(self, namespace: str, keys: set[str]) -> None:
        waiting = iter(keys)
        while piece := set(islice(waiting, _AT_ONCE)):
            try:
                found = self._store.read(namespace, piece)
            except StoreError as error:
                self._fell_behind(namespace, error)
                return
            self._take(namespace, found, piece - found.keys())

    def _read_all(self, namespace: str) -> None:
        self._unread.add(namespace)
        try:
            if self._copied and self._store.lost_writes():
                # the active process writes them back, or this one does when it takes over
                self._fell_behind(namespace, "the database has lost writes, the copy stays as it was")
                return
            found = self._store.read_all(namespace)
        except StoreError as error:
            self._fell_behind(namespace, error)
            return
        self._values[namespace] = found
        done = self._done.get(namespace, {})
        for key in done.keys() - found.keys():
            del done[key]
        for key, value in in_turns(list(found.items())):
            self._decode(namespace, key, value)
        self._unread.discard(namespace)
        if not self._unread:
            self._copied = True
            self._behind.over("the records can be followed again")
            log.info("the records are followed", extra={"records": self.size})

    def _has_lost(self) -> bool:
        try:
            return self._store.lost_writes()
        except StoreError:
            return False

    def _fell_behind(self, namespace: str, why: object) -> None:
        self._unread.add(namespace)
        self._behind.goes_on(f"the records of {namespace} cannot be followed: {why}", str(why))

    def _take(self, namespace: str, found: dict[str, bytes], gone: set[str]) -> None:
        self._store.follow(Change(namespace, found, frozenset(gone)))
        values = self._values[namespace]
        values.update(found)
        for key in gone:
            values.pop(key, None)
            self._done.get(namespace, {}).pop(key, None)
        for key, value in found.items():
            self._decode(namespace, key, value)

    def _decode(self, namespace: str, key: str, value: bytes) -> None:
        with suppress(RecordError, _Unknown):  # whoever takes over meets it again, and says so
            if namespace == E2_NAMESPACE:
                self._e2_record(key, value)
            elif namespace == REST_NAMESPACE:
                self._rest[key] = (value, decode_rest(key, value, _UNKNOWN))

    def _e2_record(self, key: str, value: bytes) -> E2Record:
        known = self._e2.get(key)
        if known is None or known[0] != value:
            known = self._e2[key] = (value, decode_e2(key, value))
        return known[1]

    def _rest_record(self, key: str, value: bytes, requestors: Mapping[int, int]) -> RestRecord:
        known = self._rest.get(key)
        return known[1] if known is not None and known[0] == value else decode_rest(key, value, requestors)


class _Unknown(LookupError):
    """A record of an old release, which can be decoded when all E2 records are known."""


class _Requestors(dict[int, int]):
    def __bool__(self) -> bool:
        return True

    def get(self, key: int, default: Any = None) -> Any:
        raise _Unknown


_UNKNOWN = _Requestors()
