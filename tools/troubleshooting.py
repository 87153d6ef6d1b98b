# SPDX-License-Identifier: Apache-2.0
"""Provokes nine failures and writes docs/troubleshooting.md: `python -m tools.troubleshooting`.

With names of failures it provokes these only, and prints what it would write; `--no-pictures` leaves the console out.
For each failure it starts a redis, simulated neighbours and the daemon, all on 127.0.0.1, breaks one of them, asks one
`submgr ctl` command, and looks at the console once. Both must name the failure; else the tool says so and exits with 1.
It needs redis-server, and chromium and chromedriver for the pictures.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import gevent
import redis
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.redis_server import RedisServer
from support.waiting import eventually

from tools.chromium import CHROMIUM, DRIVER, MISSING, resize, start_browser

PAGE = ROOT / "docs" / "troubleshooting.md"
PICTURES = ROOT / "docs" / "images"
NAMED = 30.0
"""Seconds within which a failure must be named."""
WIDTH, HEIGHT = 1280, 700
SETTINGS = {
    "controls": {"e2tSubReqTimeout_ms": 500, "e2tSubDelReqTime_ms": 500, "checkE2State": "true"},
    "rtmgr": {"timeout_ms": 1000},
    "subscription": {"retryDelay": 1, "retryCount": 2},
}

HEAD = """# Troubleshooting

Nine failures, each named by one command and by one look at the console. `make troubleshooting` has made this page: it
starts the daemon with simulated neighbours and a redis, provokes each failure, and fails when a failure is not named.
What fails how in all detail is in [failures.md](failures.md), what to do about each alert in
[operations.md](operations.md#alerts), every command in [ctl.md](ctl.md).

First of all, `submgr ctl status`: its exit status is 0 when the Subscription Manager is ready, 1 when it is not, 3 when
nobody answers. Then what failed: `submgr ctl subs --state failed`, and what happened: `submgr ctl events`. The console
is at http://HOST:8080/.
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure: how it is provoked, the command that names it, and by which words.

    `shown`: the words by which the console names it; those of the command when empty. `view`: where it does so.
    """

    name: str
    title: str
    story: str
    provoke: Callable[[Place], object]
    command: str
    words: str
    remedy: str
    shown: str = ""
    view: str = ""


class Place:
    """A daemon with everything around it."""

    def __init__(self, server: RedisServer, around: Neighbourhood, daemon: Daemon) -> None:
        self.server = server
        self.around = around
        self.daemon = daemon

    def subscribe(self, meid: str = "gnb_1", number: int = 1) -> tuple[int, Any]:
        """Status and body of the answer."""
        status, answer = self.daemon.post(self.around.request(meid, detail(number, [number, 2, 3])))
        return status, answer

    def ctl(self, command: str) -> str:
        """What a command prints."""
        line = [sys.executable, "-m", "submgr", *command.split()[1:]]
        environment = {**os.environ, "SUBMGR_SERVER": f"127.0.0.1:{self.daemon.platform_port}"}
        done = subprocess.run(line, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
        if "Traceback" in done.stderr:
            raise RuntimeError(done.stderr)
        return done.stdout


def silent(place: Place) -> None:
    place.around.node_does(meid="gnb_1", silent="request")
    place.subscribe()


def refusing(place: Place) -> None:
    place.around.node_does(meid="gnb_1", procedure="subscribe", refuse="ricRequest: ran-function-id-invalid")
    place.subscribe()


def node_down(place: Place) -> None:
    place.around.e2term.disconnect("gnb_1")
    eventually(lambda: place.subscribe()[0] == 503, NAMED, what="the lost node")


def routes_refused(place: Place) -> None:
    place.around.rtmgr_does(status=500, body="no memory")
    place.subscribe()


def routes_hung(place: Place) -> None:
    place.around.rtmgr_does(hang=True)
    place.subscribe()


def routes_down(place: Place) -> None:
    place.around.rtmgr.stop()
    place.subscribe()


def deaf(place: Place) -> None:
    place.around.xapp_does(close=True)
    place.subscribe()


def redis_stopped(place: Place) -> None:
    place.server.stop()
    place.subscribe()


def redis_read_only(place: Place) -> None:
    with redis.Redis(place.server.host, place.server.port) as client:
        client.replicaof("127.0.0.1", "1")
    place.subscribe()


FAILED = "submgr ctl subs --state failed"
FAILURES = (
    Failure("node-silent", "An E2 node does not answer", "gnb_1 gets each request and says nothing.", silent, FAILED,
            r"E2 RICSubscriptionResponse timeout",
            "See the log of the node: it may not know the RAN function or the event trigger. One that needs longer: "
            "`controls.e2tSubReqTimeout_ms`. All nodes at once: "
            "[every subscription ends in E2-Timeout](operations.md#every-subscription-ends-in-e2-timeout)."),
    Failure("node-refusing", "An E2 node refuses", "gnb_1 answers each request with a failure.", refusing, FAILED,
            r"ran-function-id-invalid",
            "The cause is the node's own. `submgr ctl nodes -o wide` lists the RAN functions that the node has."),
    Failure("node-down", "An E2 node is down", "gnb_1 has lost its E2 connection; a request for it is answered 503.",
            node_down, "submgr ctl nodes", r"gnb_1 +disconnected",
            "See to E2 Termination and E2 Manager. What becomes of the node's subscriptions: `controls.onE2Loss`.",
            r"gnb_1\s[^\n]*disconnected", "#/nodes"),
    Failure("routes-refused", "The Routing Manager answers 500", "It answers each request for a route with 500.",
            routes_refused, FAILED, r"RTMGR route create failure.*500", "The words behind it are those of the Routing "
            "Manager; its log has more. See [SubmgrRoutingManagerFailing](operations.md#submgrroutingmanagerfailing)."),
    Failure("routes-hung", "The Routing Manager hangs", "It takes each request and answers none.", routes_hung, FAILED,
            r"RTMGR route create timeout",
            "One xApp whose RMR port does not listen makes the Routing Manager this slow: find it in its log, or raise "
            "`rtmgr.timeout_ms` until it is gone."),
    Failure("routes-down", "The Routing Manager is down", "Nobody listens where it should be.", routes_down, FAILED,
            r"refused|cannot connect",
            "`kubectl -n ricplt get pods | grep rtmgr`, and `rtmgr.hostAddr`, `rtmgr.port` of the configuration."),
    Failure("xapp-deaf", "An xApp takes no notifications",
            "The xApp's endpoint closes each connection without a word, so it is never told.",
            deaf, "submgr ctl events --kind notification", r"(?i)notification.*(closed|given up|fail)",
            "Is the `ClientEndpoint` of its requests right, does it listen at `/ric/v1/subscriptions/response`? "
            "See [SubmgrNotificationsGivenUp](operations.md#submgrnotificationsgivenup).",
            r"notification of.*closed the connection"),
    Failure("redis-stopped", "redis is stopped", "The database does not answer; a request is answered 503.",
            redis_stopped, "submgr ctl status", r"not ready +.*the database does not answer",
            "It reconnects by itself. Do not restart the Subscription Manager meanwhile: what is not written yet is in "
            "its memory only. See [SubmgrStoreFailing](operations.md#submgrstorefailing).", r"database"),
    Failure("redis-read-only", "redis takes no writes", "The database has become a replica.", redis_read_only,
            "submgr ctl status", r"READONLY|takes no writes",
            "After a failover `DBAAS_SERVICE_HOST` leads to the old master, or the Sentinel has not chosen a new one "
            "yet. See [SubmgrStoreFailing](operations.md#submgrstorefailing).", r"READONLY|takes no writes"),
)  # fmt: skip


def show(failure: Failure, browser: Any) -> str:
    """Provokes a failure; the section of the page about it."""
    with RedisServer() as server, Neighbourhood(server) as around:
        around.tell_rnib()
        with Daemon(around, {"POD_NAME": "submgr-0"}, **SETTINGS) as daemon:
            place = Place(server, around, daemon)
            for number, meid in enumerate(("gnb_2", "gnb_3"), 2):
                eventually(lambda meid=meid, number=number: place.subscribe(meid, number)[0] == 201, NAMED)
            eventually(lambda: around.xapp.wait(2), NAMED, what="two subscriptions to begin with")
            failure.provoke(place)
            printed = _named(place, failure)
            if browser is not None:
                _picture(place, failure, browser)
    picture = f"\n![The console]({PICTURES.name}/{failure.name}.png)\n"
    return (
        f"## {failure.title}\n\n{failure.story}\n\n```console\n$ {failure.command}\n{printed}```\n{picture}\n"
        f"{failure.remedy}\n"
    )


def _named(place: Place, failure: Failure) -> str:
    """What the command prints when it names the failure."""
    printed = ""

    def named() -> bool:
        nonlocal printed
        printed = place.ctl(failure.command)
        return re.search(failure.words, printed) is not None

    eventually(named, NAMED, what=lambda: f"{failure.name} in {printed}", every=0.3)
    return printed


def _picture(place: Place, failure: Failure, browser: Any) -> None:
    """Opens the console, waits until it names the failure, and takes its picture."""
    resize(browser, WIDTH, HEIGHT)
    browser.get(f"http://127.0.0.1:{place.daemon.platform_port}/{failure.view}")

    def text() -> str:
        return str(browser.execute_script("return document.body.innerText"))

    eventually(lambda: re.search(failure.shown or failure.words, text()), NAMED, what=text, every=0.3)
    gevent.sleep(1.0)  # plots and the newest events
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{failure.name}.png").write_bytes(browser.get_screenshot_as_png())


def main(arguments: list[str]) -> None:
    """All failures, or those with these names, of which nothing is written."""
    names = [each for each in arguments if not each.startswith("--")]
    wanted = [failure for failure in FAILURES if not names or failure.name in names]
    sections = []
    with tempfile.TemporaryDirectory(prefix="browser-") as profile:
        pictured = CHROMIUM is not None and DRIVER is not None and "--no-pictures" not in arguments
        browser = start_browser(Path(profile)) if pictured else None
        try:
            for failure in wanted:
                print(f"{failure.name} ...", file=sys.stderr, flush=True)
                sections.append(show(failure, browser))
        finally:
            if browser is not None:
                browser.quit()
    if not pictured and not names:
        print(f"no pictures, and nothing written: {MISSING}", file=sys.stderr)
    if names or not pictured:
        print("\n".join(sections))
        return
    PAGE.write_text("\n".join([HEAD, *sections]), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(sections)} failures, each named", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
