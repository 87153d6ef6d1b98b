# SPDX-License-Identifier: Apache-2.0
"""The locks: every package has one version and hashes, and everything that pyproject.toml names is in its lock."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tools.licences import ROOT, pinned

LOCKS = ("requirements.txt", "requirements-nodeps.txt", "requirements-test.txt", "requirements-tools.txt")
_ENTRY = re.compile(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==[\w.]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("lock", LOCKS)
def test_one_version_and_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry for entry in entries if not entry.startswith("#") and not _ENTRY.fullmatch(entry)] == []
    assert "://" not in text
    assert "--index" not in text


def test_all_that_is_named_is_locked(project: dict[str, Any]) -> None:
    groups = project["dependency-groups"]
    named = {
        "requirements.txt": [*project["project"]["dependencies"], *groups["build"]],
        "requirements-nodeps.txt": groups["nodeps"],
        "requirements-test.txt": groups["test"],
        "requirements-tools.txt": groups["tools"],
    }
    for lock, names in named.items():
        wanted = {re.sub(r"[-_.]+", "-", re.split(r"[ >;\[]", name)[0]).lower() for name in names}
        assert wanted <= set(pinned(lock)), f"{lock}: run `make lock`"


def test_a_package_in_several_locks_has_one_version() -> None:
    runtime = pinned("requirements.txt")
    tests = pinned("requirements-test.txt")
    assert {name: version for name, version in tests.items() if runtime.get(name, version) != version} == {}


def test_the_nodeps_lock_has_no_dependencies() -> None:
    assert set(pinned("requirements-nodeps.txt")) == {"ricsdl", "ricxappframe"}
