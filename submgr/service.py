# SPDX-License-Identifier: Apache-2.0
"""The service: the use cases of xApps and operators. Each one posts an event to a worker and waits a bounded time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

import gevent
from msgspec import Struct

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.errors import FieldError, NodeDownError, RefusedError
from submgr.core.handlers.rest import being_worked_on
from submgr.core.model import RmrHolder, SubscribeRequest
from submgr.orphans import Orphan
from submgr.platform.ksuid import new_ksuid
from submgr.platform.time_limit import TimeLimit
from submgr.queries import Queries
from submgr.runtime.dispatcher import Dispatcher
from submgr.runtime.replies import Replies

log = logging.getLogger(__name__)

REPLY_WITHIN = 4.5
"""Seconds after which a REST request is answered whatever hangs behind it."""


class Accepted(Struct, frozen=True):
    """A subscription request that is answered 201.

    `start` begins the E2 work; it does not block. The HTTP server calls it once, after it has written the answer to the
    socket or found the client gone, so that no notification overtakes the answer.
    """

    subscription_id: str
    start: Callable[[], None]


class Nodes(Protocol):
    """The E2 connections, as far as they are known."""

    def connected(self) -> list[str]:
        """Returns the ranNames of the connected E2 nodes, sorted."""

    def is_connected_now(self, meid: str) -> bool:
        """Returns whether the node is connected; asks for its state anew, within half a second, before it says no."""

    def knows(self, meid: str) -> bool: ...

    def describe(self, meid: str) -> str:
        """Returns the state in words: not known, disconnected, under reset."""


class DebugRecords(Protocol):
    """The database requests of the debug interface. They block; they raise RefusedError 503 when the database fails."""

    def remove_record(self, instance_id: int) -> bool: ...
    def empty(self) -> None: ...


def _nothing(*_: object) -> None:
    pass


class Service(Queries):
    """Every call is answered within 5 s, whatever hangs behind it."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        replies: Replies,
        nodes: Nodes,
        records: DebugRecords,
        restart: Callable[[], None],
        check_function: Callable[[SubscribeRequest], None] = _nothing,
        refused: Callable[[SubscribeRequest, RefusedError], None] = _nothing,
        requested: Callable[[str], None] | None = None,
    ) -> None:
        """`check_function`: is called with each request whose E2 node is up; it raises RefusedError and does not block.
        `refused`: is told of each request that is refused. `requested`: is called in the greenlet of each request with
        the SubscriptionId that it is about.
        """
        super().__init__(lambda: [worker.node for worker in dispatcher.workers])
        self._dispatcher = dispatcher
        self._registry = dispatcher.registry
        self._replies = replies
        self._nodes = nodes
        self._records = records
        self._restart = restart
        self._check_function = check_function
        self._refused = refused
        self._requested = requested

    # --- subscribe and unsubscribe

    def subscribe(self, request: SubscribeRequest) -> Accepted:
        """Raises RefusedError: 404 id, 503 node, 409, 400 content or function, 503 store or queue, in this order."""
        try:
            return self._accepted(request)
        except RefusedError as error:
            self._refused(request, error)
            raise

    def _accepted(self, request: SubscribeRequest) -> Accepted:
        self._check_id(request)
        if not self._nodes.is_connected_now(request.meid):
            raise NodeDownError(self._why_down(request.meid))
        self._check_meid(request)
        self._check_function(request)
        token, waiting = self._replies.open()
        created = datetime.now(UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")
        fresh_id = new_ksuid()
        if self._requested is not None:
            self._requested(request.subscription_id or fresh_id)
        self._dispatcher.post(request.meid, e.Subscribe(token, request, fresh_id, created))
        try:
            with TimeLimit(REPLY_WITHIN):
                reply = waiting.get()
        except gevent.Timeout:
            self._replies.close(token)
            self._dispatcher.post(request.meid, e.Abandoned(token))
            raise RefusedError(503, "the request could not be saved in time, please send it again") from None
        if isinstance(reply, c.Refuse):
            raise RefusedError(reply.status, reply.message, reply.errors, reply.retry_after)
        assert isinstance(reply, c.Accept)
        if self._requested is not None:
            self._requested(reply.subscription_id)
        return Accepted(reply.subscription_id, lambda: self._dispatcher.post(request.meid, e.Answered(token)))

    def _check_id(self, request: SubscribeRequest) -> None:
        subscription_id = request.subscription_id
        if subscription_id is None:
            return
        if subscription_id not in self._registry.meids or self._foreign(subscription_id, request.owner):
            raise RefusedError(404, f"SubscriptionId {subscription_id} is not known")

    def _check_meid(self, request: SubscribeRequest) -> None:
        """A REST subscription belongs to one E2 node for good: another Meid is refused."""
        if request.subscription_id is None:
            return
        known = self._registry.meids[request.subscription_id]
        if known != request.meid:
            node = self._dispatcher.node(known)
            rest = node.subscriptions.rest.get(request.subscription_id) if node is not None else None
            if rest is not None and rest.ongoing:
                raise RefusedError(409, being_worked_on(request.subscription_id))
            message = f"SubscriptionId {request.subscription_id} belongs to another E2 node"
            raise RefusedError(400, message, (FieldError("Meid", f"was {known}, cannot become {request.meid}"),))

    def _why_down(self, meid: str) -> str:
        connected = self._nodes.connected()
        shown = ", ".join(connected[:50]) + (f" and {len(connected) - 50} more" if len(connected) > 50 else "")
        return f"E2 node {meid} is {self._nodes.describe(meid)}; connected E2 nodes: {shown or 'none'}"

    def unsubscribe(self, subscription_id: str, owner: str | None = None) -> None:
        """Returns when the DELETE is written to the store, or after `REPLY_WITHIN` seconds.

        `owner`: who asks, None for somebody who may delete all. Raises RefusedError 404 for what another one has made.
        """
        meid = self._registry.meids.get(subscription_id)
        if meid is None:
            return
        if self._foreign(subscription_id, owner):
            raise RefusedError(404, f"SubscriptionId {subscription_id} is not known")
        self._withdraw([(meid, subscription_id)])

    def _foreign(self, subscription_id: str, owner: str | None) -> bool:
        """Whether a REST subscription is not one of `owner`. None owns all. Raises RefusedError 503 while its E2 node's
        records are read anew."""
        return owner is not None and self._owner_of(subscription_id) != owner

    def _owner_of(self, subscription_id: str) -> str | None:
        node = self._dispatcher.node(self._registry.meids.get(subscription_id, ""))
        rest = node.subscriptions.rest.get(subscription_id) if node is not None else None
        if rest is None:
            words = f"SubscriptionId {subscription_id} is being read anew, please send the request again"
            raise RefusedError(503, words, retry_after=1)
        return rest.owner

    def owns(self, owner: str, subscription_id: str) -> bool:
        """Whether the REST subscription is one that `owner` has made."""
        return not self._foreign(subscription_id, owner)

    def _withdraw(self, subscriptions: Iterable[tuple[str, str]]) -> None:
        """Asks for all at once, then waits until each is written to the store, or `REPLY_WITHIN` seconds in all."""
        waiting = []
        for meid, subscription_id in subscriptions:
            token, result = self._replies.open()
            waiting.append((token, result))
            if self._requested is not None:
                self._requested(subscription_id)
            self._dispatcher.post(meid, e.Unsubscribe(token, subscription_id))
        with TimeLimit(REPLY_WITHIN, quiet=True):
            for _, result in waiting:
                result.get()
        for token, _ in waiting:
            self._replies.close(token)

    # --- queries: see also `Queries`

    def connected_nodes(self) -> list[str]:
        return self._nodes.connected()

    def known_node(self, meid: str) -> bool:
        return self._nodes.knows(meid) or self._dispatcher.node(meid) is not None

    # --- operators

    def delete_subscription(self, subscription_id: str) -> bool:
        """Deletes a REST subscription, whoever has made it. Returns False when there is none."""
        if self.e2_subscriptions_of(subscription_id) is None and subscription_id not in self._registry.meids:
            return False
        self.unsubscribe(subscription_id)
        return True

    def delete_node_subscriptions(self, meid: str) -> bool:
        """Deletes all subscriptions at an E2 node, also those of RMR xApps. Returns False for an unknown node."""
        if not self.known_node(meid):
            return False
        node = self._dispatcher.node(meid)
        if node is not None:
            e2 = node.subscriptions.e2
            held_over_rmr = tuple(i for i, sub in e2.items() if len(sub.rest_holders()) < len(sub.holders))
            self._withdraw([(meid, subscription_id) for subscription_id in list(node.subscriptions.rest)])
            if held_over_rmr:
                self._dispatcher.post(meid, e.Revoke(held_over_rmr))
        return True

    def delete_xapp_subscriptions(self, host: str) -> bool:
        """Deletes all REST subscriptions of an xApp, named by its service. Returns False when it has none."""
        found = [(record.meid, record.subscription_id) for record in self.rest_subscriptions(host=host)]
        self._withdraw(found)
        return bool(found)

    def remove_orphans(self, orphans: Iterable[Orphan]) -> None:
        """Deletes subscriptions whose xApp is gone, as a DELETE of the xApp would; see `_withdraw` for how long."""
        rest: list[tuple[str, str]] = []
        for orphan in orphans:
            if isinstance(orphan.key, str):
                rest.append((orphan.meid, orphan.key))
            elif orphan.holder is not None:
                self._leave_over_rmr(orphan.meid, orphan.key, orphan.holder)
        self._withdraw(rest)

    def _leave_over_rmr(self, meid: str, instance_id: int, holder: RmrHolder) -> None:
        """Does as if the xApp had sent a RIC Subscription Delete Request. Nobody hears of the answer."""
        node = self._dispatcher.node(meid)
        sub = node.subscriptions.e2.get(instance_id) if node is not None else None
        if sub is not None:
            token, function_id = self._replies.token(), sub.content.ran_function_id
            event = e.UnsubscribeOverRmr(token, holder.endpoint, b"", holder.requestor_id, instance_id, function_id)
            self._dispatcher.post(meid, event)

    def remove_record(self, instance_id: int) -> bool:
        return self._records.remove_record(instance_id)

    def empty_database(self) -> None:
        self._records.empty()

    def restart(self) -> None:
        self._restart()
