# SPDX-License-Identifier: Apache-2.0
"""A file of a route table that cannot be read: one line in the log, no traceback, nothing else is hurt."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from submgr.rmr.routing.seed_file import SeedFile
from submgr.rmr.routing.table import RouteTable


@pytest.fixture
def nothing_printed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.usefixtures("nothing_printed")
def test_a_seed_file_that_is_a_directory_or_no_table_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    applied: list[RouteTable] = []
    seed = tmp_path / "routes"
    file = SeedFile(seed, applied.append)
    for _ in range(3):
        file.load(frozenset())
    assert "No such file" in file.trouble
    seed.mkdir()
    for _ in range(3):
        file.load(frozenset())
    assert "Is a directory" in file.trouble
    seed.rmdir()
    seed.write_text("no table\n")
    for _ in range(3):
        file.load(frozenset())
    assert applied == []
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 3
