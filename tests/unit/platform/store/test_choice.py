# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from submgr.platform.store.base import BACKENDS
from submgr.platform.store.choice import make_store
from submgr.platform.store.memory import MemoryStore
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sqlite import SqliteStore


@pytest.mark.parametrize(
    ("backend", "environment", "kind"),
    [
        ("redis", {}, SdlStore),
        ("sqlite", {"DBAAS_SERVICE_HOST": "redis"}, SqliteStore),
        ("memory", {"DBAAS_SERVICE_HOST": "redis"}, MemoryStore),
        (None, {}, SqliteStore),
        (None, {"DBAAS_SERVICE_HOST": "redis"}, SdlStore),
        (None, {"DBAAS_CLUSTER_ADDR_LIST": "redis-0,redis-1"}, SdlStore),
        (None, {"DBAAS_SERVICE_HOST": ""}, SqliteStore),
    ],
)
def test_the_name_decides_else_the_environment(
    tmp_path: Path, backend: str | None, environment: dict[str, str], kind: type
) -> None:
    assert backend is None or backend in BACKENDS
    assert isinstance(make_store(backend, tmp_path / "records.db", environment), kind)
    assert isinstance(make_store(backend, tmp_path / "records.db", environment, fenced=True), kind)
    assert list(tmp_path.iterdir()) == []  # nothing happens before `start`
