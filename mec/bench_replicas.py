# SPDX-License-Identifier: Apache-2.0
"""How many requests a MEC answers with one, two, three replicas on one redis, and alone. Prints a Markdown table."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import click
import gevent
import msgspec
from gevent import socket

from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError

_UES = 500
_CLIENTS = 16
"""Requests at the same time."""
_TIMES = 5
"""The best of so many measurements counts."""
_START = 60.0
_APP = 1

Path_ = Callable[[int], str]

_ASKED: dict[str, Path_] = {
    "notifications": lambda n: f"/ams/app/notification/?imsi={_imsi(n)}&mecId={7 + n % 2}&appId=2",
    "states of 1 KB": lambda n: f"/ams/fetch/state/?imsi={_imsi(n)}&appId={_APP}",
    "user data of 1 KB": lambda n: f"/manager/user/data/?imsi={_imsi(n)}",
}
"""What is asked for, by the name of its column."""


def table(most: int, seconds: float) -> Iterator[str]:
    """Lines of Markdown. Raises ClickException without redis-server."""
    yield "| requests per second (CPU of a replica for one, ms) | " + " | ".join(_ASKED) + " |"
    yield "|---|" + "---|" * len(_ASKED)
    for number in (0, *range(1, most + 1)):
        name = "one process alone" if not number else f"{number} replica{'s' if number > 1 else ''}"
        with _Site(number) as site:
            measured = [
                _best([site.measure(path, seconds / _TIMES) for _ in range(_TIMES)]) for path in _ASKED.values()
            ]
        yield f"| {name} | " + " | ".join(f"{rate:,.0f} ({cpu:.2f})" for rate, cpu in measured) + " |"


class _Site:
    """A redis, and the processes of one MEC on it; `replicas` 0: one process that is alone."""

    def __init__(self, replicas: int) -> None:
        self.replicas = replicas
        self._stack = ExitStack()
        self._ports: list[int] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "_Site":
        server = shutil.which("redis-server")
        if server is None:
            raise click.ClickException("redis-server is not on PATH: apt-get install redis-server")
        try:
            directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
            redis, *self._ports = free_ports(1 + max(1, self.replicas))
            self._run([server, "--port", str(redis), "--bind", "127.0.0.1", "--save", ""], directory)
            (directory / "data.json").write_bytes(_data())
            for port in self._ports:
                config = directory / f"{port}.yaml"
                config.write_bytes(self._config(port, directory))
                environment = {"DBAAS_SERVICE_HOST": "127.0.0.1", "DBAAS_SERVICE_PORT": str(redis)}
                command = [sys.executable, "-m", "mec", "manager", "-f", str(config)]
                self._processes.append(self._run(command, directory, environment))
            for port in self._ports:
                wait_for(port)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *how: object) -> None:
        self._stack.close()

    def measure(self, path: Path_, seconds: float) -> tuple[float, float]:
        """Answers per second to requests that go to one process after the other, and the ms of CPU of one."""
        busy = self._cpu()
        clients = [gevent.spawn(self._ask, path, at, time.monotonic() + seconds) for at in range(_CLIENTS)]
        begun = time.monotonic()
        gevent.joinall(clients, raise_error=True)
        answers: int = sum(client.value for client in clients)
        return answers / (time.monotonic() - begun), (self._cpu() - busy) * 1000 / max(1, answers)

    def _cpu(self) -> float:
        """Seconds of CPU of all replicas together."""
        ticks = 0
        for process in self._processes:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _ask(self, path: Path_, first: int, until: float) -> int:
        client, answers = HttpClient(), 0
        for port in cycle(self._ports[first % len(self._ports) :] + self._ports[: first % len(self._ports)]):
            if time.monotonic() > until:
                break
            answer = client.request("GET", f"http://127.0.0.1:{port}{path((first + answers * _CLIENTS) % _UES)}")
            if not answer.ok:
                raise click.ClickException(f"{path(0).partition('?')[0]} answers with {answer.status}")
            answers += 1
        client.close()
        return answers

    def _config(self, port: int, directory: Path) -> bytes:
        mec = {
            "host": f"127.0.0.1:{port}",
            "dataFile": str(directory / "data.json"),
            "additionalBytes": 1000,
            # a single replica shares the store as several do
            "replicas": max(2, self.replicas) if self.replicas else 1,
        }
        return msgspec.json.encode({"mec": mec, "sdl": {"backend": "redis"}, "logger": {"level": 2}})

    def _run(
        self, command: Sequence[str], directory: Path, environment: dict[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        return process


def _best(measured: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The most per second and the least CPU: what else the machine does only makes it slower."""
    return max(rate for rate, _ in measured), min(cpu for _, cpu in measured)


def _imsi(number: int) -> str:
    return f"00101{number:010d}"


def _data() -> bytes:
    users = [{"imsi": _imsi(n), "subscriptionData": {"subscribedApps": [_APP]}} for n in range(_UES)]
    ues: list[dict[str, Any]] = [
        {"imsi": _imsi(n), "mecId": 7, "appId": _APP, "state": {"pad": "x" * 1000}} for n in range(_UES)
    ]
    return msgspec.json.encode({"users": users, "ues": ues})


def wait_for(port: int) -> None:
    """Waits until a MEC program is ready. Raises ClickException when that takes too long."""
    client, end = HttpClient(), time.monotonic() + _START
    while True:
        try:
            if client.request("GET", f"http://127.0.0.1:{port}/health/ready").ok:
                return client.close()
        except HttpError:
            pass
        if time.monotonic() > end:
            raise click.ClickException("the services did not start")
        gevent.sleep(0.05)


def free_ports(number: int) -> list[int]:
    """Ports of the loopback on which nobody listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports
