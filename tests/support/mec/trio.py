# SPDX-License-Identifier: Apache-2.0
"""One MEC of several replicas behind a round robin, and those around it: another MEC, a controller, a subscriber.

with RedisServer() as redis, Trio(redis, tmp_path) as trio:
    trio.ask("GET", "/ams/app/notification/?imsi=…")
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gevent

from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError
from support.http.peer import HttpPeer, Request, answer
from support.mec.processes import Api, Program
from support.ports import free_port
from support.processes.redis_server import RedisServer
from support.processes.round_robin import RoundRobin
from support.waiting import eventually

LEASE = 2.0
OWN, OTHERS = 5, (7, 9)
_NO_CONNECTION_IS_KEPT = 0


class Trio:
    """`managers` and `proxies` are programs; `front` is what clients of the MEC know, `states` what others asked of."""

    def __init__(self, redis: RedisServer, directory: Path, replicas: int = 3, **mec: Any) -> None:
        self.api = Api(HttpClient(idle=_NO_CONNECTION_IS_KEPT))
        self.ports = [free_port() for _ in range(replicas)]
        proxies = [free_port() for _ in range(2)]
        self.front, self._by_proxy = RoundRobin(self.ports), RoundRobin(proxies)
        self.other = HttpPeer(self._state)
        self.controller = HttpPeer(self._addresses)
        self.subscriber = HttpPeer()
        self.slow = 0.0
        self.generation = 0
        entries = [{"id": each, "managerAmsUrl": f"http://127.0.0.1:{self.other.port}/{each}"} for each in OTHERS]
        own = {"id": OWN, "managerAmsUrl": f"http://127.0.0.1:{self.front.port}"}
        (directory / "mecInfo.json").write_text(json.dumps({"mecs": [own, *entries]}))
        self.managers = [self._manager(port, redis, directory, mec) for port in self.ports]
        self.proxies = [Program(directory, "proxy", "--listen", f"127.0.0.1:{port}") for port in proxies]

    def _manager(self, port: int, redis: RedisServer, directory: Path, mec: dict[str, Any]) -> Program:
        settings = {
            "host": f"127.0.0.1:{port}",
            "mecId": OWN,
            "proxyUrl": f"http://127.0.0.1:{self._by_proxy.port}",
            "controllerUrl": f"http://127.0.0.1:{self.controller.port}",
            "leaseSeconds": LEASE,
            "additionalBytes": 100,
            **mec,
        }
        config = directory / f"{port}.yaml"
        content = {"mec": settings, "meo": {"period": 1}, "sdl": {"backend": "redis"}, "logger": {"level": 3}}
        config.write_text(json.dumps(content))
        environment = {**redis.environment, "POD_NAME": f"replica-{port}"}
        return Program(directory, "manager", "-f", str(config), environment=environment)

    def __enter__(self) -> Trio:
        self._stack = ExitStack()
        for front in (self.front, self._by_proxy):
            self._stack.enter_context(front)
        for peer in (self.other, self.controller, self.subscriber):
            self._stack.callback(peer.stop)
        for program in (*self.managers, *self.proxies):
            self._stack.callback(program.stop)
            program.spawn()
        try:
            for program in (*self.managers, *self.proxies):
                program.ready()
            self.until_active()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *how: object) -> None:
        self._stack.close()

    def revive(self) -> None:
        """All managers are ready: also one that has ended by itself, as one does that loses its lease while the
        database hangs, and those that a test which failed has left killed."""
        for program in self.managers:
            if not program.runs:
                program.spawn()
        for program in self.managers:
            program.ready()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Asks the next replica; (0, None) when it went away over it."""
        return self.api.ask(method, self.front.port, path, body)

    def insist(self, method: str, path: str, body: object = None, within: float = 20.0) -> tuple[int, Any]:
        """Asks until there is an answer that is no 5xx, as a client would."""
        end = time.monotonic() + within
        while True:
            got = self.ask(method, path, body)
            if 0 < got[0] < 500 or time.monotonic() > end:
                return got

    def active(self, but: Program | None = None) -> Program | None:
        """The replica that says that it is the active one; `but` is not asked."""
        for program, port in zip(self.managers, self.ports, strict=True):
            if program is not but and program.process is not None and "mec_active 1.0" in self._metrics(port):
                return program
        return None

    def until_active(self) -> Program:
        return eventually(self.active) or self.managers[0]

    def _metrics(self, port: int) -> str:
        try:
            return self.api.text(port, "/metrics")
        except HttpError:
            return ""

    def subscribe(self, **criteria: Any) -> str:
        """Its path."""
        status, made = self.insist("POST", "/amsi/v1/subscriptions", {
            "subscriptionType": "MobilityProcedureSubscription",
            "callbackReference": f"http://127.0.0.1:{self.subscriber.port}/callback",
            "filterCriteria": {"mobilityStatus": [1, 2, 3], **criteria},
        })  # fmt: skip
        assert status == 201, made
        href: str = made["_links"]["self"]["href"]
        return href[href.index("/amsi") :]

    def told(self, imsi: str) -> list[int]:
        """The statuses of all that the subscriber was told of a UE."""
        address = self.address(imsi)
        notifications = [request.json for request in self.subscriber.requests]
        return [
            each["mobilityStatus"]
            for each in notifications
            if {"type": 1, "value": address} in each.get("associateId", [])
        ]

    @staticmethod
    def address(imsi: str) -> str:
        number = int(imsi) % 65536
        return f"10.0.{number >> 8}.{number & 255}"

    def _addresses(self, request: Request) -> bytes:
        imsi = request.path.rpartition("/")[2]
        return answer("200 OK", json.dumps({"imsi": imsi, "ip": [self.address(imsi)]}).encode())

    def _state(self, request: Request) -> bytes:
        gevent.sleep(self.slow)
        parts = urlsplit(request.path)
        if not parts.path.endswith("/ams/get/state/"):
            return answer("200 OK", b"{}")
        query = parse_qs(parts.query)
        state = {"mec": int(parts.path.split("/")[1]), "imsi": query["imsi"][0], "app": query["appId"][0]}
        return answer("200 OK", json.dumps({"state": state}).encode())

    def fetched(self) -> list[str]:
        """The paths of the states that another MEC was asked for."""
        return [request.path for request in self.other.requests if "/ams/get/state/" in request.path]
