# SPDX-License-Identifier: Apache-2.0
"""Device applications told what became of their contexts (MEC 016, 6.4), in order per context, with retries.

A notice is in the store from the change it is about until it is delivered or given up.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import gevent
import msgspec

from mec.meo.context_changes import Commits
from mec.meo.drivers.base import instance_id
from mec.meo.metrics import MeoMetrics
from mec.meo.model import Context
from mec.meo.records import Notice
from submgr.platform.http.client import HttpClient
from submgr.platform.outbox import Outbox, Outcome, Result, RetryPolicy
from submgr.platform.store.base import StoreError

log = logging.getLogger(__name__)

CALLBACK_POLICY = RetryPolicy(tries=3, delay=1.0, backoff=2.0)
CALL_TIMEOUT = 2.0


def address_change(context: Context, reference_uri: str, move: int) -> Notice | None:
    """AddressChangeNotification (MEC 016, 6.4.2); None when the device application wants no notifications."""
    body = {
        "notificationType": "AddressChangeNotification",
        "contextId": context.id,
        "appInstanceId": instance_id(context.pair),
        "referenceURI": reference_uri,
    }
    return _notice(context, body, move)


def context_deleted(context: Context) -> Notice | None:
    """ApplicationContextDeleteNotification (MEC 016, 6.4.3); None when there is nobody to be told."""
    return _notice(context, {"notificationType": "ApplicationContextDeleteNotification", "contextId": context.id})


def superseded(notice: Notice, context: Context | None) -> bool:
    """Whether a notice of an earlier run is about an address that is not the latest one any more."""
    if notice.move is None:
        return False
    return context is None or not context.moves or context.moves[-1].number != notice.move


def _notice(context: Context, body: dict[str, Any], move: int | None = None) -> Notice | None:
    if context.wish.callback is None:
        return None
    return Notice(uuid.uuid4().hex, context.id, context.wish.callback, body, move)


class Notices:
    """Sends them. Also tells monitors, about which nothing is stored."""

    def __init__(
        self, client: HttpClient, commits: Commits, metrics: MeoMetrics, policy: RetryPolicy = CALLBACK_POLICY
    ) -> None:
        self._client = client
        self._commits = commits
        self._metrics = metrics
        self._outbox = Outbox(policy=policy)
        self._finishing: set[gevent.Greenlet] = set()

    @property
    def waiting(self) -> int:
        """Notices that are not finished."""
        return self._outbox.waiting

    def stop(self) -> None:
        """Begin nothing more; what is not delivered is in the store."""
        self._outbox.stop()
        gevent.killall(list(self._finishing))

    def post(self, notice: Notice) -> None:
        """Deliver a notice that is in the store."""
        send = partial(self._send, notice.url, notice.body)
        if not self._outbox.put(_host(notice.url), notice.context_id, send, partial(self._done, notice)):
            self._done(notice, Result(Outcome.GIVEN_UP, 0, 0.0, "too many notifications wait"))

    def alert(self, url: str, body: dict[str, Any]) -> None:
        """Tell a monitor."""

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

    def _done(self, notice: Notice, result: Result) -> None:
        self._count(str(notice.body["notificationType"]), result)
        if result.outcome is not Outcome.DELIVERED:
            log.warning(
                "device application not told",
                extra={"context": notice.context_id, "why": result.error, "tries": result.tries},
            )
        greenlet = gevent.spawn(self._finish, notice, result.outcome is Outcome.DELIVERED)
        self._finishing.add(greenlet)
        greenlet.link(self._finishing.discard)

    def _count(self, kind: str, result: Result) -> None:
        self._metrics.notices.labels(kind, result.outcome.value).inc()

    def _finish(self, notice: Notice, delivered: bool) -> None:
        change = _told(notice, "delivered" if delivered else "failed")
        try:
            self._commits.change(notice.context_id, change, frozenset((notice.store_key,)))
        except StoreError as exc:
            # it is told once more after the next start, which is better than never
            log.warning("outcome of a notification not stored", extra={"context": notice.context_id, "why": str(exc)})


def _told(notice: Notice, how: str) -> Callable[[Context], Context | None]:
    def change(context: Context) -> Context | None:
        if not any(move.number == notice.move for move in context.moves):
            return None
        moves = tuple(replace(move, told=how) if move.number == notice.move else move for move in context.moves)
        return replace(context, moves=moves)

    return change


def _host(url: str) -> str:
    return url.split("/", 3)[2]
