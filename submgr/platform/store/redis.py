# SPDX-License-Identifier: Apache-2.0
"""The store in redis: plain strings under `{namespace},key`, as every user of SDL sees them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, islice

from submgr.platform.store.base import StoreObserver
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.sdl_client import SdlClient, SdlSettings, full_key
from submgr.platform.turns import turn

_log = logging.getLogger(__name__)

# So many at a time when a whole namespace is read: a few milliseconds of the hub, and of redis.
_KEYS_AT_A_TIME = 1000
_VALUES_AT_A_TIME = 250


class SdlBackend:
    """The `StoreBackend` of redis."""

    def __init__(self, settings: SdlSettings) -> None:
        self._client = SdlClient(settings)

    def open(self) -> None:
        self._client.open()

    def close(self) -> None:
        self._client.close()

    def probe(self) -> None:
        self._client.probe()

    def write(self, namespace: str, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        """Writes what every user of SDL reads, and finds out whether the server is one that keeps what it is given."""
        server, prefix = self._client.place(namespace)
        keys = [(prefix + key).encode() for key in chain(values, removals)]
        with self._client.asking(f"a write of {len(keys)} keys of {namespace}"):
            server.write(keys, values.values())

    def has_lost(self, namespace: str | None = None) -> bool:
        servers = self._client.servers if namespace is None else [self._client.server(namespace)]
        return any(server.marked.lost for server in servers)

    def take_again(self) -> None:
        for server in self._client.servers:
            if server.marked.lost:
                with self._client.asking(f"the marker at {server.where}"):
                    server.take_again()

    def say_complete(self) -> None:
        for server in self._client.servers:
            if server.marked.incomplete:
                with self._client.asking(f"the marker at {server.where}"):
                    server.say_complete()

    def marked_epoch(self) -> int:
        epochs = [0]
        for server in self._client.servers:
            with self._client.asking(f"the marker at {server.where}"):
                epochs.append(server.marker().epoch)
        return max(epochs)

    def lost_writes(self) -> bool:
        for server in self._client.servers:
            with self._client.asking(f"the marker at {server.where}"):
                held = server.marker()
            if held.incomplete or held < server.marked.known:
                return True
        return False

    def fence(self, epoch: int) -> None:
        for server in self._client.servers:
            with self._client.asking(f"the marker at {server.where}"):
                server.take(epoch)

    def overtaken(self) -> bool:
        return any(server.marked.overtaken for server in self._client.servers)

    def shared(self) -> bool:
        return any(server.marked.shared for server in self._client.servers)

    def release(self) -> None:
        for server in self._client.servers:
            server.marked.release()

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        rest = iter(keys)
        while piece := list(islice(rest, _VALUES_AT_A_TIME)):
            found.update(self._client.values(namespace, piece))
            turn()
        return found

    def read_all(self, namespace: str) -> dict[str, bytes]:
        return self.read(namespace, self.keys(namespace))

    def keys(self, namespace: str) -> set[str]:
        """Asks by SCAN: KEYS holds up all users of the database."""
        client = self._client.redis(namespace)
        prefix = full_key(namespace, "")
        keys: set[str] = set()
        cursor = 0
        while True:
            with self._client.asking(f"the keys of {namespace}"):
                cursor, found = client.scan(cursor, match=f"{prefix}*", count=_KEYS_AT_A_TIME)
                keys.update(_decoded(name[len(prefix) :] for name in found))
            if cursor == 0:
                return keys
            turn()


def _decoded(names: Iterable[bytes]) -> Iterator[str]:
    for name in names:
        try:
            yield name.decode()
        except UnicodeDecodeError:
            _log.warning("key %r is skipped: not UTF-8", name)


class SdlStore(CommittingStore):
    """A `Store` in redis, found by the DBAAS_* variables of `settings.environment`."""

    def __init__(
        self, settings: SdlSettings, *, probe_interval: float = 1.0, observer: StoreObserver | None = None
    ) -> None:
        super().__init__(
            SdlBackend(settings),
            patience=settings.operation_timeout,
            probe_interval=probe_interval,
            observer=observer,
            fenced=settings.fenced,
        )
