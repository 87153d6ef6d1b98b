# SPDX-License-Identifier: Apache-2.0
"""MEC programs as processes of their own, in a directory of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError
from support.processes.children import START, spawn
from support.processes.forked import start
from support.waiting import eventually

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("DBAAS_", "MEC_", "CFG_"))}


class Program:
    """One `mec …`; `log` is all it wrote. `environment`: beside that of the tests."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        command: list[str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self._environment = {**CLEAN, **(environment or {})}
        self.directory = directory
        self.log = directory / f"{re.sub('[^a-z0-9]+', '-', ' '.join(arguments).lower())[:60]}.log"
        self._command = command
        self._arguments = arguments
        self._said = self.log.with_suffix(".out")
        self.process: Any = None
        self.line = ""

    def spawn(self) -> Program:
        """Start it, without waiting for it."""
        self._said.write_bytes(b"")
        # not gevent's Popen: with it the event loop would take the exit codes of all children of the process
        with self.log.open("ab") as log, self._said.open("ab") as said:
            options: dict[str, Any] = {"cwd": self.directory, "env": self._environment, "stdout": said, "stderr": log}
            if self._command is None:
                self.process = start("mec", self._arguments, **options)
            else:
                self.process = spawn([*self._command, *self._arguments], **options)
        return self

    def ready(self) -> Program:
        """Wait for the line that says where it listens."""
        eventually(lambda: b"\n" in self._said.read_bytes() or self._ended(), START)
        self.line = self._said.read_text()
        assert self.line, self.log.read_text()
        return self

    def start(self) -> Program:
        return self.spawn().ready()

    @property
    def ports(self) -> list[int]:
        """In the order of the line."""
        return [int(port) for port in re.findall(r":(\d+)\b", self.line)]

    def kill(self) -> None:
        """At once, as a power cut would."""
        self.process.kill()
        self.wait()

    def stop(self) -> int:
        """As an operator would; the exit code."""
        if self.process is None:
            return 0
        if not self._ended():
            self.process.terminate()
        return self.wait()

    def wait(self) -> int:
        """The exit code, once there is one."""
        eventually(self._ended, START)
        code: int = self.process.returncode
        self.process = None
        return code

    @property
    def runs(self) -> bool:
        return self.process is not None and not self._ended()

    def _ended(self) -> bool:
        return self.process.poll() is not None


def run(*arguments: str) -> str:
    """What `mec …` has printed, when it has come to a good end."""
    process = spawn([sys.executable, "-m", "mec", *arguments], env=CLEAN, stdout=subprocess.PIPE)
    eventually(lambda: process.poll() is not None, START)
    printed, _ = process.communicate()
    assert process.returncode == 0
    return printed.decode()


class Api:
    """JSON over HTTP, as tests say it."""

    def __init__(self, client: HttpClient | None = None) -> None:
        self.client = client or HttpClient()

    def get(self, port: int, path: str) -> tuple[int, Any]:
        """Status and JSON; (0, None) when there is no answer."""
        return self.ask("GET", port, path)

    def ask(self, method: str, port: int, path: str, body: object = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        try:
            got = self.client.request(method, f"http://127.0.0.1:{port}{path}", body=data, read_timeout=10)
        except HttpError:
            return 0, None
        return got.status, json.loads(got.body) if got.body else None

    def text(self, port: int, path: str) -> str:
        return self.client.request("GET", f"http://127.0.0.1:{port}{path}").body.decode()
