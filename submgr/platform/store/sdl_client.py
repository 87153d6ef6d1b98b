# SPDX-License-Identifier: Apache-2.0
# redis-py annotates only a part of itself.
# mypy: allow-untyped-calls
"""Makes ricsdl fit for greenlets: its connections wait in the hub, with time limits and without retries.

ricsdl opens its redis clients with stdlib sockets, without any timeout, in a pool that fails instead of
waiting. SdlClient gives each of them another pool, so that a hung server costs a bounded time and never the hub.
Every connection tells redis a name that is used once: by this name SdlClient ends a connection at the server that
was given up with a command on the way (see `SdlClient.probe`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gevent
import gevent.queue
from redis import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError, ResponseError
from redis.sentinel import Sentinel, SentinelConnectionPool
from ricsdl.exceptions import SdlException
from ricsdl.syncstorage import SyncStorage

from submgr.platform.store.base import StoreError, StoreTimeout, StoreUnavailable
from submgr.platform.store.sdl_connection import MasterConnection, NotSent, Pool, SdlConnection

_log = logging.getLogger(__name__)

HOST = "DBAAS_SERVICE_HOST"
PORT = "DBAAS_SERVICE_PORT"
SENTINEL_PORT = "DBAAS_SERVICE_SENTINEL_PORT"
MASTER_NAME = "DBAAS_MASTER_NAME"
CLUSTER_ADDRESSES = "DBAAS_CLUSTER_ADDR_LIST"
VARIABLES = (HOST, PORT, SENTINEL_PORT, MASTER_NAME, CLUSTER_ADDRESSES)


@dataclass(frozen=True, slots=True)
class SdlSettings:
    """Where redis is, and how long to wait for it. Times in seconds.

    `environment`: the DBAAS_* variables (others are ignored).

    `connect_timeout` covers the name look-up, `operation_timeout` everything from taking a connection to the
    answer. `connections` is the most that are open at a time to one server.
    """

    environment: Mapping[str, str]
    connect_timeout: float = 1.0
    operation_timeout: float = 2.0
    connections: int = 8
    name: str = "submgr"

    def __post_init__(self) -> None:
        if self.connect_timeout <= 0 or self.operation_timeout <= 0 or self.connections < 2:
            raise ValueError("timeouts must be above 0, and at least 2 connections are needed")

    def variables(self) -> dict[str, str]:
        """The DBAAS_* variables, completed and checked. Raises StoreError."""
        found = {name: self.environment[name].strip() for name in VARIABLES if self.environment.get(name)}
        found = {name: value for name, value in found.items() if value}
        if HOST not in found and CLUSTER_ADDRESSES not in found:
            raise StoreError(f"no database is named: set {HOST} (or {CLUSTER_ADDRESSES})")
        if SENTINEL_PORT in found and MASTER_NAME not in found:
            raise StoreError(f"{SENTINEL_PORT} is set: {MASTER_NAME} must name the master")
        found.setdefault(PORT, "6379")
        for name in (PORT, SENTINEL_PORT):
            for port in found.get(name, "1").split(","):
                if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
                    raise StoreError(f"{name}: {port!r} is not a port number")
        return found


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """ricsdl takes its settings from the process environment, while its storage object is made."""
    before = {name: os.environ.pop(name) for name in VARIABLES if name in os.environ}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(before)


@dataclass(slots=True)
class _Server:
    client: Any
    where: str
    lost: set[str]


class SdlClient:
    """One ricsdl storage and the redis servers behind it (a namespace is on one of them)."""

    def __init__(self, settings: SdlSettings, *, writes: bool = True) -> None:
        """`writes`: whether connections that were given up have to be ended at the server."""
        self._settings = settings
        self._tag = settings.name if writes else None
        self._servers: list[_Server] = []
        self._storage: Any = None

    def open(self) -> None:
        """Prepares; connections are made when they are needed. Raises StoreError for wrong settings."""
        with _environment(self._settings.variables()):
            self._storage = SyncStorage()
        self._servers = [self._refit(each.redis_client) for each in self._storage.get_backend().clients]

    def close(self) -> None:
        if self._storage is not None:
            self._storage.close()
            self._storage = None
        self._servers = []

    @property
    def storage(self) -> Any:
        """ricsdl's SyncStorage. Raises StoreUnavailable when not open."""
        if self._storage is None:
            raise StoreUnavailable("the database client is closed")
        return self._storage

    def redis(self, namespace: str) -> Any:
        """The redis client of the server that `namespace` is on."""
        return self.storage.get_backend().get_redis_connection(namespace)

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Bounds the time of a request made in the body, and translates its errors. Raises StoreError."""
        limit = gevent.Timeout.start_new(self._settings.operation_timeout)
        try:
            with translating(what):
                yield
        except gevent.Timeout as timeout:
            if timeout is not limit:
                raise
            raise StoreTimeout(f"redis: no answer to {what} within {limit.seconds} s") from None
        finally:
            limit.close()

    def probe(self) -> None:
        """Raises StoreError unless every server answers.

        A server that hung executes what it finds in its socket buffers when it goes on, even if the sender
        closed that connection long ago. So every connection that was given up is ended at the server before
        this returns; nothing sent on it is executed after that.
        """
        for server in self._servers:
            given_up = set(server.lost)
            with self.asking(f"PING at {server.where}"):
                server.client.ping()
                if given_up:
                    _end_connections(server, given_up)
            server.lost -= given_up

    def _refit(self, client: Any) -> _Server:
        """Exchanges the connection pool of a client of ricsdl."""
        old = client.connection_pool
        lost: set[str] = set()
        if isinstance(old, SentinelConnectionPool):
            host, port = _address(old.sentinel_manager.sentinels[0].connection_pool)
            sentinel = Sentinel([])
            sentinel.sentinels = [
                Redis(connection_pool=self._pool(SdlConnection, lost=set(), tag=None, host=host, port=port))
            ]
            client.connection_pool = self._pool(
                MasterConnection, lost=lost, tag=self._tag, sentinel=sentinel, master=old.service_name
            )
            return _Server(client, f"{host}:{port} ({old.service_name})", lost)
        host, port = _address(old)
        client.connection_pool = self._pool(SdlConnection, lost=lost, tag=self._tag, host=host, port=port)
        return _Server(client, f"{host}:{port}", lost)

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


def _address(pool: Any) -> tuple[str, int]:
    return pool.connection_kwargs["host"], int(pool.connection_kwargs["port"])


@contextmanager
def translating(what: str) -> Iterator[None]:
    """Raises StoreError for the errors of ricsdl and redis-py, in their own words."""
    try:
        yield
    except (SdlException, RedisError) as error:
        raise _translated(error, what) from error


def _end_connections(server: _Server, names: set[str]) -> None:
    try:
        for each in server.client.client_list():
            if each.get("name") in names:
                server.client.client_kill_filter(_id=each["id"])
                _log.info("redis at %s: ended a connection that had been given up", server.where)
    except ResponseError as error:
        # The right to end connections is missing. redis reads every socket that has data before it answers any:
        # once it has answered a second command, it has executed the commands that had arrived.
        _log.warning("redis at %s does not let connections be ended: %s", server.where, error)
        server.client.ping()


def _translated(error: SdlException | RedisError, what: str) -> StoreError:
    cause = error.__cause__ if isinstance(error, SdlException) and error.__cause__ is not None else error
    if isinstance(cause, NotSent | BusyLoadingError | AuthenticationError):
        return StoreUnavailable(f"redis: {cause}")
    if isinstance(cause, ResponseError):
        return StoreError(f"redis refused {what}: {cause}")
    return StoreTimeout(f"redis: no answer to {what}: {cause}")
