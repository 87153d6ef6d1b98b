# SPDX-License-Identifier: Apache-2.0
"""docs/troubleshooting.md is what the tool has made."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
TOOL = (DOCS.parent / "tools" / "troubleshooting.py").read_text(encoding="utf-8")


def test_nine_failures_each_with_a_transcript_and_a_picture() -> None:
    """The tool is not imported: as an entry point it has gevent patch everything."""
    names = re.findall(r'^    Failure\(\s*"([\w-]+)"', TOOL, re.MULTILINE)
    sections = PAGE.split("\n## ")[1:]
    assert len(names) == len(sections) == 9
    for name, section in zip(names, sections, strict=True):
        assert f"](images/{name}.png)" in section
        assert (DOCS / "images" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        command, *printed = section.partition("```console\n")[2].partition("```")[0].splitlines()
        assert command.startswith("$ submgr ctl ")
        assert printed
