# SPDX-License-Identifier: Apache-2.0
"""The chart rendered, and what is in it run: the daemon with its configuration, and the neighbours of a RIC."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.ports import free_port
from support.processes.children import START, spawn
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "submgr"
SIMULATORS = "from gevent import monkey; monkey.patch_all()\nfrom submgr.simulators.cli import sim\nsim()"

LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""Six in seven parts of the time of these tests were those of the reader in Python."""
Manifests = dict[tuple[str, str], dict[str, Any]]
"""What was rendered, by kind and name."""


class Chart:
    """The chart, and Helm to do things with it."""

    path = CHART
    value_sets = ("default", "recipe", "everything", "elsewhere")

    def __init__(self) -> None:
        self.helm = pytest.importorskip("helm_python", reason="no Helm for this machine on PyPI: helm-python-sdk")
        self._chart = self.helm.Chart.load(CHART)

    def values(self, name: str) -> dict[str, Any]:
        if name == "default":
            return {}
        text = (Path(__file__).parent / "values" / f"{name}.yaml").read_text()
        values: dict[str, Any] = yaml.safe_load(text)
        return values

    def texts(self, values: dict[str, Any] | str = "default") -> dict[str, str]:
        """What comes of each template. Raises HelmValuesError for values that the schema refuses."""
        given = self.values(values) if isinstance(values, str) else values
        rendered: dict[str, str] = self._chart.render(given, name="r4-submgr", namespace="ricplt")
        return rendered

    def render(self, values: dict[str, Any] | str = "default") -> Manifests:
        manifests: Manifests = {}
        for name, text in self.texts(values).items():
            if not name.endswith(".txt"):
                for manifest in filter(None, yaml.load_all(text, LOADER)):
                    key = (manifest["kind"], manifest["metadata"]["name"])
                    assert key not in manifests
                    manifests[key] = manifest
        return manifests


@pytest.fixture(scope="session")
def chart() -> Chart:
    return Chart()


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


class Http:
    """A listener asked with as little as possible."""

    def __init__(self, address: str) -> None:
        self.address = address

    def raw(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data, headers or {}, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        status, answer = self.raw(method, path, body)
        assert 200 <= status < 300, (status, answer)
        return json.loads(answer) if answer else None


class Processes:
    """Programs that end with the test, the last one first."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[str]] = []

    def start(self, command: list[str], environment: dict[str, str] | None = None, **options: Any) -> Any:
        env = {**os.environ, **(environment or {})}
        process = spawn(command, env=env, text=True, stdin=subprocess.DEVNULL, **options)
        self.running.append(process)
        return process

    def simulators(self, *arguments: tuple[str, ...]) -> list[dict[str, Any]]:
        """Start simulators, all at once; where each listens, as it says itself."""
        started = [self.start([sys.executable, "-c", SIMULATORS, *each], stdout=subprocess.PIPE) for each in arguments]
        return [json.loads(process.stdout.readline()) for process in started]

    def end(self) -> None:
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(self.running):
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


@pytest.fixture
def processes() -> Iterator[Processes]:
    running = Processes()
    yield running
    running.end()


class Pod:
    """The daemon as the chart starts it: command, arguments, environment and files are the rendered ones.

    Only what one machine cannot have twice is replaced: ports, the mount point /cfg, host names of the platform; and
    the loopback, where the xApps are, is not denied.
    """

    def __init__(self, processes: Processes, manifests: Manifests, directory: Path, **where: str) -> None:
        self.xapp_port, self.platform_port, self.rmr_port, self.control_port = (free_port() for _ in range(4))
        self.xapp = Http(f"127.0.0.1:{self.xapp_port}")
        self.platform = Http(f"127.0.0.1:{self.platform_port}")
        self.token = ""
        self.log = directory / "log"
        self._processes = processes
        self._manifests = manifests
        self.writable = directory / "tmp"
        self.writable.mkdir()
        self._cfg = directory / "cfg"
        self._cfg.mkdir()
        self.environment = self._environment(where)
        self.config = self._files(where)
        self.process: Any = None

    def _environment(self, where: dict[str, str]) -> dict[str, str]:
        env = dict(self._manifests["ConfigMap", "configmap-ricplt-submgr-env"]["data"])
        for variable in self.container["env"]:
            if "value" in variable:
                env[variable["name"]] = variable["value"]
            else:
                secret = variable["valueFrom"]["secretKeyRef"]
                self.token = env[variable["name"]] = f"token of {secret['name']}"
        assert env["RMR_RTG_SVC"] == "service-ricplt-rtmgr-rmr:4560"
        env["RMR_RTG_SVC"] = str(self.control_port)
        env["RMR_SRC_ID"] = "127.0.0.1"
        env["RMR_STASH_RT"] = str(self.writable / "routes.stash")
        env |= {name: value for name, value in where.items() if name.isupper()}
        return {name: value.replace("/cfg/", f"{self._cfg}/") for name, value in env.items()}

    def _files(self, where: dict[str, str]) -> str:
        data = self._manifests["ConfigMap", "submgrcfg"]["data"]
        config = data["submgrcfg"]
        for old, new in {
            "host: :8088": f"host: 127.0.0.1:{self.xapp_port}",
            "host: :8080": f"host: 127.0.0.1:{self.platform_port}",
            "protPort: tcp:4560": f"protPort: tcp:{self.rmr_port}",
            "hostAddr: service-ricplt-rtmgr-http": "hostAddr: 127.0.0.1",
            "  - 127.0.0.0/8\n": "",
            "port: 3800": f"port: {where['rtmgr'].partition(':')[2]}",
        }.items():
            assert config.count(old) == 1, (old, config)
            config = config.replace(old, new)
        volume = next(
            v
            for v in self._manifests["Deployment", "deployment-ricplt-submgr"]["spec"]["template"]["spec"]["volumes"]
            if v["name"] == "config-volume"
        )["configMap"]
        assert volume["name"] == "submgrcfg"
        contents = {**data, "submgrcfg": config}
        for item in volume["items"]:
            (self._cfg / item["path"]).write_text(contents[item["key"]])
        return config

    @property
    def container(self) -> dict[str, Any]:
        deployment = self._manifests["Deployment", "deployment-ricplt-submgr"]
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        one: dict[str, Any] = container
        return one

    def start(self, *before: str, **options: Any) -> None:
        """`before`: a program that is to start it in its own way."""
        assert self.container["command"] == ["/submgr"]
        arguments = [argument.replace("/cfg/", f"{self._cfg}/") for argument in self.container["args"]]
        command = [*before, str(Path(sys.executable).parent / "submgr"), *arguments]
        with self.log.open("a") as log:
            self.process = self._processes.start(command, self.environment, stdout=log, stderr=log, **options)

    def until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            try:
                return self.platform.raw("GET", "/ric/v1/health/ready")[0] == 200
            except OSError:
                return False

        eventually(ready, START)

    def edit(self, pattern: str, new: str) -> None:
        """Change the configuration as an edited ConfigMap does."""
        self.config, times = re.subn(pattern, new, self.config)
        assert times == 1
        (self._cfg / "submgr-config.yaml").write_text(self.config)

    def wait(self, seconds: float = 20.0) -> int:
        status: int = self.process.wait(timeout=seconds)
        return status

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.wait()


class Ric:
    """A RIC around the pod: DBAAS, E2 Termination with two nodes that are in R-NIB, Routing Manager, an xApp."""

    NODES = ("gnb_1", "gnb_2")

    def __init__(self, chart: Chart, processes: Processes, directory: Path, redis: RedisServer) -> None:
        self.redis = redis
        self._chart = chart
        self._processes = processes
        self._directory = directory
        nodes = [word for name in self.NODES for word in ("--node", name)]
        database = ("--rnib", f"redis://{redis.host}:{redis.port}")
        e2term, rtmgr, xapp = processes.simulators(("e2term", *nodes, *database), ("rtmgr",), ("xapp",))
        self.e2term = Http(e2term["control"])
        self.e2term_rmr: str = e2term["rmr"]
        self.rtmgr = Http(rtmgr["http"])
        self.xapp = Http(xapp["http"])

    def pod(self, **config: dict[str, Any]) -> Pod:
        """A pod as the chart has it, with routes to the E2 Termination; not started. `config`: sections of values."""
        routes = [f"rte|{mtype}|{self.e2term_rmr}" for mtype in (12010, 12020)]
        table = "\n".join(["newrt|start|seed", *routes, f"newrt|end|{len(routes)}", ""])
        manifests = self._chart.render({"submgr": {"seedRoutes": table, "config": config}})
        where = {"DBAAS_SERVICE_HOST": self.redis.host, "DBAAS_SERVICE_PORT": str(self.redis.port)}
        return Pod(self._processes, manifests, self._directory, rtmgr=self.rtmgr.address, **where)

    def request(self, meid: str = "gnb_1", event: int = 1) -> dict[str, Any]:
        """A subscribe request of the xApp, different for each `event`."""
        host, port = self.xapp.address.split(":")
        action = {"ActionID": 1, "ActionType": "report", "ActionDefinition": [5, 6]}
        action["SubsequentAction"] = {"SubsequentActionType": "continue", "TimeToWait": "w10ms"}
        detail = {"XappEventInstanceId": event, "EventTriggers": [event], "ActionToBeSetupList": [action]}
        endpoint = {"Host": host, "HTTPPort": int(port), "RMRPort": 4560}
        return {"ClientEndpoint": endpoint, "Meid": meid, "RANFunctionID": 2, "SubscriptionDetails": [detail]}

    def notified(self) -> list[dict[str, Any]]:
        """The bodies of the notifications, in their order."""
        return [each["body"] for each in self.xapp.ask("/state")["notifications"]]

    def at_nodes(self) -> dict[str, Any]:
        """What each E2 node holds, by instance id."""
        return {name: node["subscriptions"] for name, node in self.e2term.ask("/state")["nodes"].items()}


@contextmanager
def _running(chart: Chart, directory: Path) -> Iterator[Ric]:
    if REDIS_SERVER is None:
        pytest.skip(MISSING)
    processes = Processes()
    with RedisServer() as redis:
        try:
            yield Ric(chart, processes, directory, redis)
        finally:
            processes.end()


@pytest.fixture
def ric(chart: Chart, tmp_path: Path) -> Iterator[Ric]:
    with _running(chart, tmp_path) as one:
        yield one


@pytest.fixture
def lonely_pod(chart: Chart, processes: Processes, tmp_path: Path) -> Pod:
    """A pod whose database and Routing Manager do not answer; not started."""
    database, rtmgr = free_port(), free_port()
    where = {"DBAAS_SERVICE_HOST": "127.0.0.1", "DBAAS_SERVICE_PORT": str(database)}
    return Pod(processes, chart.render(), tmp_path, rtmgr=f"127.0.0.1:{rtmgr}", **where)


@pytest.fixture(scope="module")
def shared_ric(chart: Chart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ric]:
    """One for all tests of a module that leave things as they found them."""
    with _running(chart, tmp_path_factory.mktemp("ric")) as one:
        yield one


@pytest.fixture(scope="module")
def shared_pod(shared_ric: Ric) -> Pod:
    """A pod in it that is ready."""
    pod = shared_ric.pod()
    pod.start()
    pod.until_ready()
    return pod
