# SPDX-License-Identifier: Apache-2.0
"""What a crashed worker still owes: nobody waits for ever because of a bug in the work on one E2 node.

A crash is dealt with in two steps. At once, whatever had not started is answered as failed. When the node's records
have been read again, those whose work had started are told how it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from submgr.core import failures
from submgr.core.commands import Command
from submgr.core.context import NodeContext
from submgr.core.events import Restored
from submgr.core.handlers import recovery
from submgr.core.jobs import SubscribeJob
from submgr.core.registry import Registry
from submgr.core.requesters import Requester, RestRequester


def answer_waiting(node: NodeContext) -> list[Command]:
    """Returns the answers to all REST requests that wait, and to the requesters whose work had not started."""
    reason = failures.INTERNAL.cause
    pending = dict.fromkeys((*node.pending_posts.values(), *node.pending_deletes.values()))
    commands = [command for request in pending for command in request.owed(reason)]
    for requester, started in _untold(node):
        if not started:
            commands += _failed(requester)
    return commands


def started(node: NodeContext) -> list[Requester]:
    """Returns the requesters whose work had started and who have not been told how it ended."""
    return [requester for requester, has_started in _untold(node) if has_started]


def _untold(node: NodeContext) -> Iterator[tuple[Requester, bool]]:
    for entry in node.queue:
        if isinstance(entry.job, SubscribeJob) and not entry.job.requester.told:
            yield entry.job.requester, entry.procedure is not None


def _failed(requester: Requester) -> list[Command]:
    """An RMR xApp is not answered: it has its own timer."""
    return [requester.failure(failures.INTERNAL)] if isinstance(requester, RestRequester) else []


def recover(registry: Registry, meid: str, restored: Restored, started: Iterable[Requester]) -> list[Command]:
    """Frees what the crashed worker of this node held in the registry and no record holds any more.

    Returns what tells those whose work had started that it failed, unless the restore will tell them of a success.
    """
    kept = {record.instance_id for record in restored.e2} | {removal.instance_id for removal in restored.removals}
    for instance_id in registry.ids.owned_by(meid):
        if instance_id not in kept:
            registry.ids.release(instance_id)
    known = {record.subscription_id for record in restored.rest if not record.delete_ongoing}
    for subscription_id in [i for i, owner in registry.meids.items() if owner == meid]:
        if subscription_id not in known:
            del registry.meids[subscription_id]
    untold = recovery.untold(restored)
    commands: list[Command] = []
    for requester in started:
        if requester.holder_key not in untold:
            commands += _failed(requester)
        elif isinstance(requester, RestRequester):
            # the restore takes quota of its own for the notification
            registry.quota.release(requester.rest.endpoint.http)
    return commands
