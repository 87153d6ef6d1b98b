# SPDX-License-Identifier: Apache-2.0
# redis-py annotates only a part of itself.
# mypy: allow-untyped-calls
"""The record of the lease in redis: read, and changed by compare-and-set."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from submgr.platform.lease.lease import Found, Purpose, Request
from submgr.platform.store.base import check_key, check_namespace
from submgr.platform.store.sdl_client import SdlClient, SdlSettings

NAMESPACE = "submgr_leaseDb"
"""Of all leases. No records are in it: nobody empties it with them, or exports it."""

_COMPARE_AND_SET = """
local now = redis.call('GET', KEYS[1])
if (now or '') ~= ARGV[1] then return {0, now} end
redis.call('SET', KEYS[1], ARGV[2])
return {1, ARGV[2]}
"""


class LeaseKey:
    """The key `{submgr_leaseDb},NAME` in redis, on connections of its own.

    `patience`: seconds within which a request is answered or has failed.
    """

    def __init__(self, settings: SdlSettings, name: str, patience: float) -> None:
        check_namespace(NAMESPACE)
        check_key(name)
        self._client = SdlClient(
            replace(settings, connect_timeout=patience / 2, operation_timeout=patience, connections=2), writes=False
        )
        self._key = f"{{{NAMESPACE}}},{name}"

    def start(self) -> None:
        """Prepares; connections are made when they are needed. Raises StoreError for wrong settings."""
        self._client.open()

    def stop(self) -> None:
        self._client.close()

    def ask(self, request: Request) -> Found:
        """Carries a request out. Blocks the calling greenlet. Raises StoreError when no answer has come."""
        redis: Any = self._client.redis(NAMESPACE)
        with self._client.asking(f"the lease {self._key}"):
            if request.purpose is Purpose.LOOK:
                return Found(False, redis.get(self._key))
            changed, value = redis.eval(_COMPARE_AND_SET, 1, self._key, request.expected or b"", request.new or b"")
            return Found(bool(changed), value)
