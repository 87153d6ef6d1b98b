# SPDX-License-Identifier: Apache-2.0
"""docs/security.md has a row for each attack of the table, and none for another."""

from __future__ import annotations

import re
from pathlib import Path

from support.hostile.table import ALL

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def test_every_attack_has_its_row() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## The attacks\n")[1].split("\n## ")[0]
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in re.findall(r"^\|.*\|$", section, re.M)
    ]
    assert [row[:3] for row in rows[2:]] == [(attack.name, attack.port, attack.sequence) for attack in ALL]
    assert all(row[4] for row in rows), "the figures of a run"
