# SPDX-License-Identifier: Apache-2.0
"""An attack, and what the daemon's other clients notice of it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent

from submgr.rmr import mtypes
from support.processes.children import START, spawn
from support.rmr.frames import frame
from support.waiting import eventually

TESTS = Path(__file__).parents[2]
LATENCY = 0.25
"""Seconds in which every other client is answered, whatever a peer does."""
ALLOWED = 2 * LATENCY
"""Seconds that a test allows: other tests run beside it, on the same processors."""
LEFT = 3.0
"""The memory at its peak, as a multiple of what the process took when it had just started: attacks leave something
behind, and it must not add up."""
CALM = 0.1
"""Seconds of watching before an attack and after it."""
TRIES = 3
"""An attack that was not endured is made so many times in all."""
FIGURES = "HOSTILE_FIGURES"
"""The environment variable with a file to which a run adds its figures, one JSON object a line."""


class Attacker:
    """What an attack has to hand: the ports, its connections, and when it is to end.

    An attack runs in a native thread, with blocking sockets: it never waits for the simulators of the test's process.
    """

    def __init__(self, seconds: float, site: Any) -> None:
        self.site = site
        self.ports: dict[str, int] = site.ports
        self.until = time.monotonic() + seconds
        self.found: Any = None
        """What the attack has learnt, for its check."""
        self._closing = contextlib.ExitStack()

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until

    def connect(self, port: str, timeout: float = 2.0, source: str = "127.0.0.1") -> socket.socket:
        """A connection that stays open until the attack has been watched. `source`: the address it comes from."""
        address = ("127.0.0.1", self.ports[port])
        sock = self._closing.enter_context(socket.create_connection(address, timeout, (source, 0)))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def adopt(self, sock: socket.socket, port: str) -> None:
        """Connects a socket that has its own options; it stays open as well."""
        self._closing.enter_context(sock).settimeout(2.0)
        sock.connect(("127.0.0.1", self.ports[port]))

    def flood(self, sock: socket.socket, octets: bytes) -> None:
        """Sends the same again and again until the time is up or the daemon has had enough of it."""
        sock.settimeout(0.1)
        rest = memoryview(octets)
        while self.goes_on:
            try:
                rest = rest[sock.send(rest) :] or memoryview(octets)
            except TimeoutError:
                continue
            except OSError:
                return

    def hold(self) -> None:
        """Waits until the time is up."""
        while self.goes_on:
            time.sleep(0.01)

    def extend(self, seconds: float) -> None:
        """The attack waits for something, at most so long from now."""
        self.until = time.monotonic() + seconds

    def pause(self, seconds: float) -> None:
        """A step of the attack is at work for so long."""
        time.sleep(seconds)

    def exchange(self, port: str, octets: bytes, seconds: float = 5.0) -> bytes:
        """What comes back on a new connection until it is closed."""
        return answer_of(self.connect(port), octets, seconds)

    def together(self, *parts: Callable[[], None]) -> None:
        """Runs parts of an attack at the same time."""
        threads = [threading.Thread(target=_bounded(part), daemon=True) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        self._closing.close()


def answer_of(sock: socket.socket, octets: bytes, seconds: float = 5.0) -> bytes:
    """What comes back until the connection is closed, or in `seconds`."""
    got = b""
    until = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        sock.settimeout(seconds)
        sock.sendall(octets)
    with contextlib.suppress(OSError):
        while (left := until - time.monotonic()) > 0:
            sock.settimeout(left)
            piece = sock.recv(65536)
            if not piece:
                break
            got += piece
    return got


def _bounded(part: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with contextlib.suppress(OSError):  # the daemon has hung up on it, as it should
            part()

    return run


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One row of the table: on which port, which sequence, with which bounds.

    `memory`: the resident memory at its peak, as a multiple of that before. `descriptors`, `threads`: how many more
    than before. `check`: what must hold of the attacker's `found`.
    """

    name: str
    port: str
    sequence: str
    run: Callable[[Attacker], object]
    seconds: float = 0.6
    memory: float = 1.5
    descriptors: int = 1300
    threads: int = 24
    check: Callable[[Any], object] = field(default=lambda found: None)
    lost: int = 0
    """Connections of each other client that the attack may cost: it comes again, and is answered."""
    fails: tuple[str, ...] = ()
    """Probes that are refused meanwhile, in time and for a good reason: without a database nobody can subscribe."""


def http_probe(
    name: str, port: int, path: str, method: str = "GET", status: int = 200, fields: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A client that comes with a new connection each time, as a liveness probe does."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *fields, "", ""]
    return {"name": name, "port": port, "send": "\r\n".join(lines), "expect": f"HTTP/1.1 {status} "}


def xapp_probe(port: int, body: dict[str, Any]) -> dict[str, Any]:
    """An xApp that makes a subscription, another one each time: `body` has `@` where the digits of a number go."""
    octets = json.dumps(body).replace('"@"', "@")
    fields = ("Content-Type: application/json", f"Content-Length: {len(octets)}")
    probe = http_probe("8088 subscribe", port, "/ric/v1/subscriptions", "POST", 201, fields)
    return {**probe, "send": probe["send"] + octets, "every": 0.1}


def rmr_probe(port: int) -> dict[str, Any]:
    """An RMR peer that asks for a health check on one connection."""
    octets = frame(mtype=mtypes.RIC_HEALTH_CHECK_REQ)
    return {"name": "rmr", "port": port, "send": octets.decode("latin-1"), "expect": "", "keep": True}


class Figures:
    """What the watcher saw, and what the attacker found."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report
        self.found: Any = None

    def faults(self, attack: Attack, before: dict[str, int]) -> list[str]:
        """In which bounds the daemon did not stay, and what the attacker achieved.

        `before`: what the daemon took when it had just started.
        """
        peak = self.report["peak"]
        found = []
        for name, probe in self.report["probes"].items():
            if probe["net"] > ALLOWED:
                found.append(f"{name} waited {probe['net'] * 1000:.0f} ms")
            if len(probe["failures"]) > attack.lost and name not in attack.fails:
                found.append(
                    f"{name} failed {len(probe['failures'])} times of {probe['asked']}: {probe['failures'][0]}"
                )
        memory = self.report["before"]["memory"]
        if peak["memory"] > min(memory * attack.memory, before["memory"] * LEFT):
            found.append(f"memory {before['memory'] >> 20}, {memory >> 20} -> {peak['memory'] >> 20} MiB")
        for name, bound in (("descriptors", attack.descriptors), ("threads", attack.threads)):
            if peak[name] > before[name] + bound:
                found.append(f"{name} {before[name]} -> {peak[name]}")
        try:
            attack.check(self.found)
        except AssertionError as failed:
            found.append(str(failed))
        return found

    def write(self, attack: Attack) -> None:
        """Adds a line for docs/security.md."""
        if path := os.environ.get(FIGURES):
            with Path(path).open("a") as file:
                file.write(json.dumps({"attack": attack.name, **self.report}) + "\n")


@contextlib.contextmanager
def watched(pid: int, probes: list[dict[str, Any]]) -> Iterator[list[Figures]]:
    """Watches a process within the block; its figures are in the list afterwards."""
    command = [sys.executable, "-m", "support.hostile.watcher", str(pid), json.dumps(probes)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    figures: list[Figures] = []
    with spawn(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as watcher:
        gevent.sleep(CALM)
        try:
            yield figures
            gevent.sleep(CALM)
        finally:
            watcher.stdin.close()
            figures.append(Figures(json.loads(watcher.stdout.read())))


def endure(attack: Attack, pid: int, site: Any) -> None:
    """Attacks a process. Raises AssertionError when a bound is left, or the attacker achieved something.

    `site` has the `ports`, the `probes` and what the process took `before`. Other programs on the machine may have made
    somebody wait, so an attack that was not endured is made again: what is wrong for a reason is wrong each time.
    """
    for left in range(TRIES - 1, -1, -1):
        figures = _watched_attack(attack, pid, site)
        faults = figures.faults(attack, site.before)
        if not (faults and left):
            break
        gevent.sleep(1.0)
    figures.write(attack)
    assert not faults, faults


def _watched_attack(attack: Attack, pid: int, site: Any) -> Figures:
    """One run of the attack; raises what the attack itself raised."""
    failed: list[BaseException] = []
    with watched(pid, site.probes) as figures:
        attacker = Attacker(attack.seconds, site)

        def run() -> None:
            try:
                attack.run(attacker)
            except OSError:
                pass  # the daemon has hung up on it, as it should
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        eventually(lambda: not thread.is_alive(), START, what=f"the end of {attack.name}", every=0.02)
    attacker.close()
    if failed:
        raise failed[0]
    figures[0].found = attacker.found
    return figures[0]


def takes(pid: int, probes: list[dict[str, Any]]) -> dict[str, int]:
    """What a process takes when nobody attacks it: memory, descriptors, threads."""
    with watched(pid, probes) as figures:
        gevent.sleep(CALM)
    before: dict[str, int] = figures[0].report["peak"]
    return before
