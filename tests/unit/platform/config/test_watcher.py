# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest
from gevent.queue import Empty, Queue

from submgr.platform.config.watcher import ConfigWatcher


@pytest.fixture
def seen() -> list[str]:
    return []


def test_the_watcher_reports_a_new_content_once_and_when_it_has_settled(tmp_path: Path, seen):
    path = tmp_path / "config.yaml"
    path.write_text("one")
    watcher = ConfigWatcher(str(path), "one", seen.append)
    watcher.look()
    path.write_text("tw")
    watcher.look()
    path.write_text("two")
    watcher.look()
    assert seen == []  # it was changing
    for _ in range(3):
        watcher.look()
    assert seen == ["two"]
    os.utime(path)
    watcher.look()
    assert seen == ["two"]


def test_the_watcher_sees_a_config_map_swap(tmp_path: Path, seen):
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "config.yaml").write_text(version)
    (tmp_path / "..data").symlink_to("1")
    (tmp_path / "config.yaml").symlink_to("..data/config.yaml")
    watcher = ConfigWatcher(str(tmp_path / "config.yaml"), "1", seen.append)
    watcher.look()
    (tmp_path / "..new").symlink_to("2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    watcher.look()
    watcher.look()
    assert seen == ["2"]


def test_a_file_that_is_missing_or_not_text_changes_nothing(tmp_path: Path, seen, caplog):
    path = tmp_path / "config.yaml"
    path.write_text("one")
    watcher = ConfigWatcher(str(path), "one", seen.append)
    path.unlink()
    for _ in range(3):
        watcher.look()
    path.write_bytes(b"\xff\xfe\x00")
    watcher.look()
    assert len(caplog.records) == 1
    path.write_text("one")
    watcher.look()
    watcher.look()
    assert seen == []


def test_the_watcher_runs_by_itself(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("one")
    seen = Queue()
    watcher = ConfigWatcher(str(path), "one", seen.put, interval=0.001)
    watcher.start()
    path.write_text("two")
    assert seen.get(timeout=5) == "two"
    watcher.stop()
    path.write_text("three")
    with pytest.raises(Empty):
        seen.get(timeout=0.01)
