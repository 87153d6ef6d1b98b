# SPDX-License-Identifier: Apache-2.0
"""The users of a MEC. A foreign MEC asks the home MEC for users that it does not have."""

from collections import Counter
from dataclasses import dataclass
from functools import partial

import msgspec
from gevent.event import AsyncResult

from mec.common import imsi as imsis
from mec.common.flights import Alone, OneFlight
from mec.common.json_answers import check_json
from mec.common.peer_client import NoAnswer, PeerClient, hops
from mec.common.settings import MecSettings
from mec.manager.schemas import Additional, PeerUser
from mec.manager.user_records import KnownUsers
from submgr.platform.store.base import StoreError

_MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer of the home MEC, beside as many additional ones as this MEC has itself."""


class UnknownUser(Exception):
    """Neither this MEC nor the home MEC knows the user."""


class HomeSilent(Exception):
    """The home MEC gave no usable answer. The message says what happened."""


class Circle(Exception):
    """The request has been passed on before, and would be passed on again."""


@dataclass(frozen=True, slots=True)
class UserData:
    """`pieces` are those of a JSON text of `size` bytes."""

    pieces: list[bytes]
    size: int


class Users:
    """Answers who has subscribed to what. `counts`: answers by kind.

    `one_flight`: makes one request to the home MEC of those of all replicas.
    """

    def __init__(
        self, settings: MecSettings, known: KnownUsers, peers: PeerClient, one_flight: OneFlight | None = None
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.known = known
        self._settings = settings
        self._peers = peers
        self._one_flight = one_flight or Alone()
        self._additional = Additional(settings.additional_bytes)
        self._flights: dict[str, AsyncResult[UserData]] = {}

    def apps_of(self, imsi: str) -> list[object]:
        """The applications that a user has subscribed to; empty for a user who is not known here. Raises StoreError."""
        user, cached = self.known.find(imsis.key(imsi))
        data = user.data if user is not None else msgspec.json.decode(cached) if cached is not None else None
        apps = data.get("subscribedApps") if isinstance(data, dict) else None
        return apps if isinstance(apps, list) else []

    def data_of(self, imsi: str) -> UserData:
        """The data of a user. Raises UnknownUser, HomeSilent, Circle, StoreError."""
        user, cached = self.known.find(imsis.key(imsi))
        if user is not None:
            self.counts["own"] += 1
            return UserData(*self._additional.answer(msgspec.json.encode(user.data)))
        if not self._settings.foreign:
            self.counts["unknown"] += 1
            raise UnknownUser
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
            ask, look = partial(self._ask_home, imsi), partial(self._remembered, key)
            flight.set(self._one_flight.fly(key, ask, look))
        except (UnknownUser, HomeSilent, StoreError) as exc:
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
        self.known.remember(imsis.key(imsi), main_data)
        return UserData([answer.body], len(answer.body))

    def _remembered(self, key: str) -> UserData | None:
        """What another replica was told by the home MEC."""
        _, cached = self.known.find(key)
        return UserData(*self._additional.answer(cached)) if cached is not None else None


def _landed(flight: "AsyncResult[UserData]") -> UserData:
    data: UserData = flight.get()
    return data
