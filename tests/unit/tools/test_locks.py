# SPDX-License-Identifier: Apache-2.0
"""The locks: every package has one version and hashes, and everything that pyproject.toml names is in its lock."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

import pytest
from packaging.requirements import Requirement

from tools.licences import ROOT, pinned

LOCKS = (
    "requirements.txt",
    "requirements-otel.txt",
    "requirements-nodeps.txt",
    "requirements-test.txt",
    "requirements-docs.txt",
    "requirements-tools.txt",
)
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
        "requirements-otel.txt": project["project"]["optional-dependencies"]["otel"],
        "requirements-nodeps.txt": groups["nodeps"],
        "requirements-test.txt": groups["test"],
        "requirements-docs.txt": groups["docs"],
        "requirements-tools.txt": groups["tools"],
    }
    for lock, names in named.items():
        wanted = {re.sub(r"[-_.]+", "-", re.split(r"[ >;\[]", name)[0]).lower() for name in names}
        assert wanted <= set(pinned(lock)), f"{lock}: run `make lock`"


def test_what_the_wheel_needs_is_bounded_and_what_is_locked_fits(project: dict[str, Any]) -> None:
    """pip takes the newest that a bound allows: the next release that breaks something is not among them."""
    locked = pinned("requirements-otel.txt")
    extra = project["project"]["optional-dependencies"]["otel"]
    for need in map(Requirement, [*project["project"]["dependencies"], *extra]):
        assert {each.operator for each in need.specifier} == {">=", "<"}, need
        assert need.specifier.contains(locked[need.name.lower()]), f"{need}: {locked[need.name.lower()]} is tested"


def test_what_is_imported_is_named(project: dict[str, Any]) -> None:
    """Whatever a package that is needed may need itself: what is imported here, the wheel names."""
    imported: set[str] = set()
    for path in [*(ROOT / "submgr").rglob("*.py"), *(ROOT / "mec").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).partition(".")[0])
    others = imported - set(sys.stdlib_module_names) - {"submgr", "mec", "_typeshed"}
    # many distributions make up this package: those that are named bring the others
    others.remove("opentelemetry")
    assert {"flask", "pycrate_mobile", "redis"} <= others
    found = packages_distributions()
    needed = {name.lower().replace("_", "-") for other in others for name in found[other]}
    named = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["otel"]]
    assert needed - {Requirement(text).name.lower() for text in named} == set()


def test_a_package_in_several_locks_has_one_version() -> None:
    plain, runtime = pinned("requirements.txt"), pinned("requirements-otel.txt")
    assert {name for name, version in plain.items() if runtime.get(name) != version} == {"setuptools"}
    tests = pinned("requirements-test.txt")
    assert {name: version for name, version in tests.items() if runtime.get(name, version) != version} == {}


def test_the_nodeps_lock_has_no_dependencies() -> None:
    assert set(pinned("requirements-nodeps.txt")) == {"ricsdl", "ricxappframe"}
