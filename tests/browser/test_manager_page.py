# SPDX-License-Identifier: Apache-2.0
"""The page of the MEC manager: platforms, contexts and migrations as they happen, in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from selenium.webdriver import Chrome, Keys
from support.console.page import Page
from support.mec.processes import Program
from support.ports import free_port
from support.waiting import eventually

from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError
from tools.chromium import prefer_dark, resize

APP_INFO = {"appDId": "d", "appName": "game", "appProvider": "acme", "appSoftVersion": "1", "appDVersion": "1"}
DEVICE = "001010000000042"
TOKEN = "of the operator"
DRAWN = """return [...document.querySelectorAll('.plot canvas')].map(each => {
  const dots = each.getContext('2d').getImageData(0, 0, each.width, each.height).data;
  return new Set(new Uint32Array(dots.buffer)).size; })"""


class Manager:
    """A manager as a process, always on the same port, with two platforms on which nothing has to be done."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._client, self._headers = HttpClient(), {"Authorization": f"Bearer {TOKEN}"}
        meo = {"period": 3600, "cooldown": 0, "telemetryTtl": 3600, "adminToken": TOKEN}
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump({"sdl": {"backend": "sqlite", "path": str(folder / "sdl.db")}, "meo": meo}))
        self.program = Program(folder, "manager", "-f", str(config), "--host", f"127.0.0.1:{self.port}")

    def start(self) -> None:
        self.program.start()
        eventually(lambda: self.ask("GET", "/health/ready")[0] == 200)

    def prepare(self) -> None:
        assert self.ask("POST", "/meo/v1/apps", {"appInfo": APP_INFO, "platforms": [{"type": "noop"}]})[0] == 201
        for name in ("oslo", "bergen"):
            body = {"name": name, "type": "noop", "endpointApps": f"http://{name}/", "capacity": 7}
            assert self.ask("POST", "/meo/v1/platforms", body)[0] == 201

    def tell(self, name: str, load: float) -> None:
        for what, value in (("load", load), ("key", 0.5)):
            assert self.ask("POST", f"/meo/v1/platforms/{name}/{what}", {"value": value})[0] == 204

    def admit(self) -> str:
        wish = {"associateDevAppId": DEVICE, "appInfo": APP_INFO}
        return str(self.ask("POST", "/meo/v1/contexts", wish)[1]["contextId"])

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON; (0, None) when there is no answer."""
        data = None if body is None else json.dumps(body).encode()
        try:
            got = self._client.request(method, self.url + path, body=data, headers=self._headers, read_timeout=10)
        except HttpError:
            return 0, None
        return got.status, json.loads(got.body) if got.body else None


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    made = Manager(tmp_path_factory.mktemp("manager"))
    made.start()
    made.prepare()
    yield made
    made.program.stop()


def shown(browser: Chrome, manager: Manager, token: str = "") -> Page:
    """The page, with this token from an earlier look."""
    page = Page(browser, manager.url)
    page.reset()
    # before its own scripts run: without a token they ask for what they may not have
    source = f"sessionStorage.setItem('meo token', {json.dumps(token)})"
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    browser.get(manager.url)
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    return page


def test_with_a_token(browser: Chrome, manager: Manager) -> None:
    page = shown(browser, manager)
    page.sees("a bearer token is needed")
    assert "oslo" not in page.text
    page.one("input").send_keys("guessed", Keys.ENTER)
    page.sees("a bearer token is needed")
    page.one("input").send_keys(Keys.CONTROL, "a")
    page.one("input").send_keys(TOKEN, Keys.ENTER)
    page.sees("live", "oslo")
    browser.refresh()
    page.sees("live", "oslo")


def test_what_happens_is_shown_as_it_happens(browser: Chrome, manager: Manager) -> None:
    manager.tell("oslo", 0.25)
    manager.tell("bergen", 0.95)
    page = shown(browser, manager, TOKEN)
    page.sees("live", "oslo", "bergen", "0.25", "load 0.95 is over 0.8", "There is none.")
    context = manager.admit()
    page.sees(context[:8], "00101********42", "1 of 7", f"context {context} of game admitted on oslo")
    assert DEVICE not in page.run("return document.documentElement.outerHTML")
    manager.tell("bergen", 0.3)
    page.sees("0.30")
    manager.tell("oslo", 0.9)
    assert manager.ask("POST", "/meo/v1/optimize")[1][0]["target"] == "bergen"
    eventually(lambda: any("oslo → bergen" in line for line in page.texts("#moves li")), every=0.02)
    eventually(lambda: min(page.run(DRAWN)) > 5, what="two plots with lines", every=0.05)
    labels = page.run("return [...document.querySelectorAll('.plot [role=img]')].map(each => each.ariaLabel)")
    assert [label.split(",")[0] for label in labels] == ["Load", "Key availability"]
    assert manager.ask("DELETE", f"/meo/v1/contexts/{context}")[0] == 204
    page.sees("There is none.", "ended: asked for")

    light = page.run("return getComputedStyle(document.body).backgroundColor")
    prefer_dark(browser, True)
    eventually(lambda: page.run("return getComputedStyle(document.body).backgroundColor") != light, every=0.02)
    resize(browser, 360)
    # the plots take the new width in their next frame
    eventually(lambda: page.run("return document.documentElement.scrollWidth <= innerWidth"), every=0.02)
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints() == []

    manager.program.stop()
    page.sees("connection lost", "no connection")
    manager.start()
    eventually(lambda: page.run("return document.getElementById('stream').innerText") == "live", every=0.05)
    page.sees_no_more("no connection")
