# SPDX-License-Identifier: Apache-2.0
"""The rows of the overview: which subscriptions match, in which order, and those of one page.

There may be tens of thousands, of which a page has a few. A look at a live subscription works out only what the filter
and the order ask for; those of the page become rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Protocol

import gevent
from msgspec.structs import replace

from submgr.adapters.journal.outcomes import Outcomes, RestTrace, Trace
from submgr.core.e2_subscription import E2Subscription, Life
from submgr.core.model import RmrHolder
from submgr.core.node import Node
from submgr.core.rest_subscription import RestSubscription
from submgr.overview.values import SORTS, Row, State, Wanted
from submgr.platform.turns import Budget, in_turns

KEPT = 10.0
"""Seconds for which an order is kept: long enough for whoever fetches the pages after it."""
_KEY = itemgetter(0, 1)
_RUN = 2000
"""Rows that are sorted in one piece: a few milliseconds."""
_RMR_STATES: dict[Life, State] = {Life.PENDING: "pending", Life.ESTABLISHED: "established", Life.ENDING: "deleting"}


class Nodes(Protocol):
    def __call__(self) -> Iterable[Node]: ...


class RestLook:
    """A look at a live REST subscription: what a `Row` of it would have, worked out when it is asked for."""

    __slots__ = ("_node", "_outcomes", "_rest", "created", "meid", "subscription_id", "xapp")

    instance_id = 0

    def __init__(self, node: Node, rest: RestSubscription, outcomes: Outcomes) -> None:
        self._node = node
        self._rest = rest
        self._outcomes = outcomes
        self.subscription_id = rest.subscription_id
        self.meid = node.meid
        self.xapp = rest.endpoint.host
        self.created = rest.created

    @property
    def _traces(self) -> RestTrace | None:
        return self._outcomes.of(self._rest.subscription_id)

    @property
    def trace(self) -> Trace | None:
        traces = self._traces
        return traces.last if traces is not None else None

    @property
    def ran_function_id(self) -> int | None:
        for instance_id in self._rest.instances.values():
            sub = self._node.subscriptions.e2.get(instance_id)
            if sub is not None:
                return sub.content.ran_function_id
        traces = self._traces
        for trace in traces.details.values() if traces is not None else ():
            return trace.ran_function_id
        return None

    @property
    def state(self) -> State:
        return state_of(self._rest, self._traces)

    @property
    def more(self) -> str:
        return f"{self._rest.endpoint.http} {' '.join(map(str, self._rest.instances.values()))}"

    def row(self) -> Row:
        instances = len(self._rest.instances)
        return Row(
            self.subscription_id,
            self.meid,
            self.xapp,
            self.ran_function_id,
            self.created,
            self.state,
            instances,
            self.trace,
        )


class RmrLook:
    """The same of a live E2 subscription that is held over RMR only; `holder` is the first one."""

    __slots__ = ("_outcomes", "_sub", "instance_id", "meid", "xapp")

    subscription_id = None
    created = ""

    def __init__(self, sub: E2Subscription, holder: RmrHolder, outcomes: Outcomes) -> None:
        self._sub = sub
        self._outcomes = outcomes
        self.instance_id = sub.instance_id
        self.meid = sub.meid
        self.xapp = holder.endpoint.address

    @property
    def trace(self) -> Trace | None:
        return self._outcomes.by_instance(self.instance_id)

    @property
    def ran_function_id(self) -> int:
        return self._sub.content.ran_function_id

    @property
    def state(self) -> State:
        return _RMR_STATES[self._sub.life]

    @property
    def more(self) -> str:
        return str(self.instance_id)

    def row(self) -> Row:
        return Row(None, self.meid, self.xapp, self.ran_function_id, self.created, self.state, 1, self.trace)


Look = RestLook | RmrLook


def state_of(rest: RestSubscription, traces: RestTrace | None) -> State:
    """The state of a REST subscription. `traces`: what is known of its details."""
    if rest.deleting:
        return "deleting"
    if rest.ongoing:
        return "pending"
    if not rest.instances:
        return "failed"
    for number, trace in traces.details.items() if traces is not None else ():
        if trace.outcome == "failed" and number not in rest.instances:
            return "partly"
    return "established"


class Rows:
    """The pages of rows. `changes`: goes on with everything that may change what is subscribed.

    Who fetches one page after the other gets them out of one order, as long as nothing changes and it is asked for.
    """

    def __init__(self, nodes: Nodes, outcomes: Outcomes, changes: Callable[[], int]) -> None:
        self._nodes = nodes
        self._outcomes = outcomes
        self._changes = changes
        self._kept: tuple[Wanted, int, list[Look]] | None = None
        """An order: what was asked for, without its page; after how many changes; all that matches."""
        self._drop: gevent.Greenlet | None = None

    def page(self, wanted: Wanted) -> tuple[int, list[Row]]:
        """How many subscriptions match, and the rows of the wanted page. Others have turns in between."""
        end = wanted.offset + wanted.limit
        if wanted.offset == 0:  # most look at the first page only: what comes after it need not be in order
            total, first = self._ordered(wanted, end)
            return total, [look.row() for look in first]
        everything = self._order(wanted)
        return len(everything), [look.row() for look in everything[wanted.offset : end]]

    def _order(self, wanted: Wanted) -> list[Look]:
        query, changes = replace(wanted, offset=0, limit=0), self._changes()
        if self._kept is not None and self._kept[:2] == (query, changes):
            return self._kept[2]
        _, order = self._ordered(wanted, None)
        self._kept = query, changes, order
        if self._drop is None:
            self._drop = gevent.spawn_later(KEPT, self._forget)
        return order

    def _forget(self) -> None:
        self._kept = self._drop = None

    def _ordered(self, wanted: Wanted, most: int | None) -> tuple[int, list[Look]]:
        """How many match, and the first so many of them in their order; None: all."""
        key, everything = SORTS[wanted.sort], wanted.everything

        def ordered(run: list[tuple[object, int, Look]]) -> list[tuple[object, int, Look]]:
            """No run has more of the page than this."""
            return sorted(run, key=_KEY, reverse=wanted.descending)[:most]

        runs: list[list[tuple[object, int, Look]]] = []
        run: list[tuple[object, int, Look]] = []
        budget, total = Budget(), 0
        for look in _looks(self._nodes, self._outcomes, wanted):
            if everything or wanted.takes(look):
                total += 1
                run.append((key(look), total, look))
                if len(run) == _RUN:
                    runs.append(ordered(run))
                    run = []
            budget.spend()
        runs.append(ordered(run))
        merged = islice(in_turns(merge(*runs, key=_KEY, reverse=wanted.descending)), most)
        found = [look for _, _, look in merged]
        while runs:  # freeing tens of thousands of looks at once would hold up everybody, too
            runs.pop()
            budget.spend()
        return total, found


def _looks(nodes: Nodes, outcomes: Outcomes, wanted: Wanted) -> Iterator[Look]:
    """A look at each that may be wanted."""
    budget = Budget()
    for node in in_turns(nodes(), budget):
        if wanted.meid not in (None, node.meid):
            continue
        for rest in in_turns(list(node.subscriptions.rest.values()), budget):
            if wanted.xapp in (None, rest.endpoint.host):
                yield RestLook(node, rest, outcomes)
        for sub in in_turns(list(node.subscriptions.e2.values()), budget):
            holder = next(iter(sub.holders), None)
            if isinstance(holder, RmrHolder) and not sub.rest_holders():
                yield RmrLook(sub, holder, outcomes)
