# SPDX-License-Identifier: Apache-2.0
"""The test bed of a benchmark: the daemon and its neighbours, each a process of its own, all on the loopback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

from submgr.bench.children import BenchError, Child, Watched, free_port, program
from submgr.bench.neighbours import Address, NeighbourOptions, Neighbours, address_of, get, route_table
from submgr.bench.xapps import LOOPBACK

STORES = ("sqlite", "memory", "redis")


class BedOptions(Struct, frozen=True):
    """The variables of a test bed.

    `rtmgr_delay`, `e2_delay`: seconds before each answer of the Routing Manager, of the E2 nodes. `at_once`: procedures
    at a time at one E2 node. `node_state`: the daemon reads R-NIB (redis only).
    `compiled`: from its second start on a source finds its modules compiled, as an installed one does, also where the
    environment forbids Python to keep them.
    """

    store: str = "sqlite"
    rtmgr_delay: float = 0.0
    e2_delay: float = 0.0
    at_once: int = 1
    node_state: bool = False
    on_e2_loss: str = "drop"
    log_level: int = 3
    compiled: bool = False


class Bed:
    """The processes of a benchmark. In `with Bed(options) as bed:` all of them run and the daemon is ready.

    `database` is the file of the store sqlite; it can be filled while the daemon is stopped. `source`: see
    `start_daemon`.
    """

    foreign = False

    def __init__(self, options: BedOptions, source: str = "") -> None:
        self.options = options
        self.neighbours = Neighbours()
        self.database = self.neighbours.directory / "submgr.db"
        self.daemon: Child
        self.xapp_address: Address = ("", 0)
        self.platform_address: Address = ("", 0)
        self.rmr_port = 0
        self._source = source

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which SDL finds the database."""
        return {"DBAAS_SERVICE_HOST": LOOPBACK, "DBAAS_SERVICE_PORT": str(self.neighbours.redis_port)}

    @property
    def watched(self) -> Sequence[Watched]:
        """The processes whose CPU is told."""
        around = self.neighbours
        return [self.daemon, around.e2term, around.rtmgr, *([around.redis] if around.redis else [])]

    def __enter__(self) -> Self:
        around, options = self.neighbours, self.options
        try:
            if options.store == "redis":
                around.start_redis()
            rnib = f"redis://{LOOPBACK}:{around.redis_port}" if options.node_state else ""
            around.start(NeighbourOptions(rtmgr_delay=options.rtmgr_delay, e2_delay=options.e2_delay, rnib=rnib))
            self.start_daemon(self._source)
        except BaseException:
            around.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.neighbours.close()

    def start_daemon(self, source: str = "") -> None:
        """Starts the daemon; returns when it is ready. Raises BenchError when it does not become ready.

        `source`: a directory with another package `submgr`, which is run instead of this one.
        """
        around = self.neighbours
        self.rmr_port = free_port()
        config = self._file("submgr.json", msgspec.json.encode(self._settings()))
        seed = self._file("seed.rt", route_table("{}:{}".format(*around.rmr_address)).encode())
        environment = {
            **self.environment,
            "RMR_SEED_RT": str(seed),
            "RMR_RTG_SVC": "-1",
            "RMR_SRC_ID": LOOPBACK,
            "RMR_BIND_IF": LOOPBACK,
            **({"PYTHONPATH": source, "PYTHONSAFEPATH": "1"} if source else {}),
        }
        if self.options.compiled:
            environment |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(around.directory / "compiled")}
        (around.directory / "submgr.log").unlink(missing_ok=True)
        self.daemon = around.add("submgr", program("run", "-f", str(config)), environment)
        try:
            self._until_ready()
        except BenchError as failed:
            if source:
                raise BenchError(f"the source in {source}: {failed}") from failed
            raise

    def _until_ready(self) -> None:
        self.daemon.wait_for(lambda: {"xapp", "platform"} <= set(self._listening()), "listening")
        self.xapp_address, self.platform_address = (
            address_of(self._listening()[name]) for name in ("xapp", "platform")
        )
        self.daemon.wait_for(lambda: self.platform("/ric/v1/health/ready")[0] == 200, "ready")

    def stop_daemon(self) -> None:
        self.neighbours.remove(self.daemon)

    def ports(self, notified: int) -> dict[int, str]:
        """Who is at the ports of the daemon's connections. `notified`: the port that takes notifications."""
        around = self.neighbours
        named = {
            self.xapp_address[1]: "xApp requests",
            self.platform_address[1]: "platform requests",
            notified: "notifications",
            around.rtmgr_address[1]: "Routing Manager",
            around.rmr_address[1]: "E2 Termination",
            self.rmr_port: "E2 Termination",
        }
        return {**named, around.redis_port: "redis"} if around.redis else named

    def _file(self, name: str, content: bytes) -> Path:
        path = self.neighbours.directory / name
        path.write_bytes(content)
        return path

    def _settings(self) -> dict[str, Any]:
        return {
            "subscription": {"host": "127.0.0.1:0", "retryCount": 3, "retryDelay": 1},
            "local": {"host": "127.0.0.1:0"},
            "logger": {"level": self.options.log_level},
            "rmr": {"protPort": f"tcp:{self.rmr_port}"},
            "rtmgr": {"hostAddr": LOOPBACK, "port": self.neighbours.rtmgr_address[1], "baseUrl": ""},
            "sdl": {"backend": self.options.store, "path": str(self.database)},
            "controls": {
                "checkE2State": self.options.node_state,
                "onE2Loss": self.options.on_e2_loss,
                "maxOngoingE2Procedures": self.options.at_once,
                "notificationQueue": 1_000_000,
            },
        }

    def _listening(self) -> dict[str, str]:
        """The addresses of the daemon's servers, by name, from its log."""
        return {line["server"]: line["address"] for line in self.daemon.log_lines() if line.get("msg") == "listening"}

    def platform(self, path: str) -> tuple[int, bytes]:
        """Status and body of a GET on the platform interface."""
        return get(self.platform_address, path)

    def metric(self, name: str) -> float:
        """The value of a metric without labels. Raises BenchError when the daemon has none of this name."""
        text = self.platform("/ric/v1/metrics")[1].decode()
        for line in text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise BenchError(f"the daemon has no metric {name}")
