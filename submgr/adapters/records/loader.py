# SPDX-License-Identifier: Apache-2.0
"""Reading the records back: at the start, and of one node whose worker ended by a bug."""

from __future__ import annotations

import logging
from typing import Protocol

import gevent

from submgr.adapters.records.store import REST_NAMESPACE, Loaded, StoredRecords
from submgr.core.events import Restored
from submgr.core.handlers.recovery import by_node
from submgr.core.registry import Registry
from submgr.platform.store.base import StoreError
from submgr.platform.turns import in_turns
from submgr.settings.model import LiveSettings

log = logging.getLogger(__name__)

AGAIN = 1.0
"""Seconds between two tries while the database is away."""


class StartFailed(Exception):
    """The database did not come in as many tries as the configuration allows."""


class NodeKnowledge(Protocol):
    def known(self) -> bool: ...


class Connected(Protocol):
    def is_connected(self, meid: str) -> bool: ...


class Restorer:
    """`why_not`: in words, why it has not been done yet."""

    def __init__(
        self,
        records: StoredRecords,
        registry: Registry,
        node_state: NodeKnowledge,
        nodes: Connected,
        live: LiveSettings,
    ) -> None:
        self.why_not = "not restored yet"
        self.unreadable = 0
        self._records = records
        self._registry = registry
        self._node_state = node_state
        self._nodes = nodes
        self._live = live

    def restore(self) -> dict[str, Restored]:
        """Wait for the database, a try a second; then the records of each node, by Meid. Raises StartFailed."""
        loaded = self._load_until_there()
        while not self._node_state.known() and self._live.current.controls.check_e2_state:
            self.why_not = "the state of the E2 nodes has not been read yet"
            gevent.sleep(AGAIN / 10)
        self.unreadable = len(loaded.unreadable)
        for unreadable in loaded.unreadable:
            if unreadable.instance_id is not None:
                self._registry.ids.claim(unreadable.instance_id, None)
        if not self._live.current.controls.read_subs_from_db:
            log.warning("readSubsFromDb is false: %d E2 subscriptions are not restored", len(loaded.e2))
            return {}
        log.info(
            "restoring", extra={"e2": len(loaded.e2), "rest": len(loaded.rest), "unreadable": len(loaded.unreadable)}
        )
        return self._parts(loaded)

    def _load_until_there(self) -> Loaded:
        tries = 0
        while True:
            try:
                return self._records.load()
            except StoreError as failed:
                tries += 1
                controls = self._live.current.controls
                self.why_not = f"the database could not be read: {failed}"
                if not controls.db_retry_forever and tries >= controls.db_try_count:
                    raise StartFailed(f"{self.why_not} ({tries} tries)") from failed
                if tries == 1:
                    log.error("%s; trying every second", self.why_not)
                gevent.sleep(AGAIN)

    def reload(self, meid: str) -> Restored:
        """What is stored of one node, once everything that waits to be written has been."""
        while True:
            try:
                self._records.flush()
                return self._parts(self._records.load()).get(meid) or self._nothing_of(meid)
            except StoreError as failed:
                log.error("records of %s could not be read, trying again: %s", meid, failed)
                gevent.sleep(AGAIN)

    def _nothing_of(self, meid: str) -> Restored:
        return Restored((), (), (), self._nodes.is_connected(meid))

    def _parts(self, loaded: Loaded) -> dict[str, Restored]:
        spared = frozenset(u.key for u in loaded.unreadable if u.namespace == REST_NAMESPACE)
        e2, rest, removals = in_turns(loaded.e2), in_turns(loaded.rest), in_turns(loaded.removals)
        return by_node(e2, rest, removals, self._nodes.is_connected, spared)
