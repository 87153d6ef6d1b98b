# SPDX-License-Identifier: Apache-2.0
"""Replicas of a MEC in one process: what they share is in its memory, and the test says which one is active."""

from __future__ import annotations

from collections.abc import Callable

from mec.common.replica import Replica
from submgr.platform.store.memory import MemoryStore
from support.store.shared import MemoryShared


class PlayedRole:
    """The role that a test gives. `active`: whether this replica acts; `address`: of the one that does otherwise."""

    def __init__(self, *, active: bool = True, address: str | None = None) -> None:
        self.active = active
        self.address = address
        self._begin: Callable[[], None] | None = None

    def start(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        if self.active:
            self.take_over()

    def stop(self) -> None:
        self.active = False

    def take_over(self) -> None:
        """This replica is the active one from now on."""
        self.active = True
        begin, self._begin = self._begin, None
        if begin is not None:
            begin()

    def acting(self) -> bool:
        return self.active

    def elsewhere(self) -> str | None:
        return None if self.active else self.address

    def why_not(self) -> str | None:
        return None if self.active else "standby"


def replica(shared: MemoryShared | None = None, role: PlayedRole | None = None) -> Replica:
    return Replica(shared or MemoryShared(), MemoryStore(), role or PlayedRole())
