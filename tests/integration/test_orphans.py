# SPDX-License-Identifier: Apache-2.0
"""Subscriptions whose xApp is gone, end to end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail, eventually, free_port

GONE = "service-ricxapp-gone-http.invalid"


@pytest.fixture
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as made:
        yield made


def of_nobody(around: Neighbourhood, host: str = "127.0.0.1", xei: int = 1) -> dict[str, Any]:
    """A request whose notifications nobody takes."""
    request = around.request("gnb_1", detail(xei, [xei]))
    request["ClientEndpoint"].update(Host=host, HTTPPort=free_port())
    return request


def orphans(daemon: Daemon) -> list[dict[str, Any]]:
    status, found = daemon.platform("GET", "orphans")
    assert status == 200
    return list(found)


def test_given_up_notifications_make_an_orphan_until_one_is_taken(around: Neighbourhood) -> None:
    with Daemon(around, subscription={"retryCount": 2, "retryDelay": 0.1}) as daemon:
        kept = daemon.subscribe(around.request("gnb_2"))
        assert around.xapp.wait(1)
        assert (orphans(daemon), daemon.metric("submgr_orphaned_subscriptions")) == ([], 0)
        orphan = daemon.subscribe(of_nobody(around))
        assert eventually(lambda: orphans(daemon))
        (found,) = orphans(daemon)
        assert (found["SubscriptionId"], found["Meid"], found["XApp"]) == (orphan, "gnb_1", "127.0.0.1")
        assert found["Since"].startswith("20") and "given up" in found["Why"]
        assert daemon.metric("submgr_orphaned_subscriptions") == 1
        assert sorted(daemon.rests()) == sorted([kept, orphan]), "nothing is deleted unless asked for"
        daemon.unsubscribe(orphan)
        assert eventually(lambda: not daemon.rests().get(orphan))
        assert orphans(daemon) == []


def test_an_xapp_that_takes_notifications_again_is_no_orphan(around: Neighbourhood) -> None:
    with Daemon(around, subscription={"retryCount": 2, "retryDelay": 0.1}) as daemon:
        around.xapp_does(status=500)
        request = around.request()
        subscription_id = daemon.subscribe(request)
        assert eventually(lambda: [found["SubscriptionId"] for found in orphans(daemon)] == [subscription_id])
        around.xapp.rules.clear()
        assert daemon.subscribe(request) == subscription_id, "the same request once more"
        assert eventually(lambda: orphans(daemon) == [])
        assert list(daemon.rests()) == [subscription_id]


def test_orphans_are_removed_when_the_setting_says_so(around: Neighbourhood) -> None:
    """A name that does not resolve: neither its notifications nor its indications arrive anywhere."""
    with Daemon(around, subscription={"retryCount": 1000}) as daemon:
        kept = daemon.subscribe(around.request("gnb_2"))
        orphan = daemon.subscribe(of_nobody(around, GONE))
        assert eventually(lambda: len(daemon.listed()) == 2)
        daemon.configure(subscription={"retryCount": 1000}, controls={"orphanAfter": 1})
        assert eventually(lambda: orphans(daemon), 40.0)
        (found,) = orphans(daemon)
        assert (found["SubscriptionId"], found["XApp"]) == (orphan, GONE)
        assert found["Why"] == "the name service-ricxapp-gone-rmr.invalid does not resolve"
        daemon.configure(subscription={"retryCount": 1000}, controls={"orphanAfter": 1, "removeOrphans": "true"})
        assert eventually(lambda: list(daemon.rests()) == [kept], 40.0)
        assert eventually(lambda: not around.holds("gnb_1"))
        (line,) = daemon.logged("orphan removed")
        assert (line["crit"], line["subscription_id"], line["xapp"]) == ("WARNING", orphan, GONE)
        assert (orphans(daemon), daemon.metric("submgr_orphaned_subscriptions")) == ([], 0)
        assert len(around.holds("gnb_2")) == 1
