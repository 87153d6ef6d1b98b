# SPDX-License-Identifier: Apache-2.0
"""How the process and its neighbours are, in one look."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from socket import gethostname

from submgr.adapters.journal.observer import JournalObserver
from submgr.adapters.journal.parts import Journalling
from submgr.adapters.notifier import XappNotifier
from submgr.adapters.observers import Observers
from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.adapters.rnib.connection_state import NodeState
from submgr.overview.overview import Overview
from submgr.overview.values import Neighbour, Status
from submgr.platform.health import Health
from submgr.platform.store.base import Store
from submgr.platform.version import version
from submgr.probes import Probes
from submgr.rest.use_cases import Looks
from submgr.rmr.service import Rmr
from submgr.runtime.dispatcher import Dispatcher
from submgr.runtime.ports import MType
from submgr.settings.model import Settings

GOOD = "all is well"
_PAGE = os.sysconf("SC_PAGE_SIZE")


class StatusLook:
    """Makes a `Status` when it is called. `role`: the name of this process; `store_kind`: of its database."""

    def __init__(
        self,
        name: str,
        store_kind: str,
        store: Store,
        rmr: Rmr,
        probes: Probes,
        health: Health,
        observer: JournalObserver,
        nodes_trouble: Callable[[], str | None],
    ) -> None:
        self._name = name or gethostname()
        self._store_kind = store_kind
        self._store = store
        self._rmr = rmr
        self._probes = probes
        self._health = health
        self._observer = observer
        self._nodes_trouble = nodes_trouble
        self._since = time.time()
        self._routes_since: float | None = None
        rmr.on_routes(self._new_routes)

    def __call__(self) -> Status:
        ready, size = self._probes.ready(), self._rmr.size()
        since = self._routes_since
        return Status(
            name=self._name,
            version=version(),
            since=self._since,
            ready=ready.ok,
            reasons=tuple(ready.reasons),
            active=self._probes.why_not() is None,
            store=_neighbour(self._store_kind, self._store.trouble()),
            endpoints=len(self._e2_termination()),
            records=None if size is None else sum(size),
            routes_age=None if since is None else time.monotonic() - since,
            neighbours=(
                _neighbour("Routing Manager", self._observer.routing_trouble),
                _neighbour("E2 Termination", self._probes.missing_routes()),
                _neighbour("E2 nodes", self._nodes_trouble()),
            ),
            longest_stall=self._health.longest_stall,
            memory=_resident(),
        )

    def _new_routes(self) -> None:
        self._routes_since = time.monotonic()

    def _e2_termination(self) -> set[str]:
        """The endpoints to which requests for E2 nodes go."""
        table = self._rmr.routes()
        route = table.lookup(MType.SUBSCRIBE, -1) if table is not None else None
        if table is None or route is None:
            return set()
        return set(table.meids.values()) if route.by_meid else {name for group in route.groups for name in group}


def make_looks(
    settings: Settings,
    environment: Mapping[str, str],
    store: Store,
    rmr: Rmr,
    probes: Probes,
    health: Health,
    journalling: Journalling,
    observers: Observers,
    dispatcher: Dispatcher,
    connections: ConnectedNodes,
    node_state: NodeState,
    notifier: XappNotifier,
) -> Looks:
    """What an operator looks at."""
    overview = Overview(
        lambda: [worker.node for worker in dispatcher.workers],
        journalling.outcomes,
        journalling.tallies,
        journalling.node_states,
        connections,
        notifier.waiting_for,
        lambda: observers.changes,
    )
    name = settings.ha.identity or environment.get("POD_NAME", "")
    observer, kind = journalling.observer, settings.sdl.backend
    status = StatusLook(name, kind, store, rmr, probes, health, observer, node_state.trouble)
    return Looks(journalling.journal, overview, status, rmr.routes)


def _neighbour(name: str, trouble: str | None) -> Neighbour:
    return Neighbour(name, trouble is None, trouble or GOOD)


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as figures:
        return int(figures.read().split()[1]) * _PAGE
