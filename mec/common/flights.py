# SPDX-License-Identifier: Apache-2.0
"""One request to a peer for all who want the same answer at the same time, in whatever replica they ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import uuid4

import gevent
import msgspec

from submgr.platform.shared.base import SharedStore
from submgr.platform.store.base import StoreError
from submgr.platform.supervised import SupervisedLoop

T = TypeVar("T")

TIME_TO_LIVE = 1.5
"""Seconds after which the flight of a replica that died is another one's. Who lives renews it three times as often."""
PATIENCE = 2.5
"""Seconds for which a flight of another replica is waited for."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.004, 0.03
"""Seconds between two looks at the flight of another replica."""


class OneFlight(Protocol):
    """Lets one of those who want the same thing fetch it."""

    def fly(self, name: str, fetch: Callable[[], T], look: Callable[[], T | None]) -> T:
        """What `fetch` returns, here or in another replica, where `look` finds it then; or raises what it raised."""


class Alone:
    """The only replica."""

    def fly(self, name: str, fetch: Callable[[], T], look: Callable[[], T | None]) -> T:
        return fetch()


class _Flight(msgspec.Struct, omit_defaults=True):
    """The flight as the database has it: who flies, or how it failed."""

    by: str
    failed: str | None = None
    why: str = ""


class Flights:
    """Flights under `prefix` of a namespace. `failures`: the errors of a fetch that all who wait get, by their names.

    `late` makes the error for who has waited too long. Raises StoreError while the database is away.
    """

    def __init__(
        self,
        shared: SharedStore,
        namespace: str,
        prefix: str,
        failures: Mapping[str, type[Exception]],
        late: Callable[[], Exception],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = gevent.sleep,
    ) -> None:
        self._shared = shared
        self._namespace = namespace
        self._prefix = prefix
        self._failures = failures
        self._late = late
        self._clock = clock
        self._sleep = sleep

    def fly(self, name: str, fetch: Callable[[], T], look: Callable[[], T | None]) -> T:
        key = self._prefix + name
        until = self._clock() + PATIENCE
        awaited, pause = "", _FIRST_PAUSE
        while True:
            held = self._shared.read(self._namespace, [key]).get(key)
            flight = _flight(held)
            if flight is not None and flight.by == awaited and (kind := self._failures.get(flight.failed or "")):
                raise kind(flight.why)
            if flight is None or flight.failed is not None:
                own = _Turn(self._shared, self._namespace, key)
                if own.take(held):
                    return self._depart(own, fetch, look)
                continue
            awaited = flight.by
            if self._clock() >= until:
                raise self._late()
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _depart(self, own: _Turn, fetch: Callable[[], T], look: Callable[[], T | None]) -> T:
        renewal = SupervisedLoop("one flight", own.renew)
        failed, why = "given up", ""
        try:
            found = look()  # another one may have landed just before
            if found is None:
                renewal.start()
                found = fetch()
            failed = ""
            return found
        except Exception as error:
            failed = next((name for name, kind in self._failures.items() if type(error) is kind), failed)
            why = str(error)
            raise
        finally:
            renewal.stop()
            own.give_back(failed, why)


@dataclass(slots=True, eq=False)
class _Turn:
    """This replica's turn to fetch."""

    shared: SharedStore
    namespace: str
    key: str
    octets: bytes = b""
    by: str = ""

    def take(self, held: bytes | None) -> bool:
        self.by = uuid4().hex
        self.octets = msgspec.json.encode(_Flight(self.by))
        return self.shared.lend(self.namespace, self.key, held, self.octets, TIME_TO_LIVE)

    def renew(self) -> bool:
        gevent.sleep(TIME_TO_LIVE / 3)
        try:
            return self.shared.lend(self.namespace, self.key, self.octets, self.octets, TIME_TO_LIVE)
        except StoreError:
            return True

    def give_back(self, failed: str, why: str) -> None:
        """Lets the others look: at what was fetched, or for a while at how it failed."""
        left = msgspec.json.encode(_Flight(self.by, failed, why[:500])) if failed else None
        with suppress(StoreError):  # then it ends with its time
            self.shared.lend(self.namespace, self.key, self.octets, left, TIME_TO_LIVE)


def _flight(held: bytes | None) -> _Flight | None:
    try:
        return msgspec.json.decode(held, type=_Flight) if held is not None else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
