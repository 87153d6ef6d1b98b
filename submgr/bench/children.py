# SPDX-License-Identifier: Apache-2.0
"""The processes of a benchmark: they are started, asked for their CPU time, and ended whatever happens."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import gevent
import msgspec

_LOWEST = 10_240
_PATIENCE = 60.0
"""Seconds that a process may take to print where it listens."""


class BenchError(Exception):
    """The benchmark cannot be run, or its figures would mean nothing. The text is one line."""


def on_path(name: str, otherwise: str) -> str:
    """The path of a program. Raises BenchError with the words `otherwise` where there is none on PATH."""
    found = shutil.which(name)
    if found is None:
        raise BenchError(otherwise)
    return found


class Watched(Protocol):
    """A process whose CPU is told."""

    @property
    def name(self) -> str: ...

    def cpu(self) -> float | None:
        """Seconds of CPU so far; None when nobody can tell."""


def cpu_of(pid: int) -> float:
    """Seconds of CPU that the process and its threads have used so far, of user and system together.

    Raises BenchError when there is no such process.
    """
    try:
        return time.clock_gettime(~pid << 3 | 2)  # the clock of a process, as clock_getcpuclockid(3) makes it
    except OSError:
        raise BenchError(f"there is no process {pid}") from None


def free_port() -> int:
    """A port of the loopback interface that nobody listens on. The kernel gives it to no outgoing connection either:
    one that it gives may be taken before the process for which it is meant listens.
    """
    first_given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    below = range(_LOWEST, first_given) if first_given > _LOWEST + 1000 else range(_LOWEST, 65536)
    for port in random.sample(below, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BenchError("no free port has been found")


class Child:
    """One process. Its standard error goes to the file `log`; `facts` reads its standard output."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None):
        self.name = name
        self._command = list(command)
        self._log = log
        self._environment = dict(os.environ, **(environment or {}))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        starting = gevent.spawn(self._started)
        try:
            self._process = starting.get()
        except BaseException:
            # cut off meanwhile: there is a process all the same, which is to be stopped
            starting.join()
            self._process = starting.value
            raise

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=self._environment
            )

    def stop(self, seconds: float = 20.0) -> None:
        """Sends SIGTERM, and SIGKILL when the process has not ended after `seconds`."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def facts(self) -> dict[str, Any]:
        """The JSON object on the first line that the process prints. Raises BenchError when there is none."""
        process = self._running()
        assert process.stdout is not None
        end = time.monotonic() + _PATIENCE
        while not select.select([process.stdout], [], [], 0.0)[0]:
            if time.monotonic() > end:
                raise BenchError(f"{self.name} has not said where it listens")
            gevent.sleep(0.02)
        try:
            return msgspec.json.decode(process.stdout.readline(), type=dict[str, Any])
        except msgspec.DecodeError:
            raise BenchError(f"{self.name} did not start: {self.last_words()}") from None

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Looks again and again until the condition holds. Raises BenchError when the process ends before, or it takes
        too long; `what` is the word for the condition in the error.
        """
        end = time.monotonic() + _PATIENCE
        while not condition():
            if self._running().poll() is not None:
                raise BenchError(f"{self.name} has ended: {self.last_words()}")
            if time.monotonic() > end:
                raise BenchError(f"{self.name} is not {what}: {self.last_words()}")
            gevent.sleep(0.01)

    def log_lines(self) -> list[dict[str, Any]]:
        """The JSON lines of the process's log so far."""
        lines = []
        for line in self._log.read_bytes().splitlines():
            if line.startswith(b"{"):
                lines.append(msgspec.json.decode(line, type=dict[str, Any]))
        return lines

    def last_words(self) -> str:
        """The last lines of the process's log, in one line."""
        return " | ".join(self._log.read_text(errors="replace").splitlines()[-3:]) or "not a word"

    @property
    def pid(self) -> int:
        return self._running().pid

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        return cpu_of(self._running().pid)

    def resident_megabytes(self) -> float:
        """Memory in use now."""
        pages = int(Path(f"/proc/{self._running().pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def proportional_megabytes(self) -> float:
        """Memory in use now, where a page that other processes have too counts in part."""
        for line in Path(f"/proc/{self._running().pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise BenchError("the kernel does not tell the proportional set size")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise BenchError(f"{self.name} is not running")
        return self._process


def program(*arguments: str) -> list[str]:
    """The command line of this program in another process."""
    return [sys.executable, "-m", "submgr", *arguments]
