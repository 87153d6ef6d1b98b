# SPDX-License-Identifier: Apache-2.0
"""The users of a MEC. A foreign MEC asks the home MEC for users that it does not have."""

import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from gevent.event import AsyncResult

from mec.common import imsi as imsis
from mec.common.json_answers import check_json
from mec.common.peer_client import NoAnswer, PeerClient, hops
from mec.common.records import Records
from mec.common.settings import MecSettings
from mec.manager.model import User
from mec.manager.schemas import Additional, PeerUser
from submgr.platform.store.base import Store

log = logging.getLogger(__name__)

NAMESPACE = "mec_users"
_MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer of the home MEC, beside as many additional ones as this MEC has itself."""
_MAX_CACHED = 100_000


class UnknownUser(Exception):
    """Neither this MEC nor the home MEC knows the user."""


class HomeSilent(Exception):
    """The home MEC gave no usable answer. The message says what happened."""


class Circle(Exception):
    """The request has been passed on before, and would be passed on again."""


@dataclass(frozen=True, slots=True)
class CachedUser:
    """The main data of a user of the home MEC as the store keeps it, valid `until` (s since 1970)."""

    data: msgspec.Raw
    until: float


@dataclass(frozen=True, slots=True)
class UserData:
    """`pieces` are those of a JSON text of `size` bytes."""

    pieces: list[bytes]
    size: int


class Users:
    """The users of this MEC, and a cache of those that the home MEC told. `counts`: answers by kind."""

    def __init__(
        self, settings: MecSettings, store: Store, peers: PeerClient, wall: Callable[[], float] = time.time
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._peers = peers
        self._wall = wall
        self._store = store
        self._records = Records(store, NAMESPACE, User, f"{settings.mec_id}/user/")
        self._cached_records = Records(store, NAMESPACE, CachedUser, f"{settings.mec_id}/cached/")
        self._additional = Additional(settings.additional_bytes)
        self._users: dict[str, User] = {}
        self._foreign: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._flights: dict[str, AsyncResult[UserData]] = {}

    def __len__(self) -> int:
        return len(self._users)

    def load(self) -> None:
        """Reads the users from the store, and those that the home MEC told lately. Raises StoreError."""
        users, cached, now = self._records.load(), self._cached_records.load(), self._wall()
        self._users = {user.key: user for user in users.values()}
        valid = {key: user for key, user in cached.items() if now < user.until <= now + self._settings.users_ttl}
        for key, user in sorted(valid.items(), key=lambda each: each[1].until):
            self._foreign.setdefault(key, (bytes(user.data), user.until))
        self._cached_records.remove_soon(*(cached.keys() - valid.keys()))

    def replace(self, users: tuple[User, ...]) -> None:
        """Makes `users` the users of this MEC, and no others. Raises StoreError, and then nothing has changed."""
        now = {user.key: user for user in users}
        gone = [key for key in self._users if key not in now]
        changed = {key: user for key, user in now.items() if self._users.get(key) != user}
        if gone or changed:
            self._store.write(self._records.change(changed, gone))
        self._users = now

    def known(self, key: str) -> User | None:
        """The user of this MEC with this key."""
        return self._users.get(key)

    def apps_of(self, imsi: str) -> list[object]:
        """The applications that a user has subscribed to; empty for a user who is not known here."""
        user = self._users.get(imsis.key(imsi))
        data = user.data if user is not None else self._cached_data(imsi)
        apps = data.get("subscribedApps") if isinstance(data, dict) else None
        return apps if isinstance(apps, list) else []

    def data_of(self, imsi: str) -> UserData:
        """The data of a user. Raises UnknownUser, HomeSilent, Circle."""
        user = self._users.get(imsis.key(imsi))
        if user is not None:
            self.counts["own"] += 1
            return UserData(*self._additional.answer(msgspec.json.encode(user.data)))
        if not self._settings.foreign:
            self.counts["unknown"] += 1
            raise UnknownUser
        cached = self._cached(imsi)
        if cached is not None:
            self.counts["cached"] += 1
            return UserData(*self._additional.answer(cached))
        if hops():
            self.counts["circle"] += 1
            raise Circle
        return self._from_home(imsi)

    def _from_home(self, imsi: str) -> UserData:
        """One request for all who ask at the same time."""
        key = imsis.key(imsi)
        flight = self._flights.get(key)
        if flight is not None:
            self.counts["shared"] += 1
            return _landed(flight)
        flight = self._flights[key] = AsyncResult()
        try:
            flight.set(self._ask_home(imsi))
        except (UnknownUser, HomeSilent) as exc:
            flight.set_exception(exc)
        finally:
            del self._flights[key]
            if not flight.ready():
                flight.set_exception(HomeSilent("the request was given up"))
        return _landed(flight)

    def _ask_home(self, imsi: str) -> UserData:
        url = f"{self._settings.proxy_url}/user/data/?imsi={imsi}&mecId={self._settings.home_mec_id}"
        try:
            answer = self._peers.request("GET", url, limit=_MAX_ANSWER + self._settings.additional_bytes)
        except NoAnswer as exc:
            self.counts["home silent"] += 1
            raise HomeSilent(str(exc)) from exc
        if answer.status == 404:
            self.counts["unknown"] += 1
            raise UnknownUser
        try:
            if not answer.ok:
                raise HomeSilent(f"the proxy answers with {answer.status}")
            check_json(answer.body)
            main_data = bytes(msgspec.json.decode(answer.body, type=PeerUser).mainData)
        except (HomeSilent, ValueError) as exc:
            self.counts["home silent"] += 1
            raise HomeSilent(str(exc)) from exc
        self.counts["from home"] += 1
        self._remember(imsi, main_data)
        return UserData([answer.body], len(answer.body))

    def _cached(self, imsi: str) -> bytes | None:
        data, until = self._foreign.get(imsis.key(imsi), (b"", 0.0))
        return data if self._wall() < until <= self._wall() + self._settings.users_ttl else None

    def _cached_data(self, imsi: str) -> object:
        data = self._cached(imsi)
        return msgspec.json.decode(data) if data is not None else None

    def _remember(self, imsi: str, main_data: bytes) -> None:
        key = imsis.key(imsi)
        until = self._wall() + self._settings.users_ttl
        self._foreign[key] = (main_data, until)
        self._foreign.move_to_end(key)
        self._cached_records.save_soon(key, CachedUser(msgspec.Raw(main_data), until))
        if len(self._foreign) > _MAX_CACHED:
            oldest, _ = self._foreign.popitem(last=False)
            self._cached_records.remove_soon(oldest)


def _landed(flight: "AsyncResult[UserData]") -> UserData:
    data: UserData = flight.get()
    return data
