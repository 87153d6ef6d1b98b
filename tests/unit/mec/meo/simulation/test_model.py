# SPDX-License-Identifier: Apache-2.0
"""The simulation: repeatable, and what it says of the scores holds."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from mec.meo.bench import measure
from mec.meo.cli import simulate
from mec.meo.placement import Rules
from mec.meo.simulation.chart import chart
from mec.meo.simulation.model import SCENARIOS, STRATEGIES, Result, Simulation, Size, compare
from mec.meo.simulation.report import MEASURES, table

SMALL = Size(platforms=40, contexts=600, hours=0.4, stay=600.0)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def run(scenario: str, strategy: str, seed: int = 1) -> Result:
    return Simulation(BY_NAME[scenario], SMALL, strategy, Rules(), seed).run(5)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_leads_to_the_same(strategy: str) -> None:
    assert run("keys are scarce", strategy) == run("keys are scarce", strategy) != run("keys are scarce", strategy, 2)


def test_looking_at_both_load_and_keys_is_better_than_looking_at_neither() -> None:
    for scenario in ("load is scarce", "keys are scarce"):
        results = compare(BY_NAME[scenario], SMALL, Rules(), seeds=range(2), migrations_per_round=5)
        assert results["product"].overload < results["random"].overload
    assert results["key"].keyless < results["load"].keyless


def test_more_than_there_is_is_rejected_in_part() -> None:
    result = run("too much is asked for", "random")
    assert 0.0 < result.rejected < 0.5
    assert run("enough of both", "random").rejected == 0.0


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Result]]:
    figures = {name: Result(0.1 * n, 0.2, 0.3, 0.4, 0.9) for n, name in enumerate(STRATEGIES)}
    return {"one": figures, "two": figures}


def test_table(results: dict[str, dict[str, Result]]) -> None:
    lines = table(results).splitlines()
    assert len(lines) == 2 + 2 * len(STRATEGIES)
    assert lines[2].startswith("| one | product | **0.0%** |")
    assert lines[3].startswith("|  | load | 10.0% |")
    assert len({line.count("|") for line in lines}) == 1


def test_chart(results: dict[str, dict[str, Result]]) -> None:
    root = ElementTree.fromstring(chart(results))
    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == len(MEASURES) * len(results) * len(STRATEGIES)
    assert "two, key: 20.0%" in titles


def test_command(tmp_path: Path) -> None:
    path = tmp_path / "chart.svg"
    options = ["--platforms", "5", "--contexts", "20", "--hours", "0.05", "--stay", "60", "--runs", "1"]
    options += ["--chart", str(path)]
    done = CliRunner().invoke(simulate, options)
    assert done.exit_code == 0
    for text in (done.stdout, path.read_text()):
        assert all(scenario.name in text for scenario in SCENARIOS)


def test_admissions_grow_no_worse_than_linearly() -> None:
    timings = {timing.platforms: timing for timing in measure((100, 1000), times=60)}
    assert timings[1000].draw < 20 * timings[100].draw
