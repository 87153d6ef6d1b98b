# SPDX-License-Identifier: Apache-2.0
"""The benchmark of a process that does the socket calls of a subscription and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys


def test_a_row_for_each_way_to_wait() -> None:
    command = [sys.executable, "-m", "submgr", "bench", "floor", "--count", "500", "--clients", "4", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["kind"], row["clients"], row["count"]) for row in rows] == [
        ("blocking", 1, 500),
        ("gevent", 1, 500),
        ("gevent", 4, 500),
    ]
    # fourteen system calls take a microsecond each at least
    assert all(row["cpu_ms"] > 0.014 for row in rows)
