# SPDX-License-Identifier: Apache-2.0
"""Events of several replicas are told by one of them: in order, each once, and after a death by the next one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import gevent
import pytest
from support.store.shared import MemoryShared
from support.waiting import turns_until

from mec.ams.amsi.catalogue import Catalogue
from mec.ams.amsi.events import Event, EventLog
from mec.ams.amsi.matching import Moved
from mec.ams.amsi.model import (
    ADJACENT,
    MOBILITY,
    Associate,
    Device,
    MobilityService,
    MobilityStatus,
    Subscription,
    TimeStamp,
)
from mec.ams.amsi.teller import Teller
from mec.ams.ue_addresses import UeAddresses
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpConnectError
from submgr.platform.shared.base import Entry, Swap
from submgr.platform.store.base import StoreUnavailable
from submgr.platform.turns import turn

NS = "mec_ues"
MOVED = Moved(MobilityStatus.TRIGGERED, "001", "1")


class Client:
    """Whom notifications are sent to. `refuses`: the callbacks that take none."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.refuses: set[str] = set()
        self.on_request: Callable[[], None] = lambda: None

    def request(self, method: str, url: str, *, body: bytes, **options: Any) -> Any:
        turn()
        if url in self.refuses:
            raise HttpConnectError("refused")
        self.told.append((url, json.loads(body)))
        self.on_request()

        class Answer:
            ok = True

        return Answer

    def whom(self) -> list[str]:
        return [url for url, _ in self.told]


class Addresses:
    def addresses_of(self, imsi: str) -> list[str]:
        return ["10.0.0.1"]


class Replicas:
    def __init__(self) -> None:
        self.shared = MemoryShared()
        self.client = Client()
        self.log = EventLog(self.shared, NS, "events")
        self.subscriptions = Catalogue(self.shared, NS, Subscription, "subscription/", "subscriptions")
        self.services = Catalogue(self.shared, NS, MobilityService, "service/", "services")
        self.active: Teller | None = None
        self.counts: Counter[str] = Counter()
        self.tellers: list[Teller] = []

    def one(self, *, active: bool = False) -> Teller:
        made: list[Teller] = []
        teller = Teller(
            self.log,
            Catalogue(self.shared, NS, Subscription, "subscription/", "subscriptions"),
            Catalogue(self.shared, NS, MobilityService, "service/", "services"),
            cast(UeAddresses, Addresses()),
            cast(HttpClient, self.client),
            {},
            lambda: self.active is made[0],
            self.counts,
        )
        made.append(teller)
        self.tellers.append(teller)
        if active:
            self.active = teller
        self.shared.listen(NS, "events", teller.wake.set)
        teller.start()
        return teller

    def subscribe(self, name: str, **changes: Any) -> None:
        values: dict[str, Any] = {"type": MOBILITY, "app_instance_id": "1", **changes}
        self.subscriptions.put(name, Subscription(name, callback=name, self_url=name, **values), new=True)

    def happens(self, *events: Event) -> None:
        for event in events:
            assert self.log.append(event)

    def untold(self) -> int:
        done, last = self.log.bounds()
        return last - done

    def settled(self) -> None:
        turns_until(lambda: not self.untold())


@pytest.fixture
def replicas(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replicas]:
    monkeypatch.setattr("mec.ams.amsi.teller._LOOK", 0.001)
    monkeypatch.setattr("mec.ams.amsi.notifications._PAUSE", 0.0005)
    made = Replicas()
    yield made
    made.active = None
    for teller in made.tellers:
        teller.stop()


def test_only_the_active_one_tells_and_each_event_once(replicas: Replicas) -> None:
    replicas.subscribe("a")
    for _ in range(3):
        replicas.one()
    replicas.happens(*[Event((MOVED,))] * 5)
    for _ in range(200):
        turn()
    assert replicas.client.told == [] and replicas.untold() == 5
    replicas.active = replicas.tellers[1]
    replicas.settled()
    assert replicas.client.whom() == ["a"] * 5
    assert replicas.counts["delivered"] == 5
    assert replicas.shared.read(NS, [f"events/{n}" for n in range(1, 6)]) == {}


def test_events_keep_their_order(replicas: Replicas) -> None:
    replicas.subscribe("a", statuses=(1, 2, 3))
    replicas.one(active=True)
    order = [1, 2, 3, 1, 3, 2] * 30
    replicas.happens(*(Event((Moved(MobilityStatus(status), "001", "1"),)) for status in order))
    replicas.settled()
    assert [body["mobilityStatus"] for _, body in replicas.client.told] == order


def test_what_was_told_before_a_death_is_not_told_again(replicas: Replicas) -> None:
    replicas.subscribe("a")
    replicas.subscribe("b")
    replicas.client.refuses = {"b"}
    first, second = replicas.one(active=True), replicas.one()
    replicas.happens(Event((MOVED,)))
    turns_until(lambda: "0/a" in (replicas.log.read([1])[1].told))
    replicas.active = second  # the first one is dead
    first._loop.stop()
    first._notifier.stop()
    replicas.client.refuses = set()
    replicas.settled()
    assert replicas.client.whom() == ["a", "b"]


def test_what_was_sent_and_not_noted_is_told_once_more(replicas: Replicas) -> None:
    replicas.subscribe("a")
    first, second = replicas.one(active=True), replicas.one()
    replicas.client.on_request = lambda: setattr(replicas.shared, "away", True)
    replicas.happens(Event((MOVED,)))
    turns_until(lambda: replicas.client.told)
    replicas.active = None
    first.stop()
    replicas.client.on_request = lambda: None
    replicas.shared.away = False
    replicas.active = second
    replicas.settled()
    assert replicas.client.whom() == ["a", "a"]


def test_who_is_stopped_in_order_notes_what_it_has_sent(replicas: Replicas) -> None:
    replicas.subscribe("a")
    first, second = replicas.one(active=True), replicas.one()
    replicas.client.on_request = lambda: gevent.spawn(first.stop) and None
    replicas.happens(Event((MOVED,)))
    turns_until(lambda: not replicas.untold())
    replicas.active = second
    for _ in range(50):
        turn()
    assert replicas.client.whom() == ["a"]


def test_who_may_not_act_any_more_sends_nothing(replicas: Replicas) -> None:
    replicas.subscribe("a")
    first, second = replicas.one(active=True), replicas.one()
    replicas.client.on_request = lambda: setattr(replicas, "active", None)
    replicas.happens(Event((MOVED,)), Event((MOVED,)), Event((MOVED,)))
    turns_until(lambda: replicas.client.told)
    for _ in range(100):
        turn()
    assert len(replicas.client.told) == 1
    replicas.client.on_request = lambda: None
    replicas.active = first  # it has its lease again
    replicas.settled()
    assert len(replicas.client.told) == 3 and not second.waiting


def test_an_event_beyond_a_silent_subscriber_is_told_and_done_with(replicas: Replicas) -> None:
    replicas.subscribe("a")
    replicas.subscribe("b", app_instance_id="2")
    replicas.client.refuses = {"a"}
    replicas.one(active=True)
    replicas.happens(Event((MOVED,)), Event((Moved(MobilityStatus.TRIGGERED, "001", "2"),)))
    turns_until(lambda: replicas.shared.read(NS, ["events/1", "events/2"]).keys() == {"events/1"})
    assert replicas.client.whom() == ["b"] and replicas.log.bounds() == (0, 2)


def test_trials_ends_and_places(replicas: Replicas) -> None:
    replicas.subscribe("a", type=ADJACENT, app_instance_id="1")
    replicas.subscribe("b", type=ADJACENT, app_instance_id="2")
    (own,) = [each for each in replicas.subscriptions.all().values() if each.id == "a"]
    ending = replace(own, deadline=TimeStamp(1, 0))
    replicas.one(active=True)
    replicas.happens(Event(trial=own), Event(adjacent=("1", "2")), Event(expired=ending), Event(moves=(MOVED,)))
    replicas.settled()
    kinds = [(url, body["notificationType"]) for url, body in replicas.client.told]
    assert kinds[0] == ("a", "TestNotification")
    assert [kind for url, kind in kinds if url == "a"][1:] == ["AdjacentAppInfoNotification", "ExpiryNotification"]
    assert [kind for url, kind in kinds if url == "b"] == ["AdjacentAppInfoNotification"]


def test_who_has_cancelled_hears_nothing_more(replicas: Replicas) -> None:
    replicas.subscribe("a")
    replicas.client.refuses = {"a"}
    replicas.one(active=True)
    replicas.happens(*[Event((MOVED,))] * 3)
    turns_until(lambda: replicas.tellers[0].waiting == 3)
    replicas.subscriptions.remove("a", replicas.log.entry(Event(cancelled="a")))
    turns_until(lambda: replicas.log.bounds()[0] >= 4 or replicas.counts["dropped"] >= 2)
    assert replicas.client.told == []


def test_the_devices_of_a_service_are_noted_as_moved(replicas: Replicas) -> None:
    device = Device(Associate(1, "10.0.0.1"))
    replicas.services.put("s", MobilityService("s", "1", None, (device,)), new=True)
    replicas.one(active=True)
    replicas.happens(Event((Moved(MobilityStatus.COMPLETED, "001", "1"),)))
    replicas.settled()
    service = replicas.services.get("s")
    assert service is not None and service.devices[0].transferred == 1


def test_a_log_that_begins_anew_is_told_from_its_beginning(replicas: Replicas) -> None:
    replicas.subscribe("a")
    replicas.one(active=True)
    replicas.happens(*[Event((MOVED,))] * 3)
    replicas.settled()
    replicas.shared.empty()
    replicas.subscribe("b")
    turns_until(lambda: not replicas.tellers[0].waiting)
    for _ in range(50):
        turn()
    replicas.happens(Event((MOVED,)))
    replicas.settled()
    assert replicas.client.whom() == ["a", "a", "a", "b"]


def test_an_unreadable_event_is_passed_over(replicas: Replicas) -> None:
    replicas.subscribe("a")
    replicas.shared.swap(Swap(NS, entry=Entry("events", b"\xff")))
    replicas.happens(Event((MOVED,)))
    replicas.one(active=True)
    replicas.settled()
    assert replicas.client.whom() == ["a"]


def test_an_event_whose_telling_failed_is_told_later(replicas: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mec.ams.amsi.teller.PAUSE", 0.0005)
    device = Device(Associate(1, "10.0.0.1"))
    replicas.subscribe("a")
    replicas.services.put("s", MobilityService("s", "1", None, (device,)), new=True)
    failing = [StoreUnavailable("away")] * 3

    def refuse(swap: Swap) -> None:
        if failing and "service/s" in swap.set:
            raise failing.pop()

    replicas.shared.before = refuse
    replicas.one(active=True)
    replicas.happens(Event((MOVED,)), Event((MOVED,)))
    replicas.settled()
    assert replicas.client.whom() == ["a", "a"] and not failing


def test_a_subscriber_with_too_much_waiting_misses_what_comes_and_the_others_do_not(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mec.ams.amsi.notifications._PLACES", 2)
    replicas.subscribe("a")
    replicas.subscribe("b")
    replicas.client.refuses = {"a"}
    replicas.one(active=True)
    for _ in range(5):
        replicas.happens(Event((MOVED,)))
        turns_until(lambda: replicas.log.bounds()[1] == replicas.tellers[0]._taken)
        turns_until(lambda: replicas.counts["delivered"] == replicas.log.bounds()[1])
    assert replicas.client.whom() == ["b"] * 5
    assert replicas.counts["dropped"] == 3


def test_a_notification_without_a_place_is_done_with(replicas: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mec.ams.amsi.notifications._PLACES", 0)
    replicas.subscribe("a")
    replicas.one(active=True)
    replicas.happens(*[Event((MOVED,))] * 3)
    replicas.settled()
    assert replicas.counts["dropped"] == 3 and not replicas.tellers[0].waiting


def test_an_event_is_added_once_whatever_its_sender_has_heard(replicas: Replicas) -> None:
    assert replicas.log.append(Event((MOVED,)), "one") and replicas.log.append(Event((MOVED,)), "one")
    assert replicas.log.append(Event((MOVED,)), "two")
    assert replicas.log.bounds() == (0, 2)
