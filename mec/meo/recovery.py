# SPDX-License-Identifier: Apache-2.0
"""Reads the store at the start, and finishes or undoes what the last run left half done."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from mec.common.records import left_to_the_store
from mec.meo.model import Context, Pair, Site
from mec.meo.notifications import Notifier, superseded
from mec.meo.optimiser import Optimiser
from mec.meo.records import (
    APPS,
    CONTEXTS,
    PLATFORMS,
    BadRecord,
    Notification,
    StoredPlatform,
    decode_app,
    decode_context,
    decode_deployment,
    decode_notification,
    decode_pair,
    decode_platform,
    is_context,
    is_deployment,
    is_notification,
    is_pair,
    pair_key,
)
from mec.meo.service import Meo
from submgr.platform.store.base import Change, Store

log = logging.getLogger(__name__)

_T = TypeVar("_T")


def recover(meo: Meo, store: Store, optimiser: Optimiser, notifier: Notifier) -> None:
    """Reads everything and takes it up. Raises StoreError when the store is away; it may be called again then."""
    stored_apps, stored_platforms, stored = store.read_all(APPS), store.read_all(PLATFORMS), store.read_all(CONTEXTS)
    reader = _Reader()
    for app in reader.read(APPS, stored_apps, decode_app):
        meo.state.put_app(app)
    for platform in reader.read(PLATFORMS, stored_platforms, decode_platform):
        _take_platform(meo, platform)
    contexts = {key: value for key, value in stored.items() if is_context(key)}
    pairs = set(reader.read(CONTEXTS, {key: stored[key] for key in stored if is_pair(key)}, decode_pair))
    for context in reader.read(CONTEXTS, contexts, decode_context):
        _take_context(meo, optimiser, reader, context, pairs)
    notices = {key: stored[key] for key in stored if is_notification(key)}
    waiting = _still_to_tell(meo, store, reader.read(CONTEXTS, notices, decode_notification), pairs)
    for pair in pairs:
        _take_journal(meo, store, pair)
    told = {key: stored[key] for key in stored if is_deployment(key)}
    for deployment in reader.read(CONTEXTS, told, decode_deployment):
        if not meo.deployments.remember(deployment):
            change = Change(CONTEXTS, remove=frozenset((deployment.store_key,)))
            store.submit(change, left_to_the_store, persistent=True)
    meo.metrics.unreadable.set(reader.unreadable)
    meo.inventory.ready = True
    _go_on(meo, optimiser, notifier, waiting)
    log.info(
        "orchestrator recovered",
        extra={
            "apps": len(meo.state.apps),
            "platforms": len(meo.state.platforms),
            "contexts": len(meo.state.contexts),
            "unfinished": len(pairs),
        },
    )


class _Reader:
    """Reads records. One that cannot be read stays in the store, and is logged and counted."""

    def __init__(self) -> None:
        self.unreadable = 0

    def read(self, namespace: str, values: Mapping[str, bytes], decode: Callable[[bytes], _T]) -> list[_T]:
        found = []
        for key, value in values.items():
            try:
                found.append(decode(value))
            except BadRecord as exc:
                self.leave(namespace, key, str(exc))
        return found

    def leave(self, namespace: str, key: str, why: str) -> None:
        self.unreadable += 1
        log.error("stored record left alone", extra={"namespace": namespace, "key": key, "why": why})


def _take_platform(meo: Meo, stored: StoredPlatform) -> None:
    name, kind = stored.platform.name, stored.platform.type
    meo.state.put_platform(stored.platform)
    now, wall = meo.clock(), meo.wall()
    site = Site(name, kind, withdrawn=stored.platform.withdrawn)
    ages = [wall - at for at in (stored.load_at, stored.key_at)]
    # of a time in the future nobody knows how long ago it was: as if it was never told
    meo.state.put_site(
        Site(
            name,
            kind,
            load=stored.load if ages[0] >= 0 else None,
            load_at=now - ages[0],
            key=stored.key if ages[1] >= 0 else None,
            key_at=now - ages[1],
            withdrawn=site.withdrawn,
        )
    )


def _take_context(meo: Meo, optimiser: Optimiser, reader: _Reader, context: Context, unfinished: set[Pair]) -> None:
    if context.app_key not in meo.state.apps or context.platform not in meo.state.platforms:
        reader.leave(CONTEXTS, context.id, f"{context.app_key} or {context.platform} is not known")
        return
    meo.state.put_context(context)
    meo.deployments.adopt(context.pair, journaled=context.pair in unfinished)
    if context.moved_at is not None:
        # after a clock that jumped back, not longer than from now on
        left = min(meo.settings.cooldown - (meo.wall() - context.moved_at), meo.settings.cooldown)
        if left > 0:
            optimiser.cool(context.id, left)


def _take_journal(meo: Meo, store: Store, pair: Pair) -> None:
    if meo.deployments.held(pair):
        return  # adopted with its contexts, or until their devices are told
    if pair.app_key in meo.state.apps and pair.platform in meo.state.platforms:
        meo.deployments.abandon(pair)
        return
    log.error(
        "cannot remove an application: it or its platform is not known",
        extra={"app": pair.app_key, "platform": pair.platform},
    )
    store.submit(Change(CONTEXTS, remove=frozenset((pair_key(pair),))), left_to_the_store, persistent=True)


def _still_to_tell(meo: Meo, store: Store, stored: list[Notification], unfinished: set[Pair]) -> list[Notification]:
    """The stored notifications without those of moves that are no longer the latest, which are removed.

    What the others' contexts have left stays held until their devices are told, as before the restart.
    """
    waiting = []
    for notification in stored:
        if superseded(notification, meo.state.contexts.get(notification.context_id)):
            change = Change(CONTEXTS, remove=frozenset((notification.store_key,)))
            store.submit(change, left_to_the_store, persistent=True)
            continue
        origin = notification.origin
        if origin is not None and origin.app_key in meo.state.apps and origin.platform in meo.state.platforms:
            meo.deployments.await_notice(origin, journaled=origin in unfinished)
            waiting.append(notification)
        else:  # nothing is known there that could be removed
            waiting.append(replace(notification, origin=None))
    return waiting


def _go_on(meo: Meo, optimiser: Optimiser, notifier: Notifier, waiting: list[Notification]) -> None:
    """Withdrawals and notifications that were under way."""
    for notification in waiting:
        notifier.post(notification)
    for platform in list(meo.state.platforms.values()):
        if platform.withdrawn:
            optimiser.evacuate(platform.name)
    for app in list(meo.state.apps.values()):
        meo.inventory.sweep_app(app.key)
