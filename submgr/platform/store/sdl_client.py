# SPDX-License-Identifier: Apache-2.0
# redis-py annotates only a part of itself.
# mypy: allow-untyped-calls
"""The redis servers of SDL, the Shared Data Layer, with connections that wait in the hub, with time limits.

Where a value is, every user of SDL agrees on: under the key `{namespace},key`, in that one of several servers which the
CRC-32 of the namespace chooses. A hung server costs a bounded time and never the hub. Every connection tells redis a
name that is used once: by this name SdlClient ends a connection at the server that was given up with a command on the
way (see `SdlClient.probe`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any, Literal
from zlib import crc32

import gevent
import gevent.queue
from msgspec import Struct
from redis.client import Redis
from redis.exceptions import ConnectionError, InvalidResponse, TimeoutError

from submgr.platform.store.base import StoreError, StoreRefusesWrites, StoreTimeout, StoreUnavailable
from submgr.platform.store.dbaas import Database, read_dbaas
from submgr.platform.store.sdl_connection import MasterConnection, Pool, SdlConnection
from submgr.platform.store.sdl_errors import raise_translated
from submgr.platform.store.sdl_marked import Marked
from submgr.platform.store.sdl_sentinels import Sentinels
from submgr.platform.store.sdl_server import Server
from submgr.platform.time_limit import TimeLimit

_log = logging.getLogger(__name__)


class SdlSettings(Struct, frozen=True):
    """Where redis is, and how long to wait for it. Times in seconds.

    `environment`: the DBAAS_* variables (others are ignored).

    `name`: how the program calls itself at redis; it keeps a marker of its own beside its records. `fenced`: nothing is
    written before the servers were taken with an epoch, nor after another process has taken them with a larger one.

    `connect_timeout` covers the name look-up, `operation_timeout` everything from taking a connection to the
    answer. `connections` is the most that are open at a time to one server.
    """

    environment: Mapping[str, str]
    connect_timeout: float = 1.0
    operation_timeout: float = 2.0
    connections: int = 8
    name: str = "submgr"
    fenced: bool = False

    def __post_init__(self) -> None:
        if self.connect_timeout <= 0 or self.operation_timeout <= 0 or self.connections < 2:
            raise ValueError("timeouts must be above 0, and at least 2 connections are needed")


class _Asking(TimeLimit):
    """See `SdlClient.asking`."""

    __slots__ = ("_client", "_what")

    def __init__(self, client: SdlClient, what: str) -> None:
        super().__init__(client.operation_timeout)
        self._client = client
        self._what = what

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> Literal[False]:
        super().__exit__(kind, error, traceback)
        if error is None:
            return False
        if error is self.late:
            seconds = self._client.operation_timeout
            raise StoreTimeout(f"redis: no answer to {self._what} within {seconds} s") from None
        try:
            raise_translated(error, self._what)
        except StoreTimeout as timeout:
            if not isinstance(timeout.__cause__, ConnectionError | TimeoutError):
                self._client.close_idle()
            raise
        return False


class SdlClient:
    """The redis servers of the DBAAS_* variables. A namespace is on one of them."""

    def __init__(self, settings: SdlSettings, *, writes: bool = True) -> None:
        """`writes`: whether connections that were given up have to be ended at the server.

        A client that only reads says nothing about the environment, for it is the second one of a process.
        """
        self._settings = settings
        self.operation_timeout = settings.operation_timeout
        self._tag = settings.name if writes else None
        self.servers: list[Server] = []
        """The servers that the namespaces are on; none while closed."""
        self._places: dict[str, tuple[Server, str]] = {}
        """The place of each namespace that was asked for: there are a handful."""
        self._sentinels: dict[str, Sentinels] = {}

    def open(self) -> None:
        """Prepares; connections are made when they are needed. Logs what is wrong with the environment."""
        dbaas = read_dbaas(self._settings.environment)
        if self._tag is not None:
            for warning in dbaas.warnings:
                _log.warning("%s", warning)
        self._sentinels = {}
        self.servers = [self._make_server(place, each) for place, each in enumerate(dbaas.databases)]

    def close(self) -> None:
        for server in self.servers:
            server.client.connection_pool.disconnect()
        self.servers = []
        self._places = {}

    def place(self, namespace: str) -> tuple[Server, str]:
        """The server that `namespace` is on, and how its keys begin there. Raises StoreUnavailable when not open."""
        place = self._places.get(namespace)
        if place is None:
            if not self.servers:
                raise StoreUnavailable("the database client is closed")
            server = self.servers[crc32(namespace.encode()) % len(self.servers)]
            place = self._places[namespace] = server, full_key(namespace, "")
        return place

    def server(self, namespace: str) -> Server:
        """The server that `namespace` is on. Raises StoreUnavailable when not open."""
        return self.place(namespace)[0]

    def redis(self, namespace: str) -> Any:
        """The redis client of the server that `namespace` is on. Raises StoreUnavailable when not open."""
        return self.server(namespace).client

    def asking(self, what: str) -> _Asking:
        """Bounds the time of a request made in the body, and translates its errors. Raises StoreError."""
        return _Asking(self, what)

    def close_idle(self) -> None:
        """After an answer that made no sense, what comes next on any connection may be the answer to something else."""
        for server in self.servers:
            server.client.connection_pool.close_idle()

    def values(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """The values of those keys that exist. Raises StoreError."""
        names = list(keys)
        client = self.redis(namespace)
        with self.asking(f"a read of {len(names)} keys of {namespace}"):
            found = client.mget([full_key(namespace, name) for name in names])
            if not isinstance(found, list) or len(found) != len(names) or not _bytes_only(found):
                raise InvalidResponse("no list of as many values as keys")
        return {name: value for name, value in zip(names, found, strict=True) if value is not None}

    def members(self, namespace: str, set_name: str) -> frozenset[bytes]:
        """The members of a set; none when there is no such set. Raises StoreError."""
        client = self.redis(namespace)
        with self.asking(f"the set {set_name} of {namespace}"):
            found = client.smembers(full_key(namespace, set_name))
            if not isinstance(found, list) or not _bytes_only(found):
                raise InvalidResponse("no list of members")
        return frozenset(found)

    def probe(self) -> None:
        """Raises StoreError unless every server answers, StoreRefusesWrites when all answer and one takes no writes.

        When it returns or raises StoreRefusesWrites, no write that was given up before is executed any more.
        """
        failed: list[StoreError] = []
        for server in self.servers:
            try:
                with self.asking(f"PING at {server.where}"):
                    server.probe()
            except StoreError as error:
                failed.append(error)
        if failed:
            # the servers that do not answer count more than those that refuse
            failed.sort(key=lambda error: isinstance(error, StoreRefusesWrites))
            raise type(failed[0])("; ".join(map(str, failed)))

    def _make_server(self, place: int, database: Database) -> Server:
        lost: set[str] = set()
        address = {"host": database.host, "port": database.port}
        where = f"{database.host}:{database.port}"
        if database.master is None:
            pool = self._pool(SdlConnection, lost=lost, tag=self._tag, **address)
            return Server(_client(pool), where, lost, self._marked(place, where))
        sentinels = self._sentinels.setdefault(database.master, Sentinels(database.master))
        sentinels.add(where, Redis(connection_pool=self._pool(SdlConnection, lost=set(), tag=None, **address)))
        pool = self._pool(MasterConnection, lost=lost, tag=self._tag, find_master=partial(sentinels.master, where))
        return Server(_client(pool), f"{where} ({database.master})", lost, self._marked(place, where), watched=True)

    def _marked(self, place: int, where: str) -> Marked:
        return Marked(self._settings.name, place, where, fencing=self._settings.fenced)

    def _pool(self, kind: type[SdlConnection], **options: Any) -> Pool:
        settings = self._settings
        return Pool(
            max_connections=settings.connections,
            timeout=settings.operation_timeout,
            queue_class=gevent.queue.LifoQueue,
            connection_class=kind,
            socket_timeout=settings.operation_timeout,
            socket_connect_timeout=settings.connect_timeout,
            # redis-py would introduce itself with two more round trips
            lib_name=None,
            lib_version=None,
            **options,
        )


def _client(pool: Pool) -> Any:
    client = Redis(connection_pool=pool)
    # redis-py makes a set of whatever came, also of the octets of one long text: here it is looked at first
    client.set_response_callback("SMEMBERS", lambda answer, **options: answer)
    return client


def full_key(namespace: str, key: str) -> str:
    """A key as SDL writes it."""
    return f"{{{namespace}}},{key}"


def _bytes_only(values: Iterable[object]) -> bool:
    return all(value is None or isinstance(value, bytes) for value in values)
