# SPDX-License-Identifier: Apache-2.0
"""compose.yaml: what it says, and its programs as it starts them, on 127.0.0.1 instead of in containers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml
from support.ports import free_port
from support.processes.children import START, spawn
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROMTOOL = shutil.which("promtool")
OURS = ("rtmgr", "xapp", "e2term", "submgr")


def mounts() -> list[tuple[str, str]]:
    """What is mounted from this tree or from a volume, and where."""
    found = [volume.split(":") for service in SERVICES.values() for volume in service.get("volumes", [])]
    return [(source, target) for source, target, *_ in found]


def test_what_it_names_is_there() -> None:
    assert set(SERVICES) == {"redis", "submgr", "e2term", "rtmgr", "xapp", "prometheus", "grafana"}
    for source, _ in mounts():
        assert (ROOT / source).is_file() if source.startswith("./") else source in COMPOSE["volumes"], source
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= set(SERVICES)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        ours = service.get("build") == "."
        assert ours == (service["image"] == "ric-submgr")
        assert ours or re.fullmatch(r"docker\.io/[a-z/]+:v?\d+\.\d+[\w.-]*", service["image"]), service["image"]


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    targets = dict(mounts())
    (source,) = yaml.safe_load((ROOT / "config/compose/grafana/datasources.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((ROOT / "config/compose/grafana/dashboards.yaml").read_text())["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert targets["./helm/submgr/files/submgr-dashboard.json"] == home
    assert str(Path(home).parent) == provider["options"]["path"]


@pytest.mark.promtool
@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on PATH: apt-get install prometheus")
def test_prometheus_can_read_its_configuration(tmp_path: Path) -> None:
    assert PROMTOOL is not None
    text = (ROOT / "config/compose/prometheus.yml").read_text()
    rules = {target: source for source, target in mounts()}["/etc/prometheus/submgr.rules.yaml"]
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/submgr.rules.yaml", str(ROOT / rules)))
    command = [PROMTOOL, "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Here:
    """The names and ports of the containers on this machine."""

    def __init__(self, redis: RedisServer, directory: Path) -> None:
        self._ports = {
            6379: redis.port,
            **{port: free_port() for port in (8088, 8080, 4560, 38000, 20010, 20020, 20030)},
        }
        self._directory = directory

    def port(self, port: int) -> int:
        return self._ports[port]

    def text(self, text: str) -> str:
        """`text` with its names, ports and mounted files."""
        for target in [target for source, target in mounts() if source.startswith("./")]:
            text = text.replace(target, str(self._directory / Path(target).name))
        text = re.sub(rf"\b({'|'.join(SERVICES)}|0\.0\.0\.0)(?=:\d)", "127.0.0.1", text)
        text = re.sub(r"(?<=hostAddr: )rtmgr", "127.0.0.1", text)
        return re.sub(rf"\b({'|'.join(map(str, self._ports))})\b", lambda found: str(self.port(int(found[0]))), text)

    def mount(self, service: dict[str, Any]) -> None:
        for volume in service.get("volumes", []):
            source, target, *_ = volume.split(":")
            (self._directory / Path(target).name).write_text(self.text((ROOT / source).read_text()))

    def start(self, service: dict[str, Any], log: Path) -> subprocess.Popen[bytes]:
        self.mount(service)
        command = [sys.executable, "-m", "submgr", *(self.text(word) for word in service["command"])]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RMR_", "DBAAS_", "CFG_"))}
        given = {name: self.text(value) for name, value in service.get("environment", {}).items()}
        if "DBAAS_SERVICE_HOST" in given:
            given |= {"DBAAS_SERVICE_HOST": "127.0.0.1", "DBAAS_SERVICE_PORT": str(self.port(6379))}
            given |= {"RMR_SRC_ID": "127.0.0.1", "RMR_BIND_IF": "127.0.0.1"}
        with log.open("wb") as out:
            return spawn(command, stdout=out, stderr=out, env={**kept, **given})


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with ExitStack() as running:
        here = Here(running.enter_context(RedisServer()), tmp_path)
        for name in OURS:
            process = here.start(SERVICES[name], tmp_path / f"{name}.log")
            running.callback(process.wait, 20)
            running.callback(process.terminate)
        yield here


def ask(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, {"Content-Type": "application/json"}), timeout=10) as answer:
        return json.load(answer)


def reached(url: str) -> Any:
    try:
        return ask(url)
    except OSError:  # also the answer of a daemon that is not ready
        return None


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
def test_its_programs_work_together(here: Here, tmp_path: Path) -> None:
    """The daemon becomes ready, and the subscription of the documentation reaches E2 node, routes and xApp."""
    platform = f"http://127.0.0.1:{here.port(8080)}/ric/v1"
    nodes = ["enb_208_092_000003", "gnb_208_092_000001", "gnb_208_092_000002"]
    eventually(lambda: reached(f"{platform}/health/ready"), START, what=(tmp_path / "submgr.log").read_text())
    eventually(lambda: sorted(reached(f"{platform}/get_all_e2nodes") or []) == nodes, START)
    told = re.search(r"docker compose up.*?-d '(\{.*?\})'", (ROOT / "docs/operations.md").read_text(), re.DOTALL)
    assert told, "docs/operations.md has a request for it"
    body = json.loads(here.text(told[1]).replace('"xapp"', '"127.0.0.1"'))
    identity = ask(f"http://127.0.0.1:{here.port(8088)}/ric/v1/subscriptions", body)["SubscriptionId"]
    xapp = f"http://127.0.0.1:{here.port(20030)}/state"
    (notified,) = eventually(lambda: ask(xapp)["notifications"], START)
    assert notified["body"]["SubscriptionId"] == identity
    assert notified["body"]["SubscriptionInstances"][0]["ErrorCause"] == ""
    assert list(ask(f"http://127.0.0.1:{here.port(20020)}/state")["routes"]) == ["1"]
