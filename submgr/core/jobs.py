# SPDX-License-Identifier: Apache-2.0
"""Kinds of work that queue at a node. A job decides what to do only when its turn has come: `plan`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from submgr.core import failures
from submgr.core.e2_subscription import E2Subscription, Life
from submgr.core.model import HolderKey, RmrHolder
from submgr.core.procedures.base import Lost, Procedure
from submgr.core.procedures.cleanup import Cleanup
from submgr.core.procedures.delete import Teardown
from submgr.core.procedures.policy_update import PolicyUpdate
from submgr.core.procedures.resubscribe import Restore
from submgr.core.procedures.routes import Join, RouteSync
from submgr.core.procedures.subscribe import Establish
from submgr.core.requesters import Claim
from submgr.e2ap.messages import ActionType

if TYPE_CHECKING:
    from submgr.core.node import Node


class Job(ABC):
    """`keys`: what it must not overlap with. `done` is called once, when it has ended or was dropped."""

    def __init__(self, keys: tuple[Hashable, ...], done: Callable[[], None] | None = None) -> None:
        self.keys = tuple(dict.fromkeys(keys))
        self.done = done
        self.order = 0
        self.has_slot = False
        self.has_place = False
        self.procedure: Procedure | None = None

    @abstractmethod
    def wants_slot(self, node: Node) -> bool:
        """Would it talk to the E2 node if it started now?"""

    @abstractmethod
    def plan(self, node: Node) -> Procedure | None:
        """What is to be done now; None: nothing (any more)."""


class SubscribeJob(Job):
    """A claim: becomes a new subscription, a merge, a policy update, or nothing but a notification."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(claim.keys)
        self.claim = claim

    def wants_slot(self, node: Node) -> bool:
        if not node.connected:
            return False
        held = node.held_by(self.claim.holder_key, self.claim.content)
        if held is not None:
            return self.claim.content.action_type is ActionType.POLICY
        return not self.claim.content.mergeable or node.partner(self.claim.key) is None

    def plan(self, node: Node) -> Procedure | None:
        claim = self.claim
        if not node.connected:
            claim.tell_failure(node, failures.e2_down(Lost(node.lost_because)))
            return None
        held = node.held_by(claim.holder_key, claim.content)
        if held is not None:
            return self._again(node, held)
        if claim.content.mergeable:
            partner = node.partner(claim.key)
            if partner is not None:
                return Join(node, claim, partner)
        sub = node.new_subscription(claim)
        if sub is None:
            claim.tell_failure(node, failures.NO_INSTANCE_ID)
            return None
        return Establish(node, claim, sub)

    def _again(self, node: Node, held: E2Subscription) -> Procedure | None:
        """This holder has a subscription already: a POLICY is updated, an equal one is just told again."""
        claim = self.claim
        if claim.content.action_type is ActionType.POLICY and held.content.action_type is ActionType.POLICY:
            return PolicyUpdate(node, claim, held)
        if held.key != claim.key:
            claim.tell_failure(node, failures.CHANGED_MEANWHILE)
            return None
        known, now = held.holders[claim.holder_key], claim.holder()
        if (known.endpoint, known.routed) != (now.endpoint, now.routed):
            return Join(node, claim, held)
        node.hold(claim, held)
        claim.tell_success(node, held)
        return None


class LeaveJob(Job):
    """A holder leaves; the last one takes the subscription with it."""

    def __init__(self, keys: tuple[Hashable, ...], holder: HolderKey, done: Callable[[], None]) -> None:
        super().__init__(keys, done)
        self.holder = holder

    def _subscription(self, node: Node) -> E2Subscription | None:
        return node.holding.get(self.holder)

    def wants_slot(self, node: Node) -> bool:
        sub = self._subscription(node)
        return sub is not None and len(sub.holders) == 1 and node.connected

    def plan(self, node: Node) -> Procedure | None:
        sub = self._subscription(node)
        if sub is None:
            return None
        if len(sub.holders) == 1:
            return Teardown(node, sub, at_node=True)
        endpoint = sub.holders[self.holder].endpoint
        node.release(self.holder, sub)
        return RouteSync(node, sub, endpoint not in sub.endpoints, save_first=isinstance(self.holder, RmrHolder))


class LeaveRmrJob(LeaveJob):
    """The same for an RMR xApp, which names the instance: one requestor may hold several."""

    def __init__(
        self, keys: tuple[Hashable, ...], holder: HolderKey, instance_id: int, done: Callable[[], None]
    ) -> None:
        super().__init__(keys, holder, done)
        self.instance_id = instance_id

    def _subscription(self, node: Node) -> E2Subscription | None:
        sub = node.subs.get(self.instance_id)
        return sub if sub is not None and self.holder in sub.holders else None


class SubscriptionJob(Job):
    """Work on one established subscription; nothing to do when it has gone meanwhile."""

    def __init__(self, sub: E2Subscription) -> None:
        super().__init__((sub.line,))
        self.sub = sub

    def alive(self, node: Node) -> bool:
        return node.subs.get(self.sub.instance_id) is self.sub and self.sub.life is Life.ESTABLISHED


class RemoveJob(SubscriptionJob):
    """All of it goes, whoever holds it: the E2 node or an operator asked for it, or the node has lost it."""

    def __init__(self, sub: E2Subscription, at_node: bool) -> None:
        super().__init__(sub)
        self.at_node = at_node

    def alive(self, node: Node) -> bool:
        return node.subs.get(self.sub.instance_id) is self.sub

    def wants_slot(self, node: Node) -> bool:
        return self.at_node and node.connected and self.alive(node)

    def plan(self, node: Node) -> Procedure | None:
        return Teardown(node, self.sub, at_node=self.at_node) if self.alive(node) else None


class RestoreJob(SubscriptionJob):
    def wants_slot(self, node: Node) -> bool:
        return self._due(node)

    def plan(self, node: Node) -> Procedure | None:
        return Restore(node, self.sub) if self._due(node) else None

    def _due(self, node: Node) -> bool:
        return node.connected and self.alive(node) and self.sub.restore_pending and not node.all_leaving(self.sub)


class SyncRoutesJob(SubscriptionJob):
    def wants_slot(self, node: Node) -> bool:
        return False

    def plan(self, node: Node) -> Procedure | None:
        return RouteSync(node, self.sub) if self.alive(node) and self.sub.routes_differ else None


class CleanupJob(Job):
    """What is left of a subscription that is gone. `at_node`: its node has come back."""

    def __init__(self, instance_id: int, at_node: bool) -> None:
        super().__init__((("removal", instance_id),))
        self.instance_id = instance_id
        self.at_node = at_node

    def wants_slot(self, node: Node) -> bool:
        removal = node.removals.get(self.instance_id)
        return self.at_node and removal is not None and removal.node_delete and node.connected

    def plan(self, node: Node) -> Procedure | None:
        removal = node.removals.get(self.instance_id)
        # lost meanwhile: the delete waits for the next connection
        return Cleanup(node, removal, self.at_node and node.connected) if removal is not None else None
