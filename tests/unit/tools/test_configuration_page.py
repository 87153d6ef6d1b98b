# SPDX-License-Identifier: Apache-2.0
"""`docs/configuration.md` says what is declared."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from submgr.platform.config.schema import Key
from tools.configuration_page import PAGE, page, sections

ROOT = Path(__file__).parents[3]


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_setting_is_described() -> None:
    keys = [key for section in sections() for key in section.members if isinstance(key, Key)]
    assert len(keys) > 80
    assert [key.name for key in keys if not key.description or not key.kind.allowed] == []


def test_no_declaration_is_left_out() -> None:
    """Every `setting(` of the source is a row, and every row is written into the page once."""
    declared = set()
    for path in [*(ROOT / "submgr").rglob("*.py"), *(ROOT / "mec").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        if "config.schema import" in text and path.name != "schema.py":
            assert import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            declared |= set(re.findall(r"= setting\(\s*\"(\w+)\"", text))
    rows = re.findall(r"^\| `\w+\.(\w+)` \|", page(), re.MULTILINE)
    assert declared - set(rows) == set()
    assert len(declared) > 70
