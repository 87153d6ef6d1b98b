# SPDX-License-Identifier: Apache-2.0
"""A private redis Sentinel that watches one server."""

from __future__ import annotations

from pathlib import Path

from support.processes.redis_server import RedisServer


class Sentinel(RedisServer):
    """Names `master` under dbaasmaster. It finds it down after `down_after` seconds; by default never in a test."""

    def __init__(self, directory: Path, master: RedisServer, down_after: float = 60.0) -> None:
        config = directory / "sentinel.conf"
        config.write_text(
            f"sentinel monitor dbaasmaster 127.0.0.1 {master.port} 1\n"
            f"sentinel down-after-milliseconds dbaasmaster {down_after * 1000:.0f}\n"
            "sentinel failover-timeout dbaasmaster 2000\n"
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
