# SPDX-License-Identifier: Apache-2.0
"""The services and subscriptions of MEC 021, and which subscribers are told when the state of a UE moves."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import gevent
from gevent.event import Event
from gevent.queue import Full, Queue

from mec.ams.amsi import schemas
from mec.ams.amsi.matching import Moved, moves_of, notification_of, transferred
from mec.ams.amsi.model import ADJACENT, MobilityService, MobilityStatus, Subscription
from mec.ams.amsi.notifications import Notifier
from mec.ams.model import ANY_APP, Use
from mec.ams.service import MobilityObserver
from mec.ams.ue_addresses import UeAddresses
from mec.ams.uses import NAMESPACE, Uses
from mec.common.records import Records
from mec.common.settings import MecSettings
from submgr.platform.http.client import HttpClient
from submgr.platform.store.base import Store, StoreError
from submgr.platform.store.loading import PAUSE, Loader
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)

_EVENTS = 10_000
_LONGEST_WAIT = 60.0


class Mobility(MobilityObserver):
    """Keeps registered services and subscriptions, and turns events of application mobility into notifications.

    The notifications of one subscription are sent one after the other.
    """

    def __init__(
        self,
        settings: MecSettings,
        store: Store,
        client: HttpClient,
        ue_addresses: UeAddresses,
        uses: Uses,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._ue_addresses = ue_addresses
        self._known_uses = uses
        self._wall = wall
        prefix = f"ams/{settings.mec_id}"
        self._service_records = Records(store, NAMESPACE, MobilityService, f"{prefix}/service/")
        self._subscription_records = Records(store, NAMESPACE, Subscription, f"{prefix}/subscription/")
        self._services: dict[str, MobilityService] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._loader = Loader(self._load, log, "subscriptions wait for the store")
        self._notifier = Notifier(client, self.counts)
        self._events: Queue[Moved] = Queue(_EVENTS)
        self._adjacent: set[tuple[str, int]] = set()
        self._changed = Event()
        self._telling = False
        self._loops = (
            SupervisedLoop("MEC 021 events", self._tell_next),
            SupervisedLoop("MEC 021 expiry", self._expire),
        )

    def start(self) -> None:
        """Reads the stored services and subscriptions, later when the store is away, and begins to notify."""
        for loop in self._loops:
            loop.start()
        self._loader.start()

    def stop(self) -> None:
        """Ends all notifications."""
        self._loader.stop()
        for loop in self._loops:
            loop.stop()
        self._notifier.stop()

    @property
    def loaded(self) -> bool:
        """Whether the stored services and subscriptions have been read."""
        return self._loader.done

    @property
    def waiting(self) -> int:
        """Events and notifications that are not finished."""
        return int(self._events.qsize()) + self._telling + self._notifier.waiting

    # services

    def services(self) -> list[MobilityService]:
        """All registered services."""
        return list(self._services.values())

    def service(self, service_id: str) -> MobilityService | None:
        """The registered service of an id."""
        return self._services.get(service_id)

    def put_service(self, service: MobilityService, *, new: bool = True) -> bool:
        """Registers a service, or replaces it unless `new`. False: there is none.

        Raises StoreError, and then nothing has changed.
        """
        if not new and service.id not in self._services:
            return False
        self._service_records.save(service.id, service)
        self._services[service.id] = service
        self._changed.set()
        return True

    def remove_service(self, service_id: str) -> None:
        """Removes a service. Raises StoreError, and then nothing has changed."""
        self._service_records.remove(service_id)
        self._services.pop(service_id, None)

    # subscriptions

    def subscriptions(self) -> list[Subscription]:
        """All subscriptions."""
        return list(self._subscriptions.values())

    def subscription(self, subscription_id: str) -> Subscription | None:
        """The subscription of an id."""
        return self._subscriptions.get(subscription_id)

    def put_subscription(self, subscription: Subscription, *, new: bool = True, test: bool = False) -> bool:
        """Adds a subscription, or replaces it unless `new`. False: there is none. Raises StoreError.

        `test`: its callback gets a test notification.
        """
        if not new and subscription.id not in self._subscriptions:
            return False
        self._subscription_records.save(subscription.id, subscription)
        self._subscriptions[subscription.id] = subscription
        self._changed.set()
        if test:
            self._notifier.send(subscription, schemas.trial_notification(subscription))
        return True

    def remove_subscription(self, subscription_id: str) -> None:
        """Removes a subscription and its undelivered notifications. Raises StoreError, and then nothing has changed."""
        self._subscription_records.remove(subscription_id)
        self._subscriptions.pop(subscription_id, None)
        self._notifier.drop(subscription_id)

    def adjacent(self, app_instance_id: str | None) -> list[dict[str, Any]]:
        """The instances at other MECs of one application, or of all applications (None)."""
        interface = schemas.interface_of(self._settings.proxy_url)
        return [
            schemas.adjacent_view(app, mec, interface)
            for app, mec in sorted(self._elsewhere(self._known_uses.all()))
            if app_instance_id in (None, app)
        ]

    # what happens

    def moved_away(self, uses: Sequence[Use]) -> None:
        for moved in moves_of(uses):
            self._put(moved)
        for app, mec in sorted(self._elsewhere(uses) - self._adjacent):
            self._adjacent.add((app, mec))
            self._tell_adjacent(app)

    def served(self, imsi: str, app_id: str) -> None:
        self._put(Moved(MobilityStatus.COMPLETED, imsi, app_id))

    def failed(self, imsi: str, app_id: str) -> None:
        self._put(Moved(MobilityStatus.FAILED, imsi, app_id))

    def _elsewhere(self, uses: Sequence[Use]) -> set[tuple[str, int]]:
        own = self._settings.mec_id
        return {(use.app_id, use.mec_id) for use in uses if use.app_id != ANY_APP and use.mec_id != own}

    def _put(self, moved: Moved) -> None:
        try:
            self._events.put_nowait(moved)
        except Full:
            self.counts["dropped"] += 1

    def _tell_next(self) -> None:
        moved = self._events.get()
        self._telling = True
        try:
            if self._subscriptions or self._services:
                self._tell(moved)
        finally:
            self._telling = False

    def _tell(self, moved: Moved) -> None:
        associates = schemas.associates_of(self._ue_addresses.addresses_of(moved.imsi))
        for subscription in list(self._subscriptions.values()):
            notification = notification_of(moved, subscription, associates)
            if notification is not None:
                self._notifier.send(subscription, notification)
        for service in list(self._services.values()):
            changed = transferred(moved, service, associates)
            if changed is not None:
                self._services[service.id] = changed
                self._service_records.save_soon(service.id, changed)

    def _tell_adjacent(self, app: str) -> None:
        interface = schemas.interface_of(self._settings.proxy_url)
        for subscription in list(self._subscriptions.values()):
            if subscription.type == ADJACENT and subscription.app_instance_id in (None, app):
                self._notifier.send(subscription, schemas.adjacency_notification(subscription, app, interface))

    # time

    def _expire(self) -> None:
        self._changed.clear()
        ends = [each.ends for each in self._services.values()]
        ends += [each.ends for each in self._subscriptions.values()]
        due = min((end for end in ends if end is not None), default=None)
        wait = _LONGEST_WAIT if due is None else max(0.0, min(due - self._wall(), _LONGEST_WAIT))
        if wait:
            self._changed.wait(wait)
        self._end_what_is_due()

    def _end_what_is_due(self) -> None:
        now = self._wall()
        try:
            for service in list(self._services.values()):
                if service.ends is not None and service.ends <= now:
                    self.remove_service(service.id)
                    self.counts["services expired"] += 1
            for subscription in list(self._subscriptions.values()):
                if subscription.ends is not None and subscription.ends <= now:
                    self._subscription_records.remove(subscription.id)
                    self._subscriptions.pop(subscription.id, None)
                    self.counts["subscriptions expired"] += 1
                    self._notifier.send(subscription, schemas.expiry_notification(subscription))
        except StoreError as exc:
            log.warning("what has expired waits for the store", extra={"why": str(exc)})
            gevent.sleep(PAUSE)

    def _load(self) -> None:
        services = self._service_records.load()
        subscriptions = self._subscription_records.load()
        self._services = services
        self._subscriptions = subscriptions
        self._adjacent = self._elsewhere(self._known_uses.all())
        self._changed.set()


def new_id() -> str:
    """An id for a new service or subscription."""
    return uuid4().hex
