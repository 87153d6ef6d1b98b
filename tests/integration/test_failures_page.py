# SPDX-License-Identifier: Apache-2.0
"""Every test that docs/failures.md names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`((?:tests/[\w/]+/)?test_\w+\.py)::(test_\w+)`")


def named() -> list[tuple[str, str]]:
    found = NAMED.findall((ROOT / "docs" / "failures.md").read_text(encoding="utf-8"))
    return sorted({(path if "/" in path else f"tests/integration/{path}", name) for path, name in found})


@pytest.mark.parametrize(("path", "name"), named(), ids=lambda value: value.rpartition("/")[2])
def test_is_there(path: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_row_names_one() -> None:
    text = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    rows = [
        line
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith(("| store", "| redis", "| SQLite"))
    ]
    unproven = [row for row in rows if not NAMED.search(row) and "proven by" not in row]
    assert len(rows) > 40
    assert unproven == []
