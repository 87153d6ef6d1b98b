# SPDX-License-Identifier: Apache-2.0
"""Which UE uses which application where, and the states, where replicas share the store.

Each question is a read of the store, so that what was told to one replica holds for all of them at once. Only states
are kept in memory: one belongs to the `order` of its use, which is read with each question, and never changes.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from secrets import randbits
from typing import TypeVar

import msgspec

from mec.ams.model import ANY_APP, Use, UseRecord, use_key
from mec.ams.state_cache import StateCache
from mec.ams.uses import CACHE_SIZE, NAMESPACE
from mec.common import imsi as imsis
from submgr.platform.shared.base import Entry, SharedStore, Swap, retried
from submgr.platform.shared.one_by_one import OneByOne
from submgr.platform.store.base import StoreError
from submgr.platform.turns import Budget, in_turns

T = TypeVar("T")

log = logging.getLogger(__name__)

_RECORD = msgspec.json.Decoder(UseRecord)
_APPS = msgspec.json.Decoder(list[str])
_PLACES = msgspec.json.Decoder(list[tuple[str, int]])
_AT_A_TIME = 200
"""UEs whose uses are looked at by one read when all of them are."""

Describe = Callable[[Sequence[Use], Sequence[str]], Entry]
"""Makes the event of new uses; also given: the applications that are at another MEC for the first time."""


@dataclass(frozen=True, slots=True)
class _Ue:
    """What is stored of a UE: the octets of each use by application, None where there is none, and of the list of its
    applications. Also those of the places where applications were seen."""

    octets: Mapping[str, bytes | None]
    listed: bytes | None
    places: bytes | None

    @property
    def apps(self) -> list[str]:
        return _apps(self.listed)


class SharedUses:
    """`KnownUses` in a store that replicas share. A notification is stored together with the event that it is.

    The keys are those of `Uses`. Beside them are the list of the applications of each UE, and that of all places where
    applications were seen.
    """

    def __init__(
        self, shared: SharedStore, mec_id: int | None, describe: Describe, cache_size: int = CACHE_SIZE
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._shared = shared
        self._mec_id = mec_id
        self._describe = describe
        self._use, self._state = f"ams/{mec_id}/use/", f"ams/{mec_id}/state/"
        self._list = f"ams/{mec_id}/apps/"
        self._places_key = f"ams/{mec_id}/places"
        self._states = StateCache(cache_size)
        self._one_by_one = OneByOne()

    def load(self) -> None:
        """Brings the lists up to date: a process that had the store for itself has made none. Raises StoreError."""
        places: set[tuple[str, int]] = set()
        keys = sorted(self._shared.keys(NAMESPACE, self._use))
        rest = iter(keys)
        while piece := list(islice(rest, _AT_A_TIME)):
            for record in self._records(piece).values():
                places |= self._elsewhere([record])
            by_ue: dict[str, list[str]] = {}
            for key in piece:
                ue, _, app = key[len(self._use) :].partition("/")
                by_ue.setdefault(ue, []).append(app)
            retried(partial(self._list_all, by_ue))
        retried(partial(self._add_places, places))

    def empty(self) -> bool:
        return not self._shared.keys(NAMESPACE, self._use)

    def find(self, imsi: str, app_id: str) -> Use | None:
        return _found(self._read(imsi, [app_id]), app_id)

    def of_ue(self, imsi: str) -> list[Use]:
        ue = self._read_all(imsi)
        return [use for octets in ue.octets.values() if (use := _use(octets)) is not None]

    def all(self) -> list[Use]:
        uses: list[Use] = []
        budget = Budget()
        rest = iter(sorted(self._shared.keys(NAMESPACE, self._use)))
        while piece := list(islice(rest, _AT_A_TIME)):
            uses += in_turns(self._records(piece).values(), budget)
        return uses

    def is_current(self, use: Use) -> bool:
        now = self.find(use.imsi, use.app_id)
        return now is not None and now.order == use.order

    def notified(self, imsi: str, app_id: str | None, mec_id: int) -> list[Use]:
        order = randbits(62) | 1
        with self._one_by_one.turn(imsis.key(imsi)):
            return retried(partial(self._notified, imsi, app_id, mec_id, order))

    def keep_state(self, use: Use, state: bytes) -> bool:
        try:
            return retried(partial(self._keep, use, state))
        except StoreError as exc:
            log.warning("a fetched state is not stored", extra={"why": str(exc)})
            return False

    def state_of(self, use: Use) -> bytes | None:
        if not use.stored:
            return None
        state = self._states.get((use.key, use.order))
        if state is not None:
            return state
        name = self._state + use.key
        found = self._shared.read(NAMESPACE, [name, self._use + use.key])
        state, now = found.get(name), _use(found.get(self._use + use.key))
        if state is None or now is None or not now.stored or now.order != use.order:
            return None
        if use.order:
            self._states.put((use.key, use.order), state)
        return state

    def take(self, uses: Iterable[tuple[Use, bytes]]) -> None:
        for use, state in uses:
            stored = Use(use.imsi, use.app_id, use.mec_id, True, randbits(62) | 1)
            retried(partial(self._take, stored, state))

    # one try of each change

    def _notified(self, imsi: str, app_id: str | None, mec_id: int, order: int) -> list[Use] | None:
        ue = self._read_all(imsi) if app_id is None else self._read(imsi, [app_id])
        apps = [app_id] if app_id is not None else list(dict.fromkeys([*ue.apps, ANY_APP]))
        uses = [Use(imsi, app, mec_id, False, order) for app in apps]
        known = _places(ue.places)
        new = sorted(self._elsewhere(uses) - set(known))
        expected = {self._use + use.key: ue.octets.get(use.app_id) for use in uses}
        values = {self._use + use.key: _encoded(use) for use in uses}
        self._list_apps(imsi, apps, ue, expected, values, always=app_id is None)
        if new:
            expected[self._places_key] = ue.places
            values[self._places_key] = msgspec.json.encode(sorted({*known, *new}))
        entry = self._describe(uses, [app for app, _ in new])
        void = frozenset(self._state + use.key for use in uses)
        made = self._shared.swap(Swap(NAMESPACE, expected, values, void, entry))
        if not made.made:
            return None
        if made.entry is None:
            self.counts["events dropped"] += 1
        before = [_use(ue.octets.get(app)) for app in apps]
        self.counts["states dropped"] += sum(use is not None and use.stored for use in before)
        return uses

    def _keep(self, use: Use, state: bytes) -> bool | None:
        ue = self._read(use.imsi, [use.app_id])
        now = _found(ue, use.app_id)
        if now is None or now.order != use.order:
            return False
        stored = Use(use.imsi, use.app_id, use.mec_id, True, use.order)
        expected = {self._use + use_key(use.imsi, app): octets for app, octets in ue.octets.items()}
        values = {self._use + use.key: _encoded(stored), self._state + use.key: state}
        self._list_apps(use.imsi, [use.app_id], ue, expected, values)
        if not self._shared.swap(Swap(NAMESPACE, expected, values)).made:
            return None
        self._states.put((use.key, use.order), state)
        return True

    def _take(self, stored: Use, state: bytes) -> bool | None:
        ue = self._read(stored.imsi, [stored.app_id])
        if ue.octets[stored.app_id] is not None:
            return True  # another replica has taken it, or the UE has moved since
        expected: dict[str, bytes | None] = {self._use + stored.key: None}
        values = {self._use + stored.key: _encoded(stored), self._state + stored.key: state}
        self._list_apps(stored.imsi, [stored.app_id], ue, expected, values)
        return self._shared.swap(Swap(NAMESPACE, expected, values)).made or None

    def _list_apps(
        self,
        imsi: str,
        apps: Collection[str],
        ue: _Ue,
        expected: dict[str, bytes | None],
        values: dict[str, bytes],
        *,
        always: bool = False,
    ) -> None:
        """Adds to a change that the list of a UE has these applications. `always`: that it has no other one."""
        key = self._list + imsis.key(imsi)
        missing = [app for app in apps if app not in ue.apps]
        if missing or always:
            expected[key] = ue.listed
        if missing:
            values[key] = msgspec.json.encode([*ue.apps, *missing])

    def _list_all(self, apps: Mapping[str, Collection[str]]) -> bool | None:
        held = self._shared.read(NAMESPACE, [self._list + ue for ue in apps])
        expected: dict[str, bytes | None] = {}
        values: dict[str, bytes] = {}
        for ue, known in apps.items():
            listed = held.get(self._list + ue)
            missing = [app for app in known if app not in _apps(listed)]
            if missing:
                expected[self._list + ue] = listed
                values[self._list + ue] = msgspec.json.encode([*_apps(listed), *missing])
        return not values or self._shared.swap(Swap(NAMESPACE, expected, values)).made or None

    def _add_places(self, places: Collection[tuple[str, int]]) -> bool | None:
        held = self._shared.read(NAMESPACE, [self._places_key]).get(self._places_key)
        if not set(places) - set(_places(held)):
            return True
        together = msgspec.json.encode(sorted({*_places(held), *places}))
        return self._shared.swap(Swap(NAMESPACE, {self._places_key: held}, {self._places_key: together})).made or None

    # reading

    def _read(self, imsi: str, apps: Iterable[str]) -> _Ue:
        """What is stored of these applications of a UE, and of all of them together."""
        names = {app: self._use + use_key(imsi, app) for app in (*apps, ANY_APP)}
        listed = self._list + imsis.key(imsi)
        found = self._shared.read(NAMESPACE, [*names.values(), listed, self._places_key])
        octets = {app: found.get(name) for app, name in names.items()}
        return _Ue(octets, found.get(listed), found.get(self._places_key))

    def _read_all(self, imsi: str) -> _Ue:
        listed = self._list + imsis.key(imsi)
        apps = _apps(self._shared.read(NAMESPACE, [listed]).get(listed))
        return self._read(imsi, apps)

    def _records(self, keys: Iterable[str]) -> dict[str, Use]:
        found = self._shared.read(NAMESPACE, list(keys))
        return {key: use for key, octets in found.items() if (use := _use(octets)) is not None}

    def _elsewhere(self, uses: Iterable[Use]) -> set[tuple[str, int]]:
        return {(use.app_id, use.mec_id) for use in uses if use.app_id != ANY_APP and use.mec_id != self._mec_id}


def _found(ue: _Ue, app_id: str) -> Use | None:
    use = _use(ue.octets.get(app_id))
    general = _use(ue.octets.get(ANY_APP))
    if use is not None or general is None:
        return use
    return Use(general.imsi, app_id, general.mec_id, False, general.order)


def _use(octets: bytes | None) -> Use | None:
    try:
        record = _RECORD.decode(octets) if octets is not None else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        log.error("unreadable record", extra={"namespace": NAMESPACE, "why": str(exc)})
        return None
    if record is None:
        return None
    return Use(record.imsi, record.app_id, record.mec_id, record.stored, record.order)


def _encoded(use: Use) -> bytes:
    return msgspec.json.encode(UseRecord(use.imsi, use.app_id, use.mec_id, use.stored, use.order))


def _apps(octets: bytes | None) -> list[str]:
    return _decoded(_APPS, octets)


def _places(octets: bytes | None) -> list[tuple[str, int]]:
    return _decoded(_PLACES, octets)


def _decoded(decoder: "msgspec.json.Decoder[list[T]]", octets: bytes | None) -> list[T]:
    try:
        return decoder.decode(octets) if octets is not None else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
