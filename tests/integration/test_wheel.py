# SPDX-License-Identifier: Apache-2.0
"""The wheel: pip alone installs it into a new environment, from any package index, and the programs start there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from support.processes.children import START, spawn
from support.waiting import eventually

ROOT = Path(__file__).parents[2]
# the packages come from an index, at whatever speed
pytestmark = pytest.mark.timeout(600)
SOURCE = ("submgr", "mec", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
_NO_INDEX = re.compile("Could not find a version|NewConnectionError|ConnectTimeout|ReadTimeout|timed out")


def environment() -> dict[str, str]:
    """Without what points to this source tree; where packages come from stays."""
    return {name: value for name, value in os.environ.items() if not re.match("PYTHON|VIRTUAL_ENV|RMR_|CFG_", name)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in SOURCE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", "."]
    subprocess.run(command, cwd=source, env=environment(), capture_output=True, check=True, timeout=300)
    (built,) = (source / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs are after `pip install WHEEL`, with the pip that is here."""
    where = tmp_path_factory.mktemp("environment")
    venv = [sys.executable, "-m", "venv", "--without-pip", str(where)]
    subprocess.run(venv, env=environment(), check=True, timeout=300)
    pip = [sys.executable, "-m", "pip", "--python", str(where), "--disable-pip-version-check", "--retries", "1"]
    install = [*pip, "install", "--no-compile", "--only-binary", ":all:", str(wheel)]
    done = subprocess.run(install, env=environment(), capture_output=True, text=True, timeout=500, check=False)
    if done.returncode and _NO_INDEX.search(done.stderr) and not os.environ.get("CI"):
        pytest.skip("no package index can be reached, from which pip could install what the wheel needs")
    assert done.returncode == 0, done.stderr
    checked = subprocess.run(
        [*pip, "check"], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout
    return where / "bin"


def test_all_files_of_the_packages_are_in_it(wheel: Path) -> None:
    packed = set(ZipFile(wheel).namelist())
    listing = ["git", "ls-files", "submgr", "mec"]
    tracked = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    # the client of xApps is a distribution of its own
    assert {name for name in tracked if not name.startswith("submgr/client/")} - packed == set()


def test_it_starts(programs: Path, tmp_path: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for program in ("submgr", "mec"):
        told = subprocess.run(
            [programs / program, "--version"], env=environment(), capture_output=True, text=True, timeout=60, check=True
        )
        assert version in told.stdout
    log = tmp_path / "log"
    with log.open("wb") as out:
        command = [str(programs / "submgr"), "run", "--standalone", "--free-ports"]
        running = spawn(command, stdout=out, stderr=out, env=environment(), cwd=tmp_path)
    try:
        eventually(lambda: "\nRIC Subscription Manager, stand-alone" in log.read_text(), 3 * START, what="the banner")
        assert "Traceback" not in log.read_text()
    finally:
        running.terminate()
        assert running.wait(30) == 0, log.read_text()
