# SPDX-License-Identifier: Apache-2.0
"""Subscriptions of a node: its REST and E2 subscriptions and who holds what. Every look-up is O(1)."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from submgr.core.commands import About, Command, EraseRest, Notify, SaveE2, SaveNextInstanceId, SaveRest
from submgr.core.controls import Controls
from submgr.core.e2_subscription import E2Subscription, Life, requestor_of
from submgr.core.errors import Failure
from submgr.core.model import HolderKey, RestHolder
from submgr.core.registry import Registry
from submgr.core.removals import LIFE, Removals
from submgr.core.requesters import Requester
from submgr.core.rest_subscription import RestSubscription


class Subscriptions:
    """`e2`: E2 subscriptions by instance id. `rest`: REST subscriptions by SubscriptionId. `digests`: REST
    subscriptions by the digest of a request that means them. `holding`: the E2 subscription of each holder.
    """

    def __init__(self, meid: str, registry: Registry, removals: Removals, emit: Callable[[Command], None]) -> None:
        self.e2: dict[int, E2Subscription] = {}
        self.rest: dict[str, RestSubscription] = {}
        self.digests: dict[str, RestSubscription] = {}
        self.holding: dict[HolderKey, E2Subscription] = {}
        self._partners: dict[Hashable, E2Subscription] = {}
        self._meid = meid
        self._registry = registry
        self._removals = removals
        self._emit = emit

    # --- E2 subscriptions

    def new(self, requester: Requester, requestor_id: int) -> E2Subscription | None:
        """Makes an E2 subscription with an instance id of its own; None when no id is free.

        `requestor_id`: the ricRequestorID that is sent to the E2 node (E2AP 9.2.7).
        """
        instance_id = self._registry.ids.allocate(self._meid)
        if instance_id is None:
            return None
        sub = E2Subscription(
            instance_id,
            self._meid,
            requestor_id,
            requester.content,
            requester.key,
            requester.own_line,
            requestor_of(requester.holder_key),
            (requester.holder(),),
        )
        if self._registry.ids.reused(instance_id):
            sub.id_reused = True
            # it may be a doubtful id, whose late delete would hit the new subscription
            self._removals.drop(instance_id)
        mark = self._registry.ids.next_mark()
        if mark is not None:
            self._emit(SaveNextInstanceId(mark))
        self.add(sub)
        return sub

    def add(self, sub: E2Subscription) -> None:
        self.e2[sub.instance_id] = sub
        self._removals.pin(sub.instance_id, LIFE)

    def established(self, sub: E2Subscription) -> None:
        """Other requesters may share this E2 subscription from now on."""
        sub.life = Life.ESTABLISHED
        for key in _partner_keys(sub):
            self._partners.setdefault(key, sub)
        for key in sub.holders:
            self.holding[key] = sub

    def partner(self, requester: Requester, controls: Controls) -> E2Subscription | None:
        """Returns an established REPORT subscription of the same content, which this requester is to share.

        Where equal ones are not merged, only one that was made for the requester's own endpoint: the xApp asks again.
        """
        if not requester.mergeable:
            return None
        if controls.merges(requester.content.ran_function_id):
            return self._partners.get(requester.key)
        return self._partners.get((requester.key, requester.holder().endpoint))

    def held_by(self, holder: HolderKey) -> E2Subscription | None:
        """Returns what a REST holder has already; None for an RMR xApp, which may hold several."""
        return self.holding.get(holder) if isinstance(holder, RestHolder) else None

    def hold(self, requester: Requester, sub: E2Subscription) -> None:
        """The request is granted: its requester holds this E2 subscription."""
        key = requester.holder_key
        self.holding[key] = sub
        if isinstance(key, RestHolder):
            rest = self.rest.get(key.subscription_id)
            if rest is not None and rest.instances.get(key.xapp_event_instance_id) != sub.instance_id:
                rest.instances[key.xapp_event_instance_id] = sub.instance_id
                if len(rest.untold) > 1:
                    self.save_rest(rest)

    def release(self, key: HolderKey, sub: E2Subscription) -> None:
        """A holder leaves this E2 subscription, others stay."""
        sub.leave(key)
        self._let_go(key, sub)

    def _let_go(self, key: HolderKey, sub: E2Subscription) -> None:
        if self.holding.get(key) is sub:
            del self.holding[key]
        if isinstance(key, RestHolder):
            rest = self.rest.get(key.subscription_id)
            if rest is not None and rest.instances.get(key.xapp_event_instance_id) == sub.instance_id:
                del rest.instances[key.xapp_event_instance_id]
                if not rest.deleting:
                    self.save_rest(rest)

    def ending(self, sub: E2Subscription) -> None:
        """This E2 subscription is being deleted: nobody may share it, and nobody holds it any more."""
        sub.life = Life.ENDING
        for key in _partner_keys(sub):
            if self._partners.get(key) is sub:
                del self._partners[key]
        for key in sub.holders:
            self._let_go(key, sub)

    def gone(self, sub: E2Subscription) -> None:
        """Nothing is left of this E2 subscription but its removal and pins, if any."""
        if self.alive(sub):
            del self.e2[sub.instance_id]
            self._removals.unpin(sub.instance_id, LIFE)

    def alive(self, sub: E2Subscription) -> bool:
        return self.e2.get(sub.instance_id) is sub

    def alive_and_established(self, sub: E2Subscription) -> bool:
        return self.alive(sub) and sub.life is Life.ESTABLISHED

    def all_leaving(self, sub: E2Subscription) -> bool:
        """Is a DELETE of every holder written to the store?"""
        rests = [self.rest.get(key.subscription_id) for key in sub.rest_holders()]
        return len(rests) == len(sub.holders) and all(rest is None or rest.withdrawn for rest in rests)

    def tell_holders(self, sub: E2Subscription, failure: Failure) -> None:
        """Each REST holder is told that it has lost this E2 subscription."""
        for key in sub.rest_holders():
            rest = self.rest.get(key.subscription_id)
            if rest is not None and not rest.deleting and rest.endpoint.http_port:
                self._registry.quota.take(rest.endpoint.http)
                self._emit(Notify(key.subscription_id, rest.endpoint, key.xapp_event_instance_id, 0, failure))

    def about(self, sub: E2Subscription) -> About:
        """The first holder of this E2 subscription and its content, for those who watch."""
        holder, content = next(iter(sub.holders.values()), None), sub.content
        host, number = "", None
        if holder is not None:
            host = holder.endpoint.address
            if isinstance(holder.key, RestHolder):
                number, rest = holder.key.xapp_event_instance_id, self.rest.get(holder.key.subscription_id)
                host = rest.endpoint.host if rest is not None else host
        return About(host, number, content.ran_function_id, content)

    def mark_told(self, sub: E2Subscription, key: HolderKey) -> None:
        """The xApp knows of its success: a restart need not tell it again."""
        holder = sub.holders.get(key)
        if holder is not None and not holder.notified and sub.life is Life.ESTABLISHED:
            sub.mark(key, notified=True)
            self._emit(SaveE2(sub.record()))

    # --- REST subscriptions

    def add_rest(self, rest: RestSubscription) -> None:
        self.rest[rest.subscription_id] = rest
        self._registry.meids[rest.subscription_id] = self._meid

    def forget_rest(self, rest: RestSubscription) -> None:
        self.rest.pop(rest.subscription_id, None)
        self._registry.meids.pop(rest.subscription_id, None)

    def index_digests(self, rest: RestSubscription) -> None:
        """A request without SubscriptionId means the REST subscription that it meant the first time."""
        for digest in rest.digests:
            self.digests.setdefault(digest, rest)

    def forget_digests(self, rest: RestSubscription) -> None:
        for digest in rest.digests:
            if self.digests.get(digest) is rest:
                del self.digests[digest]

    def save_rest(self, rest: RestSubscription) -> None:
        if self.rest.get(rest.subscription_id) is rest:
            self._emit(SaveRest(rest.record()))

    def detail_told(self, rest: RestSubscription, xapp_event_instance_id: int) -> None:
        """The outcome of this detail is on its way to the xApp; after the last detail the request is not ongoing."""
        rest.untold.discard(xapp_event_instance_id)
        if not rest.untold:
            self.save_rest(rest)

    def left(self, rest: RestSubscription) -> None:
        """One of the jobs that a DELETE waits for has ended; after the last one the REST record goes."""
        rest.leaving -= 1
        if rest.leaving == 0 and self.rest.get(rest.subscription_id) is rest:
            self.forget_rest(rest)
            self._emit(EraseRest(rest.subscription_id))


def _partner_keys(sub: E2Subscription) -> tuple[Hashable, ...]:
    """Returns the keys under which those who may share a REPORT subscription find it."""
    return (sub.key, (sub.key, sub.made_for)) if sub.content.mergeable else ()
