# SPDX-License-Identifier: Apache-2.0
"""Removals of a node: what could not be undone of E2 subscriptions that are gone, and the ids that are not free yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from submgr.core.commands import Command, EraseRemoval, SaveRemoval
from submgr.core.model import Removal
from submgr.core.registry import Registry
from submgr.core.timers import removal_delay

LIFE, ROUTE, RECORD = 1, 2, 4
"""Why an instance id is pinned, which are added up: its subscription lives, a route may be left, its record is being
erased."""


class Removals:
    """By instance id. An id is pinned while a reason holds, and goes back to the registry with the last one."""

    def __init__(self, registry: Registry, emit: Callable[[Command], None]) -> None:
        self._registry = registry
        self._emit = emit
        self._removals: dict[int, Removal] = {}
        self._pins: dict[int, int] = {}
        self._erasing: dict[int, int] = {}
        self._failures: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._removals)

    def __iter__(self) -> Iterator[Removal]:
        return iter(self._removals.values())

    def get(self, instance_id: int) -> Removal | None:
        return self._removals.get(instance_id)

    @property
    def pinned(self) -> bool:
        """Is there an id that is not free yet?"""
        return bool(self._pins)

    # --- pins

    def pin(self, instance_id: int, reason: int) -> None:
        self._pins[instance_id] = self._pins.get(instance_id, 0) | reason

    def unpin(self, instance_id: int, reason: int, doubtful: bool = False) -> None:
        """`doubtful`: something of the subscription may be left all the same."""
        reasons = self._pins.get(instance_id)
        if reasons is None:
            return
        self._pins[instance_id] = reasons & ~reason
        if not self._pins[instance_id]:
            del self._pins[instance_id]
            removal = self._removals.get(instance_id)
            doubtful = doubtful or (removal is not None and removal.node_delete)
            self._registry.ids.release(instance_id, doubtful)

    def pin_until_saved(self, instance_id: int, step: int) -> None:
        """The record of this id is being erased by this step; the id is not free before the store has said so."""
        self.pin(instance_id, RECORD)
        self._erasing[step] = instance_id

    def saved(self, step: int) -> None:
        """The store has done what it was asked in this step."""
        instance_id = self._erasing.pop(step, None)
        if instance_id is not None:
            self.unpin(instance_id, RECORD)

    # --- what is left to be undone

    def restore(self, removal: Removal) -> None:
        """Takes a removal that was found in the store."""
        self._removals[removal.instance_id] = removal
        if removal.routes:
            self._registry.ids.claim(removal.instance_id, removal.meid)
            self.pin(removal.instance_id, ROUTE)
        elif removal.node_delete:
            self._registry.ids.doubt(removal.instance_id)

    def leave(self, removal: Removal, step: int, unsent: bool) -> float | None:
        """Keeps what is left of a subscription that goes; the write is answered under `step`.

        `unsent`: its delete never left for the E2 node. Returns the seconds after which the rest is tried again; None:
        not before the E2 node is connected anew.
        """
        self._removals[removal.instance_id] = removal
        self._emit(SaveRemoval(removal, step))
        if removal.routes:
            self.pin(removal.instance_id, ROUTE)
        return removal_delay(1) if removal.routes or unsent else None

    def update(self, left: Removal, unsent: bool, doubtful: bool = False) -> float | None:
        """Keeps what is still left after a cleanup, if anything; returns as `leave` does.

        `doubtful`: its routes have been given up, although the Routing Manager never confirmed that they are gone.
        """
        instance_id = left.instance_id
        if instance_id not in self._removals:
            return None
        if not left.routes and not left.node_delete:
            self.drop(instance_id, doubtful)
            return None
        if left != self._removals[instance_id]:
            self._removals[instance_id] = left
            self._emit(SaveRemoval(left))
        if not left.routes:
            self.unpin(instance_id, ROUTE)
        if not left.routes and not unsent:
            return None
        failures = self._failures[instance_id] = self._failures.get(instance_id, 1) + 1
        return removal_delay(failures)

    def confirmed(self, instance_id: int) -> None:
        """The E2 node has confirmed the delete after all: the id is not doubtful any more."""
        removal = self._removals.get(instance_id)
        if removal is not None:
            self._removals[instance_id] = replace(removal, node_delete=False)

    def drop(self, instance_id: int, doubtful: bool = False) -> None:
        """Forgets what is left of this id, if anything, here and in the store; `doubtful` as for `update`."""
        removal = self._removals.pop(instance_id, None)
        if removal is None:
            return
        self._failures.pop(instance_id, None)
        self._emit(EraseRemoval(removal.meid, instance_id))
        self.unpin(instance_id, ROUTE, doubtful)
