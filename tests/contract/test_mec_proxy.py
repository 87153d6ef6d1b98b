# SPDX-License-Identifier: Apache-2.0
"""The proxy between MECs that answer, fail and hang."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event
from support.http.peer import HttpPeer, Request, answer
from support.ports import free_port

from mec.proxy.cli import ProxyProgram
from submgr.platform.http.client import HttpClient, HttpResponse
from submgr.platform.http.errors import HttpProtocolError

IMSI = "001010000000001"
FAILED = answer("500 X", b"{}")


class Site:
    """A proxy and the MECs it knows, by number."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "mecInfo.json"
        self.client = HttpClient()
        self.mecs: dict[int, HttpPeer] = {}
        self.program: ProxyProgram | None = None

    def start(self, *mec_ids: int, others: dict[int, str] | None = None) -> ProxyProgram:
        self.mecs = {mec_id: HttpPeer() for mec_id in mec_ids}
        urls = {mec_id: f"http://127.0.0.1:{peer.port}" for mec_id, peer in self.mecs.items()} | (others or {})
        entries = [{"id": mec_id, "managerAmsUrl": url} for mec_id, url in urls.items()]
        self.path.write_text(json.dumps({"mecs": entries}), encoding="utf-8")
        self.program = ProxyProgram("127.0.0.1:0", str(self.path))
        self.program.start()
        return self.program

    def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> HttpResponse:
        assert self.program is not None
        url = f"http://127.0.0.1:{self.program.address[1]}{path}"
        return self.client.request(method, url, headers=headers, read_timeout=10)

    def stop(self) -> None:
        self.client.close()
        if self.program is not None:
            self.program.stop()
        for peer in self.mecs.values():
            peer.stop()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_notification_goes_to_every_mec_but_the_sender(site: Site, method: str, slash: str) -> None:
    site.start(5, 7, 9)
    assert site.get(f"/app/notify{slash}?imsi={IMSI}&mecId=5&appId=12345", method=method).status == 200
    for mec_id in (7, 9):
        assert [request.path for request in site.mecs[mec_id].requests] == [
            f"/ams/app/notification/?imsi={IMSI}&mecId=5&appId=12345"
        ]
    assert not site.mecs[5].requests


def test_notification_without_an_application(site: Site) -> None:
    site.start(5, 9)
    site.get(f"/app/notify?imsi={IMSI}&mecId=5")
    assert site.mecs[9].requests[0].path == f"/ams/app/notification/?imsi={IMSI}&mecId=5"


def test_all_are_told_at_the_same_time(site: Site) -> None:
    site.start(5, 7, 8, 9)
    arrived = {mec_id: Event() for mec_id in (7, 8, 9)}

    def wait_for_the_others(mec_id: int) -> bytes:
        arrived[mec_id].set()
        for event in arrived.values():
            assert event.wait(5)
        return answer("200 OK")

    for mec_id in arrived:
        site.mecs[mec_id].answer = lambda request, mec_id=mec_id: wait_for_the_others(mec_id)  # type: ignore[misc]
    assert site.get(f"/app/notify?imsi={IMSI}&mecId=5").status == 200


def test_no_peers_is_no_failure(site: Site) -> None:
    site.start(5)
    assert site.get(f"/app/notify?imsi={IMSI}&mecId=5").status == 200


def test_who_could_not_be_told_is_reported(site: Site) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    program = site.start(5, 7, 9, others={8: dead})
    site.mecs[7].answer = lambda request: FAILED
    got = site.get(f"/app/notify?imsi={IMSI}&mecId=5")
    assert (got.status, got.headers["content-type"]) == (502, "application/problem+json")
    body = json.loads(got.body)
    assert body["notified"] == [9]
    assert {each["id"]: each["managerAmsUrl"] for each in body["failed"]} == {
        7: f"http://127.0.0.1:{site.mecs[7].port}",
        8: dead,
    }
    assert "500" in {each["id"]: each["reason"] for each in body["failed"]}[7]
    assert program.proxy.counts["not told"] == 2


def test_mecs_that_hang_are_given_up_together(site: Site) -> None:
    site.start(5, 7, 8, 9)
    for mec_id in (7, 8):
        site.mecs[mec_id].answer = lambda request: gevent.sleep(60)
    begun = time.monotonic()
    asking = gevent.spawn(site.get, f"/app/state?imsi={IMSI}&mecId=7&appId=1")
    body = json.loads(site.get(f"/app/notify?imsi={IMSI}&mecId=5").body)
    assert [each["id"] for each in body["failed"]] == [7, 8]
    assert asking.get().status == 502
    assert time.monotonic() - begun < 3


def test_state_is_asked_of_one_mec(site: Site) -> None:
    site.start(5, 9)
    state = json.dumps({"state": {"pad": "x" * 3_000_000}}).encode()
    site.mecs[9].answer = lambda request: answer("200 OK", state)
    got = site.get(f"/app/state/?imsi={IMSI}&mecId=9&appId=12345")
    assert (got.status, got.body) == (200, state)
    assert site.mecs[9].requests[0].path == f"/ams/get/state/?appId=12345&imsi={IMSI}"
    assert site.mecs[9].requests[0].headers["mec-hops"] == "1"
    assert not site.mecs[5].requests


def test_user_data_are_asked_of_one_mec(site: Site) -> None:
    site.start(5, 9)
    site.mecs[5].answer = lambda request: answer("200 OK", b'{"mainData":{}}')
    got = site.get(f"/user/data/?imsi={IMSI}&mecId=5", {"MEC-Hops": "1"})
    assert (got.status, got.body) == (200, b'{"mainData":{}}')
    assert site.mecs[5].requests[0].path == f"/manager/user/data/?imsi={IMSI}"
    assert site.mecs[5].requests[0].headers["mec-hops"] == "2"


@pytest.mark.parametrize("path", ["/app/state?imsi=5&appId=1", "/user/data?imsi=5"])
def test_answers_of_the_mec(site: Site, path: str) -> None:
    site.start(9)
    for given, status in ((answer("404 X"), 404), (FAILED, 502), (None, 502)):
        site.mecs[9].answer = lambda request, given=given: given  # type: ignore[misc]
        assert site.get(f"{path}&mecId=9").status == status
    assert site.get(f"{path}&mecId=77").status == 404


@pytest.mark.parametrize(
    "path",
    ["/app/notify?mecId=5", "/app/notify?imsi=x&mecId=5", "/app/notify?imsi=5&mecId=x", "/app/state?imsi=5&mecId=9",
     "/user/data?imsi=5", "/user/data?mecId=5"],
)  # fmt: skip
def test_missing_and_bad_parameters(site: Site, path: str) -> None:
    site.start(5, 9)
    assert site.get(path).status == 400
    assert not site.mecs[9].requests


def test_state_that_breaks_off_breaks_off_here_too(site: Site) -> None:
    site.start(9)

    def half(request: Request) -> Iterator[bytes]:
        yield answer("200 OK", b"x" * 1000)[:-500]
        raise OSError("gone")

    site.mecs[9].answer = half
    with pytest.raises(HttpProtocolError):
        site.get("/app/state?imsi=5&mecId=9&appId=1")


def test_file_that_names_the_proxy_itself_is_no_circle(site: Site) -> None:
    port = free_port()
    site.path.write_text(json.dumps({"mecs": [{"id": 5, "managerAmsUrl": f"http://127.0.0.1:{port}"}]}))
    site.program = ProxyProgram(f"127.0.0.1:{port}", str(site.path))
    site.program.start()
    assert site.get("/user/data?imsi=5&mecId=5").status == 404
    assert site.get("/app/state?imsi=5&mecId=5&appId=1").status == 404
    assert site.get("/app/notify?imsi=5&mecId=9").status == 502


def test_request_that_has_been_passed_on_too_often(site: Site) -> None:
    site.start(5, 9)
    for path in ("/user/data?imsi=5&mecId=5", "/app/state?imsi=5&mecId=5&appId=1", "/app/notify?imsi=5&mecId=9"):
        assert site.get(path, {"MEC-Hops": "4"}).status == 508
    assert not site.mecs[5].requests


def test_changed_file(site: Site) -> None:
    program = site.start(5, 9)
    program.proxy.reload("{")
    assert len(program.proxy) == 2 and program.proxy.counts["file refused"] == 1
    program.proxy.reload('{"mecs": [{"id": 3, "managerAmsUrl": "http://a:1"},]}')
    assert len(program.proxy) == 1


def test_metrics_and_health(site: Site) -> None:
    site.start(5)
    site.get(f"/app/state?imsi={IMSI}&mecId=5&appId=1")
    text: Any = site.get("/metrics").body.decode()
    assert 'mec_proxy_requests_total{result="states"} 1.0' in text and IMSI not in text
    assert site.get("/health/ready").status == 200
