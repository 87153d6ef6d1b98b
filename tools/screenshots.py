# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures of docs/console.md: `make screenshots`.

A stand-alone run is subscribed to for a minute and a half, well and badly, and then looked at in Chromium. It takes a
while, because the plots show time as it passes.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

from tools.chromium import prefer_dark, resize, start_browser

PICTURES = Path(__file__).parents[1] / "docs" / "images"
SECONDS = 90.0
"""So long the daemon has something to do."""
_NODES = ("gnb_208_092_000001", "gnb_208_092_000002", "enb_208_092_000003")
_REFUSED = {
    21: "ricRequest: ran-function-id-invalid",
    22: "ricRequest: action-not-supported",
    23: "misc: om-intervention",
}
_SILENT = 24
_STARTS = 60.0
_ENDED = 8.0
"""After so many seconds the last request has ended, also one that nobody answers."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stand-alone run. `example`: a body of a subscribe request that works."""

    xapp: str
    platform: str
    e2term: str
    orchestrator: str
    example: dict[str, Any]

    def subscribe(self, meid: str, function: int, period: int) -> str:
        """Posts a request for reports every `period` ms. Returns the SubscriptionId."""
        body = json.loads(json.dumps(self.example))
        body |= {"Meid": meid, "RANFunctionID": function}
        body["ClientEndpoint"]["Host"] = ("localhost", "127.0.0.1")[period % 2]
        body["SubscriptionDetails"][0]["EventTriggers"] = [8, *(period - 1).to_bytes(2, "big")]
        return str(_ask("POST", self.xapp, body)["SubscriptionId"])

    def unsubscribe(self, subscription_id: str) -> None:
        _ask("DELETE", f"{self.xapp}/{subscription_id}")


def _ask(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@contextmanager
def _standalone(folder: Path) -> Iterator[Run]:
    told = folder / "told"
    command = [sys.executable, "-m", "submgr", "run", "--standalone", "--free-ports", "--database", str(folder / "db")]
    with told.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL) as process:
        try:
            yield _run_of(told, process)
        finally:
            process.terminate()
            process.wait(20)


def _run_of(told: Path, process: subprocess.Popen[bytes]) -> Run:
    until = time.monotonic() + _STARTS
    while time.monotonic() < until and process.poll() is None:
        text = told.read_text(encoding="utf-8")
        found = re.search(r"curl -s -X POST (\S+) .*-d '(.*)'\n", text)
        console, e2term = re.search(r"console: (http://[\d.:]+)/", text), re.search(r"(http://[\d.:]+)/state", text)
        orchestrator = re.search(r"(http://[\d.:]+)/meo/v1", text)
        if found and console and e2term and orchestrator:
            return Run(found[1], console[1], e2term[1], orchestrator[1], json.loads(found[2]))
        time.sleep(0.2)
    raise SystemExit("the stand-alone run has not started")


def _work(run: Run) -> str:
    """Subscribes and unsubscribes for a while. Returns the id of a subscription that is well."""
    rng = random.Random(18)
    rules = [{"function": number, "refuse": cause} for number, cause in _REFUSED.items()]
    _ask("PUT", f"{run.e2term}/rules", [*rules, {"function": _SILENT, "silent": "request"}])
    well = run.subscribe(_NODES[0], 2, 1000)
    held: list[str] = []
    bad = [*_REFUSED, _SILENT]
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        left = until - time.monotonic()
        held.append(run.subscribe(rng.choice(_NODES), 2, rng.randrange(1001, 9000)))
        if len(held) > 40 or rng.random() < 0.4:
            run.unsubscribe(held.pop(0))
        if bad and left < 15 and rng.random() < 0.3:
            run.subscribe(rng.choice(_NODES), bad.pop(0), rng.randrange(1001, 9000))
        time.sleep(rng.uniform(0.05, 0.4) * (1.3 + (left % 40) / 40))
    for function in bad:
        run.subscribe(rng.choice(_NODES), function, 9000)
    time.sleep(_ENDED)
    return well


def _overload(run: Run) -> None:
    """Puts load on the fullest platform, so that contexts have to move."""
    for _ in range(3):
        platforms = _ask("GET", f"{run.orchestrator}/meo/v1/platforms")
        fullest = max(platforms, key=lambda each: int(each["contexts"]))
        _ask("POST", f"{run.orchestrator}/meo/v1/platforms/{fullest['name']}/load", {"value": 0.93})
        time.sleep(2.5)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the page at `place`, so many pixels wide and high."""

    name: str
    place: str
    width: int = 1280
    height: int = 800
    dark: bool = False


def pictures(well: str) -> list[Picture]:
    """What is taken; `well` is a subscription to show."""
    return [
        Picture("console-overview", "", height=925),
        Picture("console-overview-dark", "", height=700, dark=True),
        Picture("console-subscriptions", "subscriptions", height=560),
        Picture("console-subscription", f"subscriptions/{well}", height=940),
        Picture("console-nodes", "nodes", height=420),
        Picture("console-events-dark", "events", height=540, dark=True),
        Picture("console-orchestrator", "meo", height=720),
        Picture("console-narrow", "", 360, 780),
    ]


def take(browser: Chrome, platform: str, picture: Picture) -> None:
    """Writes the picture."""
    prefer_dark(browser, picture.dark)
    resize(browser, picture.width, picture.height)
    browser.get("about:blank")
    browser.get(f"{platform}/#/{picture.place}")
    time.sleep(2.0)
    browser.save_screenshot(str(PICTURES / f"{picture.name}.png"))


def main() -> None:
    """Takes all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as name:
        folder = Path(name)
        with _standalone(folder) as run:
            well = _work(run)
            _overload(run)
            browser = start_browser(folder / "profile")
            try:
                for picture in pictures(well):
                    take(browser, run.platform, picture)
            finally:
                browser.quit()


if __name__ == "__main__":
    main()
