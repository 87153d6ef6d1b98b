# SPDX-License-Identifier: Apache-2.0
"""Loads records from the store: those of all nodes at the start, those of one node after its worker crashed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

import gevent

from submgr.adapters.records.loaded import Loaded
from submgr.adapters.records.namespaces import REST_NAMESPACE
from submgr.adapters.records.store import StoredRecords
from submgr.core.events import Restored
from submgr.core.handlers.recovery import by_node
from submgr.core.registry import Registry
from submgr.platform.garbage_collection import without_collections
from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import StoreError
from submgr.platform.store.loading import load_until_there
from submgr.platform.turns import in_turns
from submgr.settings.controls import Controls

log = logging.getLogger(__name__)

LOOK_INTERVAL = 0.01
"""Seconds between two looks whether the connection states have been read."""


class StartFailed(Exception):
    """The database did not answer within as many tries as the configuration allows."""


class NodeState(Protocol):
    def known(self) -> bool:
        """Whether the connection states of all nodes have been read."""


class ConnectedNodes(Protocol):
    def is_connected_now(self, meid: str) -> bool:
        """Whether the node is connected; its state is asked for anew before the answer is no."""


class RecordLoader:
    """Loads records and sorts them by their node.

    `controls` is called whenever a setting counts, since a reload can change it. `why_not` says in words why the
    records have not been loaded yet. `unreadable` is the number of records that could not be read at the start.
    """

    def __init__(
        self,
        records: StoredRecords,
        registry: Registry,
        node_state: NodeState,
        nodes: ConnectedNodes,
        controls: Callable[[], Controls],
    ) -> None:
        self.why_not = "not restored yet"
        self.unreadable = 0
        self.all_restored = False
        """Whether every record that could be read at the start has become a live subscription."""
        self._unread = Outage(log)
        self._records = records
        self._registry = registry
        self._node_state = node_state
        self._nodes = nodes
        self._controls = controls

    def load(self) -> Loaded:
        """The records, for the start. Waits for the database, a try a second. Raises StartFailed."""

        def load() -> Loaded:
            # a tenth less time, and nothing of it is looked at later: nearly all of it stays
            with without_collections():
                return self._records.load()

        return load_until_there(load, self._load_failed)

    def by_node(self, loaded: Loaded) -> dict[str, Restored]:
        """The records of each node by Meid, for the start. Waits for the connection states of the nodes."""
        while not self._node_state.known() and self._controls().check_e2_state:
            self.why_not = "the state of the E2 nodes has not been read yet"
            gevent.sleep(LOOK_INTERVAL)
        self._registry.ids.go_on_at(_next_instance_id(loaded))
        self.unreadable = len(loaded.unreadable)
        for unreadable in loaded.unreadable:
            if unreadable.instance_id is not None:
                self._registry.ids.claim(unreadable.instance_id, None)
        if not self._controls().read_subs_from_db:
            log.warning("readSubsFromDb is false: %d E2 subscriptions are not restored", len(loaded.e2))
            return {}
        self.all_restored = True
        log.info(
            "restoring", extra={"e2": len(loaded.e2), "rest": len(loaded.rest), "unreadable": len(loaded.unreadable)}
        )
        return self._by_node(loaded)

    def _load_failed(self, failed: StoreError, tries: int) -> None:
        controls = self._controls()
        self.why_not = f"the database could not be read: {failed}"
        if not controls.db_retry_forever and tries >= controls.db_try_count:
            raise StartFailed(f"{self.why_not} ({tries} tries)") from failed
        if tries == 1:
            log.error("%s; trying every second", self.why_not)

    def load_node(self, meid: str) -> Restored:
        """The records of one node, once the store has tried every write handed over before. Waits for the database."""

        def load() -> Restored:
            self._records.flush()
            return self._by_node(self._records.load()).get(meid) or self._nothing_of(meid)

        def failed(error: StoreError, tries: int) -> None:
            self._unread.goes_on(f"records of {meid} could not be read, trying every second: {error}")

        return load_until_there(load, failed)

    def _nothing_of(self, meid: str) -> Restored:
        return Restored((), (), (), self._nodes.is_connected_now(meid))

    def _by_node(self, loaded: Loaded) -> dict[str, Restored]:
        spared = frozenset(u.key for u in loaded.unreadable if u.namespace == REST_NAMESPACE)
        e2, rest, removals = in_turns(loaded.e2), in_turns(loaded.rest), in_turns(loaded.removals)
        return by_node(e2, rest, removals, self._nodes.is_connected_now, spared)


def _next_instance_id(loaded: Loaded) -> int:
    """The mark from which instance ids are given out: as stored, else after the largest id that is found in use."""
    if loaded.next_instance_id is not None:
        return loaded.next_instance_id
    found = [record.instance_id for record in loaded.e2]
    found += [removal.instance_id for removal in loaded.removals]
    found += [unreadable.instance_id for unreadable in loaded.unreadable if unreadable.instance_id is not None]
    return max(found, default=0) + 1
