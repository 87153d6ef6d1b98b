# SPDX-License-Identifier: Apache-2.0
"""Each way in which a neighbour can fail: what the xApp is told, and what is left at the node and in routes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.waiting import eventually


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[Neighbourhood, Daemon]]:
    with Neighbourhood() as around, Daemon(around, controls={"notificationQueue": 20}) as daemon:
        yield around, daemon


@pytest.fixture
def around(_running: tuple[Neighbourhood, Daemon]) -> Iterator[Neighbourhood]:
    around, daemon = _running
    yield around
    around.e2term.rules.clear()
    around.rtmgr.rules.clear()
    around.xapp.rules.clear()
    for subscription_id in daemon.rests():
        daemon.unsubscribe(subscription_id)
    eventually(lambda: not daemon.rests() and around.empty(), 15.0)
    around.reset()


@pytest.fixture
def daemon(_running: tuple[Neighbourhood, Daemon]) -> Daemon:
    return _running[1]


def told(around: Neighbourhood, count: int = 1) -> list[dict[str, Any]]:
    assert around.xapp.wait(count), around.xapp.notifications
    return around.xapp.instances()


ROUTES = [
    ({"status": 400}, "RTMGR route create failure", None),
    ({"status": 503, "html": True}, "RTMGR route create failure", None),
    ({"close": True}, "RTMGR route create failure", None),
    ({"hang": True}, "RTMGR route create timeout", "RTMGR-Timeout"),
]


@pytest.mark.parametrize(("rule", "begins", "timeout"), ROUTES, ids=["400", "503 HTML", "closed", "silent"])
def test_route_create_fails(
    around: Neighbourhood, daemon: Daemon, rule: dict[str, Any], begins: str, timeout: str | None
) -> None:
    around.rtmgr_does(method="POST", **rule)
    daemon.subscribe(around.request())
    (instance,) = told(around)
    assert instance["E2EventInstanceId"] == 0
    assert instance["ErrorCause"].startswith(begins)
    assert "<html>" not in instance["ErrorCause"]
    assert instance["ErrorSource"] == "RTMGR"
    assert instance.get("TimeoutType") == timeout
    assert around.e2term.received[12010] == 0
    eventually(lambda: not around.rtmgr.routes and daemon.listed() == [])


@pytest.mark.parametrize("status", [200, 201, 204])
def test_any_2xx_makes_a_route(around: Neighbourhood, daemon: Daemon, status: int) -> None:
    around.rtmgr_does(status=status)
    daemon.subscribe(around.request())
    (instance,) = told(around)
    assert instance["ErrorCause"] == ""


def test_merge_whose_route_is_refused(around: Neighbourhood, daemon: Daemon) -> None:
    daemon.subscribe(around.request())
    told(around)
    around.rtmgr_does(method="PUT", status=500, count=1)
    other = around.request("gnb_1", detail(2))
    other["ClientEndpoint"]["RMRPort"] = 4570
    daemon.subscribe(other)
    instance = told(around, 2)[1]
    assert instance["ErrorCause"].startswith("RTMGR route update failure")
    (routes,) = around.rtmgr.routes.values()
    assert routes == ["127.0.0.1:4560"]
    assert len(daemon.listed()) == 1


def test_route_removal_that_fails_is_retried(around: Neighbourhood, daemon: Daemon) -> None:
    """The xApp's DELETE succeeds, the id is not given out again until the route has gone."""
    subscription_id = daemon.subscribe(around.request())
    (instance,) = told(around)
    around.rtmgr_does(method="DELETE", status=500, count=1)
    before, pending = daemon.metric("SUBMGR_RouteDeleteFail"), daemon.metric("submgr_pending_route_removals")
    daemon.unsubscribe(subscription_id)
    eventually(lambda: not daemon.rests() and not around.holds())
    assert daemon.metric("SUBMGR_RouteDeleteFail") == before + 1
    assert daemon.metric("submgr_pending_route_removals") == pending + 1
    assert list(around.rtmgr.routes) == [instance["E2EventInstanceId"]]
    eventually(lambda: not around.rtmgr.routes, 30.0)
    eventually(lambda: daemon.metric("submgr_pending_route_removals") == pending)


def test_a_route_that_the_routing_manager_did_not_have_pins_its_id(around: Neighbourhood, daemon: Daemon) -> None:
    """It answers 204 when the xApp is not in its list at the moment: that confirms nothing."""
    subscription_id = daemon.subscribe(around.request())
    (instance,) = told(around)
    number = instance["E2EventInstanceId"]
    around.rtmgr_does(method="DELETE", status=204, done=False, count=1)
    before, pending = daemon.metric("SUBMGR_RouteDeleteFail"), daemon.metric("submgr_pending_route_removals")
    daemon.unsubscribe(subscription_id)
    eventually(lambda: daemon.metric("submgr_pending_route_removals") == pending + 1)
    assert daemon.metric("SUBMGR_RouteDeleteFail") == before, "no failure of the Routing Manager's"
    assert number in around.rtmgr.routes, "the route is still there: nobody else may have its id"
    eventually(lambda: number not in around.rtmgr.routes, 60.0)
    eventually(lambda: daemon.metric("submgr_pending_route_removals") == pending)


def test_routing_manager_is_not_there(around: Neighbourhood, daemon: Daemon) -> None:
    around.rtmgr.stop()
    try:
        daemon.subscribe(around.request())
        (instance,) = told(around)
    finally:
        around.rtmgr.start()
    assert instance["ErrorCause"].startswith("RTMGR route create failure")
    assert "TimeoutType" not in instance


def test_e2_termination_is_not_there(around: Neighbourhood, daemon: Daemon) -> None:
    around.e2term.stop()
    try:
        daemon.subscribe(around.request())
        (instance,) = told(around)
    finally:
        around.e2term.start()
    assert (instance["ErrorSource"], instance["TimeoutType"]) == ("SUBMGR", "E2-Timeout")
    assert instance["ErrorCause"].startswith("E2 RICSubscriptionResponse timeout")


def test_a_delete_that_is_never_answered(around: Neighbourhood, daemon: Daemon) -> None:
    """Ours is gone, it is counted, and the node is asked once more when it is connected again."""
    subscription_id = daemon.subscribe(around.request())
    told(around)
    around.node_does(procedure="delete", silent="request", count=2)
    before = daemon.metric("submgr_unconfirmed_deletes")
    daemon.unsubscribe(subscription_id)
    eventually(lambda: not daemon.rests() and not around.rtmgr.routes)
    assert daemon.metric("submgr_unconfirmed_deletes") == before + 1
    around.e2term.nodes["gnb_1"].subscriptions.clear()


ODD = [{"status": 204}, {"http10": True}, {"body_size": 100_000}, {"status": 202, "html": True}]


@pytest.mark.parametrize("rule", ODD, ids=str)
def test_odd_answers_of_an_xapp_count_as_delivered(around: Neighbourhood, daemon: Daemon, rule: dict[str, Any]) -> None:
    around.xapp_does(**rule)
    daemon.subscribe(around.request())
    assert around.xapp.wait(1)
    gevent.sleep(1.3)
    assert len(around.xapp.notifications) == 1


def test_an_xapp_that_fails_is_told_again_in_order(around: Neighbourhood, daemon: Daemon) -> None:
    around.xapp_does(status=500, count=1)
    daemon.subscribe(around.request("gnb_1", detail(1, [1]), detail(2, [2])))
    assert [i["XappEventInstanceId"] for i in told(around, 2)] == [1, 2]
    assert len(around.xapp.notifications) == 3


def test_a_hanging_xapp_delays_nobody(around: Neighbourhood, daemon: Daemon) -> None:
    slow = daemon.subscribe(around.request("gnb_1", detail(1, [1]), detail(2, [2])))
    told(around, 2)
    around.xapp_does(subscription_id=slow, hang=True)
    daemon.subscribe({**around.request("gnb_1", detail(3, [3])), "SubscriptionId": slow})
    eventually(lambda: len(around.xapp.notifications) == 3)
    daemon.subscribe(around.request("gnb_1", detail(4, [4])))
    eventually(lambda: 4 in [i["XappEventInstanceId"] for i in around.xapp.instances()], 3.0)


def test_a_notification_is_given_up(around: Neighbourhood, daemon: Daemon) -> None:
    around.xapp_does(status=500)
    daemon.subscribe(around.request())
    eventually(lambda: daemon.metric("submgr_notifications_given_up_total") == 1, 8.0)
    assert len(around.xapp.notifications) == 3


def test_a_full_notification_queue_refuses(around: Neighbourhood, daemon: Daemon) -> None:
    around.xapp_does(status=500)
    daemon.subscribe(around.request("gnb_1", *[detail(n, [n]) for n in range(15)]))
    answer = daemon.http.request(
        "POST",
        f"http://127.0.0.1:{daemon.xapp_port}/ric/v1/subscriptions",
        body=json.dumps(around.request("gnb_2", *[detail(n, [n]) for n in range(15)])).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status == 503
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert int(headers["retry-after"]) > 0


def test_descriptors_stay_flat(around: Neighbourhood, daemon: Daemon) -> None:
    def descriptors() -> int:
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))

    around.xapp_does(body_size=5000)
    daemon.subscribe(around.request("gnb_1", *[detail(n, [n]) for n in range(5)]))
    told(around, 5)
    before = descriptors()
    for start in range(5, 65, 15):
        daemon.subscribe(around.request("gnb_2", *[detail(n, [n]) for n in range(start, start + 15)]))
        told(around, start + 15)
    assert descriptors() <= before + 8


def test_a_node_that_is_not_connected(around: Neighbourhood, daemon: Daemon) -> None:
    """With a file for a database nobody writes an R-NIB: every Meid counts as connected, so this one times out."""
    daemon.subscribe({**around.request("gnb_unknown"), "E2SubscriptionDirectives": {"E2RetryCount": 0}})
    (instance,) = told(around)
    assert instance["TimeoutType"] == "E2-Timeout"


# --- the process itself


def test_a_taken_port_is_one_clear_line(around: Neighbourhood, daemon: Daemon) -> None:
    (line,) = Daemon(around, subscription={"host": f"127.0.0.1:{daemon.xapp_port}"}).refusal()
    assert str(daemon.xapp_port) in line


def test_a_file_with_mistakes_tells_all_of_them(around: Neighbourhood) -> None:
    lines = Daemon(
        around, controls={"onE2Loss": "forget", "maxOngoingE2Procedures": 0}, sdl={"backend": "reddis"}
    ).refusal()
    assert len(lines) == 3
    assert all(any(word in line for line in lines) for word in ("onE2Loss", "maxOngoingE2Procedures", "redis"))


def test_a_database_file_in_use_or_broken_is_one_clear_line(
    around: Neighbourhood, daemon: Daemon, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is not a database" * 500)
    in_a_file = broken / "submgr.db"
    for path in (daemon.database, broken, tmp_path, in_a_file):
        (line,) = Daemon(around, sdl={"backend": "sqlite", "path": str(path)}).refusal()
        assert str(path) in line or path.name in line


def test_end_and_restart(around: Neighbourhood) -> None:
    with Daemon(around) as own:
        assert own.platform("POST", "test/restart")[0] == 200
        assert own.wait() == 1
        own.start()
        assert own.stop() == 0


def test_a_stuck_process_says_so_afterwards(around: Neighbourhood) -> None:
    with Daemon(around) as own:
        own.process.send_signal(19)
        time.sleep(6.0)
        own.process.send_signal(18)
        gevent.sleep(0.7)
        status, answer = own.platform("GET", "health/alive")
        assert status == 503, answer
        eventually(lambda: own.platform("GET", "health/alive")[0] == 200, 15.0)


def test_reload_of_the_configuration(around: Neighbourhood) -> None:
    """A good file applies to new procedures; a bad one is refused, said, and the old values stay."""
    with Daemon(around) as own:
        around.node_does(procedure="subscribe", silent="request")
        own.configure(controls={"e2tMaxSubReqTryCount": 1})
        eventually(lambda: own.platform("GET", "config")[1]["controls"]["e2tMaxSubReqTryCount"] == 1, 30.0)
        own.subscribe(around.request())
        told(around)
        assert around.e2term.received[12010] == 1
        own.configure(controls={"e2tMaxSubReqTryCount": -1})
        eventually(lambda: own.metric("submgr_config_reload_refused") == 1, 30.0)
        assert own.platform("GET", "config")[1]["controls"]["e2tMaxSubReqTryCount"] == 1


def test_debug_writes(around: Neighbourhood) -> None:
    with Daemon(around, debug={"write": "token", "token": "s3cret"}) as own:
        own.subscribe(around.request())
        told(around)
        assert own.platform("POST", "test/emptydb")[0] == 401
        assert "s3cret" not in str(own.platform("GET", "config")[1])
        status, _ = own.platform("DELETE", "delete_all_e2node_subscriptions/gnb_1", Authorization="Bearer s3cret")
        assert status == 200
        eventually(lambda: around.empty() and not own.rests())
        assert own.platform("DELETE", "delete_all_e2node_subscriptions/never", Authorization="Bearer s3cret")[0] in (
            200,
            404,
        )
        assert own.platform("POST", "test/emptydb", Authorization="Bearer s3cret")[0] == 200
