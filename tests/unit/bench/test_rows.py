# SPDX-License-Identifier: Apache-2.0
"""Figures as lines and as JSON."""

from __future__ import annotations

import json
from collections import Counter

from submgr.bench import rows
from submgr.bench.load import Figures
from submgr.bench.syscalls import Call, Counts

FACTS = rows.Facts("redis", 100, 20.0, 8)


def figures(cpu: float | None, told: float = 0.004, seconds: float = 2.0) -> Figures:
    return Figures("subscribe", 16, 500, seconds, [0.001] * 500, [told] * 500, {"submgr": cpu, "e2term": 0.1})


def test_a_row_in_json() -> None:
    shares = {"p50": 4.0, "p90": 4.0, "p99": 4.0, "max": 4.0}
    assert json.loads(rows.as_json(FACTS, figures(1.0))) == {
        "store": "redis",
        "resident": 100,
        "rtmgr_delay_ms": 20.0,
        "nodes": 8,
        "phase": "subscribe",
        "clients": 16,
        "count": 500,
        "seconds": 2.0,
        "per_second": 250.0,
        "cpu_ms": {"submgr": 2.0, "e2term": 0.2},
        "answered_ms": dict.fromkeys(shares, 1.0),
        "told_ms": shares,
    }


def test_cpu_that_nobody_can_tell_is_unknown() -> None:
    assert rows.line(FACTS, figures(None)).count("unknown") == 1
    assert json.loads(rows.as_json(FACTS, figures(None)))["cpu_ms"]["submgr"] is None
    assert len(rows.line(FACTS, figures(None))) == len(rows.line(FACTS, figures(1.0))) == len(rows.HEAD)


def test_a_phase_of_two_sources() -> None:
    row = rows.compare([figures(1.0), figures(0.8, 0.002)], [figures(2.0), figures(2.0, 0.008, 4.0)])
    assert (row.phase, row.clients, row.count, row.rounds) == ("subscribe", 16, 500, 2)
    assert json.loads(rows.compared_json(FACTS, "v1", row)) == {
        "store": "redis",
        "resident": 100,
        "rtmgr_delay_ms": 20.0,
        "nodes": 8,
        "base": "v1",
        "phase": "subscribe",
        "clients": 16,
        "count": 500,
        "rounds": 2,
        "cpu_ms": {"this": 1.8, "base": 4.0, "ratio": 0.45, "lowest": 0.4, "highest": 0.5},
        "p50_ms": {"this": 3.0, "base": 6.0, "ratio": 0.5, "lowest": 0.25, "highest": 1.0},
        "per_second": {"this": 250.0, "base": 187.5, "ratio": 1.3333, "lowest": 1.0, "highest": 2.0},
    }
    line = rows.compared_line(FACTS, row)
    assert "0.45 (0.40..0.50)" in line and "0.50 (0.25..1.00)" in line and "1.33 (1.00..2.00)" in line


def test_system_calls_of_one_operation() -> None:
    redis, told = Call("recvfrom", "redis"), Call("sendto", "notifications")
    counts = Counts(Counter({redis: 30, told: 10, Call("mmap", ""): 1}), Counter({redis: 10}))
    line = rows.syscalls_line(1, "subscribe", 10, counts)
    assert line.split() == [
        *("subscribe", "1", "4.1"),
        *("recvfrom", "3.0", "(1.0", "in", "vain),", "sendto", "1.0,", "mmap", "0.1"),
    ]
    row = json.loads(rows.syscalls_json(FACTS, 1, "subscribe", 10, counts))
    assert row["syscalls"] == {"recvfrom": 3.0, "sendto": 1.0, "mmap": 0.1}
    assert row["syscalls_failed"] == {"recvfrom": 1.0}
    assert row["syscalls_about"][0] == {"name": "recvfrom", "about": "redis", "calls": 3.0, "failed": 1.0}
