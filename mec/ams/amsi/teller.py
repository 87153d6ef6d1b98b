# SPDX-License-Identifier: Apache-2.0
"""Tells subscribers what is in the log of events, in the one of all replicas that is active."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from gevent.event import Event as Signal

from mec.ams.amsi import schemas
from mec.ams.amsi.catalogue import Catalogue
from mec.ams.amsi.events import Event, EventLog
from mec.ams.amsi.matching import notification_of, transferred
from mec.ams.amsi.model import ADJACENT, MobilityService, Subscription
from mec.ams.amsi.notifications import TIMEOUT, Notifier
from mec.ams.ue_addresses import UeAddresses
from submgr.platform.http.client import HttpClient
from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import StoreError
from submgr.platform.store.loading import PAUSE
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)

_AT_A_TIME = 100
_MOST_OPEN = 10_000
"""Events whose notifications are not all delivered: no more are taken from the log meanwhile."""
_LOOK = 1.0
"""Seconds between two looks at the log when nobody says that there is anything in it."""

_Notices = Iterator[tuple[str, Subscription, Mapping[str, Any]]]
"""Notifications: a name within their event, whom they are for, and what they say."""


class Teller:
    """Takes events from the log in their order, and removes those whose notifications are delivered or given up.

    The notifications of one subscription are sent one after the other. A replica that follows another one begins with
    the events that are not done with: a notification that was sent and not yet noted is sent once more. `interface`:
    where applications at other MECs are reached. `acting`: whether this replica is the active one at this moment.
    """

    def __init__(
        self,
        event_log: EventLog,
        subscriptions: Catalogue[Subscription],
        services: Catalogue[MobilityService],
        ue_addresses: UeAddresses,
        client: HttpClient,
        interface: dict[str, Any],
        acting: Callable[[], bool],
        counts: Counter[str],
    ) -> None:
        self.wake = Signal()
        """Set when there may be something to do."""
        self._log = event_log
        self._subscriptions = subscriptions
        self._services = services
        self._ue_addresses = ue_addresses
        self._interface = interface
        self._acting = acting
        self._notifier = Notifier(client, counts, acting)
        self._taken = 0
        self._open: dict[int, tuple[Event, set[str]]] = {}
        """The events that were taken and are not done with, and those of their notifications that are not."""
        self._progress: set[int] = set()
        """Open events of which a notification was delivered since that was last noted."""
        self._finished: set[int] = set()
        self._outage = Outage(log)
        self._loop = SupervisedLoop("MEC 021 events", self._step)

    @property
    def waiting(self) -> int:
        """Events that were taken and are not done with."""
        return len(self._open) + len(self._finished)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        """Lets the notifications under way end, and notes it: the replica that follows does not send them again."""
        self._loop.stop()
        self._notifier.stop(TIMEOUT if self._acting() else 0.0)
        if self._acting() and self.waiting:
            with suppress(StoreError):
                self._note(self._log.bounds()[0])

    def _step(self) -> None:
        if not self._acting():
            self.wake.wait(_LOOK / 5)
            self.wake.clear()
            return
        self.wake.clear()
        try:
            if not self._advance():
                self.wake.wait(_LOOK)
        except StoreError as error:
            self._outage.goes_on(f"notifications of MEC 021 wait for the store: {error}")
            self.wake.wait(PAUSE)
        else:
            self._outage.over("notifications of MEC 021 go on")

    def _advance(self) -> bool:
        """Notes what is done with, and takes what comes next. Whether there was anything."""
        done, last = self._log.bounds()
        if last < self._taken:
            log.warning("the log of MEC 021 events has begun anew: the database was emptied")
            self._taken = done
            self._open.clear()
            self._progress.clear()
            self._finished.clear()
        self._taken = max(self._taken, done)
        numbers = range(self._taken + 1, min(last, self._taken + _AT_A_TIME) + 1)
        if not numbers or len(self._open) >= _MOST_OPEN:
            return self._note(done)
        events = self._log.read(numbers)
        subscriptions, services = self._subscriptions.all(), self._services.all()
        for number in numbers:
            if (event := events.get(number)) is None:
                self._finished.add(number)
            else:
                self._tell(number, event, subscriptions, services)
            self._taken = number
        self._note(done)
        return True

    def _note(self, done: int) -> bool:
        finished, progress = set(self._finished), self._progress & self._open.keys()
        if progress:
            self._log.note({number: self._open[number][0] for number in progress})
            self._progress -= progress
        if not finished:
            return bool(progress)
        upto = done
        while upto < self._taken and upto + 1 not in self._open:
            upto += 1
        if self._log.finish(done, upto, finished):
            self._finished -= finished
        return True

    def _tell(
        self,
        number: int,
        event: Event,
        subscriptions: Mapping[str, Subscription],
        services: Mapping[str, MobilityService],
    ) -> None:
        notices = [notice for notice in self._notices(event, subscriptions, services) if notice[0] not in event.told]
        self._open[number] = event, {name for name, _, _ in notices}
        for name, subscription, body in notices:
            self._notifier.send(subscription, body, partial(self._told, number, name))
        if event.cancelled is not None:
            self._notifier.drop(event.cancelled)
        self._close(number)

    def _notices(
        self, event: Event, subscriptions: Mapping[str, Subscription], services: Mapping[str, MobilityService]
    ) -> _Notices:
        for order, moved in enumerate(event.moves):
            if not subscriptions and not services:
                continue
            associates = schemas.associates_of(self._ue_addresses.addresses_of(moved.imsi))
            for subscription in subscriptions.values():
                body = notification_of(moved, subscription, associates)
                if body is not None:
                    yield f"{order}/{subscription.id}", subscription, body
            for service in services.values():
                if transferred(moved, service, associates) is not None:
                    self._services.change(service.id, partial(transferred, moved, associates=associates))
        for app in event.adjacent:
            for subscription in subscriptions.values():
                if subscription.type == ADJACENT and subscription.app_instance_id in (None, app):
                    body = schemas.adjacency_notification(subscription, app, self._interface)
                    yield f"adjacent/{app}/{subscription.id}", subscription, body
        if event.trial is not None:
            yield "trial", event.trial, schemas.trial_notification(event.trial)
        if event.expired is not None:
            yield "expired", event.expired, schemas.expiry_notification(event.expired)

    def _told(self, number: int, name: str) -> None:
        """A notification was delivered, given up or dropped."""
        if number not in self._open:
            return
        event, left = self._open[number]
        left.discard(name)
        if left:
            self._open[number] = replace(event, told=(*event.told, name)), left
            self._progress.add(number)
        self._close(number)
        self.wake.set()

    def _close(self, number: int) -> None:
        if number in self._open and not self._open[number][1]:
            del self._open[number]
            self._progress.discard(number)
            self._finished.add(number)
