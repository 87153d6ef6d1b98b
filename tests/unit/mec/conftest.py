# SPDX-License-Identifier: Apache-2.0
"""S1AP conversations to play, and a store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mec.controller.model import Announce, Association, Effect
from mec.controller.procedures import Identities
from submgr.platform.store.memory import MemoryStore


class Play:
    """A controller's tables with connections by name; `play` gives what identity providers are told, one line each."""

    def __init__(self) -> None:
        self.identities = Identities()
        self.associations: dict[str, Association] = {}
        self.now = 1_000_000.0
        self.effects: list[Effect] = []

    def association(self, name: str) -> Association:
        if name not in self.associations:
            self.associations[name] = Association(len(self.associations) + 1, "127.0.0.1")
        return self.associations[name]

    def play(self, name: str, *pdus: bytes) -> list[str]:
        effects: list[Effect] = []
        for pdu in pdus:
            effects += self.identities.take(self.association(name), pdu, self.now)
        return self._told(effects)

    def close(self, name: str) -> list[str]:
        return self._told(self.identities.ended(self.associations.pop(name), self.now))

    def feed(self, imsi: str, *addresses: str) -> list[str]:
        self.identities.ues.now = self.now
        self.identities.ues.feed(imsi, addresses)
        return self._told(self.identities.effects())

    def purge(self) -> list[str]:
        self.identities.ues.now = self.now
        self.identities.ues.purge()
        return self._told(self.identities.effects())

    def state(self, imsi: str) -> str | None:
        ue = self.identities.ues.find(imsi)
        return ue.state.value if ue is not None else None

    def addresses(self, imsi: str) -> list[str]:
        ue = self.identities.ues.find(imsi)
        assert ue is not None
        return ue.addresses

    def _told(self, effects: list[Effect]) -> list[str]:
        self.effects = effects
        return [
            f"{each.happening} {each.imsi} {each.address} eNB {each.enb_ue_id}"
            for effect in effects
            if isinstance(effect, Announce)
            for each in effect.identities
        ]


@pytest.fixture
def s1() -> Play:
    return Play()


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    store = MemoryStore()
    store.start()
    yield store
    store.stop()
