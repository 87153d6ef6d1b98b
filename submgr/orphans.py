# SPDX-License-Identifier: Apache-2.0
"""Orphans: subscriptions whose xApp is gone. They are listed, counted, and deleted when the settings say so.

Two things tell that an xApp is gone: its notifications were given up, or the name of its RMR host does not resolve.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import gevent
from msgspec import Struct

from submgr.core.commands import Notify
from submgr.core.model import ClientEndpoint, RestHolder, RmrHolder
from submgr.core.node import Node
from submgr.core.rest_subscription import RestSubscription
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import Budget, in_turns

log = logging.getLogger(__name__)

LONGEST_PERIOD = 30.0
"""Seconds between two rounds at most."""
SHORTEST_PERIOD = 0.25
AT_ONCE = 200
"""Orphans that are deleted together."""
ASK_AGAIN = 60.0
"""Seconds after which the deletion of an E2 subscription is asked for once more, should it be there still."""


class Orphan(Struct, frozen=True):
    """A subscription whose xApp is gone.

    `key`: SubscriptionId of a REST subscription; instance id of an E2 subscription that an xApp holds over RMR, whose
    holder is `holder`. `xapp`: its host, or its RMR endpoint. `age`: seconds for which it has been gone. `answers`:
    the xApp, or whoever has its address, refused its notification in HTTP: it is not deleted for that. `unresolved`:
    its name does not resolve.
    """

    key: str | int
    meid: str
    xapp: str
    age: float
    why: str
    holder: RmrHolder | None = None
    answers: bool = False
    unresolved: bool = False


class Names(Protocol):
    """The names that do not resolve, see `submgr.adapters.xapp_names.UnresolvedNames`."""

    def check(self, hosts: Iterable[str]) -> None: ...
    def forget(self) -> None: ...
    def for_longer_than(self, seconds: float) -> dict[str, float]: ...


class OrphanSettings(Struct, frozen=True):
    """`after`: seconds that an xApp must be gone for its subscriptions to be deleted, and that a name must not resolve;
    0: names are not looked at, and nothing is deleted. `remove`: orphans are deleted."""

    after: float
    remove: bool


class Deliveries:
    """Remembers the REST subscriptions whose notifications were given up, until their endpoint takes one again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._given_up: dict[str, tuple[float, str]] = {}
        self._of_endpoint: dict[str, set[str]] = {}
        self._answering: set[str] = set()

    def ended(self, notification: Notify, delivered: bool, answered: bool = False) -> None:
        """A notification was delivered or given up. `answered`: nothing says that the xApp is gone."""
        if delivered and not self._given_up and not self._answering:
            return
        endpoint, subscription_id = notification.endpoint.http, notification.subscription_id
        if delivered:
            self._answering.discard(endpoint)
            for known in self._of_endpoint.pop(endpoint, ()):
                self._given_up.pop(known, None)
            self.forget(subscription_id)
            return
        if answered:
            self._answering.add(endpoint)
        elif endpoint in self._answering:
            self._silent_now(endpoint)
        if subscription_id not in self._given_up:
            self._given_up[subscription_id] = (self._clock(), endpoint)
            self._of_endpoint.setdefault(endpoint, set()).add(subscription_id)

    def _silent_now(self, endpoint: str) -> None:
        """It has answered until lately: from now on it may be gone."""
        self._answering.discard(endpoint)
        for known in self._of_endpoint.get(endpoint, ()):
            self._given_up[known] = (self._clock(), endpoint)

    def given_up(self) -> dict[str, tuple[float, str]]:
        """When the first notification was given up, and its endpoint, by SubscriptionId."""
        return dict(self._given_up)

    def answers(self, endpoint: str) -> bool:
        """Whether the endpoint refused, in HTTP, the last notification that was given up."""
        return endpoint in self._answering

    def forget(self, subscription_id: str) -> None:
        _, endpoint = self._given_up.pop(subscription_id, (0.0, ""))
        others = self._of_endpoint.get(endpoint)
        if others is not None:
            others.discard(subscription_id)
            if not others:
                del self._of_endpoint[endpoint]
                self._answering.discard(endpoint)


class Orphans:
    """Looks for orphans in rounds, in a greenlet of its own. `remove` deletes orphans, and may block for seconds."""

    def __init__(
        self,
        nodes: Callable[[], Iterable[Node]],
        deliveries: Deliveries,
        names: Names,
        settings: Callable[[], OrphanSettings],
        remove: Callable[[list[Orphan]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._nodes = nodes
        self._deliveries = deliveries
        self._names = names
        self._settings = settings
        self._remove = remove
        self._clock = clock
        self._asked: dict[tuple[str | int, RmrHolder], float] = {}
        self._loop = SupervisedLoop("orphans", self._step)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def count(self) -> int:
        return sum(1 for _ in self._found())

    def found(self) -> list[Orphan]:
        """All orphans, the longest gone first. There may be many subscriptions: others have turns in between."""
        return sorted(self._found(), key=lambda orphan: orphan.age, reverse=True)

    def _step(self) -> None:
        gevent.sleep(self._period())
        self.round()

    def _period(self) -> float:
        after = self._settings().after
        return min(max(after / 4, SHORTEST_PERIOD), LONGEST_PERIOD) if after else LONGEST_PERIOD / 6

    def round(self) -> None:
        """Looks all names up, forgets what is gone, deletes orphans that have been so for long enough."""
        settings = self._settings()
        if settings.after:
            self._names.check({host for host in self._hosts() if host})
        else:
            self._names.forget()
        known = {rest for node in self._nodes() for rest in node.subscriptions.rest}
        for subscription_id in self._deliveries.given_up().keys() - known:
            self._deliveries.forget(subscription_id)
        if settings.remove and settings.after:
            self._remove_older_than(settings.after)

    def _remove_older_than(self, age: float) -> None:
        old = [orphan for orphan in self.found() if orphan.age >= age and not orphan.answers]
        due = [orphan for orphan in old if not self._asked_already(orphan)]
        for first in range(0, len(due), AT_ONCE):
            # the ones before took their time: an xApp may have taken a notification meanwhile
            given_up = self._deliveries.given_up()
            some = [each for each in due[first : first + AT_ONCE] if each.unresolved or each.key in given_up]
            for orphan in some:
                log.warning(
                    "orphan removed",
                    extra={
                        "subscription_id": orphan.key,
                        "meid": orphan.meid,
                        "xapp": orphan.xapp,
                        "gone_for_s": round(orphan.age, 1),
                        "why": orphan.why,
                    },
                )
            if some:
                self._remove(some)

    def _asked_already(self, orphan: Orphan) -> bool:
        """Whether the deletion is under way: what an xApp holds over RMR is there until the E2 node has answered."""
        if orphan.holder is None:
            return False
        now, key = self._clock(), (orphan.key, orphan.holder)
        self._asked = {asked: since for asked, since in self._asked.items() if now - since < ASK_AGAIN}
        asked = key in self._asked
        self._asked.setdefault(key, now)
        return asked

    def _hosts(self) -> Iterator[str]:
        budget = Budget()
        for node in in_turns(self._nodes(), budget):
            for rest in in_turns(list(node.subscriptions.rest.values()), budget):
                yield telling_host(rest.endpoint, _routed(node, rest))
            for sub in in_turns(list(node.subscriptions.e2.values()), budget):
                yield from (key.endpoint.address for key in sub.holders if isinstance(key, RmrHolder))

    def _found(self) -> Iterator[Orphan]:
        settings, given_up = self._settings(), self._deliveries.given_up()
        gone = self._names.for_longer_than(settings.after) if settings.after else {}
        budget = Budget()
        for node in in_turns(self._nodes() if given_up or gone else (), budget):
            for rest in in_turns(list(node.subscriptions.rest.values()), budget):
                host = telling_host(rest.endpoint, _routed(node, rest))
                why = self._why(rest.subscription_id, host, given_up, gone)
                if why is not None and not rest.deleting:
                    since, text = why
                    age, unresolved = self._clock() - since, host in gone
                    answers = not unresolved and self._answers(rest, given_up)
                    xapp = rest.endpoint.host
                    yield Orphan(rest.subscription_id, node.meid, xapp, age, text, None, answers, unresolved)
            for sub in in_turns(list(node.subscriptions.e2.values()) if gone else (), budget):
                for key in list(sub.holders):
                    if isinstance(key, RestHolder) or key.endpoint.address not in gone:
                        continue
                    age, text = self._clock() - gone[key.endpoint.address], _unresolved(key.endpoint.address)
                    yield Orphan(sub.instance_id, node.meid, str(key.endpoint), age, text, key, unresolved=True)

    def _answers(self, rest: RestSubscription, given_up: dict[str, tuple[float, str]]) -> bool:
        _, endpoint = given_up[rest.subscription_id]
        return self._deliveries.answers(endpoint)

    @staticmethod
    def _why(
        subscription_id: str, host: str, given_up: dict[str, tuple[float, str]], gone: dict[str, float]
    ) -> tuple[float, str] | None:
        """Since when, and why; None when the xApp is there."""
        if subscription_id in given_up:
            since, endpoint = given_up[subscription_id]
            return since, f"its notifications were given up, and {endpoint} has taken none since"
        return (gone[host], _unresolved(host)) if host in gone else None


def telling_host(endpoint: ClientEndpoint, routed: bool) -> str:
    """The host whose name tells whether the xApp is there: that of its RMR service, if it wants a route there.

    Many xApps name an RMR port that they do not use: nobody need have made a name for it.
    """
    return endpoint.rmr.address if routed and endpoint.rmr_port else endpoint.host


def _routed(node: Node, rest: RestSubscription) -> bool:
    """Whether any indications of a REST subscription are routed to its xApp."""
    for xapp_event_instance_id, instance_id in list(rest.instances.items()):
        sub = node.subscriptions.e2.get(instance_id)
        holder = sub and sub.holders.get(RestHolder(rest.subscription_id, xapp_event_instance_id))
        if holder and holder.routed:
            return True
    return False


def _unresolved(host: str) -> str:
    return f"the name {host} does not resolve"
