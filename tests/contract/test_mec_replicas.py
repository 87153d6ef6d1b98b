# SPDX-License-Identifier: Apache-2.0
"""Replicas of a MEC over HTTP, in one process: whom one asks makes no difference, and one of them orchestrates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event
from prometheus_client import CollectorRegistry
from support.http.peer import HttpPeer, Request, answer
from support.mec.replicas import PlayedRole, replica
from support.ports import free_port
from support.store.shared import MemoryShared
from support.waiting import eventually

from mec.app import Mec
from mec.common.replica import advertised, make_replica
from mec.common.settings import MecSettings, load
from mec.manager_cli import ManagerProgram
from submgr.platform.config.file import ConfigError
from submgr.platform.health import Health
from submgr.platform.http.client import HttpClient, HttpResponse

IMSI = "001010000000001"
SUBJECT = f"imsi={IMSI}&appId=12345"
OSLO = {"name": "oslo", "type": "noop", "endpointApps": "http://oslo/"}


class Site:
    """Replicas of the foreign MEC 9, the first of which is active; `proxy` is the rest of the world."""

    def __init__(self, number: int = 3) -> None:
        self.shared = MemoryShared()
        self.client = HttpClient()
        self.proxy = HttpPeer()
        self.ports = [free_port() for _ in range(number)]
        self.roles = [PlayedRole(active=n == 0, address=f"127.0.0.1:{self.ports[0]}") for n in range(number)]
        self.mecs = [self._mec(port, role) for port, role in zip(self.ports, self.roles, strict=True)]
        for mec in self.mecs:
            mec.start()

    def _mec(self, port: int, role: PlayedRole) -> Mec:
        settings = MecSettings(
            host=f"127.0.0.1:{port}",
            mec_id=9,
            network="foreign",
            proxy_url=f"http://127.0.0.1:{self.proxy.port}",
            controller_url=f"http://127.0.0.1:{self.proxy.port}",
            additional_bytes=10,
            replicas=3,
        )
        return Mec(settings, None, replica(self.shared, role), CollectorRegistry(), Health())

    def ask(self, n: int, method: str, path: str, body: object = None, **headers: str) -> HttpResponse:
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.ports[n]}{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, url, body=data, headers=named, read_timeout=10)

    def get(self, n: int, path: str) -> tuple[int, Any]:
        got = self.ask(n, "GET", path)
        return got.status, json.loads(got.body)

    def stop(self) -> None:
        for mec in self.mecs:
            mec.stop()
        self.client.close()
        self.proxy.stop()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.stop()


def test_a_state_that_one_has_fetched_is_that_of_all(site: Site) -> None:
    def slow(request: Request) -> bytes:
        gevent.sleep(0.1)
        return answer("200 OK", b'{"state": {"count": 8}}')

    assert site.ask(0, "GET", f"/ams/app/notification/?{SUBJECT}&mecId=5").status == 200
    site.proxy.answer = slow
    asking = [gevent.spawn(site.get, n % 3, f"/ams/fetch/state/?{SUBJECT}") for n in range(12)]
    gevent.joinall(asking)
    assert [each.value for each in asking] == [(200, {"found": True, "state": {"count": 8}})] * 12
    assert len(site.proxy.requests) == 1


def test_a_hundred_notifications_of_one_ue_at_the_same_time_are_all_stored(site: Site) -> None:
    path = f"/ams/app/notification/?{SUBJECT}&mecId=5"
    asking = [gevent.spawn(site.ask, n % 3, "GET", path) for n in range(100)]
    gevent.joinall(asking, raise_error=True)
    assert {each.value.status for each in asking} == {200}
    subscribing = [
        gevent.spawn(site.ask, n % 3, "POST", "/amsi/v1/app_mobility_services", {"serviceConsumerId": {"mepId": "m"}})
        for n in range(60)
    ]
    gevent.joinall(subscribing, raise_error=True)
    assert {each.value.status for each in subscribing} == {201}
    assert len(site.get(1, "/amsi/v1/app_mobility_services")[1]) == 60


def test_a_failure_is_that_of_all_who_wait(site: Site) -> None:
    def lacks(request: Request) -> bytes:
        gevent.sleep(0.1)
        return answer("404 Not Found")

    assert site.ask(1, "GET", f"/ams/app/notification/?{SUBJECT}&mecId=5").status == 200
    site.proxy.answer = lacks
    asking = [gevent.spawn(site.get, n, f"/ams/fetch/state/?{SUBJECT}") for n in range(3)]
    gevent.joinall(asking)
    assert {each.value[0] for each in asking} == {404}
    assert len(site.proxy.requests) == 1
    assert site.get(1, f"/ams/fetch/state/?{SUBJECT}")[0] == 404
    assert len(site.proxy.requests) == 2


def test_a_user_of_the_home_mec_is_asked_for_once(site: Site) -> None:
    def slow(request: Request) -> bytes:
        gevent.sleep(0.1)
        return answer("200 OK", b'{"mainData": {"subscribedApps": [1]}, "additional": "111"}')

    site.proxy.answer = slow
    asking = [gevent.spawn(site.get, n % 3, f"/manager/user/data/?imsi={IMSI}") for n in range(9)]
    gevent.joinall(asking)
    assert {each.value[0] for each in asking} == {200}
    assert {json.dumps(each.value[1]["mainData"]) for each in asking} == {'{"subscribedApps": [1]}'}
    assert len(site.proxy.requests) == 1


def test_a_prefetch_of_one_serves_the_others(site: Site) -> None:
    site.proxy.answer = lambda request: answer("200 OK", b'{"state": 1}')
    assert site.ask(0, "GET", f"/ams/app/notification/?{SUBJECT}&mecId=5").status == 200
    assert site.ask(1, "POST", "/ams/prefetch/state", {"imsi": IMSI}).status == 200
    eventually(lambda: site.mecs[1].ams.counts["prefetches done"])
    assert site.get(2, f"/ams/fetch/state/?{SUBJECT}") == (200, {"found": True, "state": 1})
    assert len(site.proxy.requests) == 1


def test_what_is_registered_at_one_is_changed_at_another(site: Site) -> None:
    made = site.ask(0, "POST", "/amsi/v1/app_mobility_services", {"serviceConsumerId": {"appInstanceId": "1"}})
    path = f"/amsi/v1/app_mobility_services/{json.loads(made.body)['appMobilityServiceId']}"
    assert site.ask(1, "PUT", path, {"serviceConsumerId": {"mepId": "m"}}).status == 200
    assert site.get(2, path)[1]["serviceConsumerId"] == {"mepId": "m"}
    assert site.ask(2, "DELETE", path).status == 204
    assert [site.ask(n, "PUT", path, {"serviceConsumerId": {"mepId": "m"}}).status for n in range(3)] == [404] * 3


def test_the_active_one_orchestrates_whomever_one_asks(site: Site) -> None:
    assert site.ask(1, "POST", "/meo/v1/platforms", OSLO).status == 201
    assert site.ask(2, "POST", "/meo/v1/platforms", OSLO).status == 409
    assert [site.get(n, "/meo/v1/platforms/oslo")[0] for n in range(3)] == [200] * 3
    refused = site.ask(2, "POST", "/meo/v1/platforms/oslo/load", {"value": 7})
    assert (refused.status, refused.headers["content-type"]) == (400, "application/problem+json")
    assert site.ask(2, "GET", "/dev_app/v1/app_list?appName=a%26b&wrong=1").status == 400
    assert site.get(1, "/dev_app/v1/app_list?appName=a%26b") == (200, {"appList": []})
    assert site.ask(1, "DELETE", "/meo/v1/platforms/oslo").status == 204
    located = site.ask(1, "POST", "/meo/v1/platforms", {**OSLO, "name": "ös/lo"})
    if located.status == 201:
        assert site.ask(2, "GET", located.headers["location"]).status == 200


def test_a_new_replica_is_ready_when_somebody_is_active_and_stays_so(site: Site) -> None:
    for role in site.roles:
        role.active, role.address = False, None
    got = site.get(1, "/health/ready")
    assert got[0] == 503 and got[1]["reasons"] == ["meo: nobody orchestrates yet: standby"]
    site.roles[1].address = f"127.0.0.1:{site.ports[0]}"
    assert site.get(1, "/health/ready")[0] == 200
    site.roles[1].address = None
    assert site.get(1, "/health/ready")[0] == 200


def test_readiness_is_that_of_each(site: Site) -> None:
    for n in range(3):
        assert site.get(n, "/health/ready")[0] == 200
        assert f"mec_active {float(n == 0)}".encode() in site.ask(n, "GET", "/metrics").body


def test_a_request_is_passed_on_once(site: Site) -> None:
    site.roles[1].address = f"127.0.0.1:{site.ports[2]}"
    for n in (1, 2):
        got = site.ask(n, "GET", "/meo/v1/platforms", MEC_Passed_On="1")
        assert (got.status, got.headers["retry-after"]) == (503, "1")
    got = site.ask(1, "GET", "/meo/v1/platforms")
    assert got.status == 503 and b"passed on already" in got.body


def test_nobody_is_active_and_then_another_one_is(site: Site) -> None:
    site.ask(0, "POST", "/meo/v1/platforms", OSLO)
    site.roles[0].active = False
    for role in site.roles:
        role.address = None
    for n in range(3):
        got = site.ask(n, "GET", "/meo/v1/platforms")
        assert (got.status, got.headers["retry-after"], got.headers["content-type"]) == (
            503, "1", "application/problem+json",
        )  # fmt: skip
        assert site.ask(n, "GET", f"/ams/app/notification/?{SUBJECT}&mecId=5").status == 200
    for role in site.roles:
        role.address = f"127.0.0.1:{site.ports[2]}"
    site.roles[2].take_over()
    assert eventually(lambda: site.ask(0, "GET", "/meo/v1/platforms").status == 200)


def test_an_active_one_that_is_gone_is_a_503(site: Site) -> None:
    site.roles[1].address = f"127.0.0.1:{free_port()}"
    got = site.ask(1, "GET", "/meo/v1/platforms")
    assert (got.status, got.headers["retry-after"]) == (503, "1")


def test_streams_pass_through_as_they_come(site: Site) -> None:
    def stream(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        yield b"9\r\ndata: 1\n\n\r\n"
        go.wait(10)
        yield b"9\r\ndata: 2\n\n\r\n0\r\n\r\n"

    go = Event()
    active = HttpPeer(stream)
    site.roles[1].address = f"127.0.0.1:{active.port}"
    url = f"http://127.0.0.1:{site.ports[1]}/meo/v1/platforms"
    headers = {"Last-Event-ID": "7", "Authorization": "Bearer t"}
    with site.client.stream("GET", url, headers=headers) as got:
        pieces = got.pieces(10)
        assert next(pieces) == b"data: 1\n\n"  # long before the second one
        go.set()
        assert b"".join(pieces) == b"data: 2\n\n"
        assert got.headers["content-type"] == "text/event-stream"
    (asked,) = active.requests
    assert (asked.headers["last-event-id"], asked.headers["authorization"]) == ("7", "Bearer t")
    active.stop()


def test_events_of_the_orchestrator_come_through_any_replica(site: Site) -> None:
    url = f"http://127.0.0.1:{site.ports[2]}/meo/v1/events"
    with site.client.stream("GET", url, headers={"Accept": "text/event-stream"}) as got:
        assert (got.status, got.headers["content-type"]) == (200, "text/event-stream")
        pieces = got.pieces(10)
        assert next(pieces).startswith(b":")
        assert site.ask(1, "POST", "/meo/v1/platforms", OSLO).status == 201
        assert site.ask(1, "POST", "/meo/v1/platforms/oslo/load", {"value": 0.5}).status == 204
        assert site.ask(1, "DELETE", "/meo/v1/platforms/oslo").status == 204
        seen = b""
        while b"oslo" not in seen:
            seen += next(pieces)
    assert site.get(1, "/meo/v1/events")[0] == 200


def test_without_redis_several_replicas_are_refused() -> None:
    for backend in ("sqlite", "memory"):
        with pytest.raises(ConfigError) as refused:
            load(f"mec:\n  replicas: 3\nsdl: {{backend: {backend}}}")
        (problem,) = refused.value.problems
        words = f"needs sdl.backend redis, not {backend}: replicas share what is in it"
        assert str(problem) == f"line 2: mec.replicas: {words}"
    with pytest.raises(ConfigError, match=r"mec\.replicas.*sqlite"):
        ManagerProgram(load("mec: {replicas: 3}"), {})
    with pytest.raises(ConfigError, match=r"mec\.replicas.*memory"):
        make_replica(MecSettings(replicas=2), "memory", {}, lambda why: None)


@pytest.mark.parametrize(
    ("replicas", "backend", "others", "several"),
    [
        (None, "redis", True, True),
        (None, None, True, True),
        (None, "redis", False, False),
        (None, "sqlite", True, False),
        (1, "redis", True, False),
        (2, "redis", False, True),
    ],
)
def test_who_is_one_of_several(replicas: int | None, backend: str | None, others: bool, several: bool) -> None:
    settings, redis = MecSettings(mec_id=5, replicas=replicas), {"DBAAS_SERVICE_HOST": "127.0.0.1"}
    made = make_replica(settings, backend, redis, lambda why: None, may_have_others=others)
    assert (made is not None) is several


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1:8001", "127.0.0.1:8001"), (":8000", "10.1.2.3:8000"), ("[::]:8000", "10.1.2.3:8000")],
)
def test_where_the_others_reach_it(host: str, address: str) -> None:
    assert advertised(host, {"POD_IP": "10.1.2.3"}) == address
    assert advertised(":1", {"POD_IP": "fd00::1"}) == "[fd00::1]:1"


def test_an_emptied_database_gets_the_data_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mec.manager.data_file._LOOK", 0.01)
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"users": [{"imsi": IMSI, "subscriptionData": {}}], "ues": []}))
    shared = MemoryShared()
    settings = MecSettings(host="127.0.0.1:0", mec_id=5, data_file=str(data), replicas=2)
    mec = Mec(settings, None, replica(shared), CollectorRegistry(), Health())
    mec.start()
    try:
        assert mec.users.known.find(IMSI.lstrip("0"))[0] is not None
        shared.empty()
        assert mec.users.known.find(IMSI.lstrip("0"))[0] is None
        eventually(lambda: mec.users.known.find(IMSI.lstrip("0"))[0] is not None)
    finally:
        mec.stop()
