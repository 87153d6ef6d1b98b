# SPDX-License-Identifier: Apache-2.0
"""The benchmark of events that concern many subscriptions at once, with a few of them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.processes.redis_server import MISSING, REDIS_SERVER


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
def test_every_event_comes_to_its_end() -> None:
    counts = ("--count", "50", "--lost", "50", "--queued", "50")
    command = [sys.executable, "-m", "submgr", "bench", "large", *counts, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    losses = [f"node {what}, {policy}" for policy in ("drop", "notify", "restore") for what in ("lost", "back")]
    assert [event["name"] for event in events][-6:] == losses
    assert {"details queued and done", "details deleted", "start until ready"} < {event["name"] for event in events}
