# SPDX-License-Identifier: Apache-2.0
"""Configuration and data files that are large, or full of mistakes: they are read beside everything else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.waiting import eventually

from mec.ams.uses import Uses
from mec.common.settings import MecSettings
from mec.manager.data_file import DataFileLoader
from mec.manager.user_records import UserRecords
from submgr.platform.beside import BesideError, run_beside
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.store.memory import MemoryStore
from submgr.settings.live import LiveSettings
from submgr.settings.loader import load

IMSI = "00101{:010}"


def test_a_configuration_of_a_megabyte_holds_up_nobody(tmp_path: Path, longest_gap: Callable[[], float]) -> None:
    live, file = LiveSettings(load("", {}), {}), tmp_path / "config.yaml"
    file.write_text("")
    watcher = ConfigWatcher(str(file), "", lambda text: live.apply(text) and None, interval=0.01)
    watcher.start()
    try:
        lines = [f"  name{number}: [{'x' * 50}]\n" for number in range(14_000)]
        file.write_text("controls: {dbTryCount: 7}\nwrong:\n" + "".join(lines))
        assert file.stat().st_size > 900_000
        eventually(lambda: live.current.controls.db_try_count == 7)
        assert longest_gap() < 0.25
        file.write_text("controls: {dbTryCount: 8}\nwrong: " + "[" * 500_000)
        eventually(lambda: live.reload_refused)
        file.write_text("controls: {dbTryCount: 9}\n")
        eventually(lambda: live.current.controls.db_try_count == 9)
        assert longest_gap() < 0.25
    finally:
        watcher.stop()


def test_a_data_file_with_mistakes_holds_up_nobody(
    tmp_path: Path, longest_gap: Callable[[], float], caplog: pytest.LogCaptureFixture
) -> None:
    store, settings = MemoryStore(), MecSettings(mec_id=5)
    store.start()
    users, uses = UserRecords(settings, store), Uses(store, 5)
    file = tmp_path / "data.json"
    file.write_text(json.dumps({"users": []}))
    loader = DataFileLoader(str(file), users, uses)
    loader.start()
    entries: list[dict[str, object]] = [
        {"imsi": IMSI.format(number), "subscriptionData": {"n": number}} for number in range(10_000)
    ]
    for number in range(0, 10_000, 1000):
        entries[number]["imsi"] = "wrong"
    file.write_text(json.dumps({"users": entries}, indent=1))
    try:
        eventually(lambda: len(users) == 9_990)
        (record,) = [each for each in caplog.records if each.message == "entries of the data file left out"]
        told: list[str] = vars(record)["problems"]
        assert told[0].startswith("line 4: users[0].imsi")
        assert told[9].startswith(f"line {4 + 9000 * 6}: users[9000].imsi")
        assert longest_gap() < 0.25
    finally:
        loader.stop()
        store.stop()


def test_work_beside_is_bounded_in_time_and_memory_and_its_failure_has_words(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys, time\ntime.sleep(len(sys.stdin.read()))\nprint('done')")
    assert run_beside(str(program), b"") == b"done\n"
    begun = time.monotonic()
    with pytest.raises(BesideError, match=r"not done within 0\.5 s"):
        run_beside(str(program), b"x" * 60, seconds=0.5)
    assert time.monotonic() - begun < 30
    program.write_text("raise ValueError('no')")
    with pytest.raises(BesideError, match=r"program failed \(1\): ValueError: no"):
        run_beside(str(program), b"")
    program.write_text("bytes(1 << 30)")
    with pytest.raises(BesideError, match=r"program failed \(1\): MemoryError"):
        run_beside(str(program), b"")
