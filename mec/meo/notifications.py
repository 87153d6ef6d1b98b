# SPDX-License-Identifier: Apache-2.0
"""Tells device applications what became of their contexts: in order per context, with retries (MEC 016, 6.4).

The store has a notification from the change that it is about until it is delivered or given up.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import gevent
import msgspec

from mec.meo.context_changes import ContextChanges
from mec.meo.drivers.base import instance_id
from mec.meo.events import Events, Kind, Severity
from mec.meo.metrics import MeoMetrics
from mec.meo.model import Context, Pair
from mec.meo.records import Notification
from submgr.platform.http.client import HttpClient
from submgr.platform.outbox import Outbox, Outcome, Result, RetryPolicy
from submgr.platform.store.base import StoreError

log = logging.getLogger(__name__)

CALLBACK_POLICY = RetryPolicy(tries=3, delay=1.0, backoff=2.0)
CALL_TIMEOUT = 2.0


def address_change(context: Context, reference_uri: str, move: int, origin: Pair) -> Notification | None:
    """AddressChangeNotification; None when the device application wants none (MEC 016, 6.4.2)."""
    body = {
        "notificationType": "AddressChangeNotification",
        "contextId": context.id,
        "appInstanceId": instance_id(context.pair),
        "referenceURI": reference_uri,
    }
    return _notification(context, body, origin, move)


def context_deleted(context: Context) -> Notification | None:
    """ApplicationContextDeleteNotification; None when the device application wants none (MEC 016, 6.4.3)."""
    body = {"notificationType": "ApplicationContextDeleteNotification", "contextId": context.id}
    return _notification(context, body, context.pair)


def superseded(notification: Notification, context: Context | None) -> bool:
    """Whether a notification of an earlier run is about a move that is no longer the latest one."""
    if notification.move is None:
        return False
    return context is None or not context.moves or context.moves[-1].number != notification.move


def _notification(context: Context, body: dict[str, Any], origin: Pair, move: int | None = None) -> Notification | None:
    if context.wish.callback is None:
        return None
    return Notification(uuid.uuid4().hex, context.id, context.wish.callback, body, move, origin)


class Notifier:
    """Sends notifications to device applications and to monitors.

    An application is removed where it was only after the device has been told where it is.
    """

    def __init__(
        self,
        client: HttpClient,
        context_changes: ContextChanges,
        metrics: MeoMetrics,
        events: Events,
        policy: RetryPolicy = CALLBACK_POLICY,
    ) -> None:
        self._client = client
        self._context_changes = context_changes
        self._metrics = metrics
        self._events = events
        self._outbox = Outbox(policy=policy)
        self._finishing: set[gevent.Greenlet] = set()

    @property
    def waiting(self) -> int:
        """How many notifications are not finished."""
        return self._outbox.waiting

    def stop(self) -> None:
        """Begins nothing more. The store has what is not delivered."""
        self._outbox.stop()
        gevent.killall(list(self._finishing))

    def post(self, notification: Notification) -> None:
        """Sends a notification that the store has."""
        send = partial(self._send, notification.url, notification.body)
        if not self._outbox.put(
            _host(notification.url), notification.context_id, send, partial(self._done, notification)
        ):
            self._done(notification, Result(Outcome.GIVEN_UP, 0, 0.0, "too many notifications wait"))

    def tell_monitor(self, url: str, body: dict[str, Any]) -> None:
        """Tells a monitor of an overload. Nothing about it is stored."""

        def done(result: Result) -> None:
            self._count("alert", result)

        self._outbox.put(("alert", url), "alert", partial(self._send, url, body), done)

    def _send(self, url: str, body: object) -> bool:
        answer = self._client.request(
            "POST",
            url,
            body=msgspec.json.encode(body),
            headers={"Content-Type": "application/json"},
            connect_timeout=CALL_TIMEOUT / 2,
            read_timeout=CALL_TIMEOUT / 2,
            max_response=64 * 1024,
        )
        return answer.ok

    def _done(self, notification: Notification, result: Result) -> None:
        self._count(str(notification.body["notificationType"]), result)
        self._context_changes.told(notification)
        if result.outcome is not Outcome.DELIVERED:
            about, why = notification.context_id, result.error
            self._events.tell(Kind.NOTIFICATION, Severity.WARNING, "failed", contextId=about, reason=why)
            log.warning(
                "device application not told",
                extra={"context": notification.context_id, "why": result.error, "tries": result.tries},
            )
        greenlet = gevent.spawn(self._finish, notification, result.outcome is Outcome.DELIVERED)
        self._finishing.add(greenlet)
        greenlet.link(self._finishing.discard)

    def _count(self, kind: str, result: Result) -> None:
        self._metrics.notifications.labels(kind, result.outcome.value).inc()

    def _finish(self, notification: Notification, delivered: bool) -> None:
        change = _told(notification, "delivered" if delivered else "failed")
        try:
            self._context_changes.change(notification.context_id, change, frozenset((notification.store_key,)))
        except StoreError as exc:
            # it is told once more after the next start, which is better than never
            log.warning(
                "outcome of a notification not stored", extra={"context": notification.context_id, "why": str(exc)}
            )


def _told(notification: Notification, how: str) -> Callable[[Context], Context | None]:
    def change(context: Context) -> Context | None:
        if not any(move.number == notification.move for move in context.moves):
            return None
        moves = tuple(replace(move, told=how) if move.number == notification.move else move for move in context.moves)
        return replace(context, moves=moves)

    return change


def _host(url: str) -> str:
    return url.split("/", 3)[2]
