# SPDX-License-Identifier: Apache-2.0
"""The Makefile: what it says of itself, what a run installs, and what is left after `make clean`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.licences import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make: apt-get install make")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def commands(*arguments: str, directory: Path = ROOT) -> str:
    """What make would do."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # of `make test`
    done = subprocess.run(["make", *arguments], cwd=directory, env=outside, capture_output=True, text=True, check=True)
    return done.stdout


def test_help_names_every_target() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    told = [line.split()[:2] for line in commands("help").splitlines()]
    assert sorted(told) == sorted(["make", target] for target in targets.split())
    assert commands() == commands("help")


def test_ports_and_arguments_are_passed_on() -> None:
    old = ["-o", ".venv/.run", "-n", "run"]
    assert commands(*old).split() == [".venv/bin/submgr", "run", "--standalone"]
    given = commands(*old, "PORTS=free", "ARGS=--database kept.db").split()
    assert given == [".venv/bin/submgr", "run", "--standalone", "--free-ports", "--database", "kept.db"]


def test_a_run_installs_only_what_it_needs_and_tests_add_the_rest() -> None:
    for_a_run = commands("-n", "-B", "run")
    assert re.findall(r"-r (\S+)", for_a_run) == ["requirements.txt"]
    assert "pytest" not in for_a_run
    for_tests = commands("-n", "-B", "test")
    assert for_tests.startswith(for_a_run.rpartition(".venv/bin/submgr run")[0].rstrip("\t @"))
    assert re.findall(r"-r (\S+)", for_tests) == [
        "requirements.txt",
        "requirements-test.txt",
        "requirements-nodeps.txt",
    ]
    every_pip = re.findall(r"-m pip .*", for_tests)
    assert len(every_pip) == 4
    assert all("--no-compile" in each for each in every_pip)


def test_clean_removes_all_that_git_ignores(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    patterns = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    for pattern in patterns:
        made = tmp_path / "deep" / pattern if pattern == "__pycache__/" else tmp_path / pattern.replace("*", "some")
        made.parent.mkdir(exist_ok=True)
        (made / "some").mkdir(parents=True) if pattern.endswith("/") else made.touch()
    assert len(list(tmp_path.iterdir())) == len(patterns) + 1
    commands("clean", directory=tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["Makefile", "deep"]
