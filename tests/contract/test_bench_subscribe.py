# SPDX-License-Identifier: Apache-2.0
"""`submgr bench subscribe`: at a daemon that somebody else runs, at two sources in turns, and under tracers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis
from support.ports import free_port
from support.processes.children import spawn
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.bench.children import BenchError
from submgr.bench.load import node_name
from submgr.bench.xapps import Client
from submgr.simulators.rnib import node_key

ROOT = Path(__file__).parents[2]
PHASES = ["subscribe", "subscribe, burst", "merge", "leave", "delete"]
BENCH = (sys.executable, "-m", "submgr", "bench", "subscribe")
SMALL = ("--clients", "4", "--count", "20", "--nodes", "2")
WITH_TOOLS = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
"""PATH with the programs of this environment."""
QUICK = (*SMALL, "--store", "memory")


def bench(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    return subprocess.run([*BENCH, *arguments], capture_output=True, text=True, timeout=100, check=False, env=variables)


def rows_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class Target:
    """A daemon of somebody else, configured with what `--setup` writes."""

    def __init__(self, directory: Path, *more: str, backend: str = "memory") -> None:
        self.address = f"127.0.0.1:{free_port()}"
        ports = ("--rtmgr-port", str(free_port()), "--e2term-port", str(free_port()))
        self.options = ("--target", self.address, *ports, *more)
        done = bench(*self.options, "--setup", str(directory))
        assert done.returncode == 0 and str(directory) in done.stdout, done.stderr
        settings = yaml.safe_load((directory / "settings.yaml").read_text())
        settings["subscription"] = {"host": self.address}
        settings["local"] = {"host": "127.0.0.1:0"}
        settings["rmr"] = {"protPort": f"tcp:{free_port()}"}
        settings["sdl"] = {"backend": backend}
        (directory / "submgr.yaml").write_text(yaml.safe_dump(settings))
        run = f'. {directory}/environment.sh; exec "$0" -m submgr run -f {directory}/submgr.yaml'
        self.process = spawn(["sh", "-c", run, sys.executable], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self.answers, 60)

    def answers(self) -> bool:
        try:
            return self.listed() == []
        except BenchError:
            return False

    def listed(self) -> Any:
        host, _, port = self.address.partition(":")
        with Client((host, int(port))) as client:
            status, body = client.request("GET", "/ric/v1/subscriptions")
        return json.loads(body) if status == 200 else status


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    found = Target(tmp_path_factory.mktemp("target"))
    yield found
    found.process.terminate()
    found.process.wait()


def test_a_load_at_a_daemon_that_runs(target: Target) -> None:
    figures = rows_of(
        bench(*target.options, *SMALL, "--resident", "10", "--json", "--target-pid", str(target.process.pid))
    )
    assert [row["phase"] for row in figures] == PHASES
    for row in figures:
        assert (row["store"], row["resident"], row["clients"]) == ("target", 10, 4)
        assert row["cpu_ms"]["submgr"] > 0 and row["cpu_ms"]["redis"] is None
    assert target.listed() == []


def test_the_cpu_of_a_target_is_unknown_unless_its_process_is_named(target: Target) -> None:
    done = bench(*target.options, *SMALL)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + len(PHASES)
    assert all(line.split().count("unknown") == 2 for line in lines[1:])


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
def test_a_target_that_looks_for_its_nodes(tmp_path: Path) -> None:
    with RedisServer() as redis, Redis(redis.host, redis.port) as database:
        target = Target(tmp_path, "--rnib", f"redis://{redis.host}:{redis.port}", backend="redis")
        try:
            figures = rows_of(bench(*target.options, *SMALL, "--json"))
            assert [row["phase"] for row in figures] == PHASES
            assert not database.keys("{e2Manager}*"), "its nodes are gone with it"
            database.set(node_key(node_name(1)), b"a real one")
            done = bench(*target.options, *SMALL)
            assert done.returncode == 1 and f"E2 node {node_name(1)} that is not of a benchmark" in done.stderr
            assert database.get(node_key(node_name(1))) == b"a real one"
        finally:
            target.process.terminate()
            target.process.wait()


def test_a_target_that_does_not_find_its_neighbours(target: Target) -> None:
    """Its Routing Manager is not where it looks: what failed is told, and where to look."""
    options = [*target.options[:3], str(free_port()), *target.options[4:]]
    done = bench(*options, "--clients", "1", "--count", "1", "--nodes", "1")
    assert done.returncode == 1
    assert "1 subscriptions failed: RTMGR" in done.stderr and "--setup DIRECTORY writes" in done.stderr
    assert "Traceback" not in done.stderr
    eventually(lambda: target.listed() == [], 30)


def test_e2_nodes_that_take_their_time_work_on_several_at_once() -> None:
    """One after the other, answers of 100 ms would be ten a second."""
    arguments = ("--clients", "4", "--count", "20", "--nodes", "1", "--store", "memory", "--json")
    figures = rows_of(bench(*arguments, "--e2-delay", "100", "--at-once", "4"))
    subscribe = next(row for row in figures if row["phase"] == "subscribe")
    assert subscribe["told_ms"]["p50"] >= 100 and subscribe["per_second"] > 10


def test_where_nothing_answers_it_is_said_at_once() -> None:
    done = bench("--target", f"127.0.0.1:{free_port()}")
    assert done.returncode == 1 and not done.stdout
    assert "Error: nothing answers at 127.0.0.1:" in done.stderr and "Traceback" not in done.stderr


def test_two_sources_in_turns() -> None:
    figures = rows_of(bench(*QUICK, "--compare", str(ROOT), "--rounds", "1", "--json"))
    assert [row["phase"] for row in figures] == PHASES
    for row in figures:
        assert (row["base"], row["rounds"], row["nodes"]) == (str(ROOT), 1, 2)
        for name in ("cpu_ms", "p50_ms", "per_second"):
            figure = row[name]
            assert 0 < figure["lowest"] <= figure["ratio"] <= figure["highest"]
            assert figure["ratio"] == pytest.approx(figure["this"] / figure["base"], rel=0.01)


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="no checkout of git")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nothing_is_left_when_it_is_cut_off(tmp_path: Path, number: signal.Signals, status: int) -> None:
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [*BENCH, "--store", "memory", "--count", "5000", "--compare", "HEAD"]
    running = spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=variables)
    try:
        eventually(lambda: list(tmp_path.glob("submgr-bench-*/submgr.log")), 60)
        assert list(tmp_path.glob("submgr-source-*/submgr/__main__.py"))
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        running.send_signal(number)
        _, words = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == status, words.decode()
    assert b"Traceback" not in words
    assert list(tmp_path.iterdir()) == []
    assert children and not any(Path("/proc", child).exists() for child in children)


def may_trace() -> bool:
    probe = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return probe.returncode == 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace: apt-get install strace")
def test_system_calls_by_name(tmp_path: Path) -> None:
    if not may_trace():
        pytest.skip("strace may not look into processes here")
    rows = rows_of(bench(*QUICK, "--clients", "1", "--syscalls", "--json"))
    calls = {row["phase"]: row for row in rows if "syscalls" in row and row["clients"] == 1}
    assert list(calls) == PHASES
    about = {(one["name"], one["about"]): one["calls"] for one in calls["subscribe"]["syscalls_about"]}
    # a request, its answer, the route, the request to the node, the notification: once for each subscription
    for neighbour in ("xApp requests", "Routing Manager", "E2 Termination", "notifications"):
        sends = sum(number for (name, what), number in about.items() if what == neighbour and name.startswith("send"))
        assert 0.9 < sends < 1.2, (neighbour, about)
    assert [row["phase"] for row in rows if "cpu_ms" in row] == PHASES * 2


@pytest.mark.parametrize(
    ("option", "words"), [("--syscalls", "apt-get install strace"), ("--profile", "pip install py-spy")]
)
def test_what_a_tool_is_missing_for_does_not_begin(tmp_path: Path, option: str, words: str) -> None:
    arguments = [option, str(tmp_path / "x.svg")] if option == "--profile" else [option]
    done = bench(*arguments, PATH=str(tmp_path))
    assert done.returncode == 1 and not done.stdout
    assert words in done.stderr and "Traceback" not in done.stderr


@pytest.mark.skipif(shutil.which("py-spy", path=WITH_TOOLS) is None, reason="no py-spy for this machine")
def test_a_flame_graph_of_the_daemon(tmp_path: Path) -> None:
    if not may_trace():
        pytest.skip("nobody may look into processes here")
    graph = tmp_path / "graph.svg"
    done = bench(*QUICK, "--profile", str(graph), PATH=WITH_TOOLS)
    assert done.returncode == 0, done.stderr
    assert "<svg" in graph.read_text() and "submgr/" in graph.read_text()
