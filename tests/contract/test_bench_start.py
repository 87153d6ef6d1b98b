# SPDX-License-Identifier: Apache-2.0
"""The benchmark of starts, and what a start may cost, measured by what Python and gevent take alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ALONE = """
from gevent import monkey; monkey.patch_all()
import json, resource
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6]))
"""


def alone() -> tuple[float, float]:
    """CPU seconds and MB of Python with gevent."""
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, timeout=60, check=True)
    cpu, megabytes = json.loads(done.stdout)
    return cpu, megabytes


def test_a_start_costs_a_few_times_what_gevent_alone_does() -> None:
    command = [sys.executable, "-m", "submgr", "bench", "start", "--store", "memory", "--runs", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert set(first) == {
        *("store", "stored", "source"),
        *("ready", "cpu", "at_rest", "used", "shared_out", "stall"),
    }
    cpu, megabytes = alone()
    # with all that is imported late it would be five times, and 2.1 times
    assert min(first["cpu"], second["cpu"]) < 4 * max(cpu, alone()[0])
    assert first["at_rest"] < 1.85 * megabytes, f"{first['at_rest']} MB, {megabytes} MB are gevent's"
    assert first["shared_out"] <= first["used"] < 1.1 * first["at_rest"]


def test_two_sources_in_turns() -> None:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "submgr", "bench", "start", "--store", "memory", "--runs", "1", "--compare", root]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    this, base, row = (json.loads(line) for line in done.stdout.splitlines())
    assert (this["source"], base["source"], row["base"]) == ("", root, root)
    for name in ("ready", "cpu", "at_rest", "used", "shared_out"):
        assert row[name]["ratio"] == pytest.approx(this[name] / base[name], rel=0.01)
