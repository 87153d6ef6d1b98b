# SPDX-License-Identifier: Apache-2.0
"""Counts the system calls of a process with strace, by name and by the peer they are about."""

from __future__ import annotations

import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import gevent
import msgspec

from submgr.bench.children import BenchError, on_path

NO_STRACE = "strace is not on PATH: apt-get install strace"
_PATIENCE = 20.0

# 1234  recvfrom(12<TCP:[127.0.0.1:36482->127.0.0.1:6379]>, ""..., 8192, 0, NULL, NULL) = -1 EAGAIN (Resource …)
_CALL = re.compile(r"^(?:\d+ +)?(?P<name>[a-z]\w*)\((?:(?P<fd>\d+)<(?P<file>(?:[^>]|(?<=-)>)*)>)?")
_RESUMED = re.compile(r"^(?:\d+ +)?<\.\.\. (?P<name>\w+) resumed>")
_RESULT = re.compile(r"= (?P<value>-?\d+|\?)(?: (?P<error>E[A-Z]+))?[^=]*$")
_PORTS = re.compile(r"^(?:TCP|UDP|TCPv6):\[.*?:(?P<own>\d+)(?:->.*:(?P<peer>\d+))?\]$")


class Call(NamedTuple):
    """A kind of system call: its name, and what it is about: a neighbour, a file, or "" for neither."""

    name: str
    about: str


class Counts(msgspec.Struct):
    """System calls: all of them, and those that ended with an error, EAGAIN above all."""

    calls: Counter[Call] = msgspec.field(default_factory=Counter)
    failed: Counter[Call] = msgspec.field(default_factory=Counter)

    def by_name(self) -> dict[str, tuple[int, int]]:
        """How many, and how many of them failed, by name; the most frequent first."""
        names: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        for call, number in self.calls.items():
            names[call.name] += number
        for call, number in self.failed.items():
            failed[call.name] += number
        return {name: (number, failed[name]) for name, number in names.most_common()}


def find_strace() -> str:
    """Raises BenchError where there is none."""
    return on_path("strace", NO_STRACE)


@contextmanager
def traced(pid: int, trace: Path) -> Iterator[None]:
    """Writes each system call of the process and its threads during the block into the file `trace`.

    Raises BenchError when strace may not look into the process.
    """
    command = [find_strace(), "-f", "-yy", "-s", "0", "-e", "signal=none", "-o", str(trace), "-p", str(pid)]
    tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    try:
        attached = tracer.stderr.readline().decode(errors="replace").strip()
        if "attached" not in attached:
            raise BenchError(f"strace may not look into process {pid}: {attached or 'not a word'}")
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        with gevent.Timeout(_PATIENCE, False):
            tracer.wait()
        tracer.kill()
        tracer.wait()
        tracer.stderr.close()


def counted(lines: Iterable[str], ports: Mapping[int, str]) -> Counts:
    """Counts the calls of a trace. `ports`: the names of neighbours and of own servers by their port."""
    counts = Counts()
    under_way: dict[str, Call] = {}
    for line in lines:
        thread = line.split(" ", 1)[0]
        if resumed := _RESUMED.match(line):
            call = under_way.pop(thread, Call(resumed["name"], ""))
        elif begun := _CALL.match(line):
            call = Call(begun["name"], _about(begun["file"] or "", ports))
            counts.calls[call] += 1
            if line.rstrip().endswith("<unfinished ...>"):
                under_way[thread] = call
                continue
        else:
            continue
        result = _RESULT.search(line)
        if result is not None and result["error"]:
            counts.failed[call] += 1
    return counts


def _about(file: str, ports: Mapping[int, str]) -> str:
    if found := _PORTS.match(file):
        for side in ("peer", "own"):
            name = ports.get(int(found[side] or 0))
            if name:
                return name
        return "another connection"
    return Path(file).name if file.startswith("/") else ""
