# SPDX-License-Identifier: Apache-2.0
"""From records to live subscriptions: all of them at a start, those of one node after its worker crashed.

The E2 record is the truth; the map of a REST record is rebuilt from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from submgr.core import failures
from submgr.core.commands import EraseRemoval, Note, Noted, Notify, SaveE2
from submgr.core.context import NodeContext
from submgr.core.e2_subscription import E2Subscription
from submgr.core.events import Lost, Restored
from submgr.core.jobs import CleanupJob, RemoveJob, ResubscribeJob, RoutesJob
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
from submgr.core.procedures.withdrawal import leave_all
from submgr.core.rest_subscription import RestSubscription
from submgr.core.scheduler import Scheduler
from submgr.core.slices import in_slices

References = dict[int, list[tuple[RestRecord, int]]]
"""Instance id to the REST records, and XappEventInstanceIds, that name it."""


def by_node(
    e2: Iterable[E2Record],
    rest: Iterable[RestRecord],
    removals: Iterable[Removal],
    connected: Callable[[str], bool],
    spared: frozenset[str] = frozenset(),
) -> dict[str, Restored]:
    """Returns the records of each node, by Meid. `spared`: see `Restored`."""
    parts: dict[str, tuple[list[E2Record], list[RestRecord], list[Removal]]] = defaultdict(lambda: ([], [], []))
    for record in e2:
        parts[record.meid][0].append(record)
    for rest_record in rest:
        parts[rest_record.meid][1].append(rest_record)
    for removal in removals:
        parts[removal.meid][2].append(removal)
    return {meid: Restored(tuple(a), tuple(b), tuple(c), connected(meid), spared) for meid, (a, b, c) in parts.items()}


def untold(event: Restored) -> set[HolderKey]:
    """Returns the holders that `restore` tells of their subscriptions."""
    return {h.key for record in event.e2 if record.completed for h in record.holders or () if not h.notified}


def restore(scheduler: Scheduler, event: Restored, now: float) -> Iterator[None]:
    """Uncompleted subscriptions are undone, completed ones stay; accepted deletes and removals go on."""
    node = scheduler.node
    node.connected = event.connected
    node.stale = not event.connected
    references: References = {}
    for slice_complete, record in in_slices(event.rest):
        _add_rest(node, record)
        for xapp_event_instance_id, instance_id in record.instances:
            references.setdefault(instance_id, []).append((record, xapp_event_instance_id))
        if slice_complete:
            yield
    yield from _add_removals(node, event)
    for slice_complete, e2_record in in_slices(event.e2):
        _add_e2(node, e2_record, references.get(e2_record.instance_id, []), event.spared)
        if slice_complete:
            yield
    for slice_complete, rest in in_slices(list(node.subscriptions.rest.values())):
        if rest.deleting:
            rest.withdrawn = True
            leave_all(node, rest)
        if slice_complete:
            yield
    for slice_complete, record in in_slices(event.rest):
        restored = node.subscriptions.rest.get(record.subscription_id)
        if restored is not None and not restored.deleting and restored.record() != record:
            node.subscriptions.save_rest(restored)
        if slice_complete:
            yield


def _add_removals(node: NodeContext, event: Restored) -> Iterator[None]:
    stored = {record.instance_id for record in event.e2}
    for slice_complete, removal in in_slices(event.removals):
        if removal.instance_id in stored:
            # the end came between two writes: what is still recorded goes as a whole, or the id was in use again
            node.emit(EraseRemoval(node.meid, removal.instance_id))
        else:
            _add_removal(node, removal)
        if slice_complete:
            yield


def _add_rest(node: NodeContext, record: RestRecord) -> None:
    endpoint = ClientEndpoint(record.host, record.http_port or 0, record.rmr.port)
    rest = RestSubscription(record.subscription_id, record.created, endpoint, record.meid, record.owner)
    rest.digests = record.digests
    rest.deleting = record.delete_ongoing
    node.subscriptions.add_rest(rest)
    if rest.deleting:
        node.registry.meids.pop(rest.subscription_id, None)
    else:
        node.subscriptions.index_digests(rest)


def _add_removal(node: NodeContext, removal: Removal) -> None:
    node.removals.restore(removal)
    if removal.node_delete:
        node.emit(Noted(Note.UNCONFIRMED_DELETE))
    node.enqueue(CleanupJob(removal.instance_id, at_node=node.connected))


def _holders(record: E2Record, references: list[tuple[RestRecord, int]]) -> tuple[Holder, ...]:
    """Returns the holders as stored. A record of another implementation is held by the REST records that name it, else
    by its endpoints."""
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


def _add_e2(
    node: NodeContext, record: E2Record, references: list[tuple[RestRecord, int]], spared: frozenset[str]
) -> None:
    """Makes the record a live E2 subscription. `spared`: see `Restored`."""
    known = _holders(record, references)
    alive = tuple(holder for holder in known if _is_alive(node, holder, spared))
    sub = _subscription(node, record, known, alive)
    node.registry.ids.claim(record.instance_id, node.meid)
    node.subscriptions.add(sub)
    if sub.admitted is None or not alive:
        # the previous run ended before this subscription completed, or its holders are gone: undo it silently
        sub.routes = tuple(dict.fromkeys((*sub.routes, *(h.endpoint for h in known if h.routed and h.endpoint.port))))
        node.enqueue(RemoveJob(sub, at_node=True))
        return
    if not node.connected and not any(holder.notified for holder in alive):
        # completed, but nobody was told yet, and its node is not connected any more
        node.subscriptions.tell_holders(sub, failures.e2_down(Lost("")))
        node.enqueue(RemoveJob(sub, at_node=False))
        return
    _keep(node, sub)
    if len(alive) != len(known):
        node.emit(SaveE2(sub.record()))
    sub.routes_unsure = record.routes_unsure and bool(sub.wanted_routes)
    if sub.routes_differ:
        node.enqueue(RoutesJob(sub))
    if sub.restore_pending and node.connected:
        node.enqueue(ResubscribeJob(sub))
    _tell_untold(node, sub)


def _subscription(
    node: NodeContext, record: E2Record, known: tuple[Holder, ...], alive: tuple[Holder, ...]
) -> E2Subscription:
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
    return sub


def _keep(node: NodeContext, sub: E2Subscription) -> None:
    """The subscription stays as it was: its holders hold it."""
    node.subscriptions.established(sub)
    for key in sub.rest_holders():
        rest = node.subscriptions.rest.get(key.subscription_id)
        if rest is not None:
            rest.instances[key.xapp_event_instance_id] = sub.instance_id


def _is_alive(node: NodeContext, holder: Holder, spared: frozenset[str]) -> bool:
    """Is its REST subscription still there, or at least not known to be gone?"""
    key = holder.key
    if not isinstance(key, RestHolder):
        return True
    return key.subscription_id in node.subscriptions.rest or key.subscription_id in spared


def _tell_untold(node: NodeContext, sub: E2Subscription) -> None:
    """Tells holders that may not know that their subscription was completed."""
    for holder in list(sub.holders.values()):
        if holder.notified:
            continue
        if isinstance(holder.key, RmrHolder):
            node.subscriptions.mark_told(sub, holder.key)
            continue
        rest = node.subscriptions.rest.get(holder.key.subscription_id)
        if rest is None or rest.deleting or not rest.endpoint.http_port:
            continue
        node.registry.quota.take(rest.endpoint.http)
        node.emit(
            Notify(
                rest.subscription_id,
                rest.endpoint,
                holder.key.xapp_event_instance_id,
                sub.instance_id,
                not_admitted=sub.not_admitted,
            )
        )
