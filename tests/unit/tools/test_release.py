# SPDX-License-Identifier: Apache-2.0
"""A release says one version everywhere, and its notes are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import release


def test_the_version_is_the_same_everywhere_and_has_its_notes() -> None:
    assert release.mistakes() == []


def test_another_version_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "version", lambda: "99.0")
    told = release.mistakes()
    places = ["helm/submgr/Chart.yaml", "Dockerfile", "clients/python/pyproject.toml", "docs/operations.md"]
    for place in [*places, "CHANGELOG.md", "docs/upgrade.md"]:
        assert any(line.startswith(f"{place} has ") for line in told), place


def test_nothing_is_built_of_what_is_not_ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(release, "version", lambda: "99.0")
    with pytest.raises(SystemExit, match="not a release"):
        release.main(str(tmp_path / "dist"))
    assert list(tmp_path.iterdir()) == []
