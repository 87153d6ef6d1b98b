# SPDX-License-Identifier: Apache-2.0
"""`make audit`: a known vulnerability fails it; what cannot be known does not, and never counts as nothing known."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tools.audit import audit

LOCKS = ["requirements.txt", "requirements-test.txt"]
GOOD: dict[str, Any] = {"name": "flask", "version": "3.1.3", "vulns": []}
BAD: dict[str, Any] = {"name": "click", "version": "8.5.1", "vulns": [{"id": "CVE-1", "fix_versions": ["9.0"]}]}
SKIPPED: dict[str, Any] = {"name": "redis", "skip_reason": "Dependency not found"}


def saying(*packages: dict[str, Any], error: str = "", status: int = 0) -> tuple[str, ...]:
    """A pip-audit that finds this, or fails so."""
    answer = json.dumps({"dependencies": packages, "fixes": []}) if packages else ""
    program = f"import sys; print({answer!r}); print({error!r}, file=sys.stderr); sys.exit({status})"
    return (sys.executable, "-c", program)


def test_nothing_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(LOCKS, saying(GOOD)) == 0
    assert capsys.readouterr().out.count("1 packages, 0 known vulnerabilities") == 2


def test_a_vulnerability_fails_and_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(LOCKS, saying(GOOD, BAD, SKIPPED, status=1)) == 1
    said = capsys.readouterr().out
    assert "click 8.5.1: CVE-1, fixed in 9.0" in said
    assert "not done for redis" in said


def test_an_audit_that_does_not_work_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(LOCKS, saying(error="no such option", status=2)) == 2
    assert "does not work: no such option" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        saying(error="requests.exceptions.ConnectionError: refused", status=1),
        saying(error="ServiceError: Max retries exceeded", status=1),
        saying(SKIPPED),
    ],
)
def test_what_cannot_be_known_is_told_and_fails_nothing(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert audit(LOCKS, command) == 0
    said = capsys.readouterr().out
    assert said.count("NOT DONE") == 2
    assert "known vulnerabilities\n" not in said
