# SPDX-License-Identifier: Apache-2.0
"""The page of performance: each table is made of what has been measured, and the page is not behind its figures."""

from __future__ import annotations

import json
import re

import pytest

from tools import performance
from tools.benchmarks import Part, possible
from tools.performance_tables import TABLES

PAGE = performance.PAGE.read_text(encoding="utf-8")
MEASURED = json.loads(performance.DATA.read_text(encoding="utf-8"))["parts"]


def test_the_page_has_every_table_once() -> None:
    assert sorted(re.findall("<!-- measured: (\\w+) -->", PAGE)) == sorted(TABLES)
    assert PAGE.count("<!-- end -->") == len(TABLES)


def test_the_page_and_its_plots_are_of_the_figures_that_are_kept() -> None:
    assert performance.written(PAGE, MEASURED) == PAGE, "make performance, or python -m tools.performance write"
    rows = {name: part["rows"] for name, part in MEASURED.items()}
    for name, plot in performance.PLOTS.items():
        assert f"({name})" in PAGE
        assert (performance.ROOT / "docs" / name).read_text(encoding="utf-8") == plot(rows)


@pytest.mark.parametrize("store", ["redis", "sqlite"])
def test_every_table_and_plot_has_its_part(store: str) -> None:
    parts = {part.name: part for part in performance.parts(store)}
    assert set(MEASURED) == set(parts)
    assert {name for needs, _ in TABLES.values() for name in needs} | {"resident", "nodes"} == set(parts)
    assert all(store in part.arguments or part.name in ("floor", "lists") for part in parts.values())
    assert sum(part.seconds for part in parts.values()) < 600


def test_what_is_not_measured_stays_as_it_is() -> None:
    assert performance.written(PAGE, {}) == PAGE


def test_a_part_that_needs_what_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Part("a", "", (), 1), Part("b", "", (), 1, needs="no-such-program")
    assert possible([one, other]) == ([one], [other])


def test_a_part_of_another_name_is_refused() -> None:
    with pytest.raises(SystemExit, match="no such part: nosuch; there are requests,"):
        performance.measure(["nosuch"])
