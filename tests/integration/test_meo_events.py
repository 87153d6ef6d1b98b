# SPDX-License-Identifier: Apache-2.0
"""The manager as a process: a platform that tells late that it is ready, and an operator who follows the events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import yaml
from support.http.peer import HttpPeer, answer
from support.mec.processes import Api, Program
from support.ports import free_port
from support.waiting import eventually

from submgr.platform.http.client import HttpClient, HttpStream
from submgr.platform.http.errors import HttpError

APP_INFO = {"appDId": "d", "appName": "app", "appProvider": "p", "appSoftVersion": "1", "appDVersion": "1"}
BEARER = {"Authorization": "Bearer of-the-operator"}


class Manager:
    """`mec manager` with a file as its database, and a platform whose deployments take their time."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.platform = HttpPeer(
            lambda request: answer("202 Accepted" if request.method == "POST" else "204 No Content")
        )
        config = {
            "sdl": {"backend": "sqlite", "path": str(folder / "sdl.db")},
            "meo": {
                "telemetryTtl": 3600,
                "adminToken": "of-the-operator",
                "publicUrl": f"http://127.0.0.1:{self.port}",
            },
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        host = f"127.0.0.1:{self.port}"
        self.program = Program(folder, "manager", "-f", str(folder / "config.yaml"), "--host", host)
        self.client = HttpClient()

    def start(self) -> None:
        self.program.start()
        eventually(lambda: Api().get(self.port, "/health/ready")[0] == 200)

    def stop(self) -> None:
        self.program.stop()
        self.platform.stop()

    def ask(self, method: str, path: str, body: Any = None, token: str = "of-the-operator") -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        url = path if "://" in path else f"http://127.0.0.1:{self.port}/meo/v1{path}"
        got = self.client.request(method, url, body=data, headers={"Authorization": f"Bearer {token}"}, read_timeout=10)
        return got.status, json.loads(got.body) if got.body else None

    def follow(self, last: str = "") -> HttpStream:
        headers = {**BEARER, "Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        url = f"http://127.0.0.1:{self.port}/meo/v1/events"
        return self.client.stream("GET", url, headers=headers, read_timeout=20)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path)
    made.start()
    yield made
    made.stop()


def events(stream: HttpStream) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and data of the events, until the stream ends."""
    text = ""
    for piece in stream.pieces(30.0):
        text += bytes(piece).decode()
        *whole, text = text.split("\n\n")
        for block in whole:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if fields:
                yield fields["event"], json.loads(fields["data"])


def test_deployments_and_events(manager: Manager) -> None:
    body = {"appInfo": APP_INFO, "platforms": [{"type": "webhook"}]}
    assert manager.ask("POST", "/apps", body)[0] == 201
    mgmt = f"http://127.0.0.1:{manager.platform.port}/"
    oslo = {"name": "oslo", "type": "webhook", "endpointMgmt": mgmt, "endpointApps": "http://oslo/"}
    assert manager.ask("POST", "/platforms", oslo)[0] == 201
    for what, value in (("load", 0.2), ("key", 0.9)):
        assert manager.ask("POST", f"/platforms/oslo/{what}", {"value": value})[0] == 204
    following = events(manager.follow())

    began = time.monotonic()
    status, context = manager.ask("POST", "/contexts", {"appInfo": APP_INFO})
    assert (status, context["deployment"]["state"]) == (201, "deploying")
    assert 1.5 < time.monotonic() - began < 9.0  # it has waited, and not for ever
    report = manager.platform.requests[0].json
    kind, admitted = next(following)
    assert (kind, admitted["event"], admitted["platform"]) == ("context", "admitted", "oslo")

    assert manager.ask("POST", report["statusUrl"], {"status": "ready"}, token="guessed")[0] == 401
    assert manager.ask("POST", report["statusUrl"], {"status": "ready"}, report["statusToken"])[0] == 204
    assert next(following)[1]["event"] == "ready"
    manager.program.kill()
    with pytest.raises(HttpError):
        next(following)
    manager.start()
    # the token holds, the state is known, and who followed is told that something may be missing
    assert manager.ask("GET", "/deployments")[1][0]["state"] == "ready"
    following = events(manager.follow(admitted["id"]))
    assert next(following) == ("gap", {"missed": None})
    assert (
        manager.ask("POST", report["statusUrl"], {"status": "failed", "message": "gone"}, report["statusToken"])[0]
        == 204
    )
    kind, failed = next(following)
    assert (kind, failed["event"], failed["severity"], failed["message"]) == ("deployment", "failed", "warning", "gone")

    ended = gevent.spawn(list, following)
    began = time.monotonic()
    assert manager.program.stop() == 0
    ended.join(5)
    assert ended.ready()
    assert time.monotonic() - began < 8.0
