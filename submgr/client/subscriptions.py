# SPDX-License-Identifier: Apache-2.0
"""All subscriptions of an xApp: requests out, notifications in, ids kept over restarts."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from submgr.client.addresses import listen_address, own_address
from submgr.client.endpoint import NotificationEndpoint
from submgr.client.errors import ClientError, Closed, NotKnown
from submgr.client.exchange import Exchange
from submgr.client.ids import IdFile, Remembered
from submgr.client.retries import Retries
from submgr.client.subscription import Changed, Subscription
from submgr.client.tls import Tls
from submgr.client.values import (
    Detail,
    Directives,
    Instance,
    Json,
    Listed,
    Notification,
    details_json,
    digest,
    number_of,
)

log = logging.getLogger(__name__)

_EARLY = 256
"""Notifications that are kept for requests whose answer has not been read yet."""
_CALLS = 10_000
"""Calls of `on_change` that may wait; the oldest make room."""


class Subscriptions:
    """The subscriptions of one xApp at the Subscription Manager at `url`.

    It listens for notifications from the constructor on, on `listen`:`port` ("" means all addresses, port 0 picks one),
    and has them sent to `host`, which is the name or address under which the Subscription Manager reaches this xApp:
    in a cluster the name of its HTTP service. Indications are routed to the same name with "rmr" for "http", at
    `rmr_port` (None: none are wanted; then `Directives(routing=False)` belongs to each request). Without `host` it is
    the address of this machine that leads to the Subscription Manager.

    `ids`: a file that keeps the SubscriptionIds, one for each xApp; a restarted xApp that asks for the same again gets
    its subscriptions back. None: they are forgotten with the process.
    `unsubscribe`: leaving the `with` deletes all that was subscribed in it. Otherwise it stays subscribed.
    `tls` is for an https `url`; `notification_tls` has the Subscription Manager's notifications come by https, as
    its setting `tls.xapps` wants. `timeout`: seconds for each part of an HTTP exchange.

    Raises OSError for a port that is taken or a file that cannot be read, ValueError for a `url` that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        host: str | None = None,
        port: int = 0,
        listen: str | None = None,
        rmr_port: int | None = 4560,
        ids: str | os.PathLike[str] | None = None,
        unsubscribe: bool = False,
        retries: Retries | None = None,
        tls: Tls | None = None,
        notification_tls: Tls | None = None,
        timeout: float = 10.0,
    ) -> None:
        self._retries = retries or Retries()
        self._exchange = Exchange(url, timeout, self._retries, tls)
        self._ids = IdFile(ids)
        self._unsubscribe = unsubscribe
        self._host = host if host is not None else own_address(self._exchange.host, self._exchange.port)
        self._rmr_port = rmr_port
        self._lock = threading.RLock()
        self._known: dict[str, Subscription] = {}
        self._early: deque[Notification] = deque(maxlen=_EARLY)
        self._calls: queue.Queue[tuple[Subscription, Instance] | None] = queue.Queue()
        self._closed = False
        context = notification_tls.as_server() if notification_tls is not None else None
        self._endpoint = NotificationEndpoint(listen_address(listen, self._host), port, self._take, context)
        self._caller = threading.Thread(target=self._call, name="subscription callbacks", daemon=True)
        self._endpoint.start()
        self._caller.start()

    def __enter__(self) -> Subscriptions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port where notifications come in."""
        return self._endpoint.port

    @property
    def resends(self) -> int:
        """How often `wait` sends a request again whose notifications do not come."""
        return self._retries.resends

    @property
    def remembered(self) -> Mapping[str, str]:
        """SubscriptionIds by name: of this run, and of earlier ones that did not delete theirs."""
        return {name: one.subscription_id for name, one in self._ids.all().items()}

    def subscribe(
        self,
        meid: str,
        ran_function_id: int,
        details: Sequence[Detail | Json],
        *,
        directives: Directives | None = None,
        name: str | None = None,
        on_change: Changed | None = None,
    ) -> Subscription:
        """Asks for E2 subscriptions at one E2 node. Returns when the request is accepted; `wait` tells the outcome.

        `ran_function_id`: docs/xapps.md says which. A detail may be a mapping in the form of the interface, too.
        `name`: what `ids` keeps the request under; without one it is the request itself, so that only exactly the same
        one finds its id. With one, a request that has changed in a way that its id does not allow is deleted first.
        The same request again has the same id, and takes the place of the earlier `Subscription`, which is closed.
        `on_change`: is called, in a thread of its own, for each notification that says something new: also later ones,
        such as of an E2 node that was lost.

        Raises Refused (InvalidRequest with all field errors, NotAvailable, ...), Unreachable, Closed; OSError when the
        id cannot be written (what was accepted is then `remembered`).
        """
        request = [meid, ran_function_id, details_json(details), directives and dict(directives.as_json())]
        name = name or digest(request)
        subscription = Subscription(self, name, meid, ran_function_id, details, directives, on_change)
        if (remembered := self._ids.get(name)) is not None:
            if remembered.allows(self._place(subscription), subscription.details):
                subscription.id = remembered.subscription_id
            else:
                self.unsubscribe(remembered.subscription_id)
        self.post(subscription)
        return subscription

    def pause(self, tried: int) -> None:
        """Waits before another try. Raises Closed."""
        self._exchange.pause(tried)

    def post(self, subscription: Subscription) -> None:
        """Sends the request of a subscription; under a new id when its own is not known any more."""
        self._check_open(subscription)
        try:
            subscription_id = self._exchange.subscribe(self._request(subscription))
        except NotKnown:
            if not subscription.id:
                raise
            self._check_open(subscription)  # it may have been deleted meanwhile
            log.info("SubscriptionId %s is not known any more: subscribing anew", subscription.id)
            self._leave(subscription.id)
            subscription.begin_anew()
            subscription_id = self._exchange.subscribe(self._request(subscription))
        self._enter(subscription, subscription_id)
        details = {str(number_of(one)): digest(one) for one in subscription.details}
        self._ids.put(subscription.name, Remembered(subscription_id, self._place(subscription), details))

    def delete(self, subscription: Subscription) -> None:
        """As `Subscription.delete`."""
        if subscription.id:
            self.unsubscribe(subscription.id)

    def unsubscribe(self, subscription_id: str) -> None:
        """Deletes by id: one of this run or of an earlier one. Raises Refused or Unreachable."""
        with self._lock:
            known = self._known.get(subscription_id)
        if known is not None:
            known.end()
        self._exchange.unsubscribe(subscription_id)
        self._leave(subscription_id)

    def listed(self) -> tuple[Listed, ...]:
        """All completed E2 subscriptions of the Subscription Manager. Raises Refused or Unreachable."""
        return self._exchange.listed()

    def close(self) -> None:
        """Ends it: whoever waits gets Closed. May be repeated."""
        with self._lock:
            if self._closed:
                return
            subscriptions = list(self._known.values())
        if self._unsubscribe:
            for subscription in subscriptions:
                try:
                    self.delete(subscription)
                except (ClientError, OSError) as error:
                    log.warning("%s could not be deleted: %s", subscription.id, error)
        with self._lock:
            self._closed = True
        self._exchange.close()
        for subscription in subscriptions:
            subscription.end()
        self._endpoint.stop()
        self._calls.put(None)
        if threading.current_thread() is not self._caller:
            self._caller.join(5.0)

    def _check_open(self, subscription: Subscription) -> None:
        if self._closed or subscription.ended:
            raise Closed("the client is closed" if self._closed else "the subscription was deleted")

    def _place(self, subscription: Subscription) -> str:
        return f"{subscription.meid} {subscription.ran_function_id} {self._host}:{self._rmr_port}"

    def _request(self, subscription: Subscription) -> Json:
        endpoint: dict[str, Any] = {"Host": self._host, "HTTPPort": self.port}
        if self._rmr_port is not None:
            endpoint["RMRPort"] = self._rmr_port
        body: dict[str, Any] = {
            "ClientEndpoint": endpoint,
            "Meid": subscription.meid,
            "RANFunctionID": subscription.ran_function_id,
            "SubscriptionDetails": subscription.details,
        }
        if subscription.id:
            body["SubscriptionId"] = subscription.id
        if subscription.directives is not None:
            body["E2SubscriptionDirectives"] = subscription.directives.as_json()
        return body

    # --- notifications

    def _enter(self, subscription: Subscription, subscription_id: str) -> None:
        """From now on the subscription is notified; what has come before the answer is taken now."""
        with self._lock:
            before = self._known.get(subscription_id, subscription)
            subscription.id = subscription_id
            self._known[subscription_id] = subscription
            early = [one for one in self._early if one.subscription_id == subscription_id]
            for notification in early:
                self._early.remove(notification)
        if before is not subscription:  # the same request again: the newer object has its place
            before.end()
        for notification in early:
            self._tell(subscription, notification)

    def _leave(self, subscription_id: str) -> None:
        with self._lock:
            self._known.pop(subscription_id, None)
        self._ids.forget(subscription_id)

    def _take(self, notification: Notification) -> None:
        """Called by a thread of the endpoint."""
        with self._lock:
            subscription = self._known.get(notification.subscription_id)
            if subscription is None:
                self._early.append(notification)
                return
        self._tell(subscription, notification)

    def _tell(self, subscription: Subscription, notification: Notification) -> None:
        for instance in notification.instances:
            if subscription.take(instance) and subscription.on_change is not None:
                if self._calls.qsize() >= _CALLS:
                    log.warning("%d calls of on_change wait: the oldest is left out", _CALLS)
                    self._calls.get()
                self._calls.put((subscription, instance))

    def _call(self) -> None:
        while (called := self._calls.get()) is not None:
            subscription, instance = called
            try:
                if subscription.on_change is not None:
                    subscription.on_change(subscription, instance)
            except Exception:  # of the xApp: it is told, and the next one is called
                log.exception("on_change of %s failed", subscription.id)
