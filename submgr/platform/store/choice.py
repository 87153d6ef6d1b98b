# SPDX-License-Identifier: Apache-2.0
"""Which database a program keeps its records in: the one place where a name becomes a `Store`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from submgr.platform.store.base import Store, StoreObserver
from submgr.platform.store.dbaas import CLUSTER_ADDRESSES, HOST
from submgr.platform.store.memory import MemoryStore


def make_store(
    backend: str | None,
    path: str | Path,
    environment: Mapping[str, str],
    *,
    name: str = "submgr",
    fenced: bool = False,
    observer: StoreObserver | None = None,
) -> Store:
    """A store that is not started yet.

    `backend`: one of BACKENDS; None: redis when the DBAAS_* variables of `environment` name a server, else sqlite.
    `path`: the database file of sqlite, which one process at a time may have open. `name`: how the program calls
    itself at redis. `fenced`: it writes only while it is the one process that may, see `Store.fence`; a file and the
    memory are of one process anyhow.
    """
    backend = chosen(backend, environment)
    if backend == "redis":
        # imported here: redis-py is a fifth of a start, and who keeps a file has no use for it
        from submgr.platform.store.redis import SdlStore
        from submgr.platform.store.sdl_client import SdlSettings

        return SdlStore(SdlSettings(environment, name=name, fenced=fenced), observer=observer)
    if backend == "memory":
        return MemoryStore(observer=observer)
    # imported here: its library is a megabyte
    from submgr.platform.store.sqlite import SqliteStore

    return SqliteStore(path, observer=observer)


def chosen(backend: str | None, environment: Mapping[str, str]) -> str:
    """The one of BACKENDS that `make_store` takes."""
    if backend is None:
        return "redis" if environment.get(HOST) or environment.get(CLUSTER_ADDRESSES) else "sqlite"
    return backend
