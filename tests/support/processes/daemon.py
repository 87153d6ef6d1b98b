# SPDX-License-Identifier: Apache-2.0
"""The daemon as a process of its own, with simulated neighbours in the test's process.

with Neighbourhood() as around, Daemon(around) as daemon:
    status, body = daemon.post(around.request())
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from redis import Redis

from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError
from submgr.simulators.e2term import E2TermConfig, E2TermSimulator
from submgr.simulators.nodes import NodeState
from submgr.simulators.rnib import RnibWriter
from submgr.simulators.rtmgr import RoutingManagerSimulator
from submgr.simulators.rules import E2Rule, HttpRule
from submgr.simulators.xapp import XappConfig, XappSimulator
from support.ports import free_port
from support.processes.children import START, spawn
from support.processes.forked import Forked, start
from support.processes.redis_server import RedisServer
from support.waiting import eventually

NODES = ("gnb_1", "gnb_2", "gnb_3")
QUICK = {"e2tSubReqTimeout_ms": 300, "e2tSubDelReqTime_ms": 300}
"""Timers short enough for a test, long enough for a busy machine."""


class Neighbourhood:
    """An E2 Termination with connected nodes, a Routing Manager and an xApp; with `redis`, an R-NIB as well."""

    def __init__(self, redis: RedisServer | None = None, nodes: tuple[str, ...] = NODES, rmr: bool = False) -> None:
        self.redis = redis
        self.rnib: RnibWriter | None = None
        self.e2term = E2TermSimulator(E2TermConfig(control=None, nodes=nodes))
        self.rtmgr = RoutingManagerSimulator()
        self.xapp = XappSimulator(XappConfig(rmr_port=0 if rmr else None))

    def __enter__(self) -> Neighbourhood:
        if self.redis is not None:
            self.rnib = RnibWriter(f"redis://{self.redis.host}:{self.redis.reserve()}")
            self.rnib.start()
            self.e2term.on_node_state = self.rnib.write
        for simulator in (self.e2term, self.rtmgr, self.xapp):
            simulator.start()
        return self

    def __exit__(self, *_: object) -> None:
        for simulator in (self.xapp, self.rtmgr, self.e2term):
            simulator.stop()
        if self.rnib is not None:
            self.rnib.stop()

    def reset(self) -> None:
        """Everything is forgotten and behaves well; the nodes are connected."""
        for name in self.e2term.nodes:
            if self.e2term.nodes[name].state is not NodeState.CONNECTED:
                self.e2term.connect(name)
        self.e2term.reset()
        self.rtmgr.reset()
        self.xapp.reset()

    def tell_rnib(self) -> None:
        """E2 Manager writes the states of all nodes once more, as it does into a database that was emptied."""
        assert self.rnib is not None
        for name, node in self.e2term.nodes.items():
            self.rnib.write(name, node.state)

    def node_does(self, **rule: Any) -> None:
        """How E2 nodes answer, see `E2Rule`."""
        self.e2term.rules.add(E2Rule(**rule))

    def rtmgr_does(self, **rule: Any) -> None:
        self.rtmgr.rules.add(HttpRule(**rule))

    def xapp_does(self, **rule: Any) -> None:
        self.xapp.rules.add(HttpRule(**rule))

    def request(self, meid: str = "gnb_1", *details: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A subscribe request of the simulated xApp."""
        host, _, port = self.xapp.http.address.rpartition(":")
        return {
            "ClientEndpoint": {"Host": host, "HTTPPort": int(port), "RMRPort": 4560},
            "Meid": meid,
            "RANFunctionID": 2,
            "SubscriptionDetails": list(details or (detail(),)),
            **more,
        }

    def holds(self, meid: str = "gnb_1") -> set[int]:
        """Instance ids that the node has."""
        return set(self.e2term.nodes[meid].subscriptions)

    def empty(self) -> bool:
        return not self.rtmgr.routes and not any(node.subscriptions for node in self.e2term.nodes.values())


def detail(xei: int = 1, trigger: list[int] | None = None, kind: str = "report", **action: Any) -> dict[str, Any]:
    return {
        "XappEventInstanceId": xei,
        "EventTriggers": [1, 2, 3] if trigger is None else trigger,
        "ActionToBeSetupList": [{"ActionID": 1, "ActionType": kind, "ActionDefinition": [5, 6], **action}],
    }


class Daemon:
    """`submgr run -f FILE`. Ports, database and configuration stay over `kill`, `stop` and `start`.

    `program`: the interpreter's arguments that run another one, see `support.processes.counting`. `sections` are merged
    into the configuration. With a redis among the neighbours it is the database, else a file.
    """

    def __init__(
        self,
        around: Neighbourhood,
        environment: dict[str, str] | None = None,
        program: Sequence[str] | None = None,
        **sections: dict[str, Any],
    ) -> None:
        self.around = around
        self._program = program
        self._directory = tempfile.TemporaryDirectory(prefix="submgr-")
        self.path = Path(self._directory.name)
        self.database = self.path / "submgr.db"
        self.config = self.path / "config.yaml"
        self.log_file = self.path / "log"
        self.xapp_port, self.platform_port, self.rmr_port = free_port(), free_port(), free_port()
        self._sections = sections
        self.environment = environment or {}
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self.http = HttpClient(connections=64)
        self.read_timeout = 15.0
        self.configure()

    def configure(self, **sections: dict[str, Any]) -> None:
        """Write the configuration; a running daemon sees it."""
        settings: dict[str, Any] = {
            "subscription": {"host": f"127.0.0.1:{self.xapp_port}", "retryDelay": 1, "retryCount": 3},
            "local": {"host": f"127.0.0.1:{self.platform_port}"},
            "logger": {"level": 3},
            "rmr": {"protPort": f"tcp:{self.rmr_port}"},
            "rtmgr": {"hostAddr": "127.0.0.1", "port": self.around.rtmgr.http.port, "baseUrl": "/ric/v1"},
            "controls": dict(QUICK),
            "sdl": {"backend": "redis"} if self.around.redis else {"backend": "sqlite", "path": str(self.database)},
        }
        for name, values in [*self._sections.items(), *sections.items()]:
            settings[name] = {**settings.get(name, {}), **values}
        fresh = self.config.with_suffix(".new")
        fresh.write_text(yaml.safe_dump(settings))
        fresh.replace(self.config)

    def __enter__(self) -> Daemon:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            sys.stderr.write("".join(self.log_file.read_text().splitlines(keepends=True)[-40:]))
        self.close()

    def close(self) -> None:
        self.http.close()
        self._directory.cleanup()

    def refusal(self) -> list[str]:
        """Start one that cannot start: the lines that say why."""
        self.start(wait=False)
        status = self.wait()
        text = self.log_file.read_text()
        self.close()
        assert status == 1, text
        assert "Traceback" not in text, text
        return [line for line in text.splitlines() if line.startswith("submgr cannot start: ")]

    def start(self, wait: bool = True) -> None:
        seed = self.path / "routes"
        seed.write_text(self.around.e2term.route_table())
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RMR_", "DBAAS_", "COV_"))},
            "RMR_SEED_RT": str(seed),
            "RMR_RTG_SVC": "-1",
            "RMR_SRC_ID": "127.0.0.1",
            **(self.around.redis.environment if self.around.redis else {}),
            **self.environment,
        }
        arguments = ["run", "-f", str(self.config)]
        with self.log_file.open("ab") as log:
            if self._program is None:
                self._process = start("submgr", arguments, stdout=log, stderr=log, env=environment)
            else:
                command = [sys.executable, *self._program, *arguments]
                self._process = spawn(command, stdout=log, stderr=log, env=environment)
        if wait:
            try:
                eventually(lambda: self.process.poll() is not None or self.is_ready(), START, what=self._last_words)
                assert self.process.poll() is None, self._last_words()
            except BaseException:
                self.kill()
                raise

    def _last_words(self) -> str:
        return self.log_file.read_text()[-3000:]

    def is_ready(self) -> bool:
        try:
            return self.platform("GET", "health/ready")[0] == 200
        except HttpError:
            return False

    @property
    def process(self) -> subprocess.Popen[bytes] | Forked:
        assert self._process is not None
        return self._process

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, timeout: float = 20.0) -> int:
        """SIGTERM; the exit status."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout: float = 20.0) -> int:
        try:
            eventually(lambda: self.process.poll() is not None, timeout, what="the end of the daemon")
        finally:
            self.kill()
        return int(self.process.returncode)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    # --- requests

    def call(self, port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON body (None when empty; text when it is not JSON)."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{port}{path}"
        sent = {"Content-Type": "application/json", **headers} if raw is not None else headers
        answer = self.http.request(method, url, body=raw, headers=sent, read_timeout=self.read_timeout)
        if not answer.body:
            return answer.status, None
        try:
            return answer.status, json.loads(answer.body)
        except ValueError:
            return answer.status, answer.body.decode(errors="replace")

    def xapp(self, method: str, path: str = "", body: Any = None, **headers: str) -> tuple[int, Any]:
        return self.call(self.xapp_port, method, f"/ric/v1/subscriptions{path}", body, **headers)

    def platform(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return self.call(self.platform_port, method, f"/ric/v1/{path}", body, **headers)

    def post(self, body: Any) -> tuple[int, Any]:
        return self.xapp("POST", "", body)

    def subscribe(self, body: Any) -> str:
        """The SubscriptionId of a request that is accepted."""
        status, answer = self.post(body)
        assert status == 201, answer
        assert answer["SubscriptionInstances"] == []
        return str(answer["SubscriptionId"])

    def unsubscribe(self, subscription_id: str) -> None:
        status, _ = self.xapp("DELETE", f"/{subscription_id}")
        assert status == 204

    def listed(self) -> list[dict[str, Any]]:
        status, answer = self.xapp("GET")
        assert status == 200
        return list(answer)

    def rests(self) -> dict[str, Any]:
        return dict(self.platform("GET", "restsubscriptions")[1])

    def metric(self, name: str) -> float:
        """The value of a metric without labels, or the sum over its labels."""
        text = str(self.platform("GET", "metrics")[1])
        values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, values))

    def logged(self, words: str) -> list[dict[str, Any]]:
        lines = [line for line in self.log_file.read_text().splitlines() if words in line]
        return [json.loads(line) for line in lines if line.startswith("{")]

    # --- the database

    def stored(self) -> dict[str, dict[str, Any]]:
        """All records of subscriptions, as {namespace: {key: value}}. A file is read when the daemon is down."""
        found: dict[str, dict[str, Any]] = {}
        for name in ("submgr_e2SubsDb", "submgr_restSubsDb", "submgr_removalsDb"):
            found[name] = {}
        if self.around.redis is not None:
            with Redis(self.around.redis.host, self.around.redis.port) as client:
                for full in client.keys("{submgr_*"):
                    namespace, _, key = full.decode()[1:].partition("},")
                    value = client.get(full)
                    if value is not None and namespace in found:  # else it was erased since the keys were read
                        found[namespace][key] = _record(value)
            return found
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            for namespace, key, value in connection.execute("select namespace, key, value from entry"):
                if namespace in found:
                    found[namespace][key] = _record(value)
        connection.close()
        return found

    def clean(self) -> bool:
        """No record of a subscription is left. Stops a daemon whose database is a file.

        A kill between the removal of a route and its record leaves a removal: the Routing Manager answers the next
        removal with 204, which confirms nothing, so the id stays pinned.
        """
        if self.around.redis is None:
            self.stop()
        stored = self.stored()
        unconfirmed = all(not removal["NodeDelete"] for removal in stored.pop("submgr_removalsDb").values())
        return unconfirmed and not any(stored.values())


def _record(value: bytes) -> Any:
    """A stored record; as it is when it cannot be read."""
    try:
        return json.loads(value)
    except ValueError:
        return value
