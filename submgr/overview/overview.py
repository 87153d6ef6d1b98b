# SPDX-License-Identifier: Apache-2.0
"""The overview: what is subscribed where, how it went and how it goes, as values for those who look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from gevent.lock import BoundedSemaphore

from submgr.adapters.journal.node_states import WORDS, NodeStates
from submgr.adapters.journal.outcomes import Outcomes, RestTrace
from submgr.adapters.journal.tallies import Sample, Tallies
from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.core.e2_subscription import Life
from submgr.core.model import RmrHolder
from submgr.core.node import Node
from submgr.core.rest_subscription import RestSubscription
from submgr.overview.rows import Nodes, RestLook, Rows, state_of
from submgr.overview.values import Census, DetailRow, NodeLine, Row, Share, State, Wanted, Whole, XappLine
from submgr.platform.turns import Budget, in_turns

FRESH, STALE = 1.0, 10.0
"""Seconds for which a census is good, at least and at most."""
PAUSE = 5
"""So many times as long as counting took the next one waits: who looks every second costs little of the process."""
ENDPOINTS = 20
"""Endpoints of one xApp that are shown."""


class Overview:
    """Looks at the live subscriptions of all nodes, in turns. Nothing here changes anything."""

    def __init__(
        self,
        nodes: Nodes,
        outcomes: Outcomes,
        tallies: Tallies,
        node_states: NodeStates,
        connections: ConnectedNodes,
        waiting: Callable[[str], int],
        changes: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`waiting`: how many notifications wait for an endpoint, host:port. `changes`: see `Rows`."""
        self._nodes = nodes
        self._outcomes = outcomes
        self._tallies = tallies
        self._node_states = node_states
        self._connections = connections
        self._waiting = waiting
        self._clock = clock
        self._rows = Rows(nodes, outcomes, changes)
        self._counting = BoundedSemaphore(1)
        self._census: tuple[float, Census] | None = None
        """Until when it is good, and the census."""

    # --- counts

    def census(self) -> Census:
        """Counts everything. Who asks within a second, or within longer where counting takes long, gets the same."""
        with self._counting:
            began = self._clock()
            if self._census is None or began > self._census[0]:
                counted = self._counted()
                took = self._clock() - began
                self._census = (self._clock() + min(max(FRESH, PAUSE * took), STALE), counted)
            return self._census[1]

    def _counted(self) -> Census:
        found, budget = Census(Share(), {}, {}, {}), Budget()
        for node in in_turns(self._nodes(), budget):
            of_node = found.nodes[node.meid] = Share()
            found.waiting[node.meid] = node.queue_depth
            for rest in in_turns(list(node.subscriptions.rest.values()), budget):
                state = state_of(rest, self._outcomes.of(rest.subscription_id))
                of_xapp = found.xapps.setdefault(rest.endpoint.host, Share())
                of_xapp.e2 += len(rest.instances)
                if len(of_xapp.endpoints) < ENDPOINTS:
                    of_xapp.endpoints[rest.endpoint.http] = None
                for share in (found.total, of_node, of_xapp):
                    share.count(state)
            for sub in in_turns(list(node.subscriptions.e2.values()), budget):
                confirmed = sub.life is Life.ESTABLISHED
                of_node.e2 += confirmed
                found.total.e2 += confirmed
                for key in list(sub.holders):
                    if isinstance(key, RmrHolder):
                        of_xapp = found.xapps.setdefault(key.endpoint.address, Share())
                        of_xapp.e2 += confirmed
                        if len(of_xapp.endpoints) < ENDPOINTS:
                            of_xapp.endpoints[str(key.endpoint)] = None
        return found

    def rates(self) -> tuple[float, float, float]:
        """Subscribes, deletes and failures per second, over the last minute."""
        return self._tallies.rates()

    def history(self) -> tuple[float, list[Sample]]:
        """See `Tallies.history`."""
        return self._tallies.history()

    def known_nodes(self) -> list[str]:
        """The Meids of all E2 nodes that anybody has told of, sorted."""
        told = (meid for meid in self._node_states.known() if self._connections.knows(meid))
        return sorted({*told, *self._connections.connected(), *(node.meid for node in self._nodes())})

    def connected_nodes(self) -> int:
        return sum(self._connections.is_connected(meid) for meid in self.known_nodes())

    def nodes(self) -> Iterator[NodeLine]:
        """Yields the E2 nodes by Meid. Others have turns in between."""
        census = self.census()
        for meid in in_turns(self.known_nodes()):
            tally = self._tallies.of_node(meid)
            yield NodeLine(
                meid,
                WORDS[self._connections.state(meid)],
                self._node_states.since(meid),
                census.nodes.get(meid) or Share(),
                census.waiting.get(meid, 0),
                sum(tally.subscribes) if tally is not None else 0,
                sum(tally.failures) if tally is not None else 0,
                tally.last_failure if tally is not None else None,
            )

    def xapps(self) -> Iterator[XappLine]:
        """Yields the xApps that have anything, by host. Others have turns in between."""
        for host, share in in_turns(sorted(self.census().xapps.items())):
            waiting = sum(map(self._waiting, share.endpoints))
            yield XappLine(host, share, waiting, self._tallies.failure_of(host))

    # --- rows

    def rows(self, wanted: Wanted) -> tuple[int, list[Row]]:
        """How many rows match, and the wanted ones of them."""
        return self._rows.page(wanted)

    # --- one

    def whole(self, subscription_id: str) -> Whole | None:
        """A REST subscription that is there, or ended lately; None: there is no such one."""
        for node in self._nodes():
            rest = node.subscriptions.rest.get(subscription_id)
            if rest is not None:
                return self._live(node, rest)
        traces = self._outcomes.of(subscription_id)
        return None if traces is None else _ended(subscription_id, traces)

    def wholes(self) -> Iterator[Whole]:
        """Yields all REST subscriptions that are there, then those that ended lately. Others have turns in between."""
        budget = Budget()
        for node in in_turns(self._nodes(), budget):
            for rest in in_turns(list(node.subscriptions.rest.values()), budget):
                yield self._live(node, rest)
        for subscription_id, traces in in_turns(self._outcomes.ended()):
            yield _ended(subscription_id, traces)

    def _live(self, node: Node, rest: RestSubscription) -> Whole:
        traces = self._outcomes.of(rest.subscription_id)
        known = traces.details if traces is not None else {}
        details = []
        for number in sorted({*known, *rest.instances, *rest.untold}):
            instance_id = rest.instances.get(number, 0)
            sub = node.subscriptions.e2.get(instance_id)
            trace = known.get(number)
            record = sub.record() if sub is not None else None
            content = record.content if record is not None else trace.content if trace is not None else None
            state: State = "established" if record is not None else "failed"
            if number in rest.untold or (rest.ongoing and trace is not None and trace.outcome == "pending"):
                state = "pending"
            if rest.deleting:
                state = "deleting"
            details.append(DetailRow(number, instance_id, state, trace, record, content))
        endpoint = rest.endpoint
        target = endpoint.http if endpoint.http_port else ""
        return Whole(RestLook(node, rest, self._outcomes).row(), str(endpoint.rmr), target, rest.owner, tuple(details))


def _ended(subscription_id: str, traces: RestTrace) -> Whole:
    created = (
        time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(traces.created)) + f".{int(traces.created * 1000) % 1000:03}"
    )
    last, endpoint = traces.last, traces.endpoint
    function_id = last.ran_function_id if last is not None else None
    row = Row(subscription_id, traces.meid, endpoint.host, function_id, created, "ended", 0, last)
    details = tuple(DetailRow(n, 0, "ended", t, None, t.content) for n, t in sorted(traces.details.items()))
    return Whole(row, str(endpoint.rmr), endpoint.http, None, details)
