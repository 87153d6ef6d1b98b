# SPDX-License-Identifier: Apache-2.0
"""RAN functions as E2 nodes have announced them: listed, and what becomes of requests for others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]
KPM_EVERY_SECOND = [8, 3, 231]


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with RedisServer() as redis, Neighbourhood(redis) as around:
        yield around


@pytest.fixture
def daemon(around: Neighbourhood, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with Daemon(around, controls={"checkRanFunction": request.param}) as daemon:
        eventually(lambda: daemon.platform("GET", "nodes/gnb_1/functions")[1])
        yield daemon


@pytest.mark.parametrize("daemon", ["true"], indirect=True)
def test_a_request_for_a_function_that_the_node_has_not_is_refused(around: Neighbourhood, daemon: Daemon) -> None:
    listed = daemon.platform("GET", "nodes/gnb_1/functions")[1]
    assert [(one["RANFunctionID"], one["Name"]) for one in listed] == [(2, "ORAN-E2SM-KPM"), (3, "ORAN-E2SM-RC")]
    assert daemon.platform("GET", "nodes/nobody/functions")[0] == 404
    status, answer = daemon.post({**around.request("gnb_1"), "RANFunctionID": 9})
    assert (status, answer["code"]) == (400, 400)
    assert "it has 2 (ORAN-E2SM-KPM), 3 (ORAN-E2SM-RC)" in answer["message"]
    assert [error["field"] for error in answer["errors"]] == ["RANFunctionID"]
    assert around.e2term.received[12010] == 0
    daemon.subscribe(around.request("gnb_1", detail(1, KPM_EVERY_SECOND)))
    eventually(lambda: daemon.platform("GET", "contents")[1])
    (line,) = daemon.platform("GET", "contents")[1]
    assert line["Words"].startswith("KPM report every 1000 ms; action 1: 0506: as KPM: ")


@pytest.mark.parametrize("daemon", ["false"], indirect=True)
def test_otherwise_it_is_accepted_with_a_warning(around: Neighbourhood, daemon: Daemon) -> None:
    status, _ = daemon.post({**around.request("gnb_2"), "RANFunctionID": 9})
    assert status == 201
    eventually(lambda: "E2 node gnb_2 has no RAN function 9" in daemon.log_file.read_text())
    warned = daemon.platform("GET", "events?severity=warning&meid=gnb_2")[1]
    (event,) = [each for each in warned if "has no RAN function 9" in each["Words"]]
    assert (event["XApp"], event["RANFunctionID"]) == ("127.0.0.1", 9)


@pytest.mark.parametrize("daemon", ["false"], indirect=True)
def test_a_node_that_is_down_is_an_event_and_so_is_who_asks_for_it(around: Neighbourhood, daemon: Daemon) -> None:
    around.e2term.disconnect("gnb_3")
    eventually(lambda: daemon.platform("GET", "events?kind=node&severity=warning&meid=gnb_3")[1])
    assert daemon.post(around.request("gnb_3"))[0] == 503
    (refused,) = daemon.platform("GET", "events?kind=subscription&meid=gnb_3")[1]
    assert (refused["Severity"], refused["XApp"], refused["Outcome"]) == ("warning", "127.0.0.1", "refused")
    nodes = {node["Meid"]: node for node in daemon.platform("GET", "overview/nodes")[1]}
    assert nodes["gnb_3"]["State"] == "disconnected" and nodes["gnb_3"]["LastFailure"] == refused
    assert nodes["gnb_1"]["State"] == "connected"
    around.e2term.connect("gnb_3")
    eventually(lambda: daemon.platform("GET", "events?kind=node&meid=gnb_3&severity=info&limit=1")[1][0]["Severity"])
