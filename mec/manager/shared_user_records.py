# SPDX-License-Identifier: Apache-2.0
"""The users of this MEC and what the home MEC told about others, where replicas share the store.

Each question is a read of the store: a user who was changed through one replica is changed for all of them.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TypeVar

import msgspec

from mec.common.settings import MecSettings
from mec.manager.model import User
from mec.manager.user_records import NAMESPACE, CachedUser
from submgr.platform.shared.base import SharedStore, Swap, retried
from submgr.platform.store.base import StoreError
from submgr.platform.turns import in_turns

T = TypeVar("T")

log = logging.getLogger(__name__)

_AT_A_TIME = 500
"""Users that are replaced by one change: some milliseconds of the database and of this process."""


class SharedUserRecords:
    """`KnownUsers` in a store that replicas share. `wall`: seconds since 1970."""

    def __init__(self, settings: MecSettings, shared: SharedStore, wall: Callable[[], float] = time.time) -> None:
        self._ttl = settings.users_ttl
        self._shared = shared
        self._wall = wall
        self._own, self._cached = f"{settings.mec_id}/user/", f"{settings.mec_id}/cached/"
        self._digest_key = f"{settings.mec_id}/file"
        self._users = msgspec.json.Decoder(User)
        self._answers = msgspec.json.Decoder(CachedUser)

    def load(self) -> None:
        self.taken()

    def empty(self) -> bool:
        return not self._shared.keys(NAMESPACE, self._own)

    def find(self, key: str) -> tuple[User | None, bytes | None]:
        own, cached = self._own + key, self._cached + key
        found = self._shared.read(NAMESPACE, [own, cached])
        answer = _read(self._answers, found.get(cached))
        main_data = answer.data_at(self._wall(), self._ttl) if answer is not None else None
        return _read(self._users, found.get(own)), main_data

    def remember(self, key: str, main_data: bytes) -> None:
        if self._ttl <= 0:
            return
        cached = CachedUser(msgspec.Raw(main_data), self._wall() + self._ttl)
        name, octets = self._cached + key, msgspec.json.encode(cached)
        with suppress(StoreError):  # then the home MEC is asked again
            before = self._shared.read(NAMESPACE, [name]).get(name)
            self._shared.lend(NAMESPACE, name, before, octets, self._ttl)

    def taken(self) -> str:
        return self._digest().decode("ascii", "replace")

    def replace(self, users: tuple[User, ...], digest: str) -> None:
        """As of KnownUsers. In pieces, each of which is made only while no replica has taken another file: one that
        fails or dies has left the old digest, and the next one begins anew."""

        def change() -> bool | None:
            before = self._digest()
            if before == digest.encode():
                return True
            return self._replace(users, before, digest.encode()) or None

        retried(change)

    def _replace(self, users: tuple[User, ...], before: bytes, digest: bytes) -> bool:
        """Whether this replica was not overtaken by one with another file."""
        expected = {self._digest_key: before or None}
        held = self._shared.keys(NAMESPACE, self._own)
        for piece in _pieces(in_turns(users)):
            now = {self._own + user.key: msgspec.json.encode(user) for user in piece}
            held -= now.keys()
            found = self._shared.read(NAMESPACE, list(now))
            changed = {key: value for key, value in now.items() if found.get(key) != value}
            if changed and not self._shared.swap(Swap(NAMESPACE, expected, changed)).made:
                return False
        for gone in _pieces(held):
            if not self._shared.swap(Swap(NAMESPACE, expected, {}, frozenset(gone))).made:
                return False
        return self._shared.swap(Swap(NAMESPACE, expected, {self._digest_key: digest})).made

    def _digest(self) -> bytes:
        return self._shared.read(NAMESPACE, [self._digest_key]).get(self._digest_key, b"")


def _pieces(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while piece := list(islice(rest, _AT_A_TIME)):
        yield piece


def _read(decoder: "msgspec.json.Decoder[T]", octets: bytes | None) -> T | None:
    try:
        return decoder.decode(octets) if octets is not None else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        log.error("unreadable record", extra={"namespace": NAMESPACE, "why": str(exc)})
        return None
