# SPDX-License-Identifier: Apache-2.0
"""Manager and application mobility on real sockets, among proxies and applications that fail, hang and lie."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event
from prometheus_client import CollectorRegistry
from support.http.peer import HttpPeer, Request, answer
from support.mec.replicas import replica
from support.ports import free_port
from support.store.shared import MemoryShared
from support.waiting import eventually

from mec.ams import state_text
from mec.app import Mec, build
from mec.common import settings
from mec.common.settings import MecSettings
from mec.manager.model import User
from mec.manager_cli import ManagerProgram
from submgr.platform.config.file import ConfigError
from submgr.platform.health import Health
from submgr.platform.http.client import HttpClient, HttpResponse
from submgr.platform.store.memory import MemoryStore
from submgr.platform.turns import turn

IMSI = "001010000000001"
SUBJECT = f"imsi={IMSI}&appId=12345"


def reply(value: object, status: str = "200 OK") -> bytes:
    return answer(status, json.dumps(value).encode())


class Site:
    """A manager, alone or as one of several replicas; its proxy and its application are peers of the test."""

    def __init__(self, shared: MemoryShared | None = None) -> None:
        self.shared = shared
        self.store = MemoryStore()
        self.store.start()
        self.proxy = HttpPeer()
        self.app = HttpPeer()
        self.client = HttpClient()
        self.mecs: list[Mec] = []

    def mec(self, **changes: Any) -> Mec:
        values: dict[str, Any] = {
            "host": "127.0.0.1:0",
            "mec_id": 5,
            "proxy_url": f"http://127.0.0.1:{self.proxy.port}",
            "controller_url": f"http://127.0.0.1:{free_port()}",
            "app_urls": {"12345": f"http://127.0.0.1:{self.app.port}"},
            "additional_bytes": 20,
        }
        store = replica(self.shared) if self.shared is not None else self.store
        mec = Mec(MecSettings(**{**values, **changes}), None, store, CollectorRegistry(), Health())
        mec.start()
        self.mecs.append(mec)
        return mec

    def ask(self, method: str, path: str, body: object = None, mec: Mec | None = None) -> HttpResponse:
        port = (mec or self.mecs[-1]).address[1]
        data = None if body is None else json.dumps(body).encode()
        return self.client.request(method, f"http://127.0.0.1:{port}{path}", body=data, read_timeout=10)

    def get(self, path: str) -> tuple[int, Any]:
        got = self.ask("GET", path)
        return got.status, json.loads(got.body)

    def stop(self) -> None:
        for mec in self.mecs:
            mec.stop()
        self.client.close()
        self.proxy.stop()
        self.app.stop()
        self.store.stop()


@pytest.fixture(params=["alone", "one of several"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(MemoryShared() if request.param == "one of several" else None)
    yield made
    made.stop()


# the program


def test_a_changed_limit_of_the_orchestrator_holds_without_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    file = tmp_path / "mec.yaml"
    common = "mec: {host: '127.0.0.1:0', mecId: 5}\nsdl: {backend: memory}\n"
    file.write_text(common + "meo: {maxLoad: 0.8, seed: 1}")
    program = ManagerProgram(settings.read(file), {}, str(file))
    program.start()
    meo = program.mec.orchestrator.meo
    try:
        program.reload(common + "meo: {maxLoad: 7}")
        assert meo.settings.rules.max_load == 0.8
        file.write_text(common.replace("mecId: 5", "mecId: 6") + "meo: {maxLoad: 0.5, seed: 2}")
        eventually(lambda: meo.settings.rules.max_load == 0.5)
    finally:
        program.stop()
    logged = [(record.getMessage(), vars(record).get("settings")) for record in caplog.records]
    assert ("configuration refused, the old values stay", None) in logged
    assert ("configuration changes that need a restart", ["meo.seed"]) in logged
    assert ("configuration changes that need a restart", ["mec.mecId"]) in logged


# user data


def test_user_of_this_mec(site: Site) -> None:
    site.mec().users.known.replace((User("1234567890", {"subscribedApps": [12345]}),), "digest")
    expected = {"mainData": {"subscribedApps": [12345]}, "additional": "1" * 20}
    for path in ("/manager/user/data/?imsi=1234567890", "/manager/user/data?imsi=001234567890"):
        assert site.get(path) == (200, expected)


@pytest.mark.parametrize("query", ["", "?imsi=", "?imsi=abc", "?imsi=1234567890123456", "?imsi=12a", "?mecId=5"])
def test_bad_imsi(site: Site, query: str) -> None:
    site.mec()
    got = site.ask("GET", f"/manager/user/data/{query}")
    assert got.status == 400
    assert got.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in json.loads(got.body)["errors"]] == ["imsi"]


def test_home_never_asks_on(site: Site) -> None:
    site.mec()
    assert site.get("/manager/user/data/?imsi=5")[0] == 404
    assert not site.proxy.requests


def test_foreign_asks_the_home_mec_once_and_remembers(site: Site) -> None:
    full = {"mainData": {"subscribedApps": [7]}, "additional": "1" * 1000}
    site.proxy.answer = lambda request: reply(full)
    site.mec(network="foreign", mec_id=9)
    assert site.get(f"/manager/user/data/?imsi={IMSI}") == (200, full)
    assert site.get("/manager/user/data/?imsi=1010000000001") == (200, {**full, "additional": "1" * 20})
    assert [request.path for request in site.proxy.requests] == [f"/user/data/?imsi={IMSI}&mecId=5"]


def test_what_was_remembered_is_asked_for_again_after_its_time(site: Site) -> None:
    site.proxy.answer = lambda request: reply({"mainData": {}, "additional": ""})
    site.mec(network="foreign", mec_id=9, users_ttl=0.0)
    for _ in range(2):
        assert site.get(f"/manager/user/data/?imsi={IMSI}")[0] == 200
    assert len(site.proxy.requests) == 2


def test_many_who_ask_at_once_cost_one_request(site: Site) -> None:
    go = Event()

    def wait(request: Request) -> bytes:
        go.wait()
        return reply({"mainData": {}, "additional": ""})

    site.proxy.answer = wait
    mec = site.mec(network="foreign", mec_id=9)
    asking = [gevent.spawn(site.get, f"/manager/user/data/?imsi={IMSI}") for _ in range(10)]
    eventually(lambda: mec.users.counts["shared"] == 9)
    go.set()
    assert [greenlet.get()[0] for greenlet in asking] == [200] * 10
    assert len(site.proxy.requests) == 1


@pytest.mark.parametrize(
    ("given", "status"),
    [(reply({}, "404 Not Found"), 404), (reply({}, "500 X"), 502), (answer("200 OK", b"<html>"), 502),
     (reply({"other": 1}), 502), (None, 502)],
)  # fmt: skip
def test_home_that_does_not_know_or_fails(site: Site, given: bytes | None, status: int) -> None:
    site.proxy.answer = lambda request: given
    site.mec(network="foreign", mec_id=9)
    assert site.get(f"/manager/user/data/?imsi={IMSI}")[0] == status


def test_user_of_the_home_mec_is_known_after_a_restart(site: Site) -> None:
    site.proxy.answer = lambda request: reply({"mainData": {"subscribedApps": [12345]}, "additional": "1"})
    site.mec(network="foreign", mec_id=9)
    told = site.get(f"/manager/user/data/?imsi={IMSI}")
    eventually(lambda: not site.store.stats().waiting)
    site.mecs.pop().stop()
    site.proxy.answer = lambda request: None
    again = site.mec(network="foreign", mec_id=9)
    assert told[0] == 200
    assert site.get(f"/manager/user/data/?imsi={IMSI}")[1]["mainData"] == told[1]["mainData"]
    assert again.users.counts["cached"] == 1


def test_two_foreign_mecs_do_not_ask_in_a_circle(site: Site) -> None:
    mec = site.mec(network="foreign", mec_id=9)

    def back(request: Request) -> bytes:
        headers = {"MEC-Hops": str(int(request.headers["mec-hops"]) + 1)}
        got = site.client.request(
            "GET", f"http://127.0.0.1:{mec.address[1]}/manager/user/data/?imsi={IMSI}", headers=headers
        )
        return answer(f"{got.status} X", got.body)

    site.proxy.answer = back
    assert site.get(f"/manager/user/data/?imsi={IMSI}")[0] == 502
    assert mec.users.counts["circle"] == 1 and len(site.proxy.requests) == 1


# notifications


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_notify_goes_to_the_proxy(site: Site, method: str, slash: str) -> None:
    site.mec()
    assert site.ask(method, f"/ams/app/notify{slash}?{SUBJECT}&mecId=5").status == 200
    assert site.proxy.requests[0].path == f"/app/notify/?imsi={IMSI}&mecId=5&appId=12345"


def test_notify_without_an_application(site: Site) -> None:
    site.mec()
    assert site.get("/ams/app/notify/?imsi=12345678901&mecId=5")[0] == 200
    assert site.proxy.requests[0].path == "/app/notify/?imsi=12345678901&mecId=5"


@pytest.mark.parametrize("given", [reply({}, "502 X"), None])
def test_notify_fails_with_the_proxy(site: Site, given: bytes | None) -> None:
    site.proxy.answer = lambda request: given
    site.mec()
    assert site.get(f"/ams/app/notify/?{SUBJECT}&mecId=5")[0] == 500


@pytest.mark.parametrize("path", ["/ams/app/notify/", "/ams/app/notification/"])
@pytest.mark.parametrize("query", ["imsi=x&mecId=5", "mecId=5", "imsi=5", "imsi=5&mecId=x", "imsi=5&mecId=5&appId=a b"])
def test_movement_that_makes_no_sense(site: Site, path: str, query: str) -> None:
    site.mec()
    assert site.ask("GET", f"{path}?{query.replace(' ', '%20')}").status == 400
    assert not site.proxy.requests


def test_notification_by_a_body(site: Site) -> None:
    mec = site.mec()
    assert site.ask("POST", "/ams/app/notification/", {"imsi": 12345678901, "mecId": 9, "appId": 12345}).status == 200
    assert mec.ams.uses.find("12345678901", "12345").mec_id == 9  # type: ignore[union-attr]


def test_own_notification_is_ignored(site: Site) -> None:
    mec = site.mec()
    assert site.get(f"/ams/app/notification/?{SUBJECT}&mecId=5")[0] == 200
    assert mec.ams.uses.find(IMSI, "12345") is None


# states


def moved(site: Site, mec_id: int = 9, subject: str = SUBJECT) -> None:
    assert site.ask("GET", f"/ams/app/notification/?{subject}&mecId={mec_id}").status == 200


def test_unknown_ue_is_not_found(site: Site) -> None:
    site.mec()
    assert site.get(f"/ams/fetch/state/?{SUBJECT}") == (404, {"found": False})


def test_state_is_fetched_stored_and_answered(site: Site) -> None:
    site.proxy.answer = lambda request: reply({"state": {"count": 8}})
    site.mec()
    moved(site)
    for _ in range(2):
        assert site.get(f"/ams/fetch/state/?{SUBJECT}") == (200, {"found": True, "state": {"count": 8}})
    assert [request.path for request in site.proxy.requests] == [f"/app/state/?imsi={IMSI}&mecId=9&appId=12345"]


def test_state_survives_a_restart(site: Site) -> None:
    site.proxy.answer = lambda request: reply({"state": {"count": 8}})
    site.mec()
    moved(site)
    site.get(f"/ams/fetch/state/?{SUBJECT}")
    eventually(lambda: not site.store.stats().waiting)
    site.mecs[-1].stop()
    site.mec()
    assert site.get(f"/ams/fetch/state/?{SUBJECT}") == (200, {"found": True, "state": {"count": 8}})
    assert len(site.proxy.requests) == 1


@pytest.mark.parametrize("mec_id", [9, 7])
def test_newer_notification_makes_a_stored_state_void(site: Site, mec_id: int) -> None:
    counts = iter([8, 9])
    site.proxy.answer = lambda request: reply({"state": next(counts)})
    site.mec()
    moved(site)
    assert site.get(f"/ams/fetch/state/?{SUBJECT}")[1]["state"] == 8
    moved(site, mec_id)
    assert site.get(f"/ams/fetch/state/?{SUBJECT}")[1]["state"] == 9
    assert site.proxy.requests[-1].path == f"/app/state/?imsi={IMSI}&mecId={mec_id}&appId=12345"


@pytest.mark.parametrize(
    ("given", "status"),
    [(reply({}, "404 X"), 404), (reply({}, "500 X"), 500), (reply({}, "502 X"), 500), (None, 500),
     (answer("200 OK", b"<html>not json</html>"), 500)],
)  # fmt: skip
def test_peer_without_a_state_or_failing(site: Site, given: bytes | None, status: int) -> None:
    site.proxy.answer = lambda request: given
    site.mec()
    moved(site)
    code, body = site.get(f"/ams/fetch/state/?{SUBJECT}")
    assert (code, body["found"]) == (status, False)


def test_failure_is_not_remembered(site: Site) -> None:
    answers = iter([None, reply({"state": 1})])
    site.proxy.answer = lambda request: next(answers)
    site.mec()
    moved(site)
    assert site.get(f"/ams/fetch/state/?{SUBJECT}")[0] == 500
    assert site.get(f"/ams/fetch/state/?{SUBJECT}")[0] == 200


def test_one_flight_for_all_callers_and_the_prefetch(site: Site) -> None:
    go = Event()

    def wait(request: Request) -> bytes:
        go.wait()
        return reply({"state": 8})

    site.proxy.answer = wait
    mec = site.mec()
    moved(site)
    assert site.ask("POST", "/ams/prefetch/state", {"imsi": IMSI}).status == 200
    site.proxy.until(1)
    asking = [gevent.spawn(site.get, f"/ams/fetch/state/?{SUBJECT}") for _ in range(10)]
    eventually(lambda: mec.ams.counts["shared fetches"] == 10)
    go.set()
    assert [greenlet.get() for greenlet in asking] == [(200, {"found": True, "state": 8})] * 10
    assert len(site.proxy.requests) == 1


def test_prefetch_answers_at_once_and_fetches_every_known_application(site: Site) -> None:
    go = Event()

    def wait(request: Request) -> bytes:
        go.wait()
        return reply({"state": request.path[-1]})

    site.proxy.answer = wait
    mec = site.mec()
    for app in (1, 2, 3):
        moved(site, subject=f"imsi={IMSI}&appId={app}")
    assert site.ask("POST", "/ams/prefetch/state/", {"imsi": 1010000000001}).status == 200
    site.proxy.until(3)
    go.set()
    eventually(lambda: not mec.ams.prefetching)
    assert [site.get(f"/ams/fetch/state/?imsi={IMSI}&appId={app}")[1]["state"] for app in (1, 2, 3)] == ["1", "2", "3"]
    assert len(site.proxy.requests) == 3


def test_prefetch_of_one_application(site: Site) -> None:
    site.proxy.answer = lambda request: reply({"state": 1})
    mec = site.mec()
    for app in (1, 2):
        moved(site, subject=f"imsi={IMSI}&appId={app}")
    site.ask("POST", "/ams/prefetch/state", {"imsi": IMSI, "appId": 2})
    eventually(lambda: mec.ams.counts["prefetches done"] == 1)
    assert [request.path[-1] for request in site.proxy.requests] == ["2"]


def test_prefetch_after_a_notification_of_all_applications(site: Site) -> None:
    site.proxy.answer = lambda request: reply({"state": 1})
    mec = site.mec()
    mec.users.known.replace((User(IMSI, {"subscribedApps": [777]}),), "digest")
    moved(site, subject=f"imsi={IMSI}")
    site.ask("POST", "/ams/prefetch/state", {"imsi": IMSI})
    eventually(lambda: mec.ams.counts["prefetches done"] == 2)
    assert sorted(request.path.rpartition("=")[2] for request in site.proxy.requests) == ["12345", "777"]


def test_prefetch_of_an_unknown_ue_asks_nobody(site: Site) -> None:
    site.mec()
    assert site.ask("POST", "/ams/prefetch/state", {"imsi": IMSI}).status == 200
    assert not site.proxy.requests


@pytest.mark.parametrize("body", [None, [], {}, {"imsi": "x"}, {"imsi": None}, {"imsi": 5, "appId": []}, "text"])
def test_bad_prefetch(site: Site, body: object) -> None:
    site.mec()
    assert site.ask("POST", "/ams/prefetch/state", body).status == 400


def test_result_that_was_overtaken_is_discarded(site: Site) -> None:
    go = {"9": Event(), "7": Event()}

    def wait(request: Request) -> bytes:
        mec_id = request.path.partition("mecId=")[2][0]
        go[mec_id].wait()
        return reply({"state": f"of {mec_id}"})

    site.proxy.answer = wait
    mec = site.mec()
    moved(site, 9)
    site.ask("POST", "/ams/prefetch/state", {"imsi": IMSI})
    asking = gevent.spawn(site.get, f"/ams/fetch/state/?{SUBJECT}")
    site.proxy.until(1)
    moved(site, 7)
    go["9"].set()
    site.proxy.until(2)
    assert mec.ams.counts["fetches overtaken"] == 1
    go["7"].set()
    assert asking.get() == (200, {"found": True, "state": "of 7"})
    assert site.get(f"/ams/fetch/state/?{SUBJECT}") == (200, {"found": True, "state": "of 7"})


def test_failed_prefetch_is_tried_again(site: Site) -> None:
    answers = iter([None, reply({"state": 1})])
    site.proxy.answer = lambda request: next(answers)
    mec = site.mec()
    moved(site)
    site.ask("POST", "/ams/prefetch/state", {"imsi": IMSI})
    eventually(lambda: mec.ams.counts["prefetches done"] == 1)
    assert len(site.proxy.requests) == 2


@pytest.mark.parametrize("given", [{"count": 8}, {"state": {"count": 8}}, {"state": 1, "other": 2}, [1], 5, None])
def test_state_from_the_application(site: Site, given: Any) -> None:
    site.app.answer = lambda request: reply(given)
    site.mec()
    bare = given["state"] if isinstance(given, dict) and set(given) == {"state"} else given
    assert site.get(f"/ams/get/state/?{SUBJECT}") == (200, {"state": bare})
    assert site.app.requests[0].path == f"/mec/app/state?imsi={IMSI}"


@pytest.mark.parametrize(
    ("given", "status"),
    [(reply({}, "404 X"), 404), (answer("204 No Content"), 404), (reply({}, "500 X"), 500),
     (answer("200 OK", b"<html/>"), 500), (None, 500), (answer("200 OK", b""), 500)],
)  # fmt: skip
def test_application_without_a_state_or_failing(site: Site, given: bytes | None, status: int) -> None:
    site.app.answer = lambda request: given
    site.mec()
    assert site.get(f"/ams/get/state/?{SUBJECT}")[0] == status


def test_application_that_is_not_here(site: Site) -> None:
    site.mec()
    assert site.get(f"/ams/get/state/?imsi={IMSI}&appId=1")[0] == 404


def test_application_that_sends_without_end(site: Site) -> None:
    sent = 0

    def endless(request: Request) -> Iterator[bytes]:
        nonlocal sent
        yield b'HTTP/1.1 200 OK\r\n\r\n"'
        while sent < 1_000_000_000:
            sent += 65536
            yield b"x" * 65536

    site.app.answer = endless
    site.mec()
    assert site.get(f"/ams/get/state/?{SUBJECT}")[0] == 500
    assert sent < 100_000_000


def test_large_state(site: Site) -> None:
    state = {"pad": "x" * 10_000_000}
    site.app.answer = lambda request: reply(state)
    site.mec()
    assert site.get(f"/ams/get/state/?{SUBJECT}") == (200, {"state": state})
    site.proxy.answer = lambda request: reply({"state": state})
    moved(site)
    for _ in range(2):
        assert site.get(f"/ams/fetch/state/?{SUBJECT}") == (200, {"found": True, "state": state})
    assert len(site.proxy.requests) == 1


def test_state_of_many_parts_holds_nobody_up(site: Site) -> None:
    """It takes long to read, so a process of its own does it: others have their turn meanwhile."""
    numbers = b"[" + b",".join([b"1"] * 6_000_000) + b"]"
    given = b' {"state": ' + numbers + b"} "
    site.app.answer = lambda request: answer("200 OK", given)
    site.mec()
    turns: list[float] = []

    def watch() -> None:
        while True:
            began = time.thread_time()
            turn()
            turns.append(time.thread_time() - began)

    watching = gevent.spawn(watch)
    got = site.ask("GET", f"/ams/get/state/?{SUBJECT}")
    watching.kill()
    assert got.status == 200 and got.body == b'{"state":' + numbers + b"}\n"
    began = time.thread_time()
    assert state_text.place(given) == (11, len(given) - 2)
    assert max(turns) < time.thread_time() - began


def test_large_answer_that_is_no_state(site: Site) -> None:
    site.app.answer = lambda request: answer("200 OK", b'{"state":' + b"1," * 500_000 + b"}")
    site.mec()
    status, said = site.get(f"/ams/get/state/?{SUBJECT}")
    assert status == 500 and "not JSON" in said["detail"]


def test_states_under_way_are_bounded_together(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mec.ams.service.STATES_UNDER_WAY", 250_000)
    goes_on = Event()

    def slow(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100002\r\n\r\n"
        goes_on.wait()
        yield b'"' + b"x" * 100_000 + b'"'

    site.app.answer = slow
    mec = site.mec()
    asking = [gevent.spawn(site.get, f"/ams/get/state/?{SUBJECT}") for _ in range(4)]
    eventually(lambda: mec.ams.counts["too many under way"] == 2)
    goes_on.set()
    assert sorted(greenlet.get()[0] for greenlet in asking) == [200, 200, 500, 500]
    assert site.get(f"/ams/get/state/?{SUBJECT}")[0] == 200, "there is room again"


def test_everybody_who_hangs_costs_two_seconds_and_is_answered_within_three(site: Site) -> None:
    site.proxy.answer = site.app.answer = lambda request: gevent.sleep(60)
    site.mec(network="foreign", mec_id=9)
    moved(site, 7)
    paths = {
        f"/manager/user/data/?imsi={IMSI}": 502,
        f"/ams/app/notify/?{SUBJECT}&mecId=9": 500,
        f"/ams/fetch/state/?{SUBJECT}": 500,
        f"/ams/get/state/?{SUBJECT}": 500,
    }
    begun = time.monotonic()
    asking = {path: gevent.spawn(site.get, path) for path in paths}
    assert {path: greenlet.get()[0] for path, greenlet in asking.items()} == paths
    assert time.monotonic() - begun < 3


# the process


def test_orchestrator_health_and_metrics_are_on_the_same_port(site: Site) -> None:
    site.mec()
    assert site.get("/meo/v1/platforms") == (200, [])
    assert site.get("/dev_app/v1/app_list")[0] == 200
    assert site.get("/health/alive")[0] == site.get("/ric/v1/health/ready")[0] == 200
    assert b"mec_ams_prefetches 0.0" in site.ask("GET", "/metrics").body


def test_unknown_path_is_a_problem(site: Site) -> None:
    site.mec()
    got = site.ask("GET", "/nothing")
    assert (got.status, got.headers["content-type"]) == (404, "application/problem+json")


def test_built_from_a_mapping(site: Site) -> None:
    mec = build({"host": "127.0.0.1:0", "network": "home"}, site.store, meo={"maxLoad": 0.5})
    mec.start()
    mec.stop()
    with pytest.raises(ConfigError):
        build({"network": "x"}, site.store)


@pytest.mark.parametrize("site", ["alone"], indirect=True)
def test_store_that_is_away_at_the_start(site: Site) -> None:
    site.store.stop()
    mec = site.mec()
    assert site.get(f"/ams/fetch/state/?{SUBJECT}")[0] == 503
    assert site.get("/health/ready")[0] == 503
    site.store.start()
    eventually(lambda: site.get("/health/ready")[0] == 200)
    assert site.get(f"/ams/fetch/state/?{SUBJECT}")[0] == 404
    assert site.get("/health/ready")[1]["warnings"] == []
    site.store.stop()
    assert site.get("/health/ready")[1]["warnings"] == ["database: the database does not answer: stopped"]
    assert site.get(f"/ams/app/notification/?{SUBJECT}&mecId=9")[0] == 500
    assert mec.ams.uses.find(IMSI, "12345") is not None


@pytest.mark.parametrize("site", ["one of several"], indirect=True)
def test_shared_store_that_is_away(site: Site) -> None:
    shared = site.shared
    assert shared is not None
    shared.away = True
    site.mec(network="foreign", mec_id=9)
    assert site.get(f"/ams/fetch/state/?{SUBJECT}")[0] == 503
    assert site.get("/health/ready")[0] == 503
    shared.away = False
    eventually(lambda: site.get("/health/ready")[0] == 200)
    assert site.get(f"/ams/fetch/state/?{SUBJECT}")[0] == 404
    shared.away = True
    moved = site.ask("GET", f"/ams/app/notification/?{SUBJECT}&mecId=5")
    fetched = site.ask("GET", f"/ams/fetch/state/?{SUBJECT}")
    asked = site.ask("GET", f"/manager/user/data/?imsi={IMSI}")
    listed = site.ask("GET", "/amsi/v1/subscriptions")
    assert [moved.status, fetched.status, asked.status, listed.status] == [500, 500, 503, 503]
    assert json.loads(fetched.body)["found"] is False
    assert asked.headers["retry-after"] == listed.headers["retry-after"] == "1"
    shared.away = False
    assert site.get(f"/ams/fetch/state/?{SUBJECT}") == (404, {"found": False})
