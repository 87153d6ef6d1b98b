# SPDX-License-Identifier: Apache-2.0
"""The example of the guide runs, and its tables name everything there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from submgr.rmr.routing.reader import parse_routes

GUIDE = (Path(__file__).parents[2] / "docs" / "rmr.md").read_text(encoding="utf-8")


def test_the_example_of_the_guide_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    done = subprocess.run([sys.executable, "-W", "error", "-c", example], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["received a subscription for gnb_001", "answered admitted to request 1"]


def test_the_records_of_the_guide_are_good() -> None:
    section = GUIDE.partition("## Route tables")[2].partition("\n\n")[2].partition("\n\n")[0]
    records = [re.split(r" {2,}| \.\.\. ", line.strip())[0] for line in section.splitlines()]
    records = [record for record in records if not record.startswith("updatert")]
    table = parse_routes("\n".join(records))
    assert len(table.routes) == 2
    assert table.meids == {"gnb_001": "e2term:38000", "gnb_002": "e2term:38000"}


def test_every_variable_is_in_the_table() -> None:
    source = (Path(__file__).parents[2] / "submgr" / "rmr" / "environment.py").read_text(encoding="utf-8")
    assert set(re.findall(r"RMR_[A-Z_]+[A-Z]", source)) <= set(re.findall(r"RMR_[A-Z_]+[A-Z]", GUIDE))
