# SPDX-License-Identifier: Apache-2.0
"""What the programs of the MEC share."""

from __future__ import annotations

import pytest

from mec.common import settings
from mec.common.program import store_of
from submgr.platform.store.memory import MemoryStore
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sqlite import SqliteStore


@pytest.mark.parametrize(
    ("content", "environment", "kind"),
    [
        ("", {}, SqliteStore),
        ("", {"DBAAS_SERVICE_HOST": "redis"}, SdlStore),
        ("sdl: {backend: redis}", {}, SdlStore),
        ("sdl: {backend: memory}", {"DBAAS_SERVICE_HOST": "redis"}, MemoryStore),
        ("sdl: {backend: sqlite, path: a/b.db}", {"DBAAS_SERVICE_HOST": "redis"}, SqliteStore),
    ],
)
def test_store_by_file_and_environment(content: str, environment: dict[str, str], kind: type) -> None:
    assert isinstance(store_of(settings.load(content), environment, "controller-home"), kind)
