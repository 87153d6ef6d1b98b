# SPDX-License-Identifier: Apache-2.0
"""How the daemon starts, seen from outside: what an operator has to mend is told in one line, and nobody is given an
answer before the subscriptions are there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.ports import free_port
from support.processes.children import spawn

PORTS = ("subscription", "local", "rmr")


def configuration(path: Path, ports: dict[str, int], backend: str = "memory", database: str = "unused") -> Path:
    path.write_text(
        json.dumps(
            {
                "subscription": {"host": f"127.0.0.1:{ports['subscription']}"},
                "local": {"host": f"127.0.0.1:{ports['local']}"},
                "rmr": {"protPort": f"tcp:{ports['rmr']}"},
                "rtmgr": {"hostAddr": "127.0.0.1", "port": free_port()},
                "sdl": {"backend": backend, "path": database},
            }
        )
    )
    return path


def command(config: Path) -> list[str]:
    return [sys.executable, "-m", "submgr", "run", "-f", str(config)]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "RMR_RTG_SVC": "-1", "RMR_SRC_ID": "127.0.0.1", **more}


def failed_start(config: Path) -> list[str]:
    """What it says beside its log."""
    ended = subprocess.run(command(config), env=environment(), capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    return [line for line in ended.stderr.splitlines() if line and not line.startswith("{")]


@pytest.mark.parametrize("taken", PORTS)
def test_a_taken_port_ends_the_start_with_one_line_that_names_it(tmp_path: Path, taken: str) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        ports = {name: free_port() for name in PORTS}
        ports[taken] = other.getsockname()[1]
        lines = failed_start(configuration(tmp_path / "c.json", ports))
        assert len(lines) == 1, lines
        assert str(ports[taken]) in lines[0]


def test_a_database_that_cannot_be_opened_ends_the_start_with_one_line(tmp_path: Path) -> None:
    ports = {name: free_port() for name in PORTS}
    (tmp_path / "file").write_text("not a directory")
    lines = failed_start(configuration(tmp_path / "c.json", ports, "sqlite", str(tmp_path / "file" / "submgr.db")))
    assert len(lines) == 1, lines
    assert "submgr.db" in lines[0]


@contextmanager
def running(config: Path, **more: str) -> Iterator[None]:
    with spawn(
        command(config), env=environment(**more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0


def get(port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Status and body; asked again while nobody listens yet."""
    end = time.monotonic() + 20
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/ric/v1{path}", method=method)
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def test_before_the_database_was_read_only_probes_are_answered(tmp_path: Path) -> None:
    ports = {name: free_port() for name in PORTS}
    config = configuration(tmp_path / "c.json", ports, "redis")
    with running(config, DBAAS_SERVICE_HOST="127.0.0.1", DBAAS_SERVICE_PORT=str(free_port())):
        port = ports["local"]
        assert get(port, "/health/alive")[0] == 200
        status, body = get(port, "/health/ready")
        assert status == 503
        assert b"database" in body
        assert get(port, "/metrics")[0] == get(port, "/config")[0] == get(port, "/symptomdata")[0] == 200
        # an empty list would have the Routing Manager forget all routes
        assert get(port, "/subscriptions")[0] == 503
        assert get(port, "/restsubscriptions")[0] == 503
        assert get(port, "/delete_all_e2node_subscriptions/gnb_1", "DELETE")[0] == 503
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", ports["subscription"]), timeout=5)
