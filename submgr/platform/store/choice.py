# SPDX-License-Identifier: Apache-2.0
"""Which database a MEC program keeps its records in."""

from collections.abc import Mapping
from pathlib import Path

from mec.common.settings import MecConfig
from submgr.platform.store.base import Store
from submgr.platform.store.memory import MemoryStore
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_client import CLUSTER_ADDRESSES, HOST, SdlSettings
from submgr.platform.store.sqlite import SqliteStore


def store_of(config: MecConfig, environment: Mapping[str, str], name: str) -> Store:
    """What the file says, else redis when DBAAS_SERVICE_HOST names one, else a file of SQLite. Not started yet.

    A file of SQLite belongs to one process: a program takes `<path>-<name>` beside the one that the daemon of the
    same configuration file has, and `mec-<name>.db` in the working directory when no path is given.
    """
    backend = config.sdl_backend
    if backend is None:
        backend = "redis" if environment.get(HOST) or environment.get(CLUSTER_ADDRESSES) else "sqlite"
    if backend == "redis":
        return SdlStore(SdlSettings(environment, name=f"mec-{name}"))
    if backend == "memory":
        return MemoryStore()
    if config.sdl_path is None:
        return SqliteStore(f"mec-{name}.db")
    path = Path(config.sdl_path)
    return SqliteStore(path.with_name(f"{path.stem}-{name}{path.suffix}"))
