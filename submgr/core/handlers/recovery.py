# SPDX-License-Identifier: Apache-2.0
"""From records to live subscriptions at a start. The E2 record is the truth; a REST record's map is rebuilt from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from submgr.core import failures
from submgr.core.commands import EraseRemoval, Note, Noted, Notify, SaveE2
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import Restored
from submgr.core.handlers.rest import RestSubscription, leave_all
from submgr.core.jobs import CleanupJob, RemoveJob, RestoreJob, SyncRoutesJob
from submgr.core.model import (
    ClientEndpoint,
    E2Record,
    Holder,
    HolderKey,
    Removal,
    RestHolder,
    RestRecord,
    RmrHolder,
)
from submgr.core.procedures.base import Lost
from submgr.core.slices import paced

if TYPE_CHECKING:
    from submgr.core.node import Node

References = dict[int, list[tuple[RestRecord, int]]]
"""Instance id to the REST records, and XappEventInstanceIds, that name it."""


def by_node(
    e2: Iterable[E2Record],
    rest: Iterable[RestRecord],
    removals: Iterable[Removal],
    connected: Callable[[str], bool],
    spared: frozenset[str] = frozenset(),
) -> dict[str, Restored]:
    """The records of each node, by Meid; see `Restored` for `spared`."""
    parts: dict[str, tuple[list[E2Record], list[RestRecord], list[Removal]]] = defaultdict(lambda: ([], [], []))
    for record in e2:
        parts[record.meid][0].append(record)
    for rest_record in rest:
        parts[rest_record.meid][1].append(rest_record)
    for removal in removals:
        parts[removal.meid][2].append(removal)
    return {meid: Restored(tuple(a), tuple(b), tuple(c), connected(meid), spared) for meid, (a, b, c) in parts.items()}


def untold(event: Restored) -> set[HolderKey]:
    """Whom `restore` tells of their subscriptions."""
    return {h.key for record in event.e2 if record.completed for h in record.holders or () if not h.notified}


def restore(node: Node, event: Restored, now: float) -> Iterator[None]:
    """Uncompleted subscriptions are undone, completed ones stay; accepted deletes and removals go on."""
    node.connected = event.connected
    node.stale = not event.connected
    references: References = {}
    for pause, record in paced(event.rest):
        _add_rest(node, record)
        for xapp_event_instance_id, instance_id in record.instances:
            references.setdefault(instance_id, []).append((record, xapp_event_instance_id))
        if pause:
            yield
    yield from _add_removals(node, event)
    for pause, e2_record in paced(event.e2):
        _add_e2(node, e2_record, references.get(e2_record.instance_id, []), event.spared)
        if pause:
            yield
    for pause, rest in paced(list(node.rests.values())):
        if rest.deleting:
            rest.withdrawn = True
            leave_all(node, rest)
        if pause:
            yield
    for pause, record in paced(event.rest):
        restored = node.rests.get(record.subscription_id)
        if restored is not None and not restored.deleting and restored.record() != record:
            node.save_rest(restored)
        if pause:
            yield


def _add_removals(node: Node, event: Restored) -> Iterator[None]:
    stored = {record.instance_id for record in event.e2}
    for pause, removal in paced(event.removals):
        if removal.instance_id in stored:
            # the end came between two writes: what is still recorded goes as a whole, or the id was in use again
            node.emit(EraseRemoval(node.meid, removal.instance_id))
        else:
            _add_removal(node, removal)
        if pause:
            yield


def _add_rest(node: Node, record: RestRecord) -> None:
    endpoint = ClientEndpoint(record.host, record.http_port or 0, record.rmr.port)
    rest = RestSubscription(record.subscription_id, record.created, endpoint, record.meid)
    rest.digests = record.digests
    rest.deleting = record.delete_ongoing
    node.add_rest(rest)
    if rest.deleting:
        node.registry.nodes.pop(rest.subscription_id, None)
    else:
        node.index_digests(rest)


def _add_removal(node: Node, removal: Removal) -> None:
    node.removals[removal.instance_id] = removal
    if removal.routes:
        node.registry.ids.claim(removal.instance_id, node.meid)
        node.pin(removal.instance_id, "route")
    elif removal.node_delete:
        node.registry.ids.doubt(removal.instance_id)
    if removal.node_delete:
        node.emit(Noted(Note.UNCONFIRMED_DELETE))
    node.enqueue(CleanupJob(removal.instance_id, at_node=node.connected))


def _holders(record: E2Record, references: list[tuple[RestRecord, int]]) -> tuple[Holder, ...]:
    """As stored; a record of another implementation is held by the REST records that name it, else by its endpoints."""
    if record.holders is not None:
        return record.holders
    if references:
        return tuple(
            Holder(RestHolder(rest.subscription_id, xei), rest.rmr, rest.rmr in record.endpoints and rest.rmr.port > 0)
            for rest, xei in references
        )
    return tuple(
        Holder(RmrHolder(endpoint, record.xapp_requestor_id), endpoint, endpoint.port > 0)
        for endpoint in record.endpoints
    )


def _add_e2(node: Node, record: E2Record, references: list[tuple[RestRecord, int]], spared: frozenset[str]) -> None:
    known = _holders(record, references)
    alive = tuple(h for h in known if _is_alive(node, h, spared))
    key = record.content.key()
    sub = E2Subscription(
        record.instance_id,
        node.meid,
        record.requestor_id,
        record.content,
        key,
        key if record.content.mergeable or not known else (alive or known)[0].key,
        record.xapp_requestor_id,
        alive,
    )
    sub.admitted, sub.not_admitted = record.admitted, record.not_admitted
    if record.policy_update and sub.admitted is None:
        sub.admitted = ()
    sub.policy_update, sub.restore_pending = record.policy_update, record.restore_pending
    routed = tuple(endpoint for endpoint in record.endpoints if endpoint.port)
    sub.routes = routed if record.routes is None else record.routes
    node.registry.ids.claim(record.instance_id, node.meid)
    node.add_subscription(sub)
    if sub.admitted is None or not alive:
        # cut by the end of the last run: undone silently
        sub.routes = tuple(dict.fromkeys((*sub.routes, *(h.endpoint for h in known if h.routed and h.endpoint.port))))
        node.enqueue(RemoveJob(sub, at_node=True))
        return
    # completed, but nobody was told yet, and its node is not connected any more
    if not node.connected and not any(h.notified for h in alive):
        node.tell_holders(sub, failures.e2_down(Lost("")))
        node.enqueue(RemoveJob(sub, at_node=False))
        return
    node.established(sub)
    for holder in alive:
        rest = node.rests.get(holder.key.subscription_id) if isinstance(holder.key, RestHolder) else None
        if rest is not None and isinstance(holder.key, RestHolder):
            rest.instances[holder.key.xapp_event_instance_id] = sub.instance_id
    if len(alive) != len(known):
        node.emit(SaveE2(sub.record()))
    sub.routes_unsure = record.routes_unsure and bool(sub.wanted_routes)
    if sub.routes_differ:
        node.enqueue(SyncRoutesJob(sub))
    if sub.restore_pending and node.connected:
        node.enqueue(RestoreJob(sub))
    _tell_untold(node, sub)


def _is_alive(node: Node, holder: Holder, spared: frozenset[str]) -> bool:
    key = holder.key
    return not isinstance(key, RestHolder) or key.subscription_id in node.rests or key.subscription_id in spared


def _tell_untold(node: Node, sub: E2Subscription) -> None:
    """Completed, but its xApp may not know."""
    for holder in list(sub.holders.values()):
        if holder.notified:
            continue
        if isinstance(holder.key, RmrHolder):
            node.mark_told(sub, holder.key)
            continue
        rest = node.rests.get(holder.key.subscription_id)
        if rest is None or rest.deleting or not rest.endpoint.http_port:
            continue
        node.registry.places.take(rest.endpoint.http)
        node.emit(
            Notify(
                rest.subscription_id,
                rest.endpoint,
                holder.key.xapp_event_instance_id,
                sub.instance_id,
                not_admitted=sub.not_admitted,
            )
        )
