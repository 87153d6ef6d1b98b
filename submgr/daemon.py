# SPDX-License-Identifier: Apache-2.0
"""The daemon: starts and stops its parts in order, applies changed settings.

`submgr.app` builds the parts.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import gevent
from gevent.event import Event
from msgspec import Struct

from submgr.adapters.e2_termination import E2Termination
from submgr.adapters.journal.conditions import Conditions
from submgr.adapters.journal.parts import Journalling
from submgr.adapters.notifier import XappNotifier
from submgr.adapters.records.loaded import Loaded
from submgr.adapters.records.loader import RecordLoader, StartFailed
from submgr.adapters.records.progress import RestoreProgress
from submgr.adapters.records.store import StoredRecords
from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.adapters.rnib.connection_state import NodeState
from submgr.adapters.rnib.messages import ConnectionState
from submgr.adapters.routing_manager import RoutingManager
from submgr.adapters.stored_routes import StoredRoutes, unpacked
from submgr.orphans import Orphans
from submgr.platform import descriptors
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.garbage_collection import without_collections
from submgr.platform.health import Health
from submgr.platform.http.listen import ListenError
from submgr.platform.http.server import HttpServer
from submgr.platform.logs import Logs
from submgr.platform.shutdown import Shutdown
from submgr.platform.store.base import Store, StoreError
from submgr.platform.version import version
from submgr.probes import Probes
from submgr.reconciler import Reconciler
from submgr.rmr.service import Rmr
from submgr.runtime.dispatcher import Dispatcher
from submgr.settings.live import LiveSettings
from submgr.settings.model import Settings

if TYPE_CHECKING:
    from submgr.standby import Standby

log = logging.getLogger(__name__)

DRAIN = 10.0
"""Seconds that running procedures have to end in when the daemon is stopped."""
HANDOVER = 0.25
"""The same when a standby is there to go on: it undoes what has not ended."""


class Service(Protocol):
    """A service that runs inside the daemon (the MEC services). Its health is its own."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class Parts(Struct, frozen=True, kw_only=True):
    """What the daemon is made of. None of the parts does anything before the daemon is started.

    `watcher` is None without a configuration file, `mec` is None unless the configuration enables the MEC services,
    `standby` is None unless the process takes part in a lease.
    """

    live: LiveSettings
    watcher: ConfigWatcher | None
    logs: Logs
    shutdown: Shutdown
    health: Health
    probes: Probes
    store: Store
    records: StoredRecords
    loader: RecordLoader
    progress: RestoreProgress
    node_state: NodeState
    nodes: ConnectedNodes
    rmr: Rmr
    routes: StoredRoutes
    e2_termination: E2Termination
    routing_manager: RoutingManager
    notifier: XappNotifier
    dispatcher: Dispatcher
    orphans: Orphans
    reconciler: Reconciler
    xapp_http: HttpServer
    platform_http: HttpServer
    mec: Service | None
    tracing: Service | None = None
    journalling: Journalling
    conditions: Conditions
    standby: Standby | None = None


class Daemon:
    """Runs its parts. Nothing happens before `start`."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._starting: gevent.Greenlet[[], None] | None = None
        parts.node_state.on_change(self._connection_changed)
        parts.live.on_change(self._settings_changed)

    @property
    def ended(self) -> Event:
        """Set when somebody has asked for the end of the process."""
        return self.parts.shutdown.requested

    @property
    def exit_code(self) -> int | None:
        return self.parts.shutdown.exit_code

    def end(self, code: int) -> None:
        """Asks for the end of the process. The first request counts."""
        self.parts.shutdown.request(code)

    # --- start and stop

    def start(self) -> None:
        """Starts the parts. A greenlet then restores the subscriptions and lets xApps in.

        With a standby that happens when it takes over; until then xApps are told who is active. The platform interface
        answers probes from the beginning (not ready). Raises ListenError, TransportError or StoreError for what an
        operator has to mend, each with a text of one line.
        """
        parts = self.parts
        descriptors.raise_limit()
        parts.journalling.start(version())
        parts.health.start()
        parts.xapp_http.bind()
        parts.platform_http.bind()
        parts.store.start()
        parts.node_state.start()
        if parts.tracing is not None:
            parts.tracing.start()
        parts.rmr.start(ask=parts.standby is None)
        if parts.watcher is not None:
            parts.watcher.start()
        parts.platform_http.start()
        parts.conditions.start()
        if parts.standby is None:
            if parts.mec is not None:
                parts.mec.start()
            self._starting = gevent.spawn(self._restore_and_listen)
        else:
            parts.xapp_http.start()
            parts.standby.start(self._take_over)

    def _take_over(self, loaded: Loaded | None) -> None:
        parts = self.parts
        self._starting = gevent.getcurrent()
        parts.rmr.ask_for_routes()
        self._restore_and_listen(loaded)
        if parts.mec is not None and parts.probes.restored:
            try:
                parts.mec.start()
            except ListenError as failed:
                log.error("%s", failed)
                self.end(1)

    def _restore_and_listen(self, loaded: Loaded | None = None) -> None:
        """`loaded`: the records, where they have been read."""
        parts = self.parts
        parts.progress.begin()
        try:
            loaded = loaded or parts.loader.load()
            if parts.standby is not None:
                self._go_on_with_routes(loaded)
            restored = parts.loader.by_node(loaded)
            parts.progress.loaded(restored.values())
            # a restored subscription may send a request to its E2 node at once, and needs the answer
            parts.e2_termination.open(parts.dispatcher, answers_only=True)
            with without_collections():
                parts.dispatcher.restore(restored)
            parts.e2_termination.open(parts.dispatcher)
            if parts.standby is None:
                parts.xapp_http.start()
        except (StartFailed, ListenError) as failed:
            log.error("%s", failed)
            self.end(1)
            return
        except Exception as bug:
            log.exception("the subscriptions could not be restored")
            parts.shutdown.broken(f"the subscriptions could not be restored: {bug!r}")
            return
        parts.progress.complete()
        parts.probes.restored = True
        if parts.standby is not None:
            parts.routes.start()
        parts.orphans.start()
        parts.reconciler.start()
        log.info("ready for xApps", extra={"e2_nodes": len(restored)})

    def _go_on_with_routes(self, loaded: Loaded) -> None:
        """The last route table counts until the Routing Manager sends a new one."""
        table = unpacked(loaded.routes) if loaded.routes is not None and self.parts.rmr.awaits_routes() else None
        if table is not None:
            self.parts.rmr.go_on_with(table)

    def stop(self) -> None:
        """Stops accepting requests, lets running procedures end (at most DRAIN seconds), writes what waits, closes.

        Where a standby is to go on, everything is over soon, and then the lease is given back.
        """
        parts = self.parts
        parts.journalling.journal.close()
        drain = DRAIN if parts.standby is None else HANDOVER
        for loop in (parts.progress, parts.conditions, parts.reconciler, parts.orphans, parts.routes):
            loop.stop()
        parts.xapp_http.stop(grace=min(2.0, drain))
        end = time.monotonic() + drain
        while any(worker.node.procedures_running for worker in parts.dispatcher.workers) and time.monotonic() < end:
            gevent.sleep(0.05)
        parts.notifier.stop(grace=max(0.0, min(1.0, end - time.monotonic())))
        if self._starting is not None:
            self._starting.kill()
        parts.dispatcher.stop()
        if parts.standby is not None:
            self._hand_over(parts.standby)
        if parts.mec is not None:
            parts.mec.stop()
        parts.platform_http.stop(grace=1.0)
        if parts.watcher is not None:
            parts.watcher.stop()
        parts.rmr.stop()
        parts.routing_manager.stop()
        parts.node_state.stop()
        if parts.probes.restored and parts.standby is None:
            parts.records.save_next_instance_id(parts.dispatcher.registry.ids.mark)
        parts.records.stop()
        parts.store.stop()
        if parts.tracing is not None:
            parts.tracing.stop()
        parts.journalling.stop()
        parts.health.stop()

    def _hand_over(self, standby: Standby) -> None:
        """Writes what waits, and gives the lease back."""
        parts = self.parts
        if parts.probes.restored and standby.may_send():
            parts.records.save_next_instance_id(parts.dispatcher.registry.ids.mark)
            with suppress(StoreError, gevent.Timeout), gevent.Timeout(HANDOVER):
                parts.records.flush()
        standby.stop()

    # --- what changes while the daemon runs

    def _connection_changed(self, meid: str, state: ConnectionState, again: bool) -> None:
        self.parts.journalling.node_states.changed(meid, state, again)
        if self.parts.live.current.controls.check_e2_state:
            self._tell_worker(meid, state)

    def _tell_worker(self, meid: str, state: ConnectionState) -> None:
        if state is ConnectionState.CONNECTED:
            self.parts.dispatcher.connection_changed(meid, True)
        elif state is not ConnectionState.UNKNOWN:
            # a node that R-NIB does not list (any more) keeps what it has: a lost database is no lost connection
            reason = "under reset" if state is ConnectionState.UNDER_RESET else ""
            self.parts.e2_termination.node_lost(meid)
            self.parts.dispatcher.connection_changed(meid, False, reason)

    def _settings_changed(self, old: Settings, new: Settings) -> None:
        parts = self.parts
        parts.logs.adjust(new.logger.level, new.logger.format)
        parts.dispatcher.apply_controls()
        if old.controls.check_e2_state != new.controls.check_e2_state:
            for worker in parts.dispatcher.workers:
                state = parts.nodes.state(worker.meid)
                if (state is ConnectionState.CONNECTED) is not worker.node.connected:
                    self._tell_worker(worker.meid, state)
