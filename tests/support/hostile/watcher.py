# SPDX-License-Identifier: Apache-2.0
"""A process that watches a daemon under attack: how long its other clients wait, and what it takes of the machine.

    python -m support.hostile.watcher PID '[{"name": ..., "port": ..., "send": ..., "expect": ...}, ...]'

Each probe is a client of its own that asks again and again. On the end of its standard input the watcher prints
one JSON object, see `report`.

A busy machine must not look like a slow daemon. What the kernel let the daemon's main thread wait for a processor
(`/proc/PID/schedstat`), and what it let the watcher itself wait (its ticks come late), is taken off a probe's time.
The watcher is one process with one loop that does nothing else, and it imports nothing that is slow.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import sys
import time
from pathlib import Path
from typing import Any

TICK = 0.005
EVERY = 0.02
"""Seconds between two requests of a probe."""
SAMPLE = 0.05
TAKEN = 1.5
"""How much of its time a probe is forgiven for each second that the machine took: a daemon that was not let run for a
second has the work of that second to do as well."""
PAGE = os.sysconf("SC_PAGESIZE")


class Machine:
    """The daemon's process as the kernel sees it, and how late the watcher's own ticks are."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        self.stalled = 0.0
        self.before = self.sample()
        self.peak = dict(self.before)

    def sample(self) -> dict[str, int]:
        """Resident bytes, descriptors and native threads."""
        threads = (self._proc / "stat").read_text().rpartition(")")[2].split()[17]
        return {
            "memory": int((self._proc / "statm").read_text().split()[1]) * PAGE,
            "descriptors": len(os.listdir(self._proc / "fd")),
            "threads": int(threads),
        }

    def look(self) -> None:
        for name, value in self.sample().items():
            self.peak[name] = max(self.peak[name], value)

    def waited(self) -> float:
        """Seconds in all that the daemon's main thread, or the watcher, was ready to run and did not."""
        try:
            delay = int((self._proc / "schedstat").read_text().split()[1]) / 1e9
        except OSError:
            delay = 0.0  # a kernel without these figures
        return delay + self.stalled


class Probe:
    """One client: sends `send` (latin-1), waits for an answer that begins with `expect`, and asks again.

    Each time on a new connection, or with `keep` on the same one; `every` so many seconds. Each `@` in `send` becomes a
    digit of the number of the request, so that a request is another one each time.
    """

    def __init__(self, machine: Machine, spec: dict[str, Any]) -> None:
        self.name = spec["name"]
        self._address = ("127.0.0.1", spec["port"])
        self._send = spec["send"].encode("latin-1")
        self._expect = spec["expect"].encode("latin-1")
        self._keep = spec.get("keep", False)
        self._every = spec.get("every", EVERY)
        self._machine = machine
        self._socket: socket.socket | None = None
        self._sent = False
        self._got = b""
        self._began = 0.0
        self._waited = 0.0
        self._next = 0.0
        self.net: list[float] = []
        self.raw: list[float] = []
        self.failures: list[str] = []

    def begin(self, selector: selectors.BaseSelector, now: float) -> None:
        """Asks when its time has come."""
        if self._began or now < self._next:
            return
        self._began, self._waited, self._got, self._sent = now, self._machine.waited(), b"", False
        try:
            if self._socket is None:
                self._socket = socket.socket()
                self._socket.setblocking(False)
                self._socket.connect_ex(self._address)
            selector.register(self._socket, selectors.EVENT_WRITE, self)
        except OSError as failed:
            self._end(selector, f"{failed}")

    def go_on(self, selector: selectors.BaseSelector) -> None:
        """Its socket is ready."""
        assert self._socket is not None
        try:
            if not self._sent:
                self._socket.sendall(self._request())
                self._sent = True
                selector.modify(self._socket, selectors.EVENT_READ, self)
                return
            piece = self._socket.recv(65536)
        except OSError as failed:
            self._end(selector, f"{failed}")
            return
        self._got += piece
        if len(self._got) >= len(self._expect) and not self._got.startswith(self._expect):
            self._end(selector, f"answered {self._got[:60]!r}")
        elif not piece:
            self._end(selector, "" if self._got else "closed without an answer")
        elif self._keep and self._got:
            self._end(selector, "")

    def _request(self) -> bytes:
        digits = iter(f"{len(self.raw):0{self._send.count(b'@')}}".encode())
        return bytes(next(digits) if octet == ord("@") else octet for octet in self._send)

    def give_up(self) -> None:
        """The watcher ends: a request that waits has waited so long at least."""
        if self._began:
            self._count()

    def _count(self) -> None:
        raw = time.monotonic() - self._began
        self.raw.append(raw)
        self.net.append(max(0.0, raw - TAKEN * (self._machine.waited() - self._waited)))

    def _end(self, selector: selectors.BaseSelector, failure: str) -> None:
        self._count()
        if failure:
            self.failures.append(failure)
        if self._socket is not None:
            with contextlib.suppress(KeyError):
                selector.unregister(self._socket)
            if failure or not self._keep:
                self._socket.close()
                self._socket = None
        self._began = 0.0
        self._next = time.monotonic() + self._every


def report(machine: Machine, probes: list[Probe]) -> dict[str, Any]:
    """Seconds, bytes and numbers; `net` is without what the machine itself took."""
    return {
        "probes": {
            probe.name: {
                "asked": len(probe.raw),
                "worst": max(probe.raw, default=0.0),
                "net": max(probe.net, default=0.0),
                "failures": probe.failures,
            }
            for probe in probes
        },
        "before": machine.before,
        "peak": machine.peak,
        "stalled": machine.stalled,
    }


def watch(pid: int, specs: list[dict[str, Any]]) -> dict[str, Any]:
    """Asks and samples until the standard input ends."""
    machine = Machine(pid)
    probes = [Probe(machine, spec) for spec in specs]
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    ended, sampled = False, 0.0
    while not ended:
        began = time.monotonic()
        for probe in probes:
            probe.begin(selector, began)
        if began - sampled > SAMPLE:
            machine.look()
            sampled = began
        asleep = time.monotonic()
        ready = selector.select(TICK)
        machine.stalled += max(0.0, time.monotonic() - asleep - 2 * TICK)
        for key, _ in ready:
            if key.data is None:
                ended = True
            else:
                key.data.go_on(selector)
    machine.look()
    for probe in probes:
        probe.give_up()
    return report(machine, probes)


if __name__ == "__main__":
    print(json.dumps(watch(int(sys.argv[1]), json.loads(sys.argv[2]))))
