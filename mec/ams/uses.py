# SPDX-License-Identifier: Apache-2.0
"""Which UE uses which application where, and the states: the often used ones in memory, all of them in the store."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

from mec.ams.model import ANY_APP, Use, UseRecord
from mec.ams.state_cache import StateCache
from mec.common import imsi as imsis
from mec.common.records import Records
from submgr.platform.store.base import Change, Store, StoreError

log = logging.getLogger(__name__)

NAMESPACE = "mec_ues"
CACHE_SIZE = 64 * 1024 * 1024
"""Bytes of states that are kept in memory."""
MAX_UNSAVED = 64 << 20
"""Bytes of states that may wait for a store that is away."""


class Uses:
    """The uses by UE and application. A state belongs to one Use: a newer Use of the same key makes it void."""

    def __init__(self, store: Store, mec_id: int | None, cache_size: int = CACHE_SIZE) -> None:
        self.counts: Counter[str] = Counter()
        """What application mobility did: events by name."""
        self._store = store
        self._records = Records(store, NAMESPACE, UseRecord, f"ams/{mec_id}/use/")
        self._state_prefix = f"ams/{mec_id}/state/"
        self._uses: dict[str, dict[str, Use]] = {}
        self._states = StateCache(cache_size)
        self._unsaved: dict[str, bytes] = {}
        self._order = 0

    def __len__(self) -> int:
        return sum(len(uses) for uses in self._uses.values())

    def empty(self) -> bool:
        """Whether no use is known."""
        return not self._uses

    def load(self) -> None:
        """Reads the stored uses. Raises StoreError."""
        for record in self._records.load().values():
            self._remember(Use(record.imsi, record.app_id, record.mec_id, record.stored, self._next()))

    def find(self, imsi: str, app_id: str) -> Use | None:
        """The use of an application by a UE, else what is known of all applications of the UE, else None."""
        uses = self._uses.get(imsis.key(imsi), {})
        use = uses.get(app_id)
        if use is not None or ANY_APP not in uses:
            return use
        general = uses[ANY_APP]
        return Use(general.imsi, app_id, general.mec_id, False, general.order)

    def of_ue(self, imsi: str) -> list[Use]:
        """All uses of a UE, with the one of ANY_APP."""
        return list(self._uses.get(imsis.key(imsi), {}).values())

    def all(self) -> list[Use]:
        """All uses of all UEs."""
        return [use for uses in self._uses.values() for use in uses.values()]

    def newest(self) -> Iterator[Use]:
        """All uses, those of the UE that came last first. To be read before others have their turn."""
        return (use for uses in reversed(self._uses.values()) for use in uses.values())

    def is_current(self, use: Use) -> bool:
        """Whether no newer use of the same UE and application is known."""
        now = self.find(use.imsi, use.app_id)
        return now is not None and now.order == use.order

    def notified(self, imsi: str, app_id: str | None, mec_id: int) -> list[Use]:
        """Notes that a UE uses an application (None: all its applications) at a MEC, and drops the earlier states.

        Returns the new uses. Raises StoreError when they are not stored yet; they hold all the same.
        """
        apps = [app_id] if app_id is not None else [use.app_id for use in self.of_ue(imsi)]
        if app_id is None and ANY_APP not in apps:
            apps.append(ANY_APP)
        order = self._next()
        uses = [Use(imsi, app, mec_id, False, order) for app in apps]
        before = self._uses.get(imsis.key(imsi), {})
        self.counts["states dropped"] += sum(app in before and before[app].stored for app in apps)
        for use in uses:
            self._remember(use)
            self._drop_state(use.key)
        self._store.write(self._change(uses, void=[use.key for use in uses]), persistent=True)
        return uses

    def keep_state(self, use: Use, state: bytes) -> bool:
        """Keeps the state that was fetched for a use.

        False: a newer use has made the state void, or too many states wait for the store; then it is fetched again.
        """
        waiting = sum(map(len, self._unsaved.values()))
        if not self.is_current(use) or waiting + len(state) > MAX_UNSAVED:
            return False
        stored = Use(use.imsi, use.app_id, use.mec_id, True, use.order)
        self._remember(stored)
        self._states.put(use.key, state)
        self._unsaved[use.key] = state
        change = self._change([stored], states={use.key: state})
        self._store.submit(change, partial(self._saved, use.key, state), persistent=True)
        return True

    def state_of(self, use: Use) -> bytes | None:
        """The stored state of a use, or None. Raises StoreError."""
        if not use.stored:
            return None
        state = self._states.get(use.key)
        if state is not None:
            return state
        if use.key in self._unsaved:
            return self._unsaved[use.key]
        name = self._state_prefix + use.key
        state = self._store.read(NAMESPACE, [name]).get(name)
        if state is None or not self.is_current(use):
            return None
        self._states.put(use.key, state)
        return state

    def take(self, uses: Iterable[tuple[Use, bytes]]) -> None:
        """Takes uses with their states from the data file. Raises StoreError."""
        for use, state in uses:
            stored = Use(use.imsi, use.app_id, use.mec_id, True, self._next())
            self._store.write(self._change([stored], states={stored.key: state}))
            self._remember(stored)

    def _remember(self, use: Use) -> None:
        self._uses.setdefault(imsis.key(use.imsi), {})[use.app_id] = use

    def _change(self, uses: Iterable[Use], states: dict[str, bytes] | None = None, void: Iterable[str] = ()) -> Change:
        records = {use.key: UseRecord(use.imsi, use.app_id, use.mec_id, use.stored) for use in uses}
        change = self._records.change(records)
        values = {self._state_prefix + key: state for key, state in (states or {}).items()}
        return Change(NAMESPACE, {**change.set, **values}, frozenset(self._state_prefix + key for key in void))

    def _next(self) -> int:
        self._order += 1
        return self._order

    def _saved(self, key: str, state: bytes, error: StoreError | None) -> None:
        if self._unsaved.get(key) is state:
            del self._unsaved[key]

    def _drop_state(self, key: str) -> None:
        self._unsaved.pop(key, None)
        self._states.drop(key)
