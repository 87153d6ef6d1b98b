# SPDX-License-Identifier: Apache-2.0
"""One request of an xApp, and how its E2 subscriptions ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from submgr.client.errors import Closed, NotNotified, SubscriptionFailed
from submgr.client.values import Detail, Directives, Instance, Json, details_json, number_of

Changed = Callable[["Subscription", Instance], None]
"""Is called for each notification that says something new of a subscription."""

_GUIDE_TRIES, _GUIDE_SECONDS = 3, 2
"""The user guide: t >= 3 * 2 s * count of E2 subscriptions in the request."""
_MARGIN = 5.0
"""Seconds beyond, in which a notification that was not taken the first time comes again."""


class Owner(Protocol):
    """What a subscription needs of the `Subscriptions` that it belongs to."""

    @property
    def resends(self) -> int:
        """How often a request is sent again whose notifications do not come."""

    def pause(self, tried: int) -> None:
        """Waits before another try."""

    def post(self, subscription: Subscription) -> None:
        """Sends the request of a subscription, with the id it has, if it has one."""

    def delete(self, subscription: Subscription) -> None:
        """Deletes it, and knows it no more."""


class Subscription:
    """A request that has been accepted. `Subscriptions.subscribe` makes it.

    `id`: the SubscriptionId. It changes only when the Subscription Manager no longer knows the old one and `resend`
    subscribes anew.
    """

    def __init__(
        self,
        owner: Owner,
        name: str,
        meid: str,
        ran_function_id: int,
        details: Sequence[Detail | Json],
        directives: Directives | None,
        on_change: Changed | None,
    ) -> None:
        self.id = ""
        self.name = name
        self.meid = meid
        self.ran_function_id = ran_function_id
        self.directives = directives
        self.details: list[Json] = details_json(details)
        self.on_change = on_change
        self._owner = owner
        self._told: dict[int, Instance] = {}
        self._changed = threading.Condition()
        self._ended = False

    @property
    def instances(self) -> Mapping[int, Instance]:
        """What has been told so far, by XappEventInstanceId."""
        with self._changed:
            return dict(self._told)

    @property
    def recommended_wait(self) -> float:
        """Seconds within which all notifications come, as the user guide reckons; longer where other requests wait for
        the same E2 node."""
        directives = self.directives or Directives()
        tries = _GUIDE_TRIES if directives.retries is None else directives.retries + 1
        seconds = _GUIDE_SECONDS if directives.timeout is None else directives.timeout
        return float(max(tries * seconds * len(self.details), 1))

    def wait(self, timeout: float | None = None, resend: int = 0) -> tuple[Instance, ...]:
        """Waits until each E2 subscription has ended. Returns them, in the order of the details.

        When notifications are missing after `recommended_wait`, the request is sent again: the Subscription Manager
        goes on if it is still at work, and else tells once more. `timeout`: seconds in all; None: enough for that.
        `resend`: how often a failure that may pass (`Instance.may_pass`) is answered by sending the request again.

        Raises SubscriptionFailed when one of them failed, NotNotified, Closed, and what `resend` raises.
        """
        patience = self.recommended_wait
        if timeout is None:
            timeout = patience * (1 + self._owner.resends + resend) + _MARGIN
        deadline = time.monotonic() + timeout
        repeated = tried = 0
        while True:
            last = repeated >= self._owner.resends
            missing = self._missing(deadline if last else min(deadline, time.monotonic() + patience))
            if not missing:
                found = self._outcome()
                failures = [instance for instance in found if not instance.succeeded]
                if not failures:
                    return found
                passing = all(instance.may_pass for instance in failures)
                if tried >= resend or not passing or time.monotonic() >= deadline:
                    raise SubscriptionFailed(failures, [instance for instance in found if instance.succeeded])
                tried += 1
                self._owner.pause(tried)
                self.resend()
            elif time.monotonic() >= deadline:
                self._raise_failures()
                raise NotNotified(missing, timeout)
            else:
                repeated += 1
                self._owner.post(self)

    def resend(self) -> None:
        """Sends the same request again: what is subscribed is told once more, what failed is tried again.

        One that the Subscription Manager no longer knows (the E2 node was lost, say) is subscribed anew, under another
        id.
        Raises what `Subscriptions.subscribe` raises.
        """
        with self._changed:
            self._told = {number: one for number, one in self._told.items() if one.succeeded}
        self._owner.post(self)

    def update(self, details: Sequence[Detail | Json]) -> None:
        """Sends other content under the same id: of a POLICY, or further details. `wait` then waits for the outcome.

        Of a REPORT or INSERT that is subscribed the content cannot change: InvalidRequest says so. Delete it first.
        """
        before, told = self.details, self._told
        with self._changed:
            self.details = details_json(details)
            self._told = {}
        try:
            self._owner.post(self)
        except BaseException:
            with self._changed:
                self.details, self._told = before, {**told, **self._told}
            raise

    def delete(self) -> None:
        """Unsubscribes; whoever waits gets Closed. It cannot fail, but for Unreachable; may be repeated."""
        self.end()
        self._owner.delete(self)

    @property
    def ended(self) -> bool:
        """Whether it was deleted, or its client closed."""
        return self._ended

    def take(self, instance: Instance) -> bool:
        """Takes what was notified. Returns whether it says something new. For `Subscriptions`."""
        with self._changed:
            if self._ended or self._told.get(instance.xapp_event_instance_id) == instance:
                return False
            if instance.xapp_event_instance_id not in self._numbers():
                return False
            self._told[instance.xapp_event_instance_id] = instance
            self._changed.notify_all()
            return True

    def begin_anew(self) -> None:
        """The id, and what was told under it, is nothing any more. For `Subscriptions`."""
        with self._changed:
            self.id = ""
            self._told = {}

    def end(self) -> None:
        """Whoever waits gets Closed. For `Subscriptions`."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _numbers(self) -> list[int]:
        return [number_of(detail) for detail in self.details]

    def _missing(self, deadline: float) -> list[int]:
        """Waits until nothing is missing, or until `deadline`. Returns what is missing then."""
        with self._changed:
            while True:
                missing = [number for number in self._numbers() if number not in self._told]
                left = deadline - time.monotonic()
                if self._ended:
                    raise Closed("the subscription was deleted, or its client closed")
                if not missing or left <= 0:
                    return missing
                self._changed.wait(left)

    def _outcome(self) -> tuple[Instance, ...]:
        with self._changed:
            return tuple(self._told[number] for number in self._numbers() if number in self._told)

    def _raise_failures(self) -> None:
        """A failure that is known says more than a notification that is missing."""
        found = self._outcome()
        failures = [instance for instance in found if not instance.succeeded]
        if failures:
            raise SubscriptionFailed(failures, [instance for instance in found if instance.succeeded])
