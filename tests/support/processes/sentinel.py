# SPDX-License-Identifier: Apache-2.0
"""A private redis Sentinel that watches one server."""

from __future__ import annotations

from pathlib import Path

from support.processes.redis_server import RedisServer


class Sentinel(RedisServer):
    """Names `master` under dbaasmaster. Never finds it down by itself: a test says who the master is."""

    def __init__(self, directory: Path, master: RedisServer) -> None:
        config = directory / "sentinel.conf"
        config.write_text(
            f"sentinel monitor dbaasmaster 127.0.0.1 {master.port} 1\n"
            "sentinel down-after-milliseconds dbaasmaster 60000\n"
        )
        super().__init__("--sentinel", config=str(config))

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DBAAS_SERVICE_HOST": "127.0.0.1",
            "DBAAS_SERVICE_PORT": "1",
            "DBAAS_SERVICE_SENTINEL_PORT": str(self.reserve()),
            "DBAAS_MASTER_NAME": "dbaasmaster",
        }
