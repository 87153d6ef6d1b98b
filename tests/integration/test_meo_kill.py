# SPDX-License-Identifier: Apache-2.0
"""The manager process killed in the middle of its work, again and again: nothing is lost, nothing is left over."""

import json
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import msgspec
import pytest
import yaml
from support.http.peer import OK, HttpPeer, Request, answer
from support.ports import free_port
from support.processes.children import START
from support.processes.forked import Forked, start
from support.waiting import eventually

from submgr.platform.http.client import HttpClient, HttpResponse
from submgr.platform.http.errors import HttpError

APP = {
    "appInfo": {"appDId": "d", "appName": "app", "appProvider": "p", "appSoftVersion": "1", "appDVersion": "1"},
    "platforms": [{"type": "webhook", "deployInfo": {"image": "app:1"}}],
}
PLATFORMS = ("p1", "p2", "p3")


class Manager:
    """`mec manager` with a SQLite file and its surroundings: platforms and a device, which stay when it is killed."""

    def __init__(self, folder: Path) -> None:
        self.deployed: dict[str, set[str]] = {name: set() for name in PLATFORMS}
        self.told: dict[str, list[dict[str, Any]]] = {}
        self.slow = 0.0
        self.peers = {name: HttpPeer(lambda request, name=name: self._manage(name, request)) for name in PLATFORMS}
        self.device = HttpPeer(self._tell)
        self.port = free_port()
        self._folder = folder
        self._client = HttpClient()
        self._config = folder / "config.yaml"
        self._config.write_text(
            yaml.safe_dump(
                {
                    "sdl": {"backend": "sqlite", "path": str(folder / "sdl.db")},
                    "meo": {"period": 0.1, "cooldown": 0, "telemetryTtl": 3600, "migrationsPerRound": 2},
                }
            )
        )
        self._process: subprocess.Popen[bytes] | Forked | None = None

    def _manage(self, name: str, request: Request) -> bytes:
        gevent.sleep(self.slow)
        change = self.deployed[name].add if request.method == "POST" else self.deployed[name].discard
        change(request.json["appKey"])
        return OK

    def _tell(self, request: Request) -> bytes:
        self.told.setdefault(request.json["contextId"], []).append(request.json)
        return answer("204 No Content")

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = start(
                "mec", ["manager", "-f", str(self._config), "--host", f"127.0.0.1:{self.port}"],
                stdout=log, stderr=log, cwd=self._folder, env={**os.environ, "DBAAS_SERVICE_HOST": ""},
            )  # fmt: skip
        self.until(lambda: self.ask("GET", "/health/ready").status == 200)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        for peer in (*self.peers.values(), self.device):
            peer.stop()

    def ask(self, method: str, path: str, body: Any = None) -> HttpResponse:
        """Status 0 when there is no answer."""
        data = None if body is None else msgspec.json.encode(body)
        try:
            return self._client.request(method, f"http://127.0.0.1:{self.port}{path}", body=data)
        except HttpError:
            return HttpResponse(0, {}, b"{}")

    def get(self, path: str) -> Any:
        return json.loads(self.ask("GET", f"/meo/v1{path}").body)

    def until(self, condition: Callable[[], bool]) -> None:
        eventually(condition, START, what=lambda: (self._folder / "log").read_text()[-3000:])

    def admit(self) -> str | None:
        """The id of a new context; None when there was no answer or no place."""
        callback = f"http://127.0.0.1:{self.device.port}/"
        wish = {"associateDevAppId": "dev", "callbackReference": callback, "appInfo": APP["appInfo"]}
        found = self.ask("POST", "/dev_app/v1/app_contexts", wish)
        return json.loads(found.body)["contextId"] if found.status == 201 else None

    def tell(self, name: str, load: float, key: float = 0.9) -> None:
        for what, value in (("load", load), ("key", key)):
            self.ask("POST", f"/meo/v1/platforms/{name}/{what}", {"value": value})

    def settled(self) -> bool:
        """What is deployed is what contexts need."""
        needed: dict[str, set[str]] = {name: set() for name in PLATFORMS}
        for context in self.get("/contexts"):
            needed[context["platform"]].add(context["appKey"])
        return needed == self.deployed


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path)
    manager.start()
    yield manager
    manager.stop()


def test_killed_again_and_again(manager: Manager) -> None:
    assert manager.ask("POST", "/meo/v1/apps", APP).status == 201
    for name, peer in manager.peers.items():
        url = f"http://127.0.0.1:{peer.port}/"
        body = {"name": name, "type": "webhook", "endpointMgmt": url, "endpointApps": f"http://{name}/"}
        assert manager.ask("POST", "/meo/v1/platforms", body).status == 201
        manager.tell(name, 0.2)
    rng = random.Random(4)
    known: set[str] = set()
    doubtful: set[str] = set()
    for _ in range(6):
        manager.slow = rng.choice([0.0, 0.02])
        requests = [gevent.spawn(manager.admit) for _ in range(4)]
        ended = sorted(known)[: rng.randrange(3)]
        endings = {each: gevent.spawn(manager.ask, "DELETE", f"/meo/v1/contexts/{each}") for each in ended}
        known -= set(ended)
        crowded = rng.choice(PLATFORMS)  # its contexts begin to migrate
        telling = gevent.spawn(manager.tell, crowded, 0.95)
        gevent.sleep(rng.uniform(0.0, 0.15))
        manager.kill()
        gevent.joinall([telling, *requests, *endings.values()])
        known |= {request.value for request in requests if request.value}
        doubtful |= {each for each, ending in endings.items() if ending.value.status != 204}
        manager.slow = 0.0
        manager.start()
        for name in PLATFORMS:
            manager.tell(name, 0.2)
        manager.until(manager.settled)
        present = {context["contextId"] for context in manager.get("/contexts")}
        assert known <= present
        answered_endings = {each for each in ended if each not in doubtful}
        assert not answered_endings & present
    for context in manager.get("/contexts"):
        told = manager.told.get(context["contextId"])
        if told:
            manager.until(lambda told=told, context=context: told[-1]["referenceURI"] == context["referenceURI"])
    for context in manager.get("/contexts"):
        assert manager.ask("DELETE", f"/meo/v1/contexts/{context['contextId']}").status == 204
    manager.until(lambda: manager.deployed == {name: set() for name in PLATFORMS})
