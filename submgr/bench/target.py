# SPDX-License-Identifier: Apache-2.0
"""A load at a Subscription Manager that is running already, ours or another implementation of the interface.

The bench starts the neighbours only. They listen where the target has been told to look for them, see `setup_files`.
"""

from __future__ import annotations

import ipaddress
import shlex
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import click
import msgspec
import redis
from msgspec import Struct

from submgr.bench.children import BenchError, Watched, cpu_of
from submgr.bench.load import PATH, node_name
from submgr.bench.neighbours import Address, NeighbourOptions, Neighbours, get, route_table
from submgr.bench.xapps import LOOPBACK
from submgr.simulators.nodes import NodeState
from submgr.simulators.rnib import NAMES, TIMEOUT, nb_identity, node_key, nodeb_info

RTMGR_PORT, E2TERM_PORT = 3800, 38000
"""Where the neighbours listen by default: the ports that they have in a RIC."""


class TargetOptions(Struct, frozen=True):
    """`address`: the target's interface for xApps. `pid`: its process on this machine, 0 when it is not to be told.

    `host`: an address of this machine as the target reaches it. `rnib`: URL of the redis in which the target looks for
    its E2 nodes; "" when it does not look.
    """

    address: Address
    pid: int = 0
    host: str = LOOPBACK
    rtmgr_port: int = RTMGR_PORT
    e2term_port: int = E2TERM_PORT
    rnib: str = ""
    remote: bool = False
    """Addresses that are not of the loopback interface are meant."""


class _Process(Struct, frozen=True):
    """A process that the bench has not started. `pid`: 0 when it is not known."""

    name: str
    pid: int

    def cpu(self) -> float | None:
        return cpu_of(self.pid) if self.pid else None


class Target:
    """In `with Target(…) as target:` the target answers, and its neighbours run."""

    foreign = True

    def __init__(self, options: TargetOptions, nodes: int, rtmgr_delay: float = 0.0, e2_delay: float = 0.0) -> None:
        self.options = options
        self.neighbours = Neighbours()
        self.xapp_address = options.address
        self._names = [node_name(number) for number in range(nodes)]
        self._rtmgr_delay = rtmgr_delay
        self._e2_delay = e2_delay

    @property
    def watched(self) -> Sequence[Watched]:
        around = self.neighbours
        return [_Process("submgr", self.options.pid), around.e2term, around.rtmgr, _Process("redis", 0)]

    def __enter__(self) -> Self:
        options = self.options
        try:
            check(options)
            if options.rnib:
                _look_into(options.rnib, self._names)
            self.neighbours.start(
                NeighbourOptions(
                    host=options.host,
                    rtmgr_port=options.rtmgr_port,
                    e2term_port=options.e2term_port,
                    rtmgr_delay=self._rtmgr_delay,
                    e2_delay=self._e2_delay,
                    rnib=options.rnib,
                    nodes=self._names,
                )
            )
        except BaseException:
            self.neighbours.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.neighbours.close()
        if self.options.rnib:
            _forget(self.options.rnib, self._names)

    def ports(self, notified: int) -> dict[int, str]:
        """Who is at the ports of the target's connections. `notified`: the port that takes notifications."""
        return {
            self.xapp_address[1]: "xApp requests",
            notified: "notifications",
            self.options.rtmgr_port: "Routing Manager",
            self.options.e2term_port: "E2 Termination",
        }

    def listed(self) -> int | None:
        """How many E2 subscriptions the target lists; None when it does not."""
        status, body = get(self.xapp_address, PATH)
        try:
            return len(msgspec.json.decode(body, type=list[msgspec.Raw] | None) or ()) if status == 200 else None
        except msgspec.DecodeError:
            return None


def check(options: TargetOptions) -> None:
    """Raises BenchError at once when no load can be aimed at this target."""
    hosts = [options.address[0], options.host, *([_redis_address(options.rnib)[0]] if options.rnib else [])]
    for host in hosts:
        if not options.remote and not _is_loopback(host):
            raise BenchError(f"{host} is not of the loopback interface: say --remote when another machine is meant")
    if options.pid:
        cpu_of(options.pid)
    get(options.address, PATH)


def setup_files(options: TargetOptions, directory: Path) -> dict[str, str]:
    """What the target has to be configured with: the contents of files in `directory`, by their names."""
    e2term = f"{options.host}:{options.e2term_port}"
    settings = {
        "rtmgr": {"hostAddr": options.host, "port": options.rtmgr_port, "baseUrl": "/ric/v1"},
        "controls": {"checkE2State": "true" if options.rnib else "false"},
    }
    lines = [
        "# RMR: the requests to E2 nodes go to the simulated E2 Termination, and nobody sends another route table",
        f"export RMR_SEED_RT={shlex.quote(str(directory.absolute() / 'routes.rt'))}",
        "export RMR_RTG_SVC=-1",
        "# the address to which the E2 Termination answers",
        f"export RMR_SRC_ID={options.host if _is_loopback(options.address[0]) else options.address[0]}",
    ]
    if options.rnib:
        host, port = _redis_address(options.rnib)
        lines += [
            "# SDL: where the simulated E2 Termination writes the states of its nodes",
            f"export DBAAS_SERVICE_HOST={host}",
            f"export DBAAS_SERVICE_PORT={port}",
        ]
    written = msgspec.yaml.encode(settings).decode()
    return {
        "routes.rt": route_table(e2term),
        "environment.sh": "\n".join([*lines, ""]),
        "settings.yaml": f"# these keys of the target's configuration file; everything else stays as it is\n{written}",
    }


def write_setup(options: TargetOptions, directory: Path) -> None:
    """Writes the files, and prints what to do with them. Raises BenchError when they cannot be written."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in setup_files(options, directory).items():
            (directory / name).write_text(content)
    except OSError as failed:
        raise BenchError(f"{failed.filename}: {failed.strerror}") from failed
    click.echo(
        f"{directory}/settings.yaml   keys of the target's configuration file: put them into it\n"
        f"{directory}/environment.sh  the target's environment: `. {directory}/environment.sh` before it is started\n"
        f"{directory}/routes.rt       its RMR route table, which RMR_SEED_RT names\n"
        "Then start the target, and run the same command without --setup."
    )


@contextmanager
def with_hint(options: TargetOptions) -> Iterator[None]:
    """A target that does not know its neighbours fails in many ways: the error says where to look."""
    try:
        yield
    except BenchError as failed:
        raise BenchError(
            f"{failed} (--setup DIRECTORY writes what the target must be configured with: Routing Manager at "
            f"{options.host}:{options.rtmgr_port}, E2 Termination at {options.host}:{options.e2term_port})"
        ) from failed


def _is_loopback(host: str) -> bool:
    """All addresses of a host are of the loopback interface. Raises BenchError when it has none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as failed:
        raise BenchError(f"{host}: {failed.strerror or failed}") from failed
    return all(ipaddress.ip_address(str(address[4][0]).partition("%")[0]).is_loopback for address in found)


def _redis_address(url: str) -> Address:
    connection = _redis(url).connection_pool.connection_kwargs
    return connection.get("host", "localhost"), connection.get("port", 6379)


def _redis(url: str) -> redis.Redis:
    try:
        return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
    except ValueError as wrong:
        raise BenchError(f"--rnib {url}: {wrong}") from wrong


def _look_into(rnib: str, names: Sequence[str]) -> None:
    """Raises BenchError when R-NIB has a node of these names that no benchmark has written: they are removed after."""
    try:
        with _redis(rnib) as database:
            for name, there in zip(names, database.mget([node_key(name) for name in names]), strict=True):
                if there is not None and there not in (nodeb_info(name, state) for state in NodeState):
                    raise BenchError(f"--rnib {rnib} has an E2 node {name} that is not of a benchmark")
    except redis.RedisError as failed:
        raise BenchError(f"--rnib {rnib}: {failed}") from failed


def _forget(rnib: str, names: Sequence[str]) -> None:
    """Removes the nodes of the benchmark from R-NIB."""
    try:
        with _redis(rnib) as database:
            database.delete(*(node_key(name) for name in names))
            database.srem(NAMES, *(nb_identity(name, state) for name in names for state in NodeState))
    except redis.RedisError as failed:
        raise BenchError(f"--rnib {rnib}: its nodes are left there: {failed}") from failed
