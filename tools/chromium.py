# SPDX-License-Identifier: Apache-2.0
"""A Chromium without a window, driven by Selenium. Both programs are the distribution's, of one version."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = "no chromium and chromedriver: apt-get install chromium chromium-driver"
_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--hide-scrollbars",
    "--no-proxy-server",
    "--lang=en-GB",
)


def start_browser(profile: Path) -> Chrome:
    """A browser with a new, empty `profile`. The caller quits it."""
    assert CHROMIUM is not None and DRIVER is not None, MISSING
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in (*_SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    os.environ["TZ"] = "UTC"
    browser = Chrome(options=options, service=Service(DRIVER))
    browser.set_page_load_timeout(30)
    return browser


def resize(browser: Chrome, width: int, height: int = 900, scale: float = 1.0) -> None:
    """Makes the page so large: a window without a frame has a least width, which this has not."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False},
    )


def prefer_dark(browser: Chrome, dark: bool) -> None:
    """What the operating system would say of light and dark."""
    features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
