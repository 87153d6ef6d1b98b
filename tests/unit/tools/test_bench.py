# SPDX-License-Identifier: Apache-2.0
"""`make bench`: its parts are commands that exist, and its summary has every figure that was measured."""

from __future__ import annotations

import shutil
from typing import Any

import click
import pytest

from submgr.bench.cli import bench as group
from tools import bench, benchmarks, performance


@pytest.mark.parametrize("store", ["redis", "sqlite"])
@pytest.mark.parametrize("parts", [bench.parts, performance.parts])
def test_every_part_is_a_command_with_options_that_it_has(parts: Any, store: str) -> None:
    names = set()
    for part in parts(store):
        command = group.commands[part.arguments[0]]
        command.make_context(part.arguments[0], [*part.arguments[1:], "--json"], resilient_parsing=False).close()
        names.add(part.name)
    assert len(names) == len(parts(store))


def test_all_of_it_takes_five_minutes() -> None:
    assert sum(part.seconds for part in bench.parts("redis")) <= 300


def test_without_redis_sqlite_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert benchmarks.store() == "sqlite"
    lost = next(part.arguments for part in bench.parts("sqlite") if part.name == "large")
    assert lost[lost.index("--lost") + 1] == "0", "E2 Manager's entries are in redis"


def test_the_summary() -> None:
    def load(phase: str, **more: Any) -> dict[str, Any]:
        figures = {"told_ms": {"p50": 3.0, "p99": 9.0}, "cpu_ms": {"submgr": 1.25}}
        return {"phase": phase, "nodes": 50, "clients": 16, "per_second": 700.0, **figures, **more}

    start = {"stored": 20_000, "ready": 3.5, "cpu": 3.0, "at_rest": 90.0}
    lines = list(
        bench.summary(
            {"cores": 2, "python": "3.11.2", "store": "sqlite"},
            {
                "many nodes": [load("subscribe"), load("leave"), {"memory_mb": 50}],
                "resident": [load("delete", told_ms=None, answered_ms={"p50": 2.0, "p99": 4.0})],
                "start": [start, {**start, "ready": 3.0}, {**start, "ready": 9.0}],
                "floor": [{"kind": "gevent", "clients": 1, "cpu_ms": 0.13}],
                "large": [{"name": "GET metrics", "count": 20_000, "seconds": 0.1, "waited": 0.02}],
                "system calls": [load("subscribe", syscalls={"sendto": 7.0, "mmap": 0.01})],
            },
        )
    )
    assert "store sqlite" in lines[0]
    assert "subscribe                    50       16     700     3.00     9.00    1.25" in lines
    assert "delete, 20,000 there         50       16     700     2.00     4.00    1.25" in lines
    assert not any("leave" in line for line in lines)
    assert "start with  20000: ready after 3.50 s, 3.00 s of CPU, 90 MB" in lines
    assert "system calls of a subscription: 7.0: sendto 7.0" in lines


def test_a_click_command_with_wrong_options_would_be_seen() -> None:
    with pytest.raises(click.UsageError):
        group.commands["floor"].make_context("floor", ["--nosuch"])
