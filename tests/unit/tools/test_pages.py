# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/: links lead somewhere, every page is on the site, and what the architecture names is there."""

from __future__ import annotations

import re
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

from tools.licences import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def anchors(text: str) -> set[str]:
    """The anchors of the headings, as GitHub and the site make them."""
    headings = re.findall(
        r"^#{1,6} (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match("https?:", target):
            continue
        name, _, part = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        assert found.exists(), target
        if DOCS in page.parents:
            assert DOCS in found.parents, f"{target} is not on the site"
        if part and found.suffix == ".md":
            assert part in anchors(found.read_text(encoding="utf-8")), target


def test_every_page_is_on_the_site() -> None:
    """The decisions are listed by tools/site_nav.py."""
    named = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert named == {page.name for page in DOCS.glob("*.md")}


def test_what_the_architecture_names_is_there() -> None:
    names = re.findall(r"^\|[^|]+\| `(submgr\.[\w.]+)` \|", (DOCS / "architecture.md").read_text("utf-8"), re.MULTILINE)
    assert len(names) > 15
    for name in names:
        module, _, member = name.rpartition(".")
        if module.rpartition(".")[2][:1].isupper():  # a method
            module, _, owner = module.rpartition(".")
            member = f"{owner}.{member}"
        assert attrgetter(member)(import_module(module)), name


def test_each_decision_has_a_number_of_its_own() -> None:
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [int(decision.name[:4]) for decision in decisions]
    assert numbers == list(range(1, len(decisions) + 1))
    for number, decision in zip(numbers, decisions, strict=True):
        assert decision.read_text(encoding="utf-8").startswith(f"# {number}. "), decision.name
