# SPDX-License-Identifier: Apache-2.0
"""The test bed of a benchmark: the daemon and its neighbours, each a process of its own, all on the loopback."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

from submgr.bench.children import BenchError, Child, free_port, program
from submgr.bench.xapps import Client
from submgr.rmr import mtypes

STORES = ("sqlite", "memory", "redis")
NO_REDIS = "redis-server is not on PATH: apt-get install redis-server"

Address = tuple[str, int]


class BedOptions(Struct, frozen=True):
    """The variables of a test bed.

    `rtmgr_delay`: seconds before each answer of the Routing Manager. `node_state`: the daemon reads R-NIB (redis only).
    """

    store: str = "sqlite"
    rtmgr_delay: float = 0.0
    node_state: bool = False
    on_e2_loss: str = "drop"
    log_level: int = 3


class Bed:
    """The processes of a benchmark. In `with Bed(options) as bed:` all of them run and the daemon is ready.

    `database` is the file of the store sqlite; it can be filled while the daemon is stopped.
    """

    def __init__(self, options: BedOptions) -> None:
        if options.store == "redis" and shutil.which("redis-server") is None:
            raise BenchError(NO_REDIS)
        self.options = options
        self.directory = Path(tempfile.mkdtemp(prefix="submgr-bench-"))
        self.database = self.directory / "submgr.db"
        self.redis_port = free_port() if options.store == "redis" else 0
        self.daemon: Child
        self.e2term: Child
        self.rtmgr: Child
        self.xapp_address: Address = ("", 0)
        self.platform_address: Address = ("", 0)
        self._children: list[Child] = []
        self._rmr_port = 0

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which SDL finds the database."""
        return {"DBAAS_SERVICE_HOST": "127.0.0.1", "DBAAS_SERVICE_PORT": str(self.redis_port)}

    @property
    def database_server(self) -> Child | None:
        """The redis process; None with another store."""
        return next((child for child in self._children if child.name == "redis"), None)

    def __enter__(self) -> Self:
        try:
            if self.options.store == "redis":
                self._start_redis()
            self._start_neighbours()
            self.start_daemon()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for child in reversed(self._children):
            child.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _child(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> Child:
        child = Child(name, command, self.directory / f"{name}.log", environment)
        self._children.append(child)
        child.start()
        return child

    def _start_redis(self) -> None:
        command = ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.directory)]
        self._child("redis", command)

    def _start_neighbours(self) -> None:
        e2term = ["--any-node"]
        if self.options.node_state:
            e2term += ["--rnib", f"redis://127.0.0.1:{self.redis_port}"]
        self.e2term = self._child("e2term", program("sim", "e2term", *e2term))
        rules = self.directory / "rtmgr.json"
        delay = self.options.rtmgr_delay
        rules.write_bytes(msgspec.json.encode([{"delay": delay}] if delay else []))
        self.rtmgr = self._child("rtmgr", program("sim", "rtmgr", "--script", str(rules)))
        self._e2term_facts = self.e2term.facts()
        self._rtmgr_facts = self.rtmgr.facts()

    def start_daemon(self, source: str = "") -> None:
        """Starts the daemon; returns when it is ready. Raises BenchError when it does not become ready.

        `source`: a directory with another package `submgr`, which is run instead of this one.
        """
        self._rmr_port = free_port()
        config = self.directory / "submgr.json"
        config.write_bytes(msgspec.json.encode(self._settings()))
        seed = self.directory / "seed.rt"
        types = (mtypes.RIC_SUB_REQ, mtypes.RIC_SUB_DEL_REQ)
        routes = [f"mse|{mtype}|-1|{self._e2term_facts['rmr']}" for mtype in types]
        seed.write_text("\n".join(["newrt|start|bench", *routes, f"newrt|end|{len(routes)}", ""]))
        environment = {
            **self.environment,
            "RMR_SEED_RT": str(seed),
            "RMR_RTG_SVC": "-1",
            "RMR_SRC_ID": "127.0.0.1",
            "RMR_BIND_IF": "127.0.0.1",
            **({"PYTHONPATH": source, "PYTHONSAFEPATH": "1"} if source else {}),
        }
        (self.directory / "submgr.log").unlink(missing_ok=True)
        self.daemon = self._child("submgr", program("run", "-f", str(config)), environment)
        self.daemon.wait_for(lambda: {"xapp", "platform"} <= set(self._listening()), "listening")
        self.xapp_address, self.platform_address = (_address(self._listening()[name]) for name in ("xapp", "platform"))
        self.daemon.wait_for(lambda: self.platform("/ric/v1/health/ready")[0] == 200, "ready")

    def stop_daemon(self) -> None:
        self.daemon.stop()
        self._children.remove(self.daemon)

    def _settings(self) -> dict[str, Any]:
        return {
            "subscription": {"host": "127.0.0.1:0", "retryCount": 3, "retryDelay": 1},
            "local": {"host": "127.0.0.1:0"},
            "logger": {"level": self.options.log_level},
            "rmr": {"protPort": f"tcp:{self._rmr_port}"},
            "rtmgr": {"hostAddr": "127.0.0.1", "port": _address(self._rtmgr_facts["http"])[1], "baseUrl": ""},
            "sdl": {"backend": self.options.store, "path": str(self.database)},
            "controls": {
                "checkE2State": self.options.node_state,
                "onE2Loss": self.options.on_e2_loss,
                "notificationQueue": 1_000_000,
            },
        }

    def _listening(self) -> dict[str, str]:
        """The addresses of the daemon's servers, by name, from its log."""
        return {line["server"]: line["address"] for line in self.daemon.log_lines() if line.get("msg") == "listening"}

    def platform(self, path: str) -> tuple[int, bytes]:
        """Status and body of a GET on the platform interface."""
        return _get(self.platform_address, path)

    def metric(self, name: str) -> float:
        """The value of a metric without labels. Raises BenchError when the daemon has none of this name."""
        text = self.platform("/ric/v1/metrics")[1].decode()
        for line in text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise BenchError(f"the daemon has no metric {name}")

    def node_subscriptions(self) -> int:
        """How many subscriptions the E2 nodes hold."""
        return self._counts(self._e2term_facts["control"])["subscriptions"]

    def route_endpoints(self) -> int:
        """How many endpoints the Routing Manager has, over all subscriptions."""
        return self._counts(self._rtmgr_facts["http"])["endpoints"]

    def set_node(self, name: str, state: str) -> None:
        """Changes an E2 node's state to connected, disconnected or under_reset. Raises BenchError."""
        with Client(_address(self._e2term_facts["control"])) as client:
            status, body = client.request("POST", f"/nodes/{name}/{state}")
        if status >= 300:
            raise BenchError(f"node {name} {state}: {status} {body.decode(errors='replace')}")

    def _counts(self, address: str) -> dict[str, int]:
        return msgspec.json.decode(_get(_address(address), "/counts")[1], type=dict[str, int])


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _get(address: Address, path: str) -> tuple[int, bytes]:
    with Client(address) as client:
        return client.request("GET", path)
