# SPDX-License-Identifier: Apache-2.0
"""Callbacks as weapons: where the daemon lets peers make it connect to, and what an operator sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.ports import free_port
from support.processes.daemon import Daemon, Neighbourhood
from support.waiting import eventually

from submgr.platform.http.errors import HttpError

LOOPBACK = {"deny": ["127.0.0.0/8", "::1"]}


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as around:
        yield around


@pytest.fixture(autouse=True)
def _clean(around: Neighbourhood) -> Iterator[None]:
    yield
    around.reset()


def by_name(around: Neighbourhood) -> dict[str, Any]:
    """A request of an xApp that gives a name for its address."""
    request = around.request()
    request["ClientEndpoint"]["Host"] = "localhost"
    return request


def test_a_denied_address_is_refused_and_a_denied_name_is_not_notified_until_a_reload(around: Neighbourhood) -> None:
    retries = {"retryCount": 60, "retryDelay": 0.5}
    with Daemon(around, outbound=LOOPBACK, subscription=retries) as daemon:
        status, body = daemon.post(around.request())
        assert (status, body["errors"][0]["field"]) == (400, "ClientEndpoint.Host")
        assert "outbound.deny has 127.0.0.0/8" in body["message"]

        daemon.subscribe(by_name(around))
        assert eventually(lambda: daemon.metric("submgr_outbound_refused") >= 2)
        assert daemon.metric("submgr_notifications_waiting") == 1
        (line,) = daemon.logged("connection refused by the rules")
        assert line["address"].startswith("localhost (")

        daemon.configure(outbound={"deny": ["127.0.0.0/33"]})
        assert eventually(lambda: daemon.metric("submgr_config_reload_refused") == 1)
        (line,) = daemon.logged("configuration refused")
        assert "127.0.0.0/33" in str(line["problems"])
        assert daemon.post(around.request())[0] == 400

        daemon.configure(outbound={"deny": []})
        assert around.xapp.wait(1)
        assert daemon.post(around.request())[0] == 201


def test_a_wrong_entry_is_named_at_the_start(around: Neighbourhood) -> None:
    lines = Daemon(around, outbound={"allow": ["10.0.0.0/8", "http://xapp"], "deny": ["300.0.0.1"]}).refusal()
    assert len(lines) == 2
    assert "outbound.allow: 'http://xapp'" in lines[0]
    assert "outbound.deny: '300.0.0.1'" in lines[1]


def answered(daemon: Daemon, port: int, path: str) -> int:
    try:
        return daemon.call(port, "GET", path)[0]
    except HttpError:
        return 0


def test_no_callback_reaches_the_daemon_itself(around: Neighbourhood) -> None:
    port = free_port()
    mec = {"enabled": True, "host": f"127.0.0.1:{port}"}
    with Daemon(around, outbound={"deny": ["169.254.0.0/16"]}, mec=mec) as daemon:
        eventually(lambda: answered(daemon, port, "/meo/v1/platforms") == 200)
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        request = around.request()
        for own in (daemon.xapp_port, daemon.platform_port, daemon.rmr_port, port):
            request["ClientEndpoint"]["HTTPPort"] = own
            status, body = daemon.post(request)
            assert (status, body["errors"][0]["message"][-27:]) == (400, f"{own} is this process's own")
        for host in ("127.0.0.1", "127.8.8.8", "[::ffff:127.0.0.1]"):
            weapon = f"http://{host}:{daemon.platform_port}/ric/v1/test/emptydb"
            context = {
                "associateDevAppId": "device",
                "callbackReference": weapon,
                "appInfo": {"appName": "app", "appProvider": "p", "appDVersion": "1"},
            }
            status, body = daemon.call(port, "POST", "/dev_app/v1/app_contexts", context)
            assert (status, "callbackReference" in str(body)) == (400, True)
            subscription = {
                "subscriptionType": "MobilityProcedureSubscription",
                "callbackReference": weapon,
                "filterCriteria": {"appInstanceId": "1"},
            }
            status, body = daemon.call(port, "POST", "/amsi/v1/subscriptions", subscription)
            assert (status, "callbackReference" in str(body)) == (400, True)
            platform = {"name": "p", "type": "webhook", "endpointApps": "http://p/", "endpointMgmt": weapon}
            status, body = daemon.call(port, "POST", "/meo/v1/platforms", platform)
            assert (status, "endpointMgmt" in str(body)) == (400, True)
        # a name tells nothing before its look-up
        weapon = f"http://localhost:{daemon.platform_port}/ric/v1/test/emptydb"
        trial = {
            "subscriptionType": "MobilityProcedureSubscription",
            "callbackReference": weapon,
            "filterCriteria": {"appInstanceId": "1"},
            "requestTestNotification": True,
        }
        assert daemon.call(port, "POST", "/amsi/v1/subscriptions", trial)[0] == 201
        assert eventually(lambda: daemon.metric("submgr_outbound_refused") >= 1)
        assert len(daemon.listed()) == 1


def test_a_callback_that_comes_back_another_way_is_not_taken(around: Neighbourhood) -> None:
    """As through a Service or a proxy, whose address is none of this host's."""
    port = free_port()
    with Daemon(around, mec={"enabled": True, "host": f"127.0.0.1:{port}"}) as daemon:
        eventually(lambda: answered(daemon, port, "/meo/v1/platforms") == 200)
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        for own, path in (
            (daemon.platform_port, "/ric/v1/test/emptydb"),
            (daemon.xapp_port, "/ric/v1/subscriptions"),
            (port, "/meo/v1/platforms"),
        ):
            assert daemon.call(own, "POST", path, {}, **{"RIC-Callback": "1"})[0] == 403
        assert len(daemon.listed()) == 1
        assert len(daemon.rests()) == 1
