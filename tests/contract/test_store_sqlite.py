# SPDX-License-Identifier: Apache-2.0
"""The store in a SQLite file: crashes, a second process, and files and disks that are not as they should be."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import gevent
import pytest
from support.processes.children import spawn
from support.waiting import eventually

from submgr.platform.store.base import Change, StoreError, StoreTimeout, StoreUnavailable
from submgr.platform.store.sqlite import SqliteBackend, SqliteStore

NS = "submgr_e2SubsDb"

PRELUDE = """
import sys
from submgr.platform.store.base import Change, StoreError, StoreRefusesWrites
from submgr.platform.store.sqlite import SqliteStore
NS, path = "submgr_e2SubsDb", sys.argv[1]
"""


def process(program: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PRELUDE + textwrap.dedent(program), str(path)]
    return spawn(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def output_of(program: str, path: Path) -> str:
    with process(program, path) as running:
        output, errors = running.communicate(timeout=60)
    assert (running.returncode, errors) == (0, "")
    return output


def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    store.start()
    return store


def refusal(path: Path) -> str:
    """What `start()` says about this path."""
    store = SqliteStore(path)
    with pytest.raises(StoreError) as caught:
        store.start()
    assert not store.reachable()
    with pytest.raises(StoreUnavailable):
        store.read(NS, {"k"})
    store.stop()
    return str(caught.value)


def filled(path: Path, count: int = 200) -> None:
    store = opened(path)
    store.write(Change(NS, {f"{n}": bytes(700) for n in range(count)}))
    store.stop()


def test_an_acknowledged_write_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "submgr.db"
    writer = process(
        """
        store = SqliteStore(path)
        store.start()
        for n in range(100_000):
            store.write(Change(NS, {"a": b"%d" % n, "b": b"%d" % n, f"{n}": b"x" * 700}, frozenset({f"{n - 10}"})))
            print(n, flush=True)
        """,
        path,
    )
    assert writer.stdout is not None
    with writer:
        lines = [writer.stdout.readline() for _ in range(300)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    assert writer.returncode == -signal.SIGKILL
    last = max(int(line) for line in lines if line.endswith("\n"))
    store = opened(path)
    found = store.read_all(NS)
    store.stop()
    assert found["a"] == found["b"]
    # one more may have been written than was told
    assert last <= int(found["a"]) <= last + 1
    newest = int(found["a"])
    assert found.keys() == {"a", "b", *(f"{n}" for n in range(newest - 9, newest + 1))}


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "submgr.db"
    first = opened(path)
    first.write(Change(NS, {"k": b"first"}))
    told = output_of(
        """
        try:
            SqliteStore(path).start()
        except StoreError as error:
            print(error)
        """,
        path,
    )
    assert told == f"{path} is in use by another process\n"
    assert refusal(path) == f"{path} is in use by another process"
    first.write(Change(NS, {"k": b"still first"}))
    first.stop()
    second = opened(path)
    assert second.read_all(NS) == {"k": b"still first"}
    second.stop()


def test_a_refused_start_can_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "submgr.db"
    first, second = opened(path), SqliteStore(path)
    with pytest.raises(StoreError):
        second.start()
    first.stop()
    second.start()
    second.write(Change(NS, {"k": b"x"}))
    second.stop()


@pytest.mark.parametrize("content", [b"not a database, " * 1000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "submgr.db"
    path.write_bytes(content)
    assert str(path) in refusal(path)
    assert path.read_bytes() == content


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "submgr.db"
    filled(path)
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 100] = b"\xff" * 100
    path.write_bytes(content)
    assert "damaged" in refusal(path)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "submgr.db"
    filled(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    assert "layout 7" in refusal(path)


def test_a_path_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert str(tmp_path / "file") in refusal(tmp_path / "file" / "submgr.db")
    assert "check its owner and its directory" in refusal(tmp_path)


@pytest.mark.parametrize("state", ["empty directory", "existing database", "only the directory"])
def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path, state: str) -> None:
    place = tmp_path / "place"
    place.mkdir()
    path = place / "submgr.db"
    if state != "empty directory":
        filled(path)
        path.chmod(0o444 if state == "existing database" else 0o666)
    place.chmod(0o555)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:
        if parent.stat().st_uid == os.getuid():
            parent.chmod(parent.stat().st_mode | 0o055)
    told = output_of(
        """
        import os, tempfile
        # Before the privileges go: everything is imported, from where perhaps only root may read.
        with tempfile.TemporaryDirectory() as elsewhere:
            store = SqliteStore(f"{elsewhere}/submgr.db")
            store.start()
            store.stop()
        root = os.getuid() == 0
        if root:  # nothing is read-only to root
            os.setgroups([])
            os.setresgid(65534, 65534, 0)
            os.setresuid(65534, 65534, 0)
        try:
            SqliteStore(path).start()
        except StoreError as error:
            print(error)
        if root:  # the end of the interpreter may read and write files, too
            os.setresuid(0, 0, 0)
            os.setresgid(0, 0, 0)
        """,
        path,
    )
    place.chmod(0o755)
    assert told.startswith(f"{path} cannot be written (")


def test_a_full_disk_refuses_writes_and_keeps_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "submgr.db"
    told = output_of(
        """
        import logging
        import resource
        logging.disable()
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
        store = SqliteStore(path)
        store.start()
        written, refused = {}, []
        for n in range(1000):
            try:
                store.write(Change(NS, {f"{n}": bytes(1000)}))
                written[f"{n}"] = bytes(1000)
            except StoreError as error:
                refused.append(error)
        assert len(written) >= 50 and len(refused) >= 50, (len(written), len(refused))
        assert isinstance(refused[0], StoreRefusesWrites), refused[0]
        assert store.reachable()
        assert store.read_all(NS) == written
        try:
            store.write(Change(NS, {"wanted": bytes(1000)}), persistent=True)
        except StoreError:
            pass
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        store.write(Change(NS, {"more": b"x"}))
        store.stop()
        store.start()
        found = store.read_all(NS)
        assert found == {**written, "more": b"x", "wanted": bytes(1000)}, found.keys() ^ written.keys()
        store.stop()
        print(refused[0])
        """,
        path,
    )
    assert told.startswith(f"{path} cannot be written, make room on its disk")


def test_a_disk_that_does_not_answer_holds_up_neither_the_process_nor_the_order(tmp_path: Path) -> None:
    """The thread of the database is kept busy, as by a disk that hangs."""
    store = SqliteStore(tmp_path / "submgr.db", timeout=0.2)
    store.start()
    store.write(Change(NS, {"k": b"before"}))
    threads = store._backend._threads
    read_end, write_end = os.pipe()
    threads.begin(os.read, read_end, 1)
    turns = 0
    late = gevent.spawn(store.write, Change(NS, {"k": b"late"}))
    while not late.ready():
        gevent.sleep(0.01)
        turns += 1
    assert turns >= 5
    assert isinstance(late.exception, StoreTimeout | StoreUnavailable)
    assert not store.reachable()
    os.write(write_end, b"x")
    eventually(lambda: store.reachable() and not store.stats().repairs_pending, 5)
    assert store.read_all(NS) == {"k": b"before"}
    store.stop()
    os.close(read_end)
    os.close(write_end)


def test_no_more_files_than_the_database_are_left(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "submgr.db"
    filled(path, 2000)
    assert [each.name for each in path.parent.iterdir()] == ["submgr.db"]


def test_the_log_of_changes_stays_small_and_an_old_one_makes_room_at_a_start(tmp_path: Path) -> None:
    path, copy = tmp_path / "submgr.db", tmp_path / "copy.db"
    log, old = Path(f"{path}-wal"), Path(f"{copy}-wal")
    backend = SqliteBackend(path)
    backend.open()
    largest = 0
    for number in range(1500):
        backend.write("a", {"key": bytes(4000) + str(number).encode()}, [])
        largest = max(largest, log.stat().st_size)
    assert 0 < largest < 2 * 1024 * 1024
    copy.write_bytes(path.read_bytes())  # as a process leaves it that is killed
    old.write_bytes(log.read_bytes())
    backend.close()
    again = SqliteBackend(copy)
    again.open()
    assert old.stat().st_size < largest / 2
    assert again.read("a", {"key"})["key"].endswith(b"1499")
    again.close()


def test_a_file_that_is_taken_away_is_noticed_without_any_write(tmp_path: Path) -> None:
    path, away = tmp_path / "submgr.db", tmp_path / "away.db"
    store = opened(path)
    store.write(Change(NS, {"k": b"v"}))
    assert store.trouble() is None
    path.rename(away)
    eventually(lambda: store.trouble() is not None, 10)
    assert "was removed or replaced while it was in use: put it back" in str(store.trouble())
    path.write_bytes(b"")
    eventually(lambda: store.trouble() is not None, 10)
    away.rename(path)
    eventually(lambda: store.trouble() is None, 10)
    assert store.read_all(NS) == {"k": b"v"}
    store.stop()
