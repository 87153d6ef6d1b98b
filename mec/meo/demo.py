# SPDX-License-Identifier: Apache-2.0
"""Three simulated platforms whose load and keys wander, two applications, and a device that keeps asking.

One page shows where each context is and why it moved.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from itertools import cycle
from random import Random

import gevent
import msgspec
from flask import Response
from prometheus_client import CollectorRegistry

from mec.common.problem_details import json_object, problem_app
from mec.meo import views
from mec.meo.app import Orchestrator
from mec.meo.errors import MeoError
from mec.meo.model import App, AppInfo, Platform, Support
from mec.meo.placement import Rules
from mec.meo.settings import MeoSettings
from submgr.platform.http.client import HttpClient
from submgr.platform.http.error_formats import problem_errors
from submgr.platform.http.errors import HttpError
from submgr.platform.http.server import HttpServer
from submgr.platform.store.memory import MemoryStore
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)

NAMES = ("lisbon", "oslo", "prague")
APPS = ("video", "game")
CONTEXTS = 6
"""How many the device has at a time; it ends the oldest one and asks for another one every few seconds."""
MOVES_SAID = 5
"""After so many, the page has to be looked at."""

_RULES = Rules(max_load=0.8, min_key=0.1, telemetry_ttl=10.0)

Say = Callable[[str], None]


class _SimulatedPlatform:
    """A platform with a load of its own beside the load of its contexts, and with keys that come and go."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._background = rng.uniform(0.2, 0.5)
        self.key = rng.uniform(0.4, 0.9)
        self.deployed: set[str] = set()

    def wander(self, contexts: int) -> tuple[float, float]:
        """Load and key availability a moment later."""
        self._background = min(max(self._background + self._rng.uniform(-0.13, 0.13), 0.0), 0.95)
        self.key = min(max(self.key + self._rng.uniform(-0.13, 0.13), 0.0), 1.0)
        return min(self._background + 0.03 * contexts, 1.0), self.key


class Demo:
    """Runs between `start` and `stop`. `lines` are for the newcomer; `say` is given a line for each of the first moves.

    `pace`: seconds between two steps of everything.
    """

    def __init__(self, say: Say, listen: str = "127.0.0.1:0", pace: float = 2.0, seed: int | None = None) -> None:
        self._say = say
        self._pace = pace
        self._rng = Random(seed)
        self._store = MemoryStore()
        settings = MeoSettings(rules=_RULES, period=pace, cooldown=4 * pace)
        self.orchestrator = Orchestrator(settings, self._store, CollectorRegistry())
        self.platforms = {name: _SimulatedPlatform(self._rng) for name in NAMES}
        self.moves: deque[str] = deque(maxlen=12)
        self._said = 0
        self._held: deque[str] = deque()
        self._client = HttpClient(user_agent="meo-demo")
        self._wanted = cycle(APPS)
        self._loops = (
            SupervisedLoop("platforms of the demo", self._report_again),
            SupervisedLoop("device of the demo", self._ask_again),
        )
        app = problem_app("mec.meo.demo")
        for blueprint in self.orchestrator.blueprints:
            app.register_blueprint(blueprint)
        app.add_url_rule("/", "page", self._page)
        app.add_url_rule("/device", "device", self._told, methods=["POST"])
        app.add_url_rule("/manage/<name>", "deploy", self._deploy, methods=["POST"])
        app.add_url_rule("/manage/<name>", "remove", self._remove, methods=["DELETE"])
        self._http = HttpServer("orchestrator demo", listen, app, errors=problem_errors)
        self.url = ""
        """Of the page, from `start` on."""

    @property
    def lines(self) -> list[str]:
        """What runs, and where to look."""
        return [
            f"Orchestrator: {len(NAMES)} simulated platforms whose load and keys wander, a device with {CONTEXTS}"
            " contexts. Where each is and why it moved:",
            f"  curl {self.url}/",
            f"Its interfaces: {self.url}/meo/v1/openapi.yaml and {self.url}/dev_app/v1/openapi.yaml",
        ]

    def start(self) -> None:
        """Raises ListenError."""
        self._http.start()
        self.url = "http://{}:{}".format(*self._http.address)
        self._store.start()
        self.orchestrator.start()
        inventory = self.orchestrator.meo.inventory
        for name in APPS:
            info = AppInfo(f"demo-{name}", name, "demo", "1.0", "1", f"the {name} of the demo")
            inventory.add_app(App(info, (Support("webhook", deploy_info={"image": f"demo/{name}"}),)))
        for name in NAMES:
            inventory.add_platform(Platform(name, "webhook", f"http://{name}.example/", f"{self.url}/manage/{name}"))
        self._report()
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """Ends everything."""
        for loop in self._loops:
            loop.stop()
        self.orchestrator.stop()
        self._http.stop(grace=0.5)
        self._store.stop()
        self._client.close()

    def _report(self) -> None:
        """Every platform tells its load and keys."""
        meo = self.orchestrator.meo
        for name, simulated in self.platforms.items():
            load, key = simulated.wander(meo.state.count_at(name))
            try:
                meo.inventory.tell(name, load=load, key=key)
            except MeoError:
                log.debug("a platform of the demo was withdrawn", extra={"platform": name})

    def _report_again(self) -> None:
        gevent.sleep(self._pace)
        self._report()

    def _ask_again(self) -> None:
        self._ask(next(self._wanted))
        gevent.sleep(self._pace if len(self._held) < CONTEXTS else 3 * self._pace)

    def _ask(self, name: str) -> None:
        """The device ends its oldest context when it has enough, and asks for another one."""
        if len(self._held) >= CONTEXTS:
            self._request("DELETE", f"/dev_app/v1/app_contexts/{self._held.popleft()}")
        wish = {
            "associateDevAppId": "demo-device",
            "callbackReference": f"{self.url}/device",
            "appInfo": {"appName": name, "appProvider": "demo", "appDVersion": "1"},
        }
        answer = self._request("POST", "/dev_app/v1/app_contexts", msgspec.json.encode(wish))
        if answer:
            self._held.append(msgspec.json.decode(answer, type=_Created).contextId)
        else:
            self.moves.append(f"{_clock()} {name}: no platform could take another context")

    def _request(self, method: str, path: str, body: bytes | None = None) -> bytes | None:
        """The body of an answer that is a success."""
        try:
            answer = self._client.request(method, self.url + path, body=body)
        except HttpError as exc:
            log.debug("demo device", extra={"why": str(exc)})
            return None
        return answer.body if answer.ok else None

    def _told(self) -> Response:
        """The device is told of a move, or of the end of a context."""
        message = json_object()
        context = self.orchestrator.meo.state.contexts.get(str(message.get("contextId")))
        if context is not None and context.moves:
            move, name = context.moves[-1], self.orchestrator.meo.state.apps[context.app_key].info.name
            line = f"{name} {context.id[:6]} moved from {move.origin} to {move.target}: {move.reason}"
            self.moves.append(f"{_clock()} {line}")
            self._said += 1
            if self._said <= MOVES_SAID:
                self._say(line + (f" (more at {self.url}/)" if self._said == MOVES_SAID else ""))
        return Response(status=204)

    def _deploy(self, name: str) -> Response:
        self.platforms[name].deployed.add(json_object()["appInfo"]["appName"])
        return Response(status=204)

    def _remove(self, name: str) -> Response:
        self.platforms[name].deployed.discard(json_object()["appInfo"]["appName"])
        return Response(status=204)

    def _page(self) -> Response:
        """As text; a browser asks again by itself."""
        answer = Response("\n".join(self._shown()) + "\n", content_type="text/plain; charset=utf-8")
        answer.headers["Refresh"] = "2"
        return answer

    def _shown(self) -> list[str]:
        meo = self.orchestrator.meo
        lines = ["platform    load   keys  score  deployed     new contexts"]
        for platform in meo.inventory.visible_platforms():
            view = views.platform(meo, platform)
            shares = [f"{view[what]:.2f}" if view[what] is not None else "-" for what in ("load", "key", "score")]
            deployed = ",".join(sorted(self.platforms[platform.name].deployed)) or "-"
            why = "yes" if view["eligible"] else "no: " + "; ".join(view["reasons"])
            lines.append(f"{platform.name:10}  {'   '.join(shares)}   {deployed:11}  {why}")
        lines += ["", "context  application  platform"]
        for context in meo.state.contexts.values():
            name = meo.state.apps[context.app_key].info.name
            since = f"from {context.moves[-1].origin}: {context.moves[-1].reason}" if context.moves else ""
            lines.append(f"{context.id[:6]:7}  {name:11}  {context.platform:10}  {since}".rstrip())
        return [*lines, "", *(list(self.moves) or ["nothing has moved yet"])]


class _Created(msgspec.Struct):
    contextId: str


def _clock() -> str:
    return time.strftime("%H:%M:%S")


def start_demo(say: Say = print) -> Demo:
    """A running demo. Raises ListenError."""
    demo = Demo(say)
    try:
        demo.start()
    except BaseException:
        demo.stop()
        raise
    return demo
