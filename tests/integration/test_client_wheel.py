# SPDX-License-Identifier: Apache-2.0
"""The distribution of the client: it is built alone, works alone, and shares no file with that of the daemon."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for part in ("clients/python", "submgr/client"):
        left_out = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
        shutil.copytree(ROOT / part, source / part, ignore=left_out)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(source), str(source / "clients/python")], check=True)
    (found,) = source.glob("*.whl")
    return found


def test_it_has_all_of_the_client_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = {name for name in files.namelist() if ".dist-info/" not in name}
    wanted = {
        path.name for path in (ROOT / "submgr/client").iterdir() if path.suffix == ".py" or path.name == "py.typed"
    }
    assert names == {f"submgr/client/{name}" for name in wanted}


def test_it_works_where_there_is_nothing_else(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        files.extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import submgr.client as it; print(it.Subscriptions)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert "submgr.client.subscriptions.Subscriptions" in done.stdout, done.stderr


def test_the_daemon_leaves_it_out() -> None:
    daemon, client = (tomllib.loads((ROOT / path / "pyproject.toml").read_text()) for path in ("", "clients/python"))
    assert {"submgr.client", "submgr.client.*"} <= set(daemon["tool"]["setuptools"]["packages"]["find"]["exclude"])
    assert client["project"]["dependencies"] == []
    assert client["project"]["version"] == daemon["project"]["version"]
    assert client["project"]["requires-python"] == daemon["project"]["requires-python"]
