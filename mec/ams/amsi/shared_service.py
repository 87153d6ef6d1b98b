# SPDX-License-Identifier: Apache-2.0
"""Registered services and subscriptions where replicas share the store, and the events of each replica."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import gevent
from gevent.queue import Full, Queue

from mec.ams.amsi import schemas
from mec.ams.amsi.catalogue import Catalogue
from mec.ams.amsi.events import Event, EventLog
from mec.ams.amsi.matching import Moved, moves_of
from mec.ams.amsi.model import MobilityService, MobilityStatus, Subscription
from mec.ams.amsi.teller import Teller
from mec.ams.model import ANY_APP, KnownUses, Use
from mec.ams.service import MobilityObserver
from mec.ams.ue_addresses import UeAddresses
from mec.ams.uses import NAMESPACE
from mec.common.settings import MecSettings
from submgr.platform.http.client import HttpClient
from submgr.platform.shared.base import Entry, SharedStore
from submgr.platform.store.base import StoreError
from submgr.platform.store.loading import PAUSE, Loader
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)

_EVENTS = 10_000
_LAST_WORDS = 1.0
"""Seconds in which events are stored at the end of the process."""
_LOOK = 1.0
"""Seconds between two looks for what has expired."""


class SharedMobility(MobilityObserver):
    """Keeps registered services and subscriptions in the shared store, and events in its log.

    What happens is stored with the change that it is, and told by the replica that acts (`acting`), see `Teller`.
    """

    def __init__(
        self,
        settings: MecSettings,
        shared: SharedStore,
        client: HttpClient,
        ue_addresses: UeAddresses,
        acting: Callable[[], bool],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._interface = schemas.interface_of(settings.proxy_url)
        self._own = settings.mec_id
        self._shared = shared
        self._acting = acting
        self._wall = wall
        prefix = f"ams/{settings.mec_id}"
        self._services = Catalogue(shared, NAMESPACE, MobilityService, f"{prefix}/service/", f"{prefix}/services")
        self._subscriptions = Catalogue(
            shared, NAMESPACE, Subscription, f"{prefix}/subscription/", f"{prefix}/subscriptions"
        )
        self._log = EventLog(shared, NAMESPACE, f"{prefix}/events")
        self._teller = Teller(
            self._log,
            self._subscriptions,
            self._services,
            ue_addresses,
            client,
            self._interface,
            acting,
            self.counts,
        )
        self._uses: KnownUses | None = None
        self._unsaved: Queue[Event] = Queue(_EVENTS)
        self._saving = False
        self._loader = Loader(self._load, log, "subscriptions wait for the store")
        self._loops = (
            SupervisedLoop("MEC 021 log", self._save_next),
            SupervisedLoop("MEC 021 expiry", self._expire),
        )

    def describe(self, uses: Sequence[Use], adjacent: Sequence[str]) -> Entry:
        """The event of new uses, for the change that stores them."""
        return self._log.entry(Event(tuple(moves_of(uses)), tuple(dict.fromkeys(adjacent))))

    def know(self, uses: KnownUses) -> None:
        """Whose uses `adjacent` looks at."""
        self._uses = uses

    def start(self) -> None:
        """Brings the lists of stored services and subscriptions up to date, and begins to notify when it may."""
        self._shared.listen(NAMESPACE, self._log.name, self._teller.wake.set)
        for loop in self._loops:
            loop.start()
        self._teller.start()
        self._loader.start()

    def stop(self) -> None:
        """Ends all notifications. Those that were not delivered are another replica's."""
        self._loader.stop()
        with gevent.Timeout(_LAST_WORDS, False):
            while self._unsaved.qsize() or self._saving:
                gevent.sleep(0.01)
        self._teller.stop()
        for loop in self._loops:
            loop.stop()

    def wake(self) -> None:
        """This replica may be the active one now."""
        self._teller.wake.set()

    @property
    def loaded(self) -> bool:
        """Whether the lists are up to date."""
        return self._loader.done

    @property
    def waiting(self) -> int:
        """Events of this replica that are not stored yet, or whose notifications it has not delivered yet."""
        return int(self._unsaved.qsize()) + self._saving + self._teller.waiting

    def services(self) -> list[MobilityService]:
        """All registered services. Raises StoreError."""
        return list(self._services.all().values())

    def service(self, service_id: str) -> MobilityService | None:
        """The registered service of an id. Raises StoreError."""
        return self._services.get(service_id)

    def put_service(self, service: MobilityService, *, new: bool = True) -> bool:
        """Registers a service, or replaces it unless `new`. False: there is none. Raises StoreError."""
        return self._services.put(service.id, service, new=new)

    def remove_service(self, service_id: str) -> None:
        """Removes a service. Raises StoreError."""
        self._services.remove(service_id)

    def subscriptions(self) -> list[Subscription]:
        """All subscriptions. Raises StoreError."""
        return list(self._subscriptions.all().values())

    def subscription(self, subscription_id: str) -> Subscription | None:
        """The subscription of an id. Raises StoreError."""
        return self._subscriptions.get(subscription_id)

    def put_subscription(self, subscription: Subscription, *, new: bool = True, test: bool = False) -> bool:
        """Adds a subscription, or replaces it unless `new`. False: there is none. Raises StoreError.

        `test`: its callback gets a test notification.
        """
        entry = self._log.entry(Event(trial=subscription)) if test else None
        return self._subscriptions.put(subscription.id, subscription, new=new, entry=entry)

    def remove_subscription(self, subscription_id: str) -> None:
        """Removes a subscription and its undelivered notifications. Raises StoreError."""
        self._subscriptions.remove(subscription_id, self._log.entry(Event(cancelled=subscription_id)))

    def adjacent(self, app_instance_id: str | None) -> list[dict[str, Any]]:
        """The instances at other MECs of one application, or of all applications (None). Raises StoreError."""
        uses = self._uses.all() if self._uses is not None else []
        places = {(use.app_id, use.mec_id) for use in uses if use.app_id != ANY_APP and use.mec_id != self._own}
        return [
            schemas.adjacent_view(app, mec, self._interface)
            for app, mec in sorted(places)
            if app_instance_id in (None, app)
        ]

    def served(self, imsi: str, app_id: str) -> None:
        self._put(Event((Moved(MobilityStatus.COMPLETED, imsi, app_id),)))

    def failed(self, imsi: str, app_id: str) -> None:
        self._put(Event((Moved(MobilityStatus.FAILED, imsi, app_id),)))

    def _put(self, event: Event) -> None:
        try:
            self._unsaved.put_nowait(event)
        except Full:
            self.counts["dropped"] += 1

    def _save_next(self) -> None:
        event, name = self._unsaved.get(), uuid4().hex
        self._saving = True
        try:
            while True:
                try:
                    self.counts["dropped"] += not self._log.append(event, name)
                    return
                except StoreError as exc:
                    log.warning("an event of MEC 021 waits for the store", extra={"why": str(exc)})
                    gevent.sleep(PAUSE)
        finally:
            self._saving = False

    def _expire(self) -> None:
        gevent.sleep(_LOOK)
        if self._acting():
            try:
                self._end_what_is_due()
            except StoreError as exc:
                log.warning("what has expired waits for the store", extra={"why": str(exc)})

    def _end_what_is_due(self) -> None:
        now = self._wall()
        for service in self.services():
            if service.ends is not None and service.ends <= now and self._services.remove(service.id, only=service):
                self.counts["services expired"] += 1
        for subscription in self.subscriptions():
            if subscription.ends is not None and subscription.ends <= now:
                entry = self._log.entry(Event(expired=subscription))
                if self._subscriptions.remove(subscription.id, entry, only=subscription):
                    self.counts["subscriptions expired"] += 1

    def _load(self) -> None:
        self._services.load()
        self._subscriptions.load()
