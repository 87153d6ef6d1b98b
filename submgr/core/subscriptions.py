# SPDX-License-Identifier: Apache-2.0
"""The books of a node: which subscriptions there are, who holds what, which ids are not free yet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from submgr.core.commands import Command, EraseRemoval, EraseRest, Notify, SaveE2, SaveRemoval, SaveRest
from submgr.core.e2_subscription import E2Subscription, Life, requestor_of
from submgr.core.errors import Failure
from submgr.core.events import Notified
from submgr.core.model import Content, HolderKey, Removal, RestHolder, RmrEndpoint
from submgr.core.registry import Registry
from submgr.core.requesters import Claim
from submgr.core.timers import removal_delay

if TYPE_CHECKING:
    from submgr.core.controls import Controls
    from submgr.core.handlers.rest import Admission, RestSubscription
    from submgr.core.jobs import SubscribeJob


class Books(ABC):
    """State and its bookkeeping; every look-up is O(1)."""

    controls: Controls

    def __init__(self, meid: str, registry: Registry) -> None:
        self.meid = meid
        self.registry = registry
        self.subs: dict[int, E2Subscription] = {}
        self.rests: dict[str, RestSubscription] = {}
        self.digests: dict[str, RestSubscription] = {}
        self.holding: dict[HolderKey, E2Subscription] = {}
        self.claims: dict[HolderKey, SubscribeJob] = {}
        self.admissions: dict[int, Admission] = {}
        self.withdrawals: set[int] = set()
        self.removals: dict[int, Removal] = {}
        self.pins: dict[int, set[str]] = {}
        self._partners: dict[bytes, E2Subscription] = {}
        self._erasing: dict[int, int] = {}
        self._cleanup_failures: dict[int, int] = {}
        self._transactions: dict[int, tuple[RmrEndpoint, bytes]] = {}
        self._open_transactions: set[tuple[RmrEndpoint, bytes]] = set()

    @abstractmethod
    def emit(self, command: Command) -> None: ...

    @abstractmethod
    def cleanup_later(self, instance_id: int, when: float, at_node: bool) -> None: ...

    # --- E2 subscriptions

    def new_subscription(self, claim: Claim) -> E2Subscription | None:
        """With an instance id of its own; None when there is none left."""
        instance_id = self.registry.ids.allocate(self.meid)
        if instance_id is None:
            return None
        if instance_id in self.removals:
            # a doubtful id that is used again: its late delete would hit the new subscription
            self._drop_removal(instance_id)
        sub = E2Subscription(
            instance_id,
            self.meid,
            self.controls.requestor_id,
            claim.content,
            claim.key,
            claim.own_line,
            requestor_of(claim.holder_key),
            (claim.holder(),),
        )
        self.add_subscription(sub)
        return sub

    def add_subscription(self, sub: E2Subscription) -> None:
        self.subs[sub.instance_id] = sub
        self.pin(sub.instance_id, "life")

    def established(self, sub: E2Subscription) -> None:
        """Others may join it from now on."""
        sub.life = Life.ESTABLISHED
        if sub.content.mergeable:
            self._partners.setdefault(sub.key, sub)
        for key in sub.holders:
            self.holding[key] = sub

    def partner(self, key: bytes) -> E2Subscription | None:
        """An established REPORT subscription of this content."""
        return self._partners.get(key)

    def held_by(self, holder: HolderKey, content: Content) -> E2Subscription | None:
        """What this holder has already; an RMR holder may have several, told apart by content."""
        if isinstance(holder, RestHolder):
            return self.holding.get(holder)
        return None

    def hold(self, claim: Claim, sub: E2Subscription) -> None:
        """The claim is granted."""
        key = claim.holder_key
        self.holding[key] = sub
        if isinstance(key, RestHolder):
            rest = self.rests.get(key.subscription_id)
            if rest is not None and rest.instances.get(key.xapp_event_instance_id) != sub.instance_id:
                rest.instances[key.xapp_event_instance_id] = sub.instance_id
                if len(rest.untold) > 1:
                    self.save_rest(rest)

    def release(self, key: HolderKey, sub: E2Subscription) -> None:
        """A holder leaves, others stay."""
        sub.holders.pop(key, None)
        self._let_go(key, sub)

    def _let_go(self, key: HolderKey, sub: E2Subscription) -> None:
        if self.holding.get(key) is sub:
            del self.holding[key]
        if isinstance(key, RestHolder):
            rest = self.rests.get(key.subscription_id)
            if rest is not None and rest.instances.get(key.xapp_event_instance_id) == sub.instance_id:
                del rest.instances[key.xapp_event_instance_id]
                if not rest.deleting:
                    self.save_rest(rest)

    def ending(self, sub: E2Subscription) -> None:
        """Nobody may join it any more, and nobody holds it."""
        sub.life = Life.ENDING
        if self._partners.get(sub.key) is sub:
            del self._partners[sub.key]
        for key in sub.holders:
            self._let_go(key, sub)

    def gone(self, sub: E2Subscription) -> None:
        if self.subs.get(sub.instance_id) is sub:
            del self.subs[sub.instance_id]
            self.unpin(sub.instance_id, "life")

    def all_leaving(self, sub: E2Subscription) -> bool:
        """Is a DELETE of every holder written down?"""
        rests = [self.rests.get(key.subscription_id) for key in sub.rest_holders()]
        return len(rests) == len(sub.holders) and all(rest is None or rest.withdrawn for rest in rests)

    def tell_holders(self, sub: E2Subscription, failure: Failure) -> None:
        """Each REST holder learns that it has lost its subscription."""
        for key in sub.rest_holders():
            rest = self.rests.get(key.subscription_id)
            if rest is not None and not rest.deleting and rest.endpoint.http_port:
                self.registry.places.take(rest.endpoint.http)
                self.emit(Notify(key.subscription_id, rest.endpoint, key.xapp_event_instance_id, 0, failure))

    def notified(self, event: Notified) -> None:
        sub = self.subs.get(event.instance_id)
        if sub is not None:
            self.mark_told(sub, RestHolder(event.subscription_id, event.xapp_event_instance_id))

    def mark_told(self, sub: E2Subscription, key: HolderKey) -> None:
        """The xApp knows of its success: a restart need not tell it again."""
        holder = sub.holders.get(key)
        if holder is not None and not holder.notified and sub.life is Life.ESTABLISHED:
            sub.holders[key] = replace(holder, notified=True)
            self.emit(SaveE2(sub.record()))

    # --- instance ids that are not free yet

    def pin(self, instance_id: int, reason: str) -> None:
        self.pins.setdefault(instance_id, set()).add(reason)

    def unpin(self, instance_id: int, reason: str) -> None:
        reasons = self.pins.get(instance_id)
        if reasons is None:
            return
        reasons.discard(reason)
        if not reasons:
            del self.pins[instance_id]
            removal = self.removals.get(instance_id)
            self.registry.ids.release(instance_id, doubtful=removal is not None and removal.node_delete)

    def pin_until_saved(self, instance_id: int, step: int) -> None:
        """Its record is being erased; whether that takes long or not, the id is not free before."""
        self.pin(instance_id, "record")
        self._erasing[step] = instance_id

    def record_erased(self, step: int) -> None:
        instance_id = self._erasing.pop(step, None)
        if instance_id is not None:
            self.unpin(instance_id, "record")

    # --- what could not be undone

    def leave_removal(self, removal: Removal, step: int, now: float, unsent: bool) -> None:
        """Of a subscription that goes, this is left to be undone. `unsent`: its delete never left for the node."""
        self.removals[removal.instance_id] = removal
        self.emit(SaveRemoval(removal, step))
        if removal.routes:
            self.pin(removal.instance_id, "route")
        if removal.routes or unsent:
            self.cleanup_later(removal.instance_id, now + removal_delay(1), at_node=unsent)

    def replace_removal(self, left: Removal, now: float, unsent: bool) -> None:
        """After a cleanup: what is still left, if anything."""
        instance_id = left.instance_id
        if instance_id not in self.removals:
            return
        if not left.routes and not left.node_delete:
            self._drop_removal(instance_id)
            return
        if left != self.removals[instance_id]:
            self.removals[instance_id] = left
            self.emit(SaveRemoval(left))
        if not left.routes:
            self.unpin(instance_id, "route")
        if left.routes or unsent:
            failures = self._cleanup_failures.get(instance_id, 1) + 1
            self._cleanup_failures[instance_id] = failures
            self.cleanup_later(instance_id, now + removal_delay(failures), at_node=unsent)

    def confirmed(self, instance_id: int) -> None:
        """The node has confirmed the delete after all: nothing is doubtful about this id."""
        removal = self.removals.get(instance_id)
        if removal is not None:
            self.removals[instance_id] = replace(removal, node_delete=False)

    def _drop_removal(self, instance_id: int) -> None:
        removal = self.removals.pop(instance_id)
        self._cleanup_failures.pop(instance_id, None)
        self.emit(EraseRemoval(removal.meid, instance_id))
        self.unpin(instance_id, "route")

    # --- REST subscriptions

    def add_rest(self, rest: RestSubscription) -> None:
        self.rests[rest.subscription_id] = rest
        self.registry.nodes[rest.subscription_id] = self.meid

    def forget_rest(self, rest: RestSubscription) -> None:
        self.rests.pop(rest.subscription_id, None)
        self.registry.nodes.pop(rest.subscription_id, None)

    def index_digests(self, rest: RestSubscription) -> None:
        """A request without an id means the subscription that it meant the first time."""
        for digest in rest.digests:
            self.digests.setdefault(digest, rest)

    def forget_digests(self, rest: RestSubscription) -> None:
        for digest in rest.digests:
            if self.digests.get(digest) is rest:
                del self.digests[digest]

    def save_rest(self, rest: RestSubscription) -> None:
        if self.rests.get(rest.subscription_id) is rest:
            self.emit(SaveRest(rest.record()))

    def left(self, rest: RestSubscription) -> None:
        """One of the things that a withdrawal waits for has ended; after the last, the record goes."""
        rest.leaving -= 1
        if rest.leaving == 0 and self.rests.get(rest.subscription_id) is rest:
            self.forget_rest(rest)
            self.emit(EraseRest(rest.subscription_id))

    # --- RMR xApps

    def begin_transaction(self, token: int, transaction: tuple[RmrEndpoint, bytes]) -> bool:
        """False: this one is being worked on already."""
        if transaction in self._open_transactions:
            return False
        self._open_transactions.add(transaction)
        self._transactions[token] = transaction
        return True

    def rmr_told(self, token: int) -> None:
        transaction = self._transactions.pop(token, None)
        if transaction is not None:
            self._open_transactions.discard(transaction)
