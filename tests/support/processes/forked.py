# SPDX-License-Identifier: Apache-2.0
"""Programs that are forked from a process that has imported them: the import is most of what a start costs.

Where tests are about the start itself they use `children.spawn`, and so does whatever is not on Linux.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support.processes.children import START, spawn

PROGRAMS = {
    "submgr": ("submgr.cli.run",),
    "mec": ("mec.controller.cli", "mec.proxy.cli", "mec.ams.api", "mec.parts"),
}
"""What `python -m` runs, with modules that it imports later: none that makes a socket when it is imported."""
AT_THE_START = ("PYTHON", "LD_", "GEVENT", "MALLOC", "LC_", "LANG", "OPENSSL", "SSL")
"""Beginnings of the environment variables that act before a program's own first line."""
SCRIPT = Path(__file__).with_name("fork_server.py")


class Forked:
    """A process that somebody else is the parent of; as much of `subprocess.Popen` as tests use."""

    def __init__(self, args: Sequence[str], pid: int, status: int) -> None:
        self.args = args
        self.pid = pid
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        """The exit status once it has ended; negative: by which signal."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is not None:
            return self.returncode
        told = select.poll()  # select() knows no descriptor over 1023
        told.register(self._status, select.POLLIN)
        if told.poll(None if timeout is None else timeout * 1000):
            # without a status, the one who forks has ended and the process with it
            self.returncode = int(os.read(self._status, 16) or -signal.SIGKILL)
            os.close(self._status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Server:
    """The process that forks those of one package."""

    def __init__(self, package: str, environment: Mapping[str, str]) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._requests.settimeout(START)
        command = [sys.executable, str(SCRIPT), str(theirs.fileno()), package, *PROGRAMS[package]]
        with theirs:
            self._process = spawn(command, stdout=subprocess.DEVNULL, env=environment, pass_fds=[theirs.fileno()])
        atexit.register(self._end)

    def fork(self, args: Sequence[str], told: Mapping[str, Any], out: int, err: int) -> Forked:
        status, theirs = os.pipe()
        socket.send_fds(self._requests, [json.dumps(told).encode()], [out, err, theirs])
        os.close(theirs)
        return Forked(args, int(self._requests.recv(16)), status)

    def _end(self) -> None:
        self._requests.close()
        self._process.wait(START)


def start(
    package: str, arguments: Sequence[str], *, stdout: Any, stderr: Any, env: Mapping[str, str], cwd: Path | None = None
) -> Forked | subprocess.Popen[Any]:
    """`python -m PACKAGE ARGUMENTS`, its output in files. It dies with this process."""
    command = [sys.executable, "-m", package, *arguments]
    if not hasattr(os, "pidfd_open") or _at_the_start(env) != _at_the_start(os.environ):
        return spawn(command, stdout=stdout, stderr=stderr, env=env, cwd=cwd)
    told = {"arguments": list(arguments), "environment": dict(env), "directory": str(cwd or Path.cwd())}
    return _server_of(package).fork(command, told, stdout.fileno(), stderr.fileno())


def _at_the_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(AT_THE_START)}


@functools.cache
def _server_of(package: str) -> _Server:
    # neither of which coverage or the programs of tests are to take part
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RMR_", "DBAAS_", "COV_"))}
    return _Server(package, kept)
