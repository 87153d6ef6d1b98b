# SPDX-License-Identifier: Apache-2.0
"""What existing deployments, xApps and neighbours do, end to end: each was a surprise to somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail, eventually


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[Neighbourhood, Daemon]]:
    with Neighbourhood() as around, Daemon(around, rtmgr={"timeout_ms": 300}) as daemon:
        yield around, daemon


@pytest.fixture
def around(_running: tuple[Neighbourhood, Daemon]) -> Iterator[Neighbourhood]:
    around, daemon = _running
    yield around
    around.rtmgr.rules.clear()
    for subscription_id in daemon.rests():
        daemon.unsubscribe(subscription_id)
    assert eventually(lambda: not daemon.rests() and around.empty(), 15.0)
    around.reset()


@pytest.fixture
def daemon(_running: tuple[Neighbourhood, Daemon]) -> Daemon:
    return _running[1]


def told(around: Neighbourhood) -> dict[str, Any]:
    assert around.xapp.wait(1), around.xapp.notifications
    (instance,) = around.xapp.instances()
    return instance


# --- xApps


def test_numbers_that_are_no_octets(around: Neighbourhood, daemon: Daemon) -> None:
    """As an older KPI monitor sends them."""
    before = daemon.metric("submgr_folded_octets_total")
    daemon.subscribe(around.request("gnb_1", detail(1, [1234], ActionDefinition=[5678])))
    instance = told(around)
    assert instance["ErrorCause"] == ""
    held = around.e2term.nodes["gnb_1"].subscriptions[instance["E2EventInstanceId"]]
    assert (held.trigger, held.actions[0].definition) == (bytes([1234 & 255]), bytes([5678 & 255]))
    daemon.subscribe(around.request("gnb_2", detail(2, [-1])))
    assert around.xapp.wait(2)
    assert daemon.metric("submgr_folded_octets_total") == before + 3
    assert len(daemon.logged("sends numbers that are no octets")) == 1


def test_what_is_no_number_is_named(around: Neighbourhood, daemon: Daemon) -> None:
    status, answer = daemon.post(around.request("gnb_1", detail(1, ActionDefinition=[1, "0x02"])))
    assert status == 400
    assert [error["field"] for error in answer["errors"]] == [
        "SubscriptionDetails[0].ActionToBeSetupList[0].ActionDefinition[1]"
    ]


def test_octets_where_they_are_strict_and_ids_where_they_are_hidden(around: Neighbourhood) -> None:
    sections = {"debug": {"strictOctets": "true"}, "subscription": {"showIds": "false"}}
    with Daemon(around, **sections) as own:
        status, answer = own.post(around.request("gnb_1", detail(1, [1234])))
        assert (status, answer["errors"][0]["field"]) == (400, "SubscriptionDetails[0].EventTriggers[0]")
        subscription_id = own.subscribe(around.request())
        instance = told(around)
        (listed,) = own.listed()
        assert (listed["SubscriptionId"], "RestSubscriptionIds" in listed) == (instance["E2EventInstanceId"], False)
        assert subscription_id not in str(listed)
        ((shown,), status) = reversed(own.platform("GET", "subscriptions"))
        assert (status, shown.pop("RestSubscriptionIds"), shown) == (200, [subscription_id], listed)
        assert own.subscribe(around.request()) == subscription_id, "the way to find one's id again"
        own.unsubscribe(subscription_id)
        assert eventually(lambda: around.empty())


def test_ids_are_shown_unless_hidden(around: Neighbourhood, daemon: Daemon) -> None:
    subscription_id = daemon.subscribe(around.request())
    told(around)
    assert [item["RestSubscriptionIds"] for item in daemon.listed()] == [[subscription_id]]


# --- operators


@pytest.mark.parametrize("backend", ["sqlite", "memory"])
@pytest.mark.parametrize("checked", ["true", "false"])
def test_deleting_at_a_node_that_nobody_knows(around: Neighbourhood, backend: str, checked: str) -> None:
    with Daemon(around, sdl={"backend": backend}, controls={"checkE2State": checked}) as own:
        assert own.platform("DELETE", "delete_all_e2node_subscriptions/never")[0] == 404
        own.subscribe(around.request("gnb_1"))
        told(around)
        assert own.platform("DELETE", "delete_all_e2node_subscriptions/never")[0] == 404
        assert own.platform("DELETE", "delete_all_e2node_subscriptions/gnb_1")[0] == 200
        assert eventually(lambda: around.empty() and not own.rests())


# --- the Routing Manager


def test_a_route_refused_without_a_word(around: Neighbourhood, daemon: Daemon) -> None:
    around.rtmgr_does(method="POST", status=400, body="")
    daemon.subscribe(around.request())
    instance = told(around)
    endpoint = f"{around.request()['ClientEndpoint']['Host']}:4560"
    assert instance["ErrorCause"] == (
        f"RTMGR route create failure: 400 Bad Request: is an xApp registered under {endpoint}?"
    )
    assert (instance["ErrorSource"], "TimeoutType" in instance) == ("RTMGR", False)


def test_a_route_that_takes_too_long_says_how_long_and_which_setting(around: Neighbourhood, daemon: Daemon) -> None:
    around.rtmgr_does(method="POST", hang=True)
    daemon.subscribe(around.request())
    instance = told(around)
    assert instance["ErrorCause"] == "RTMGR route create timeout: no answer within 0.3 s (rtmgr.timeout_ms)"
    assert (instance["ErrorSource"], instance["TimeoutType"]) == ("RTMGR", "RTMGR-Timeout")
