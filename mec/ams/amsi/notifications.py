# SPDX-License-Identifier: Apache-2.0
"""Sends the notifications of MEC 021 to the callbacks of subscriptions, with retries, in order per subscription."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import gevent
import msgspec

from mec.ams.amsi.model import Subscription
from submgr.platform.http.client import HttpClient
from submgr.platform.lease.permit import always
from submgr.platform.outbox import Outbox, Outcome, Result, RetryPolicy
from submgr.platform.sparse_log import Sparsely

log = logging.getLogger(__name__)

TIMEOUT = 2.0
"""Seconds for one try, of which connecting takes no more than half."""
POLICY = RetryPolicy(tries=5, delay=1.0, backoff=2.0)
_PLACES = 1000
_PAUSE = 0.1
"""Seconds between two looks whether this process may send."""
_MAX_ANSWER = 64 * 1024


class Notifier:
    """Sends notifications. `counts`: how many were delivered, given up and dropped.

    While `acting` says no, those that are due wait.
    """

    def __init__(self, client: HttpClient, counts: Counter[str], acting: Callable[[], bool] = always) -> None:
        self.counts = counts
        self._acting = acting
        self._client = client
        self._outbox = Outbox(policy=POLICY, places=_PLACES)
        self._sparsely = Sparsely(log)

    @property
    def waiting(self) -> int:
        """Notifications that are not finished."""
        return self._outbox.waiting

    def stop(self, grace: float = 0.0) -> None:
        """Begins to send nothing more. What is under way has `grace` seconds to come to its end."""
        self._outbox.stop(grace)

    def send(
        self, subscription: Subscription, notification: Mapping[str, Any], done: Callable[[], None] | None = None
    ) -> None:
        """Sends a notification after the earlier ones of its subscription. It is dropped when too many wait.

        `done` is called when it is delivered, given up or dropped; it must not block.
        """
        deliver = partial(self._deliver, subscription.callback, msgspec.json.encode(notification))
        if not self._outbox.put(subscription.id, subscription.id, deliver, partial(self._delivered, done)):
            self.counts["dropped"] += 1
            if done is not None:
                done()

    def drop(self, subscription: str) -> None:
        """Forgets the notifications of a subscription that are not delivered."""
        self._outbox.drop(subscription)

    def _deliver(self, callback: str, body: bytes) -> bool:
        while not self._acting():
            gevent.sleep(_PAUSE)
        answer = self._client.request(
            "POST",
            callback,
            body=body,
            headers={"Content-Type": "application/json"},
            connect_timeout=TIMEOUT / 2,
            read_timeout=TIMEOUT,
            max_response=_MAX_ANSWER,
        )
        return answer.ok

    def _delivered(self, done: Callable[[], None] | None, result: Result) -> None:
        self.counts[result.outcome.value] += 1
        if result.outcome is Outcome.GIVEN_UP:
            self._sparsely.log(logging.WARNING, "notification", "notification given up", why=result.error)
        if done is not None:
            done()
