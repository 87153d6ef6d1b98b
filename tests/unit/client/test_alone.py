# SPDX-License-Identifier: Apache-2.0
"""The client needs nothing but Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_it_imports_nothing_of_the_daemon_and_no_package(tmp_path: Path) -> None:
    """As in the image of an xApp that has only this distribution: no packages, no other part of submgr."""
    (tmp_path / "submgr").mkdir()
    (tmp_path / "submgr" / "client").symlink_to(ROOT / "submgr" / "client")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import submgr.client as it; print(it.Subscriptions)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert "submgr.client.subscriptions.Subscriptions" in done.stdout, done.stderr
