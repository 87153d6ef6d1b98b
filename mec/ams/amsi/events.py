# SPDX-License-Identifier: Apache-2.0
"""The events that somebody is to be told of, in a log that replicas share: one of them tells, see `Teller`."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from mec.ams.amsi.matching import Moved
from mec.ams.amsi.model import Subscription
from submgr.platform.shared.base import Entry, SharedStore, Swap

log = logging.getLogger(__name__)

MOST = 100_000
"""Events that may wait. What happens beyond that is done, and told to nobody."""
_ONCE = 600.0
"""Seconds for which it is known that an event was added."""


@dataclass(frozen=True, slots=True)
class Event:
    """What has happened; most members are absent. `told`: the notifications of it that are done with.

    `adjacent`: applications that are at another MEC for the first time. `trial`: a subscription that wants a test
    notification. `cancelled`: the id of one that wants nothing any more.
    """

    moves: tuple[Moved, ...] = ()
    adjacent: tuple[str, ...] = ()
    trial: Subscription | None = None
    expired: Subscription | None = None
    cancelled: str | None = None
    told: tuple[str, ...] = ()


_EVENT = msgspec.json.Decoder(Event)


class EventLog:
    """The log `name` of a namespace. Its methods raise StoreError."""

    def __init__(self, shared: SharedStore, namespace: str, name: str) -> None:
        self.name = name
        self.namespace = namespace
        self._shared = shared

    def entry(self, event: Event) -> Entry:
        """For a change that the event goes with."""
        return Entry(self.name, msgspec.json.encode(event), MOST)

    def append(self, event: Event, name: str = "") -> bool:
        """Adds an event that goes with no change. False: too many wait.

        `name`: of this event alone; within _ONCE s nothing is added for the same name again. Nobody knows whether an
        event was added when no answer has come.
        """
        once = f"{self.name}/once/{name}"
        guard = {once: b""} if name else {}
        swap = Swap(self.namespace, dict.fromkeys(guard), guard, entry=self.entry(event), seconds=_ONCE)
        swapped = self._shared.swap(swap)
        return not swapped.made or swapped.entry is not None

    def bounds(self) -> tuple[int, int]:
        """The numbers of the last event that is done with, like all before it, and of the last one."""
        found = self._shared.read(self.namespace, [f"{self.name}/done", f"{self.name}/next"])
        return _number(found.get(f"{self.name}/done")), _number(found.get(f"{self.name}/next"))

    def read(self, numbers: Iterable[int]) -> Mapping[int, Event]:
        """Those of these events that are not done with."""
        found = self._shared.read(self.namespace, [f"{self.name}/{number}" for number in numbers])
        events: dict[int, Event] = {}
        for key, octets in found.items():
            try:
                events[int(key.rpartition("/")[2])] = _EVENT.decode(octets)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
                log.error("unreadable event", extra={"namespace": self.namespace, "why": str(exc)})
        return events

    def note(self, events: Mapping[int, Event]) -> None:
        """Writes how far the telling of some events has come."""
        self._shared.swap(
            Swap(self.namespace, {}, {f"{self.name}/{n}": msgspec.json.encode(event) for n, event in events.items()})
        )

    def finish(self, before: int, done: int, numbers: Iterable[int]) -> bool:
        """Removes events; all up to `done` are done with now, and were up to `before`. False: somebody else tells."""
        key = f"{self.name}/done"
        expected = {key: b"%d" % before if before else None}
        values = {key: b"%d" % done} if done != before else {}
        gone = frozenset(f"{self.name}/{number}" for number in numbers)
        return self._shared.swap(Swap(self.namespace, expected, values, gone)).made


def _number(octets: bytes | None) -> int:
    return int(octets) if octets is not None and octets.isdigit() and len(octets) < 19 else 0
