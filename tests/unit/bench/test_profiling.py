# SPDX-License-Identifier: Apache-2.0
"""Where py-spy is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from submgr.bench.children import BenchError
from submgr.bench.profiling import find_py_spy


def test_on_path_else_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="pip install py-spy"):
        find_py_spy()
    spy = tmp_path / "py-spy"
    spy.touch(0o755)
    assert find_py_spy() == str(spy)
