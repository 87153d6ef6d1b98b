# SPDX-License-Identifier: Apache-2.0
"""The import contracts of `setup.cfg` see a violation of each: violations are planted into a copy of the tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLANTED = {
    # an adapter uses the service: upwards
    "submgr/adapters/notifier.py": ("from submgr import service", "submgr.adapters.notifier -> submgr.service"),
    "submgr/adapters/routing_manager.py": (
        "import submgr.rest.views",
        "submgr.adapters.routing_manager -> submgr.rest.views",
    ),
    "submgr/platform/health.py": ("import submgr.core.model", "submgr.platform.health -> submgr.core.model"),
    "submgr/rmr/message.py": ("import submgr.e2ap.codec", "submgr.rmr.message -> submgr.e2ap.codec"),
    "submgr/daemon.py": ("import submgr.app", "submgr.daemon -> submgr.app"),
    # the core, pure and in layers, also for the type checker
    "submgr/core/timers.py": ("import gevent", "submgr.core.timers -> gevent"),
    "submgr/core/context.py": (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from submgr.core.procedures.base import Procedure",
        "submgr.core.context -> submgr.core.procedures.base",
    ),
    "submgr/core/jobs.py": ("import submgr.core.planner", "submgr.core.jobs -> submgr.core.planner"),
    # a circle inside a package that no layer orders
    "submgr/e2ap/messages.py": (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from submgr.e2ap import codec",
        ".messages -> .codec",
    ),
    # MEC
    "submgr/rest/views.py": ("import mec.common.ids", "submgr.rest.views -> mec.common.ids"),
    "mec/ams/uses.py": ("import submgr.settings.model", "mec.ams.uses -> submgr.settings.model"),
    "mec/controller/api.py": ("import mec.meo.model", "mec.controller.api -> mec.meo.model"),
}


def lint(tree: Path) -> str:
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()",
    ]
    done = subprocess.run(
        [*command, "setup.cfg", "--no-cache"], cwd=tree, capture_output=True, text=True, timeout=110, check=False
    )
    return f"{done.stdout}{done.stderr}\nexit {done.returncode}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("tree")
    for package in ("submgr", "mec"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", copy)
    return copy


def test_the_tree_keeps_them(tree: Path) -> None:
    told = lint(tree)
    assert told.endswith("exit 0"), told


def test_each_planted_violation_is_named(tree: Path) -> None:
    for name, (line, _) in PLANTED.items():
        file = tree / name
        file.write_text(f"{file.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    told = lint(tree)
    assert told.endswith("exit 1"), told
    missing = [violation for _, violation in PLANTED.values() if violation not in told]
    assert not missing, told


def test_a_file_without_a_place_in_the_layers_is_named(tree: Path) -> None:
    for name in ("submgr/stray.py", "submgr/core/stray.py", "mec/stray.py"):
        (tree / name).write_text("", encoding="utf-8")
    told = lint(tree)
    assert told.endswith("exit 1") and told.count("stray") >= 3, told
