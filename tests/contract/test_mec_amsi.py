# SPDX-License-Identifier: Apache-2.0
"""MEC 021 over HTTP: registrations, subscriptions, and who is told what when a UE moves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from support.http.peer import HttpPeer, answer
from support.mec.replicas import replica
from support.store.shared import MemoryShared
from support.waiting import eventually

from mec.app import Mec
from mec.common.settings import MecSettings
from submgr.platform.health import Health
from submgr.platform.http.client import HttpClient, HttpResponse
from submgr.platform.store.memory import MemoryStore

IMSI = "001010000000001"
BASE = "/amsi/v1"
DEVICE = {"associateId": {"type": 1, "value": "192.168.3.2"}, "appMobilityServiceLevel": 3}
REGISTRATION = {"serviceConsumerId": {"appInstanceId": "12345"}, "deviceInformation": [DEVICE]}


class Site:
    """A manager, its application, its controller (which knows one UE), and who is notified."""

    def __init__(self, shared: MemoryShared | None = None) -> None:
        self.shared = shared
        self.store = MemoryStore()
        self.store.start()
        self.client = HttpClient()
        self.app, self.proxy, self.sink = HttpPeer(), HttpPeer(), HttpPeer()
        ue = json.dumps({"imsi": IMSI, "ip": ["192.168.3.2", "fe80::1"]}).encode()
        self.controller = HttpPeer(lambda request: answer("200 OK", ue) if IMSI in request.path else answer("404 X"))
        self.mec = self.start()

    def start(self) -> Mec:
        settings = MecSettings(
            host="127.0.0.1:0",
            mec_id=5,
            proxy_url=f"http://127.0.0.1:{self.proxy.port}",
            controller_url=f"http://127.0.0.1:{self.controller.port}",
            app_urls={"12345": f"http://127.0.0.1:{self.app.port}"},
        )
        store = replica(self.shared) if self.shared is not None else self.store
        self.mec = Mec(settings, None, store, CollectorRegistry(), Health())
        self.mec.start()
        return self.mec

    def ask(self, method: str, path: str, body: object = None) -> HttpResponse:
        data = None if body is None else json.dumps(body).encode()
        return self.client.request(method, f"http://127.0.0.1:{self.mec.address[1]}{path}", body=data)

    def get(self, path: str) -> Any:
        got = self.ask("GET", path)
        assert got.status == 200, got.body
        return json.loads(got.body)

    def subscription(self, kind: str = "MobilityProcedureSubscription", **changes: Any) -> dict[str, Any]:
        return {
            "subscriptionType": kind,
            "callbackReference": f"http://127.0.0.1:{self.sink.port}/callback",
            "filterCriteria": {"appInstanceId": "12345"},
            **changes,
        }

    def subscribe(self, kind: str = "MobilityProcedureSubscription", **changes: Any) -> dict[str, Any]:
        got = self.ask("POST", f"{BASE}/subscriptions", self.subscription(kind, **changes))
        assert got.status == 201, got.body
        made: dict[str, Any] = json.loads(got.body)
        assert got.headers["location"] == made["_links"]["self"]["href"]
        return made

    def path(self, subscription: dict[str, Any]) -> str:
        href: str = subscription["_links"]["self"]["href"]
        return href[href.index(BASE) :]

    def moved(self, mec_id: int = 9, app: str | None = "12345", imsi: str = IMSI) -> None:
        subject = f"imsi={imsi}&mecId={mec_id}" + (f"&appId={app}" if app is not None else "")
        assert self.ask("GET", f"/ams/app/notification/?{subject}").status == 200

    def statuses(self) -> list[int]:
        return [request.json["mobilityStatus"] for request in self.sink.requests]

    def settled(self) -> None:
        """Everything that has happened is with who had to be told."""
        eventually(lambda: not self.mec.mobility.waiting and not self.untold())

    def untold(self) -> int:
        """Events in the log that replicas share."""
        if self.shared is None:
            return 0
        found = self.shared.read("mec_ues", ["ams/5/events/next", "ams/5/events/done"])
        return int(found.get("ams/5/events/next", 0)) - int(found.get("ams/5/events/done", 0))

    def stop(self) -> None:
        self.mec.stop()
        self.client.close()
        for peer in (self.app, self.proxy, self.sink, self.controller):
            peer.stop()
        self.store.stop()


@pytest.fixture(params=["alone", "one of several"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(MemoryShared() if request.param == "one of several" else None)
    yield made
    made.stop()


# registrations


def test_registration_from_its_beginning_to_its_end(site: Site) -> None:
    got = site.ask("POST", f"{BASE}/app_mobility_services", REGISTRATION)
    assert got.status == 201
    made = json.loads(got.body)
    path = f"{BASE}/app_mobility_services/{made['appMobilityServiceId']}"
    assert got.headers["location"].endswith(path)
    assert made == {**REGISTRATION, "appMobilityServiceId": made["appMobilityServiceId"]}
    assert site.get(path) == made
    assert site.get(f"{BASE}/app_mobility_services/") == [made]
    changed = {**made, "serviceConsumerId": {"mepId": "mep"}}
    assert json.loads(site.ask("PUT", path, changed).body) == changed
    assert site.ask("DELETE", path).status == 204
    assert [site.ask(method, path, changed).status for method in ("GET", "DELETE", "PUT")] == [404] * 3


def test_deregister_task(site: Site) -> None:
    made = json.loads(site.ask("POST", f"{BASE}/app_mobility_services", REGISTRATION).body)
    path = f"{BASE}/app_mobility_services/{made['appMobilityServiceId']}/deregister_task"
    assert [site.ask("POST", path, {}).status for _ in range(2)] == [204, 404]
    assert site.get(f"{BASE}/app_mobility_services") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "serviceConsumerId"),
        ({"serviceConsumerId": {}}, "serviceConsumerId"),
        ({"serviceConsumerId": []}, "serviceConsumerId"),
        ({**REGISTRATION, "appMobilityServiceId": "x"}, "appMobilityServiceId"),
        ({**REGISTRATION, "expiryTime": -1}, "expiryTime"),
        ({**REGISTRATION, "deviceInformation": {}}, "deviceInformation"),
        ({**REGISTRATION, "deviceInformation": [{}]}, "deviceInformation[0].associateId"),
        ({**REGISTRATION, "deviceInformation": [DEVICE, {**DEVICE, "appMobilityServiceLevel": 4}]},
         "deviceInformation[1].appMobilityServiceLevel"),
        ({**REGISTRATION, "deviceInformation": [{"associateId": {"type": 1, "value": "fe80::1"}}]},
         "deviceInformation[0].associateId"),
        ({**REGISTRATION, "deviceInformation": [{"associateId": {"type": 9, "value": "x"}}]},
         "deviceInformation[0].associateId"),
    ],
)  # fmt: skip
def test_bad_registration(site: Site, body: Any, field: str) -> None:
    got = site.ask("POST", f"{BASE}/app_mobility_services", body)
    assert got.status == 400
    assert field in [error["field"] for error in json.loads(got.body)["errors"]]


def test_registration_expires(site: Site) -> None:
    site.ask("POST", f"{BASE}/app_mobility_services", {**REGISTRATION, "expiryTime": 1})
    site.ask("POST", f"{BASE}/app_mobility_services", {**REGISTRATION, "expiryTime": 0})
    assert len(site.get(f"{BASE}/app_mobility_services")) == 2
    eventually(lambda: len(site.get(f"{BASE}/app_mobility_services")) == 1)


# subscriptions


def test_subscription_from_its_beginning_to_its_end(site: Site) -> None:
    made = site.subscribe()
    assert made["filterCriteria"] == {"appInstanceId": "12345", "mobilityStatus": [1]}
    path = site.path(made)
    assert site.get(path) == made
    changed = site.subscription(filterCriteria={"mobilityStatus": [2, 3]})
    assert json.loads(site.ask("PUT", path, changed).body) == {"_links": made["_links"], **changed}
    assert site.ask("DELETE", path).status == 204
    assert [site.ask(method, path, changed).status for method in ("GET", "DELETE", "PUT")] == [404] * 3


def test_list_of_subscriptions(site: Site) -> None:
    mobility = site.subscribe()
    adjacent = site.subscribe("AdjacentAppInfoSubscription")
    links = site.get(f"{BASE}/subscriptions")["_links"]
    assert links["self"]["href"].endswith(f"{BASE}/subscriptions")
    assert links["subscription"] == [
        {"href": each["_links"]["self"]["href"], "subscriptionType": each["subscriptionType"]}
        for each in (mobility, adjacent)
    ]
    only = site.get(f"{BASE}/subscriptions?subscriptionType=adj_app_info")["_links"]["subscription"]
    assert [each["subscriptionType"] for each in only] == ["AdjacentAppInfoSubscription"]
    assert site.ask("GET", f"{BASE}/subscriptions?subscriptionType=x").status == 400


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subscriptionType": "Other"}, "subscriptionType"),
        ({"callbackReference": None}, "callbackReference"),
        ({"callbackReference": "ftp://x"}, "callbackReference"),
        ({"callbackReference": "http://x:99999/"}, "callbackReference"),
        ({"filterCriteria": None}, "filterCriteria"),
        ({"filterCriteria": {"mobilityStatus": [4]}}, "filterCriteria.mobilityStatus"),
        ({"filterCriteria": {"associateId": [{"type": 1}]}}, "filterCriteria.associateId"),
        ({"expiryDeadline": {"seconds": 5, "nanoSeconds": 0}}, "expiryDeadline"),
        ({"expiryDeadline": {"seconds": "x"}}, "expiryDeadline"),
        ({"requestTestNotification": 1}, "requestTestNotification"),
    ],
)
def test_bad_subscription(site: Site, changes: dict[str, Any], field: str) -> None:
    got = site.ask("POST", f"{BASE}/subscriptions", site.subscription(**changes))
    assert got.status == 400
    assert field in [error["field"] for error in json.loads(got.body)["errors"]]


def test_test_notification(site: Site) -> None:
    made = site.subscribe(requestTestNotification=True)
    (request,) = site.sink.until(1)
    assert request.json == {
        "notificationType": "TestNotification",
        "_links": {"subscription": {"href": made["_links"]["self"]["href"]}},
    }


def test_expiry_is_told_and_ends_the_subscription(site: Site) -> None:
    made = site.subscribe(expiryDeadline={"seconds": int(time.time()) + 2, "nanoSeconds": 5})
    (request,) = site.sink.until(1)
    assert request.json["expiryDeadline"] == made["expiryDeadline"]
    assert request.json["_links"]["subscription"] == made["_links"]["self"]
    assert site.ask("GET", site.path(made)).status == 404


def test_both_survive_a_restart(site: Site) -> None:
    made = site.subscribe()
    site.ask("POST", f"{BASE}/app_mobility_services", REGISTRATION)
    site.mec.stop()
    site.start()
    assert site.get(site.path(made)) == made
    assert len(site.get(f"{BASE}/app_mobility_services")) == 1


# mobility


def test_triggered_completed_and_failed(site: Site) -> None:
    made = site.subscribe(filterCriteria={"appInstanceId": "12345", "mobilityStatus": [1, 2, 3]})
    site.app.answer = lambda request: answer("200 OK", b'{"count":8}')
    site.moved()
    assert site.ask("GET", f"/ams/get/state/?imsi={IMSI}&appId=12345").status == 200
    site.sink.until(2)
    site.app.answer = lambda request: answer("500 X")
    assert site.ask("GET", f"/ams/get/state/?imsi={IMSI}&appId=12345").status == 500
    site.sink.until(3)
    assert site.statuses() == [1, 2, 3]
    notification = site.sink.requests[0].json
    assert abs(notification.pop("timeStamp")["seconds"] - time.time()) < 60
    assert notification == {
        "notificationType": "MobilityProcedureNotification",
        "mobilityStatus": 1,
        "associateId": [{"type": 1, "value": "192.168.3.2"}, {"type": 2, "value": "fe80::1"}],
        "targetAppInfo": {"appInstanceId": "12345"},
        "_links": {"subscription": made["_links"]["self"]},
    }


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        ({}, True),
        ({"appInstanceId": "12345"}, True),
        ({"appInstanceId": "1"}, False),
        ({"mobilityStatus": [2]}, False),
        ({"associateId": [{"type": 1, "value": "192.168.3.2"}]}, True),
        ({"associateId": [{"type": 2, "value": "fe80:0::1"}, {"type": 1, "value": "10.0.0.1"}]}, True),
        ({"associateId": [{"type": 1, "value": "10.0.0.1"}]}, False),
        ({"associateId": [{"type": 4, "value": "192.168.3.2"}]}, False),
    ],
)
def test_filter(site: Site, criteria: dict[str, Any], told: bool) -> None:
    site.subscribe(filterCriteria=criteria)
    site.moved()
    site.settled()
    assert len(site.sink.requests) == told


def test_notification_has_the_identifiers_that_were_asked_for(site: Site) -> None:
    site.subscribe(filterCriteria={"associateId": [{"type": 1, "value": "192.168.3.2"}]})
    site.moved()
    assert site.sink.until(1)[0].json["associateId"] == [{"type": 1, "value": "192.168.3.2"}]


def test_own_and_cancelled(site: Site) -> None:
    path = site.path(site.subscribe())
    site.moved(mec_id=5)
    site.ask("DELETE", path)
    site.moved()
    site.settled()
    assert not site.sink.requests


def test_move_of_all_applications_is_told_once_per_application(site: Site) -> None:
    site.subscribe(filterCriteria={})
    site.subscribe(filterCriteria={"appInstanceId": "777"})
    site.moved(app=None)
    site.settled()
    apps = [request.json.get("targetAppInfo", {}).get("appInstanceId", "-") for request in site.sink.requests]
    assert sorted(apps) == ["-", "777"]
    site.sink.requests.clear()
    site.moved(app="12345")
    site.moved(app=None)
    site.settled()
    assert len(site.sink.requests) == 3


def test_controller_that_is_away_delays_nobody(site: Site) -> None:
    site.controller.stop()
    site.subscribe(filterCriteria={})
    site.subscribe(filterCriteria={"associateId": [{"type": 1, "value": "192.168.3.2"}]})
    site.moved()
    assert site.sink.until(1)[0].json["associateId"] == []
    site.settled()
    assert len(site.sink.requests) == 1


def test_order_per_subscription_through_failures(site: Site) -> None:
    site.subscribe(filterCriteria={"mobilityStatus": [1, 2]})
    answers = iter([answer("500 X"), *[answer("204 No Content")] * 9])
    site.sink.answer = lambda request: next(answers)
    site.app.answer = lambda request: answer("200 OK", b"1")
    site.moved()
    site.ask("GET", f"/ams/get/state/?imsi={IMSI}&appId=12345")
    site.sink.until(3)
    assert site.statuses() == [1, 1, 2]


def test_transfer_is_noted_in_the_registration(site: Site) -> None:
    made = json.loads(site.ask("POST", f"{BASE}/app_mobility_services", REGISTRATION).body)
    site.app.answer = lambda request: answer("200 OK", b"1")
    site.ask("GET", f"/ams/get/state/?imsi={IMSI}&appId=12345")
    path = f"{BASE}/app_mobility_services/{made['appMobilityServiceId']}"

    def state() -> object:
        return site.get(path)["deviceInformation"][0].get("contextTransferState")

    eventually(lambda: state() == 1)
    site.moved(9)
    eventually(lambda: state() == 0)


# adjacency


def test_adjacent_application_instances(site: Site) -> None:
    assert site.get(f"{BASE}/queries/adjacent_app_instances") == []
    site.moved(9)
    site.moved(7, app="777", imsi="5")
    found = site.get(f"{BASE}/queries/adjacent_app_instances")
    assert [(each["appInstanceId"], each["mecHostInformation"]["hostId"]) for each in found] == [
        ("12345", {"mecId": 9}),
        ("777", {"mecId": 7}),
    ]
    assert found[0]["appInstanceCommLink"] == [{"ipAddresses": [{"host": "127.0.0.1", "port": site.proxy.port}]}]
    for query in ("appInstanceId=777", "filter=(eq,appInstanceId,777)"):
        assert len(site.get(f"{BASE}/queries/adjacent_app_instances?{query}")) == 1
    assert site.ask("GET", f"{BASE}/queries/adjacent_app_instances?filter=nonsense").status == 400


@pytest.mark.parametrize(
    "path",
    [
        "app_mobility_services?nonsense=1",
        "subscriptions?subscriptionType=mobility_proc&x=",
        "queries/adjacent_app_instances?appName=a",
        "app_mobility_services/some?filter=(eq,appMobilityServiceId,1)",
    ],
)
def test_unknown_query_parameter_is_refused(site: Site, path: str) -> None:
    refused = site.ask("GET", f"{BASE}/{path}")
    assert (refused.status, refused.headers["content-type"]) == (400, "application/problem+json")
    assert "unknown query parameter" in json.loads(refused.body)["detail"]


def test_new_neighbour_is_told_once(site: Site) -> None:
    site.subscribe("AdjacentAppInfoSubscription")
    site.moved(9)
    site.moved(9, imsi="7")
    site.moved(9, app="777")
    site.settled()
    (request,) = site.sink.requests
    assert request.json["notificationType"] == "AdjacentAppInfoNotification"
    assert request.json["adjacentAppInfo"][0]["appInstanceId"] == "12345"
    site.moved(7)
    assert len(site.sink.until(2)) == 2
