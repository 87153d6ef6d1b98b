# SPDX-License-Identifier: Apache-2.0
"""The conformance table names every row once, with a rule and a proof, and only tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
PROOF = re.compile(r"^`(tests/[\w/.]+)::(\w+)`$")


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def rows() -> list[list[str]]:
    """The cells of every row, without heads and rulers."""
    found = [line.strip("|").split("|") for line in TABLE.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in found if row[-1].strip() != "proven by"]


def test_every_row_is_there_once_with_a_rule_and_a_proof() -> None:
    numbered = [row for row in rows() if row[0].isdecimal()]
    assert [int(row[0]) for row in numbered] == list(range(1, 109))
    for number, situation, what, rule, proofs in numbered:
        assert situation and what and rule and proofs, number


def test_every_sentence_of_the_guide_has_a_proof() -> None:
    sentences = [row for row in rows() if not row[0].isdecimal()]
    assert len(sentences) > 50
    assert all(len(row) == 3 and row[0] and row[2] for row in sentences)


def test_the_tests_named_exist() -> None:
    there: dict[str, set[str]] = {}
    missing = []
    for row in rows():
        for proof in row[-1].split("<br>"):
            named = PROOF.match(proof)
            assert named, f"{row[0]}: {proof!r} is no test"
            path, name = named.groups()
            if path not in there:
                there[path] = functions(ROOT / path) if (ROOT / path).exists() else set()
            if name not in there[path]:
                missing.append(f"{row[0]}: {path}::{name}")
    assert not missing
