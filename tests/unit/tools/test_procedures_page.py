# SPDX-License-Identifier: Apache-2.0
"""`docs/procedures.md` says what the tables say."""

from __future__ import annotations

from submgr.core import planner  # noqa: F401 - the procedures that it plans
from submgr.core.procedures.base import Procedure
from tools.procedures_page import PAGE, PROCEDURES, page


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_procedure_has_its_section() -> None:
    kinds, fresh = set(), {Procedure}
    while fresh:
        fresh = {kind for base in fresh for kind in base.__subclasses__() if kind.__module__.startswith("submgr.")}
        kinds |= {kind for kind in fresh if hasattr(kind, "TABLE")}
    assert kinds == set(PROCEDURES)
