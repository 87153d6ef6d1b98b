# SPDX-License-Identifier: Apache-2.0
"""The console of the daemon itself, among simulated neighbours of which some refuse and some are silent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from support.console.page import Page
from support.ports import free_port
from support.processes.daemon import QUICK, Daemon, Neighbourhood, detail

MEC = {"enabled": True, "mecId": 5}


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as made:
        yield made


@pytest.fixture(scope="module")
def running(around: Neighbourhood) -> Iterator[Daemon]:
    mec = {**MEC, "host": f"127.0.0.1:{free_port()}", "controllerUrl": f"http://127.0.0.1:{free_port()}"}
    with Daemon(around, mec=mec, controls={**QUICK, "checkE2State": "false"}) as started:
        yield started


@pytest.fixture
def shown(browser: Chrome, running: Daemon) -> Iterator[Page]:
    page = Page(browser, f"http://127.0.0.1:{running.platform_port}")
    page.reset()
    yield page
    assert page.leave() == []


def test_four_failed_subscriptions_and_a_good_one(shown: Page, running: Daemon, around: Neighbourhood) -> None:
    around.node_does(function=91, refuse="ricRequest: ran-function-id-invalid")
    around.node_does(function=92, refuse="ricRequest: action-not-supported")
    around.node_does(function=93, silent="request")
    around.rtmgr_does(status=400, count=1)
    shown.open("events")
    shown.sees("✓ live")
    for number, function in enumerate((94, 91, 92, 93, 2), 1):
        running.subscribe(around.request("gnb_1", detail(number, [number, 2, 3]), RANFunctionID=function))
        assert around.xapp.wait(number)
    shown.sees("subscribe failed at gnb_1")

    shown.open()
    shown.sees("4 subscriptions failed", "ran-function-id-invalid", "action-not-supported", "timeout")
    assert sorted(shown.texts(".failures .source")) == ["E2Node", "E2Node", "RTMGR", "SUBMGR"]
    shown.open("subscriptions")
    shown.sees("5 subscriptions")
    assert shown.texts(".row .c-state") == ["✗ failed"] * 4 + ["✓ established"]
    shown.click(".row:last-child .c-id a")
    shown.sees("✓ established", "POST accepted", "E2 node answered", "xApp notified", "Contents")
    shown.open("nodes/gnb_1")
    shown.sees("✗ failed", "5 subscriptions")


def test_mec_of_the_process(shown: Page) -> None:
    shown.open("mec")
    shown.sees("MEC 5", "the controller does not answer")
    shown.open("meo")
    shown.sees("0 platforms", "Nothing has moved.")
