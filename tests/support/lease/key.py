# SPDX-License-Identifier: Apache-2.0
"""The record of a lease in the memory of a test, with what can befall a database."""

from __future__ import annotations

from submgr.platform.lease.lease import Found, Purpose, Request
from submgr.platform.store.base import StoreUnavailable


class MemoryKey:
    """Does to a value what `LeaseKey` does to the one in redis. While it is `away` nothing is answered."""

    def __init__(self) -> None:
        self.value: bytes | None = None
        self.history: list[bytes | None] = [None]
        self.away = False
        self.asked: list[Purpose] = []

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def ask(self, request: Request) -> Found:
        self.asked.append(request.purpose)
        if self.away:
            raise StoreUnavailable("away")
        return self.carry_out(request)

    def carry_out(self, request: Request) -> Found:
        if request.purpose is Purpose.LOOK or self.value != request.expected:
            return Found(False, self.value)
        self.value = request.new
        self.history.append(self.value)
        return Found(True, self.value)

    def empty(self) -> None:
        self.value = None
        self.history.append(None)
