# SPDX-License-Identifier: Apache-2.0
"""The reconciler: compares what this process knows with the records and with what the Routing Manager was told.

What the process knows is right: a record that lacks or differs is written again, one that nobody knows is removed, and
routes that differ are told anew. What is being worked on is left alone; so is everything after an operator has emptied
the database by hand.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

import gevent
from gevent.lock import BoundedSemaphore
from msgspec import Struct

from submgr.adapters.records.comparing import KINDS, Kind
from submgr.adapters.records.store import StoredRecords
from submgr.core.errors import RefusedError
from submgr.core.events import RoutesDiffer
from submgr.core.model import RmrEndpoint
from submgr.core.node import Node
from submgr.platform.store.base import StoreError
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import Budget, in_turns
from submgr.runtime.dispatcher import Dispatcher
from submgr.runtime.ports import Routed

log = logging.getLogger(__name__)

UNKNOWN_FOR = 5.0
"""Seconds for which a record must have been there, and nobody have known it, before it is removed."""
AT_A_TIME = 100
"""Records that are looked at a second time, and repaired, in one turn."""
LOGGED = 20
"""Repairs of one look that have a line in the log each."""
OFF = 5.0
"""Seconds between two looks at the setting while the reconciler is off."""


class Difference(Struct, frozen=True):
    """`what`: e2_record, rest_record, removal_record or route. `key`: instance id or SubscriptionId, as text."""

    what: str
    key: str
    meid: str
    why: str
    repaired: bool = False


class ToldRoutes(Protocol):
    """The Routing Manager, as far as it is known what it was told."""

    def told(self) -> dict[int, frozenset[RmrEndpoint]]: ...
    def told_of(self, instance_id: int) -> frozenset[RmrEndpoint] | None: ...
    def delete(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None: ...


class Reconciler:
    """Looks every `interval()` seconds (0: never), in a greenlet of its own.

    `trouble` says in words why the database cannot be read or written. `removes`: whether records that nobody knows may
    be removed. `tell` gets what was repaired, if anything.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        records: StoredRecords,
        routes: ToldRoutes,
        *,
        interval: Callable[[], float],
        trouble: Callable[[], str | None],
        removes: Callable[[], bool],
        tell: Callable[[list[Difference]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dispatcher = dispatcher
        self._records = records
        self._routes = routes
        self._interval = interval
        self._trouble = trouble
        self._removes = removes
        self._tell_repairs = tell
        self._clock = clock
        self._one_at_a_time = BoundedSemaphore(1)
        self._unknown: dict[tuple[str, str], float] = {}
        self._loop = SupervisedLoop("reconciler", self._step)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def _step(self) -> None:
        interval = self._interval()
        gevent.sleep(interval or OFF)
        if interval:
            try:
                self.look(True)
            except RefusedError as refused:
                log.debug("nothing is compared: %s", refused)

    def look(self, repair: bool) -> list[Difference]:
        """The differences. Without `repair` nothing is changed.

        Blocks while everything stored is read; others have their turns. Raises RefusedError 503 when nothing can be
        compared at the moment.
        """
        with self._one_at_a_time:
            found: list[Difference] = []
            try:
                for kind in KINDS:
                    self._check()
                    found += self._differing(kind, repair)
            except StoreError as error:
                raise RefusedError(503, f"the database could not be read: {error}") from error
            self._check()
            found += self._differing_routes(repair)
            self._tell([each for each in found if each.repaired])
            return found

    def _check(self) -> None:
        why_not = self._trouble()
        if self._records.paused:
            why_not = "records were removed from the database by hand; until the next start it is left as it is"
        elif not self._dispatcher.settled:
            why_not = "a worker is being started anew"
        if why_not is not None:
            raise RefusedError(503, f"nothing can be compared now: {why_not}")

    def _nodes(self) -> list[Node]:
        return [worker.node for worker in self._dispatcher.workers]

    def _tell(self, repaired: list[Difference]) -> None:
        if repaired:
            self._tell_repairs(repaired)
        for each in repaired[:LOGGED]:
            words = {"what": each.what, "key": each.key, "meid": each.meid, "why": each.why}
            log.warning("reconciled", extra=words)
        if len(repaired) > LOGGED:
            log.warning("reconciled, and more", extra={"more": len(repaired) - LOGGED})

    # --- records

    def _differing(self, kind: Kind, repair: bool) -> list[Difference]:
        """Looks twice: what differs only because it has just changed is the same once all that waits is written."""
        stored = self._records.stored(kind.namespace)
        known: set[str] = set()
        suspects: list[tuple[str, Node, object]] = []
        budget = Budget()
        for node in in_turns(self._nodes(), budget):
            for key, item in in_turns(list(kind.live(node).items()), budget):
                known.add(key)
                if kind.at_rest(node, item) and not kind.same(key, stored.get(key), item):
                    suspects.append((key, node, item))
        unknown = sorted(stored.keys() - known)
        found: list[Difference] = []
        for first in range(0, len(suspects), AT_A_TIME):
            found += self._settled_ones(kind, suspects[first : first + AT_A_TIME], repair)
        since = self._remember(kind, unknown)
        for first in range(0, len(unknown), AT_A_TIME):
            found += self._unknown_ones(kind, unknown[first : first + AT_A_TIME], since, repair)
        return found

    def _settled_ones(self, kind: Kind, suspects: list[tuple[str, Node, object]], repair: bool) -> Iterator[Difference]:
        before = {key: kind.record(item) for key, _, item in suspects}
        stored = self._records.stored(kind.namespace, list(before))
        for key, node, item in suspects:
            settled = kind.find(node, key) is item and kind.at_rest(node, item) and kind.record(item) == before[key]
            if settled and not kind.same(key, stored.get(key), item):
                if repair:
                    kind.save(self._records, item)
                why = "different in the database" if key in stored else "not in the database"
                yield Difference(kind.what, key, node.meid, why, repair)

    def _unknown_ones(
        self, kind: Kind, keys: list[str], since: Mapping[str, float], repair: bool
    ) -> Iterator[Difference]:
        stored = self._records.stored(kind.namespace, keys)
        ids = self._dispatcher.registry.ids
        for key, data in in_turns(stored.items()):  # there may be very many nodes in which to look for each
            if not kind.readable(key, data) or any(kind.find(node, key) for node in self._nodes()):
                continue
            if kind.has_instance_id and ids.taken(int(key)):
                continue
            removed = repair and self._clock() - since[key] >= UNKNOWN_FOR and self._removes()
            if removed:
                kind.erase(self._records, key, data)
            yield Difference(kind.what, key, kind.meid(key, data), "in the database, but not known here", removed)

    def _remember(self, kind: Kind, keys: list[str]) -> dict[str, float]:
        """Since when each of the unknown records has been seen; the others of its kind are forgotten."""
        now = self._clock()
        since = {key: self._unknown.get((kind.namespace, key), now) for key in keys}
        others = {where: seen for where, seen in self._unknown.items() if where[0] != kind.namespace}
        self._unknown = {**others, **{(kind.namespace, key): seen for key, seen in since.items()}}
        return since

    # --- routes

    def _differing_routes(self, repair: bool) -> list[Difference]:
        found, budget = [], Budget()
        for node in in_turns(self._nodes(), budget):
            for sub in in_turns(list(node.subscriptions.e2.values()), budget):
                told = self._routes.told_of(sub.instance_id)
                if not node.at_rest(sub) or sub.route_failures:
                    continue
                if sub.routes_differ or (told is not None and told != set(sub.routes)):
                    why = _words(told, sub.wanted_routes)
                    if repair:
                        self._dispatcher.post(node.meid, RoutesDiffer(sub.instance_id, tuple(sorted(told or ()))))
                    found.append(Difference("route", str(sub.instance_id), node.meid, why, repair))
        for instance_id, told in self._routes.told().items():
            if self._dispatcher.registry.ids.owner(instance_id) is None:
                for endpoint in told if repair else ():
                    self._routes.delete(instance_id, endpoint, lambda _: None)
                found.append(Difference("route", str(instance_id), "", _words(told, ()), repair))
        return found


def _words(told: Iterable[RmrEndpoint] | None, wanted: Iterable[RmrEndpoint]) -> str:
    there = "what is not known" if told is None else ", ".join(map(str, sorted(told))) or "none"
    return f"the Routing Manager was told {there}, it should have {', '.join(map(str, wanted)) or 'none'}"
