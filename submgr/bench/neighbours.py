# SPDX-License-Identifier: Apache-2.0
"""The neighbours of the daemon in a benchmark: E2 Termination, Routing Manager and redis, each a process of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from submgr.bench.children import BenchError, Child, free_port, on_path, program
from submgr.bench.xapps import LOOPBACK, Client
from submgr.rmr import mtypes
from submgr.simulators.rtmgr import HANDLE

NO_REDIS = "redis-server is not on PATH: apt-get install redis-server"

Address = tuple[str, int]


class NeighbourOptions(Struct, frozen=True):
    """Where the neighbours listen, and what they are like. Port 0: any that is free.

    `rtmgr_delay`, `e2_delay`: seconds before each answer of the Routing Manager, of the E2 nodes. `rnib`: the URL of
    the redis in which the E2 Termination writes the states of its nodes; `nodes`: those that it writes at once.
    """

    host: str = LOOPBACK
    rtmgr_port: int = 0
    e2term_port: int = 0
    rtmgr_delay: float = 0.0
    e2_delay: float = 0.0
    rnib: str = ""
    nodes: Sequence[str] = ()


class Neighbours:
    """The processes round a daemon, and their log files in `directory`, which goes with them."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="submgr-bench-"))
        self.children: list[Child] = []
        self.e2term: Child
        self.rtmgr: Child
        self.redis: Child | None = None
        self.redis_port = 0
        self._e2term_facts: dict[str, Any] = {}
        self._rtmgr_facts: dict[str, Any] = {}

    def close(self) -> None:
        """Ends every process that was added, the last one first."""
        for child in reversed(self.children):
            child.stop()
        self.children.clear()
        shutil.rmtree(self.directory, ignore_errors=True)

    def add(self, name: str, command: list[str], environment: Mapping[str, str] | None = None) -> Child:
        """Starts a process that ends with the neighbours."""
        child = Child(name, command, self.directory / f"{name}.log", environment)
        self.children.append(child)
        child.start()
        return child

    def remove(self, child: Child) -> None:
        child.stop()
        self.children.remove(child)

    def start_redis(self) -> None:
        """Raises BenchError when there is none on this machine."""
        server = on_path("redis-server", NO_REDIS)
        self.redis_port = free_port()
        command = [server, "--port", str(self.redis_port), "--bind", LOOPBACK]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.directory)]
        self.redis = self.add("redis", command)

    def start(self, options: NeighbourOptions) -> None:
        """Starts E2 Termination and Routing Manager. Raises BenchError when one of their ports is taken."""
        command = ["--rmr", f"{options.host}:{options.e2term_port}", "--any-node"]
        command += ["--script", self._script("e2term", options.e2_delay)]
        if options.rnib:
            command += ["--rnib", options.rnib]
            command += [word for name in options.nodes for word in ("--node", name)]
        self.e2term = self.add("e2term", program("sim", "e2term", *command))
        listen, script = f"{options.host}:{options.rtmgr_port}", self._script("rtmgr", options.rtmgr_delay)
        self.rtmgr = self.add("rtmgr", program("sim", "rtmgr", "--listen", listen, "--script", script))
        self._e2term_facts = self.e2term.facts()
        self._rtmgr_facts = self.rtmgr.facts()

    def _script(self, name: str, delay: float) -> str:
        """The file of a neighbour that takes so many seconds for each answer."""
        rules = self.directory / f"{name}.json"
        rules.write_bytes(msgspec.json.encode([{"delay": delay}] if delay else []))
        return str(rules)

    @property
    def rmr_address(self) -> Address:
        """Where the E2 Termination takes RMR messages."""
        return address_of(self._e2term_facts["rmr"])

    @property
    def rtmgr_address(self) -> Address:
        return address_of(self._rtmgr_facts["http"])

    def node_subscriptions(self) -> int:
        """How many subscriptions the E2 nodes hold."""
        return self._counts(self._e2term_facts["control"])["subscriptions"]

    def route_endpoints(self) -> int:
        """How many endpoints the Routing Manager has, over all subscriptions."""
        return self._counts(self._rtmgr_facts["http"])["endpoints"]

    def add_routes(self, instance_ids: Iterable[int], host: str, port: int) -> None:
        """Makes routes, as a Subscription Manager that ran before has left them. Raises BenchError."""
        with Client(self.rtmgr_address) as client:
            for instance_id in instance_ids:
                route = {"address": host, "port": port, "subscription_id": instance_id}
                status, body = client.request("POST", HANDLE, msgspec.json.encode(route))
                if status >= 300:
                    raise BenchError(f"route of {instance_id}: {status} {body.decode(errors='replace')}")

    def set_node(self, name: str, state: str) -> None:
        """Changes an E2 node's state to connected, disconnected or under_reset. Raises BenchError."""
        with Client(address_of(self._e2term_facts["control"])) as client:
            status, body = client.request("POST", f"/nodes/{name}/{state}")
        if status >= 300:
            raise BenchError(f"node {name} {state}: {status} {body.decode(errors='replace')}")

    def _counts(self, address: str) -> dict[str, int]:
        return msgspec.json.decode(get(address_of(address), "/counts")[1], type=dict[str, int])


def route_table(e2term: str) -> str:
    """A route table that leads the requests of a Subscription Manager to the E2 Termination at this host:port."""
    types = (mtypes.RIC_SUB_REQ, mtypes.RIC_SUB_DEL_REQ)
    routes = [f"mse|{mtype}|-1|{e2term}" for mtype in types]
    return "\n".join(["newrt|start|bench", *routes, f"newrt|end|{len(routes)}", ""])


def address_of(text: str) -> Address:
    """Host and port of `host:port`."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def get(address: Address, path: str) -> tuple[int, bytes]:
    """Status and body of a GET."""
    with Client(address) as client:
        return client.request("GET", path)
