# SPDX-License-Identifier: Apache-2.0
"""Swagger UI on `/docs`: it shows the documents of the port, loads nothing from elsewhere, and can be tried out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from support.http.api_document import operations
from support.processes.standalone import Standalone
from support.waiting import eventually

from submgr.rest.openapi import PLATFORM, XAPP


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with Standalone(tmp_path_factory.mktemp("run")) as run:
        yield run


def shown(browser: Chrome) -> int:
    """How many operations the page has."""
    return len(browser.find_elements(By.CSS_SELECTOR, ".opblock"))


def complaints(browser: Chrome) -> list[Any]:
    return [each["message"] for each in browser.get_log("browser") if each["level"] == "SEVERE"]


def test_each_port_shows_its_own_document(browser: Chrome, run: Standalone) -> None:
    for address, document in ((run.xapp, XAPP), (run.platform, PLATFORM)):
        browser.get(f"http://{address}/docs")
        eventually(lambda document=document: shown(browser) == len(operations(document.content())))
        loaded = browser.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
        assert len(loaded) >= 5
        assert [name for name in loaded if not name.startswith((f"http://{address}/", "data:"))] == []
        assert complaints(browser) == []


def test_the_platform_port_shows_that_of_xapps_too(browser: Chrome, run: Standalone) -> None:
    browser.get(f"http://{run.platform}/docs")
    chosen = eventually(lambda: browser.find_elements(By.CSS_SELECTOR, ".topbar select"))
    Select(chosen[0]).select_by_visible_text("Subscription Manager: xApps")
    eventually(lambda: shown(browser) == len(operations(XAPP.content())))


def test_an_operation_is_tried_out(browser: Chrome, run: Standalone) -> None:
    browser.get(f"http://{run.xapp}/docs")
    eventually(lambda: shown(browser))

    def press(selector: str) -> None:
        (button,) = eventually(
            lambda: browser.find_elements(By.CSS_SELECTOR, f"#operations-subscriptions-query {selector}")
        )
        browser.execute_script("arguments[0].click()", button)

    for selector in (".opblock-summary-control", ".try-out__btn", ".execute"):
        press(selector)
    answer = "#operations-subscriptions-query .live-responses-table .response-col_status"
    eventually(lambda: [each.text for each in browser.find_elements(By.CSS_SELECTOR, answer)][-1:] == ["200"])
    assert complaints(browser) == []
