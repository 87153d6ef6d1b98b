# SPDX-License-Identifier: Apache-2.0
"""The daemon on redis, as it is deployed: R-NIB, records, a database that goes, hangs and comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from redis import Redis
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.e2ap.messages import Action, ActionType, RequestId, SubscriptionRequest, SubscriptionResponse

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer(durable=True) as server:
        yield server


@pytest.fixture(scope="module")
def _running(redis: RedisServer) -> Iterator[tuple[Neighbourhood, Daemon]]:
    with Neighbourhood(redis, rmr=True) as around, Daemon(around) as daemon:
        yield around, daemon


@pytest.fixture
def around(_running: tuple[Neighbourhood, Daemon]) -> Iterator[Neighbourhood]:
    around, daemon = _running
    yield around
    around.e2term.rules.clear()
    eventually(lambda: reconciled(daemon), 30.0, what=lambda: daemon.platform("GET", "reconcile"))
    around.rtmgr.rules.clear()
    for meid in around.e2term.nodes:
        daemon.platform("DELETE", f"delete_all_e2node_subscriptions/{meid}")
    eventually(lambda: not daemon.rests() and around.empty(), 15.0)
    eventually(daemon.clean, what=lambda: daemon.stored())
    around.reset()


@pytest.fixture
def daemon(_running: tuple[Neighbourhood, Daemon]) -> Daemon:
    return _running[1]


def reconciled(daemon: Daemon) -> bool:
    """What is known, what is stored and what the Routing Manager was told are the same; or no daemon is running."""
    return daemon.process.poll() is not None or daemon.platform("GET", "reconcile") == (200, [])


def told(around: Neighbourhood, count: int = 1) -> list[dict[str, Any]]:
    assert around.xapp.wait(count), around.xapp.notifications
    return around.xapp.instances()


def test_records_have_the_known_form(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(12345)))
    (instance,) = told(around)
    key = str(instance["E2EventInstanceId"])
    eventually(lambda: daemon.stored()["submgr_e2SubsDb"].get(key, {}).get("Notified") is True)
    stored = daemon.stored()
    record = stored["submgr_e2SubsDb"][key]
    assert record["ReqId"] == {"Id": 12345, "InstanceId": int(key)}
    assert record["Meid"]["RanName"] == "gnb_1"
    assert record["EpList"] == {"Endpoints": [{"Addr": "127.0.0.1", "Port": 4560}]}
    assert record["SubReqMsg"]["Data"] == {"Length": 3, "Data": "AQID"}
    assert record["SubRespRcvd"] == "SubResp"
    rest = stored["submgr_restSubsDb"][subscription_id]
    assert (rest["InstanceIds"], rest["XAppIdToE2Id"]) == ([int(key)], {"12345": int(key)})


def test_a_node_that_is_down_names_those_that_are_up(around: Neighbourhood, daemon: Daemon) -> None:
    around.e2term.disconnect("gnb_3")
    eventually(lambda: daemon.post(around.request("gnb_3"))[0] == 503, 5.0)
    around.e2term.reset_node("gnb_2")
    eventually(lambda: "under reset" in daemon.post(around.request("gnb_2"))[1].get("message", ""), 5.0)
    status, answer = daemon.post(around.request("never_seen"))
    assert status == 503
    assert "never_seen" in answer["message"]
    assert "gnb_1" in answer["message"]
    assert "gnb_3" not in answer["message"]
    assert daemon.platform("GET", "get_all_e2nodes")[1] == ["gnb_1"]


def test_a_running_procedure_ends_when_the_connection_is_lost(around: Neighbourhood, daemon: Daemon) -> None:
    around.node_does(procedure="subscribe", silent="request")
    daemon.subscribe(around.request("gnb_1", detail(1, [1]), detail(2, [2])))
    eventually(lambda: around.e2term.received[12010])
    around.e2term.disconnect("gnb_1")
    for instance in told(around, 2):
        assert instance["ErrorCause"].startswith("E2 interface down")
        assert instance["ErrorSource"] == "E2Node"
    eventually(lambda: not around.rtmgr.routes)


@pytest.mark.parametrize("policy", ["drop", "notify", "restore"])
def test_a_node_that_goes_and_comes_back(around: Neighbourhood, daemon: Daemon, policy: str) -> None:
    daemon.configure(controls={"onE2Loss": policy})
    eventually(lambda: daemon.platform("GET", "config")[1]["controls"]["onE2Loss"] == policy, 30.0)
    subscription_id = daemon.subscribe(around.request())
    (instance,) = told(around)
    around.e2term.disconnect("gnb_1")
    if policy == "restore":
        eventually(lambda: "gnb_1" not in daemon.platform("GET", "get_all_e2nodes")[1])
        assert daemon.post(around.request())[0] == 503
        assert around.rtmgr.routes
        around.e2term.connect("gnb_1")
        eventually(lambda: around.holds() == {instance["E2EventInstanceId"]})
        assert list(daemon.rests()) == [subscription_id]
        assert len(around.xapp.notifications) == 1
    else:
        eventually(lambda: not daemon.rests() and not around.rtmgr.routes)
        assert len(around.xapp.notifications) == (1 if policy == "drop" else 2) or eventually(
            lambda: len(around.xapp.notifications) == 2
        )
        assert daemon.post({**around.request("gnb_2"), "SubscriptionId": subscription_id})[0] == 404


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_restart_keeps_what_was_completed(around: Neighbourhood, daemon: Daemon, how: str) -> None:
    """And undoes what was not; the same request keeps its id; the route of what was restored is removed."""
    kept = daemon.subscribe(around.request())
    (instance,) = told(around)
    number = instance["E2EventInstanceId"]
    around.node_does(procedure="subscribe", silent="answer")
    cut = daemon.subscribe(around.request("gnb_1", detail(2, [2])))
    eventually(lambda: len(around.holds()) == 2)
    if how == "stop":
        assert daemon.stop() == 0
    else:
        daemon.kill()
    around.e2term.rules.clear()
    daemon.start()
    eventually(lambda: around.holds() == {number})
    eventually(lambda: set(around.rtmgr.routes) == {number})
    assert daemon.subscribe(around.request()) == kept
    eventually(lambda: [i["E2EventInstanceId"] for i in around.xapp.instances(kept)] == [number, number])
    daemon.unsubscribe(kept)
    daemon.unsubscribe(cut)
    eventually(around.empty)


def test_an_accepted_delete_is_resumed(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request("gnb_1", detail(1, [1]), detail(2, [2])))
    told(around, 2)
    around.node_does(procedure="delete", silent="request")
    daemon.unsubscribe(subscription_id)
    daemon.kill()
    around.e2term.rules.clear()
    daemon.start()
    eventually(lambda: around.empty() and not daemon.rests())


def test_records_of_the_other_implementation(around: Neighbourhood, daemon: Daemon) -> None:
    """They load, work, and are deleted properly, route included; what cannot be read stays and its id is not used."""
    daemon.stop()
    record = json.loads(OTHERS_E2)
    with Redis(around.redis.host, around.redis.port) as client:
        client.set("{submgr_e2SubsDb},1", json.dumps(record))
        client.set("{submgr_e2SubsDb},2", b"\xff{ not json")
        client.set("{submgr_restSubsDb},22oOOpLYBoVOKIMmyHA0BgYDJEs", OTHERS_REST)
    around.rtmgr.routes[1] = ["127.0.0.1:4560"]
    held = around.e2term.nodes["gnb_2"].subscriptions
    daemon.start()
    assert daemon.metric("submgr_unreadable_records") == 1
    (listed,) = daemon.listed()
    assert (listed["SubscriptionId"], listed["Meid"]) == (1, "gnb_2")
    daemon.subscribe(around.request("gnb_1", detail(5, [5])))
    (instance,) = told(around)
    assert instance["E2EventInstanceId"] not in (1, 2)
    daemon.unsubscribe("22oOOpLYBoVOKIMmyHA0BgYDJEs")
    eventually(lambda: 1 not in around.rtmgr.routes and "1" not in daemon.stored()["submgr_e2SubsDb"])
    assert around.e2term.received[12020] >= 1
    assert not held
    with Redis(around.redis.host, around.redis.port) as client:
        assert client.get("{submgr_e2SubsDb},2") == b"\xff{ not json"
        client.delete("{submgr_e2SubsDb},2")


def test_redis_is_away_in_the_middle(around: Neighbourhood, daemon: Daemon) -> None:
    """503 for what would have to be saved, 204 all the same, not ready; afterwards everything is as it should be."""
    subscription_id = daemon.subscribe(around.request())
    told(around)
    around.redis.stop()
    try:
        assert daemon.post(around.request("gnb_1", detail(2, [2])))[0] == 503
        daemon.unsubscribe(subscription_id)
        eventually(lambda: daemon.platform("GET", "health/ready")[0] == 503)
        assert daemon.platform("GET", "health/alive")[0] == 200
        eventually(around.empty)
    finally:
        around.redis.start()
    eventually(daemon.is_ready)
    eventually(daemon.clean)


def test_redis_hangs_in_the_middle(around: Neighbourhood, daemon: Daemon) -> None:
    """Whatever hangs behind, an answer comes within 5 s; what redis does late does not stay."""
    around.redis.suspend()
    try:
        with gevent.Timeout(5.0):
            assert daemon.post(around.request())[0] == 503
    finally:
        around.redis.resume()
    eventually(daemon.is_ready)
    eventually(daemon.clean)
    assert around.e2term.received[12010] == 0
    daemon.subscribe(around.request())
    assert told(around)[0]["ErrorCause"] == ""


def test_redis_is_away_at_the_start(around: Neighbourhood, daemon: Daemon) -> None:
    daemon.stop()
    around.redis.stop()
    try:
        daemon.start(wait=False)
        eventually(lambda: answers(daemon, 503))
    finally:
        around.redis.start()
    eventually(daemon.is_ready, 20.0)


def answers(daemon: Daemon, status: int) -> bool:
    try:
        return daemon.platform("GET", "health/ready")[0] == status
    except OSError:
        return False
    except Exception as refused:
        assert type(refused).__name__ == "HttpConnectError"
        return False


def test_an_xapp_over_rmr(around: Neighbourhood, daemon: Daemon) -> None:
    """Same registry: it merges with a REST subscription, and the answer comes to its own requestor id."""
    daemon.subscribe(around.request("gnb_1", detail(1)))
    number = told(around)[0]["E2EventInstanceId"]
    wanted = SubscriptionRequest(RequestId(77, 0), 2, bytes([1, 2, 3]), (Action(1, ActionType.REPORT, b"\5\6"),))
    to = f"127.0.0.1:{daemon.rmr_port}"
    around.xapp.subscribe("gnb_1", wanted, b"transaction-1", to)
    assert around.xapp.wait_for_answers(1)
    answer = around.xapp.answers[0]
    assert answer.mtype == 12011
    assert isinstance(answer.message, SubscriptionResponse)
    assert (answer.message.request_id, answer.sub_id) == (RequestId(77, number), number)
    assert answer.xid.rstrip(b"\0") == b"transaction-1"
    assert around.e2term.received[12010] == 1
    around.xapp.unsubscribe("gnb_1", RequestId(77, number), 2, b"transaction-2", to)
    assert around.xapp.wait_for_answers(2)
    assert around.xapp.answers[1].mtype == 12021
    assert around.holds() == {number}
    around.xapp.unsubscribe("gnb_1", RequestId(77, 4242), 2, b"transaction-3", to)
    assert around.xapp.wait_for_answers(3)
    assert around.xapp.answers[2].mtype == 12021


OTHERS_E2 = (
    '{"Valid":true,"ReqId":{"Id":12345,"InstanceId":1},"Meid":{"PlmnID":"","EnbID":"","RanName":"gnb_2"},'
    '"EpList":{"Endpoints":[{"Addr":"127.0.0.1","Port":4560}]},"SubReqMsg":{"Id":123,"InstanceId":1,"FunctionId":2,'
    '"Data":{"Length":4,"Data":"AQIDBA=="},"ActionSetups":[{"ActionId":1,"ActionType":0,'
    '"RicActionDefinitionPresent":true,"Data":{"Length":4,"Data":"BQYHCA=="},"Present":true,"Type":0,"TimetoWait":4}]},'
    '"SubRespMsg":{"Id":123,"InstanceId":1,"FunctionId":2,"ActionAdmittedList":{"Items":[{"ActionId":1}]},'
    '"ActionNotAdmittedList":{"Items":null}},"SubRespRcvd":"SubResp","PolicyUpdate":false}'
)
OTHERS_REST = (
    '{"Created":"2026-11-22 00:33:40.850","XAppServiceName":"127.0.0.1","XAppRmrEndPoint":"127.0.0.1:4560",'
    '"Meid":"gnb_2","InstanceIds":[1],"XAppIdToE2Id":{"12345":1},"SubReqOngoing":false,"SubDelReqOngoing":false,'
    '"Md5sum":"4a6e5d8f1d2b3c4d5e6f708192a3b4c5"}'
)
