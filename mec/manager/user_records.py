# SPDX-License-Identifier: Apache-2.0
"""The users of this MEC and what the home MEC told about others, of the one process that has the store."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from mec.common.records import Records
from mec.common.settings import MecSettings
from mec.manager.model import User
from submgr.platform.store.base import Change, Store

NAMESPACE = "mec_users"
_MAX_CACHED = 100_000


@dataclass(frozen=True, slots=True)
class CachedUser:
    """The main data of a user of the home MEC as the store keeps it, valid `until` (s since 1970)."""

    data: msgspec.Raw
    until: float

    def data_at(self, now: float, ttl: float) -> bytes | None:
        """The main data, if it is still used. A clock that jumped back makes nothing valid for longer than `ttl`."""
        return bytes(self.data) if now < self.until <= now + ttl else None


class KnownUsers(Protocol):
    """The users of this MEC, and those of the home MEC that are remembered for a while."""

    def load(self) -> None:
        """Reads what is stored, or makes it ready to be read. Raises StoreError."""

    def empty(self) -> bool:
        """Whether this MEC has no users. Raises StoreError."""

    def find(self, key: str) -> tuple[User | None, bytes | None]:
        """The user of this MEC with this key, and the main data that the home MEC told lately. Raises StoreError."""

    def remember(self, key: str, main_data: bytes) -> None:
        """Keeps the main data that the home MEC has told, for a while. Raises nothing."""

    def taken(self) -> str:
        """The digest of the data file that the users are of; empty: none. Raises StoreError."""

    def replace(self, users: tuple[User, ...], digest: str) -> None:
        """Makes `users`, of the data file with this digest, the users of this MEC, and no others. Raises StoreError."""


class UserRecords:
    """`KnownUsers` in memory, written through to the store. `wall`: seconds since 1970."""

    def __init__(self, settings: MecSettings, store: Store, wall: Callable[[], float] = time.time) -> None:
        self._ttl = settings.users_ttl
        self._wall = wall
        self._store = store
        self._records = Records(store, NAMESPACE, User, f"{settings.mec_id}/user/")
        self._cached_records = Records(store, NAMESPACE, CachedUser, f"{settings.mec_id}/cached/")
        self._digest_key = f"{settings.mec_id}/file"
        self._users: dict[str, User] = {}
        self._foreign: OrderedDict[str, CachedUser] = OrderedDict()

    def __len__(self) -> int:
        return len(self._users)

    def load(self) -> None:
        users, cached, now = self._records.load(), self._cached_records.load(), self._wall()
        self._users = {user.key: user for user in users.values()}
        valid = {key: user for key, user in cached.items() if user.data_at(now, self._ttl) is not None}
        for key, user in sorted(valid.items(), key=lambda each: each[1].until):
            self._foreign.setdefault(key, user)
        self._cached_records.remove_soon(*(cached.keys() - valid.keys()))

    def empty(self) -> bool:
        return not self._users

    def find(self, key: str) -> tuple[User | None, bytes | None]:
        cached = self._foreign.get(key)
        return self._users.get(key), cached.data_at(self._wall(), self._ttl) if cached is not None else None

    def remember(self, key: str, main_data: bytes) -> None:
        cached = CachedUser(msgspec.Raw(main_data), self._wall() + self._ttl)
        self._foreign[key] = cached
        self._foreign.move_to_end(key)
        self._cached_records.save_soon(key, cached)
        if len(self._foreign) > _MAX_CACHED:
            oldest, _ = self._foreign.popitem(last=False)
            self._cached_records.remove_soon(oldest)

    def taken(self) -> str:
        return self._store.read(NAMESPACE, [self._digest_key]).get(self._digest_key, b"").decode("ascii", "replace")

    def replace(self, users: tuple[User, ...], digest: str) -> None:
        """As of KnownUsers. When it raises nothing has changed."""
        now = {user.key: user for user in users}
        gone = [key for key in self._users if key not in now]
        changed = {key: user for key, user in now.items() if self._users.get(key) != user}
        change = self._records.change(changed, gone)
        self._store.write(Change(NAMESPACE, {**change.set, self._digest_key: digest.encode()}, change.remove))
        self._users = now
