# SPDX-License-Identifier: Apache-2.0
"""The conformance table names every row once, and only tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_is_there_once_with_a_proof() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| (.+) \|$", TABLE, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 109))
    assert all("`tests/" in proof for _, proof in rows)


def test_the_tests_named_exist() -> None:
    missing = []
    for path, _, name in re.findall(r"`(tests/[\w/.]+)(::)?(\w*)`", TABLE):
        file = ROOT / path
        if not file.exists() or (name and name not in functions(file)):
            missing.append(f"{path}::{name}")
    assert not missing
