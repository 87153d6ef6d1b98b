# SPDX-License-Identifier: Apache-2.0
"""`make troubleshooting` on its own: it provokes a failure, and the command names it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.processes.children import spawn
from support.processes.redis_server import MISSING, REDIS_SERVER

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]


def test_a_failure_is_provoked_and_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.troubleshooting", "node-refusing", "--no-pictures"]
    process = spawn(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert "$ submgr ctl subs --state failed" in out
    assert "ricRequest: ran-function-id-invalid" in out
