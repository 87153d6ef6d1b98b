# SPDX-License-Identifier: Apache-2.0
"""promtool reads what the daemon exposes."""

import shutil
import subprocess

import pytest
from prometheus_client import CollectorRegistry
from support.adapters.metrics import busy

from submgr.adapters.metrics.go_counters import GoCounters, exposition


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.mark.promtool
@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: apt-get install prometheus")
def test_promtool_finds_nothing_to_say_about_the_modern_ones(registry):
    busy(registry)
    body, _ = exposition(registry)
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr.decode(), done.stdout.decode()) == (0, "", "")


@pytest.mark.promtool
@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: apt-get install prometheus")
def test_promtool_can_parse_the_legacy_ones(registry):
    registry.register(GoCounters())
    body, _ = exposition(registry)
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, timeout=30, check=False)
    assert "error while linting" not in done.stderr.decode()
    complaints = {line.split(" ", 1)[1] for line in done.stderr.decode().splitlines()}
    assert complaints <= {
        'counter metrics should have "_total" suffix',
        "metric names should be written in 'snake_case' not 'camelCase'",
    }
