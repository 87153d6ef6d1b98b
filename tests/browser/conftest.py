# SPDX-License-Identifier: Apache-2.0
"""One browser for all tests of a process, and a daemon of its own for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from support.console.fake_daemon import FakeDaemon
from support.console.page import Page

from tools.chromium import CHROMIUM, DRIVER, MISSING, start_browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.chromium)
            item.add_marker(pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    started = start_browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.quit()


@pytest.fixture
def daemon() -> Iterator[FakeDaemon]:
    made = FakeDaemon()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def page(browser: Chrome, daemon: FakeDaemon) -> Iterator[Page]:
    """The console of the daemon. A browser that complains of anything but a silent daemon fails the test."""
    shown = Page(browser, daemon.url)
    shown.reset()
    yield shown
    complaints = [each for each in shown.leave() if "Failed to load resource" not in each]
    assert complaints == []
