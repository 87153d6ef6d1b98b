# SPDX-License-Identifier: Apache-2.0
"""The dispatcher: from a Meid to its worker. It takes E2AP messages, E2 connection states and the service's requests.

An answer that no worker waits for ends here, so that a worker's inbox stays short whatever arrives.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable

import gevent

from submgr.core import events as e
from submgr.core.commands import Ignored, Odd
from submgr.core.controls import Controls
from submgr.core.handlers import crash
from submgr.core.node import Node
from submgr.core.registry import Registry
from submgr.core.requesters import Requester
from submgr.e2ap.messages import Cause, SubscriptionDeleteRequired
from submgr.platform.turns import Budget, in_turns
from submgr.runtime.worker import Ports, Worker

log = logging.getLogger(__name__)

STUCK = 5.0
"""Seconds after which a worker that works without a pause counts as stuck."""
CRASHES = 5
CRASH_WINDOW = 60.0
"""Seconds. CRASHES workers that crash within them end the process: it is beyond repair from inside."""


class Dispatcher:
    """Workers by Meid: made when first needed, gone when nothing is known of their node.

    `connected(meid)` tells whether this node is connected now. `reload(meid)` returns its records from the store, and
    blocks until they could be read. `broken` ends the process. `crashed(meid)` is told of a worker that ended by a bug.
    """

    def __init__(
        self,
        registry: Registry,
        ports: Ports,
        controls: Callable[[], Controls],
        connected: Callable[[str], bool],
        reload: Callable[[str], e.Restored],
        broken: Callable[[str], None],
        crashed: Callable[[str], None],
    ) -> None:
        self.registry = registry
        self._ports = ports
        self._controls = controls
        self._connected = connected
        self._reload = reload
        self._broken = broken
        self._tell_crash = crashed
        self._workers: dict[str, Worker] = {}
        self._crashes: deque[float] = deque(maxlen=CRASHES)

    @property
    def workers(self) -> Iterable[Worker]:
        return list(self._workers.values())

    def node(self, meid: str) -> Node | None:
        worker = self._workers.get(meid)
        return worker.node if worker is not None else None

    def post(self, meid: str, event: e.Event) -> None:
        """Gives an event to the worker of this node, which is made if there is none."""
        worker = self._workers.get(meid)
        if worker is None:
            worker = self._begin(meid)
        worker.post(event)

    def restore(self, parts: dict[str, e.Restored]) -> None:
        """Gives each node its records, at the start. Returns when all of them are live subscriptions."""
        # known from now on: what is posted to them waits
        workers = [self._make(meid) for meid in parts]
        budget = Budget()
        for meid, restored in parts.items():
            # also those of a node that meets a bug over it, and is read anew while others go on
            for record in in_turns(restored.e2, budget):
                self.registry.ids.claim(record.instance_id, meid)
        for worker in in_turns(workers):
            worker.start((parts[worker.meid],))
            worker.begun.wait()

    def apply_controls(self) -> None:
        """The configuration has changed: new procedures see it."""
        for worker in self._workers.values():
            worker.node.controls = self._controls()

    def connection_changed(self, meid: str, connected: bool, reason: str = "") -> None:
        """R-NIB says that this node's connection is up, or why it is not."""
        worker = self._workers.get(meid)
        if worker is not None:
            worker.post(e.NodeConnected() if connected else e.NodeLost(reason))

    def stuck(self) -> list[str]:
        """Returns, in words, the workers that have worked without a pause for too long."""
        now = self._ports.clock()
        return [
            f"worker of {worker.meid} has been busy for {now - worker.busy_since:.0f} s"
            for worker in self._workers.values()
            if worker.busy_since is not None and now - worker.busy_since > STUCK
        ]

    @property
    def settled(self) -> bool:
        """Whether every worker has the subscriptions of its node: none is being started anew after a crash."""
        return all(worker.begun.is_set() for worker in self._workers.values())

    def stop(self) -> None:
        for worker in self._workers.values():
            worker.stop()

    # --- E2AP from the E2 Termination

    def answered(self, meid: str, event: e.Event, instance_id: int) -> None:
        """Takes an answer of an E2 node. Without a Meid it is matched by its instance id alone."""
        owner = self.registry.ids.owner(instance_id)
        worker = self._workers.get(meid or owner or "") or self._waiting_for(meid, instance_id)
        if meid and owner not in (None, meid) and not (worker is not None and worker.node.awaits(instance_id)):
            self._ignore(meid, Odd.FOREIGN_MEID, f"{type(event).__name__} for instance {instance_id} of {owner}", event)
        elif worker is None:
            self._ignore(meid, Odd.UNKNOWN_INSTANCE, f"{type(event).__name__} for instance {instance_id}", event)
        else:
            worker.post(event)

    def _waiting_for(self, meid: str, instance_id: int) -> Worker | None:
        """A delete that is sent once more has an instance id that is free, or another node's, by now."""
        if meid:
            return None
        return next((worker for worker in self._workers.values() if worker.node.awaits(instance_id)), None)

    def delete_required(self, meid: str, event: SubscriptionDeleteRequired) -> None:
        """Without a Meid, each subscription in it is taken for one of the node that has its instance id."""
        if event.unreadable:
            self._ignore(meid, Odd.UNDECODABLE, f"{event.unreadable} items of a delete required")
        worker = self._workers.get(meid)
        if worker is not None:
            worker.post(event)
            return
        found: dict[tuple[str, Cause], list[int]] = {}
        for item in event.items:
            owner = None if meid else self.registry.ids.owner(item.request_id.instance)
            if owner in self._workers:
                found.setdefault((owner, item.cause), []).append(item.request_id.instance)
        if found:
            self._ports.observer.saw(meid, event, [])
        else:
            self._ignore(meid, Odd.UNKNOWN_INSTANCE, f"delete required for {len(event.items)} instances", event)
        for (owner, cause), instance_ids in found.items():
            self._workers[owner].post(e.Revoke(tuple(instance_ids), cause))

    def undecodable(self, meid: str, instance_id: int, message: str) -> None:
        worker = self._workers.get(meid or self.registry.ids.owner(instance_id) or "")
        if worker is None:
            self._ignore(meid, Odd.UNDECODABLE, message)
        else:
            worker.post(e.Undecodable(instance_id, message))

    def _ignore(self, meid: str, kind: Odd, what: str, event: e.Event | None = None) -> None:
        self._ports.observer.saw(meid, event, [Ignored(kind, what)])

    # --- workers

    def _begin(self, meid: str) -> Worker:
        worker = self._make(meid)
        worker.start()
        return worker

    def _make(self, meid: str) -> Worker:
        node = Node(meid, self.registry, self._controls(), self._connected(meid))
        worker = self._workers[meid] = Worker(node, self._ports, self._retire, self._crashed)
        return worker

    def _retire(self, worker: Worker) -> bool:
        if worker.inbox_depth or self._workers.get(worker.meid) is not worker:
            return False
        del self._workers[worker.meid]
        return True

    def _crashed(self, worker: Worker, bug: Exception) -> None:
        """Starts a fresh worker from the stored records; whoever waits for the crashed one is told that it failed."""
        meid = worker.meid
        self._tell_crash(meid)
        log.error("worker of E2 node %s ended by a bug, starting it anew", meid, exc_info=bug)
        now = self._ports.clock()
        self._crashes.append(now)
        if len(self._crashes) == CRASHES and now - self._crashes[0] < CRASH_WINDOW:
            self._broken(f"{CRASHES} workers ended by a bug within {CRASH_WINDOW:.0f} s")
            return
        started = worker.node.started()
        fresh = Worker(Node(meid, self.registry, self._controls(), False), self._ports, self._retire, self._crashed)
        self._workers[meid] = fresh
        for event in worker.undelivered():
            fresh.post(event)
        gevent.spawn(self._recover, fresh, started)
        # last, since the bug may be in the state that this reads: the node is made anew all the same
        worker.perform(worker.node.answer_waiting())

    def _recover(self, fresh: Worker, started: Iterable[Requester]) -> None:
        """The requesters whose work had `started` are told how it ended, which the records say."""
        try:
            restored = self._reload(fresh.meid)
            if self._workers.get(fresh.meid) is fresh:
                fresh.perform(crash.recover(self.registry, fresh.meid, restored, started))
                fresh.start((restored,))
        except Exception as bug:
            log.exception("the worker of E2 node %s cannot be started anew", fresh.meid)
            self._broken(f"the worker of E2 node {fresh.meid} cannot be started anew: {bug!r}")
