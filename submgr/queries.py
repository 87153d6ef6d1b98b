# SPDX-License-Identifier: Apache-2.0
"""Queries: what is subscribed. There may be tens of thousands: others have turns in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from submgr.core.e2_subscription import E2Subscription, Life
from submgr.core.model import E2Record, Listed, RestRecord
from submgr.core.node import Node
from submgr.core.rest_subscription import RestSubscription
from submgr.platform.turns import Budget, in_turns

_INSTANCE_IDS = range(1 << 16)
_MANY = 20_000
"""E2 subscriptions of which it is quicker to try all instance ids."""
_SOME = 64
"""E2 subscriptions of which none is looked at for long."""


class Queries:
    """Looks at the live subscriptions of all E2 nodes. Nothing here changes anything."""

    def __init__(self, nodes: Callable[[], Iterable[Node]]) -> None:
        self._all_nodes = nodes

    def listed(self) -> Iterator[Listed]:
        """Yields what the list of subscriptions tells of each completed one, by instance id.

        The holders are those of the live subscription: they are to be looked at before the next one is asked for.
        """
        for sub in self._completed():
            yield Listed(sub.instance_id, sub.meid, sub.holders.values(), sub.routes)

    def e2_subscriptions(self) -> Iterator[E2Record]:
        """Yields the completed ones by instance id."""
        for sub in self._completed():
            yield sub.record()

    def _completed(self) -> Iterator[E2Subscription]:
        found: dict[int, E2Subscription] = {}
        for node in in_turns(list(self._all_nodes())):
            found.update(node.subscriptions.e2)
        # to sort very many would hold up everybody
        ids = sorted(found) if len(found) < _MANY else _INSTANCE_IDS
        for first in in_turns(range(0, len(ids), _SOME)):
            for instance_id in ids[first : first + _SOME]:
                sub = found.get(instance_id)
                if sub is not None and sub.life is Life.ESTABLISHED:
                    yield sub

    def e2_subscription(self, instance_id: int) -> E2Record | None:
        """Returns the completed one with this instance id; None when there is none."""
        for node in self._all_nodes():
            sub = node.subscriptions.e2.get(instance_id)
            if sub is not None and sub.life is Life.ESTABLISHED:
                return sub.record()
        return None

    def e2_subscriptions_of(self, subscription_id: str) -> list[E2Record] | None:
        """Returns those of a REST subscription; None when there is no such REST subscription."""
        for node in self._all_nodes():
            rest = node.subscriptions.rest.get(subscription_id)
            if rest is not None:
                subs = [node.subscriptions.e2.get(instance_id) for instance_id in rest.instances.values()]
                return [sub.record() for sub in subs if sub is not None]
        return None

    def rest_subscriptions(self, meid: str | None = None, host: str | None = None) -> Iterator[RestRecord]:
        """Yields all, or those of one E2 node, or of one xApp by its host."""
        for rest in self._rest(meid):
            if host is None or rest.endpoint.host == host:
                yield rest.record()

    def xapps(self) -> list[str]:
        """Returns the hosts of all xApps that have REST subscriptions, sorted."""
        return sorted({rest.endpoint.host for rest in self._rest()})

    def _rest(self, meid: str | None = None) -> Iterator[RestSubscription]:
        budget = Budget()
        for node in in_turns(list(self._all_nodes()), budget):
            if meid is None or node.meid == meid:
                yield from in_turns(list(node.subscriptions.rest.values()), budget)
