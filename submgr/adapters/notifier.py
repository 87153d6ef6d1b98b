# SPDX-License-Identifier: Apache-2.0
"""Notifies xApps how each of their subscriptions ended (SubMgr user guide, "REST subscription response")."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from submgr.adapters.http_answers import status_words, text_of
from submgr.core.commands import Notify
from submgr.core.errors import Source
from submgr.core.registry import NotificationQuota
from submgr.e2ap.causes import describe
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError, HttpForbidden
from submgr.platform.http.target import Target
from submgr.platform.lease.permit import MaySend, always
from submgr.platform.outbound_rules import Outbound
from submgr.platform.outbox import Outbox, Outcome, Result, RetryPolicy
from submgr.platform.sparse_log import Sparsely
from submgr.platform.tls import TlsFiles
from submgr.runtime.ports import Trace

_log = logging.getLogger(__name__)

PATH = "/ric/v1/subscriptions/response"

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}

_encode = msgspec.json.Encoder().encode


Ended = Callable[[Notify, bool, float, bool], None]
"""Called with (notification, delivered, age, answered): delivered (True) or given up (False), `age` seconds after
`notify`. `answered`: nothing says that the xApp is gone: the last try was answered in HTTP, whatever the status, or our
own rules refused it."""

Undelivered = Callable[[Notify, str, bool], None]
"""Called with (notification, error, given_up) when its first try has failed and others follow, and when it is given
up."""


def _nothing(*_: object) -> None:
    pass


class _Refused(HttpError):
    """The xApp answered with another status than 2xx."""


class _Tries:
    """What became of the tries of a notification. `answered`: of the last one, see `Ended`."""

    answered = False
    failed = 0


class XappNotifier:
    """Implements `submgr.runtime.ports.Notifier` over HTTP.

    The caller reserves room for each notification in `quota`; the notifier releases it when the notification has ended.
    Notifications of one REST subscription go out one after the other. Those of different REST subscriptions go out at
    the same time, at most `at_once` to one endpoint. `policy` is called for each notification. A try takes at most
    `timeout` seconds for the connection and as many for the answer. `ended`: see `Ended`. `outbound`: the rules for the
    addresses that xApps chose; None allows all. `tls`: xApps are told over https. While `may_send` says no, tries
    fail. `trace`: see `Trace`.
    """

    def __init__(
        self,
        quota: NotificationQuota,
        policy: Callable[[], RetryPolicy],
        ended: Ended,
        *,
        timeout: float = 5.0,
        at_once: int = 64,
        outbound: Outbound | None = None,
        tls: TlsFiles | None = None,
        may_send: MaySend = always,
        undelivered: Undelivered = _nothing,
        trace: Trace | None = None,
    ) -> None:
        self._undelivered = undelivered
        self._trace = trace
        self._sparsely = Sparsely(_log)
        self._quota = quota
        self._policy = policy
        self._ended = ended
        self._timeout = timeout
        self._scheme = "http" if tls is None else "https"
        self._client = HttpClient(connections=None, idle=at_once, outbound=outbound, tls=tls, may_send=may_send)
        # how many may wait is decided by `quota`, before they come here
        self._outbox = Outbox(places=sys.maxsize, at_once=at_once)

    def stop(self, grace: float = 0.0) -> int:
        """Gives the tries under way `grace` seconds. Returns how many notifications are left for the next start."""
        left = self._outbox.stop(grace)
        self._client.close()
        return left

    @property
    def waiting(self) -> int:
        """How many notifications are neither delivered nor given up."""
        return self._outbox.waiting

    def waiting_for(self, endpoint: str) -> int:
        """How many of them are for this endpoint, host:port."""
        return self._outbox.waiting_in(endpoint)

    def oldest(self) -> float:
        """The age of the oldest of them in seconds; 0 when there is none."""
        return self._outbox.oldest()

    def notify(self, notification: Notify, done: Callable[[], None]) -> None:
        body, tries, policy = body_of(notification), _Tries(), self._policy()
        headers = _HEADERS if self._trace is None else {**_HEADERS, **self._trace()}

        def send() -> None:
            tries.answered = False
            try:
                self._post(notification, body, headers)
            except (HttpError, OSError) as error:
                tries.answered = isinstance(error, _Refused | HttpForbidden)
                tries.failed += 1
                if tries.failed == 1 and policy.tries > 1:
                    self._first_failed(notification, str(error) or type(error).__name__)
                raise
            tries.answered = True

        def finished(result: Result) -> None:
            self._quota.release(notification.endpoint.http)
            if result.outcome is not Outcome.DROPPED:
                self._report(notification, result, tries.answered)
                done()

        self._outbox.put(
            notification.endpoint.http,
            notification.subscription_id,
            send,
            finished,
            policy=policy,
        )

    def drop(self, subscription_id: str) -> None:
        self._outbox.drop(subscription_id)

    def _post(self, notification: Notify, body: bytes, headers: Mapping[str, str]) -> None:
        """Makes one try. Raises HttpError when the xApp does not answer 2xx."""
        endpoint = notification.endpoint
        with self._client.stream(
            "POST",
            Target(endpoint.host.strip("[]"), endpoint.http_port, PATH, self._scheme),
            body=body,
            headers=headers,
            connect_timeout=self._timeout,
            read_timeout=self._timeout,
        ) as answer:
            text = text_of(answer, self._timeout)
        if not answer.ok:
            raise _Refused(": ".join(filter(None, (status_words(answer.status), text))))

    def _first_failed(self, notification: Notify, error: str) -> None:
        """Others follow; nobody should have to wait for the last one to see that something is wrong."""
        endpoint = notification.endpoint.http
        self._sparsely.log(
            logging.WARNING,
            f"{endpoint} {error}",
            f"a notification to {endpoint} could not be delivered, it is tried again: {error}",
            subscription_id=notification.subscription_id,
            xapp_event_instance_id=notification.xapp_event_instance_id,
            xapp=notification.endpoint.host,
        )
        self._undelivered(notification, error, False)

    def _report(self, notification: Notify, result: Result, answered: bool) -> None:
        delivered = result.outcome is Outcome.DELIVERED
        level = logging.DEBUG if delivered else logging.WARNING
        if _log.isEnabledFor(level):
            _log.log(
                level,
                "notification of %s, XappEventInstanceId %d, to %s %s after %d tries in %.1f s%s",
                notification.subscription_id,
                notification.xapp_event_instance_id,
                notification.endpoint.http,
                result.outcome.value,
                result.tries,
                result.age,
                "" if delivered else f": {result.error}",
            )
        if not delivered:
            self._undelivered(notification, result.error, True)
        self._ended(notification, delivered, result.age, answered)


def body_of(notification: Notify) -> bytes:
    """The JSON of a SubscriptionResponse with one instance. Fields without a value are left out."""
    instance: dict[str, Any] = {
        "XappEventInstanceId": notification.xapp_event_instance_id,
        "E2EventInstanceId": 0 if notification.failure else notification.instance_id,
        "ErrorCause": "",
    }
    if notification.failure:
        instance["ErrorCause"] = notification.failure.cause or "unknown failure"
        instance["ErrorSource"] = notification.failure.source
        if notification.failure.timeout:
            instance["TimeoutType"] = notification.failure.timeout
    elif notification.not_admitted:
        refused = (f"{item.action_id} ({describe(item.cause)})" for item in notification.not_admitted)
        instance["ErrorCause"] = f"actions not admitted: {', '.join(refused)}"
        instance["ErrorSource"] = Source.E2NODE
    return _encode({"SubscriptionId": notification.subscription_id, "SubscriptionInstances": [instance]})
