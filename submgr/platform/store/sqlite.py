# SPDX-License-Identifier: Apache-2.0
"""The store in one SQLite file, for a run without redis.

An acknowledged write survives the end of the process, however the process ends. A power cut may take the writes
of the last moments, but never damages the file: SQLite does not force its log to the disk with every commit
(`synchronous=NORMAL`). Redis with its default (once a second) promises no more.

A disk that is full, or cannot be written, is no end: reads go on, every write is refused, and the backend tries one
whenever it is asked for its state. A file that cannot even be opened because of it is opened as soon as there is room.

The calls of SQLite block, so one thread makes them, one after the other. A call that was given up is therefore over
before the next one begins.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import gevent

from submgr.platform.native_threads import NativeThreads
from submgr.platform.store.base import (
    OwnDatabase,
    StoreError,
    StoreObserver,
    StoreRefusesWrites,
    StoreTimeout,
    StoreUnavailable,
)
from submgr.platform.store.committing import CommittingStore

_T = TypeVar("_T")

_LOG_PAGES = 256
"""Pages of 4 KiB after which changes go from the log into the file."""
_LAYOUT = 1
_WHOLE = 30.0  # seconds for a call that goes through a whole namespace or file
_TRIED = 8192  # bytes of a write that is tried: more than a page, so that it shows whether there is room
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_CANNOT_WRITE = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
)
_KEYS_AT_A_TIME = 500  # SQLite takes 999 parameters at least


class SqliteBackend(OwnDatabase):
    """The `StoreBackend` of SQLite.

    `path`: the database file; it and its directories are made when missing. `timeout`: of one call, in seconds.
    """

    def __init__(self, path: str | Path, *, timeout: float = 2.0) -> None:
        self._path = Path(path)
        self._timeout = timeout
        self._threads: NativeThreads | None = None
        self._connection: sqlite3.Connection | None = None
        self._doubtful = True
        """Whether the next write may be refused: the last one was, or there was none yet."""
        self._file = (0, 0)
        """Device and inode of the file that is open."""

    def open(self) -> None:
        self._threads = NativeThreads(1)
        self._doubtful = True
        try:
            self._open_now()
        except StoreRefusesWrites:
            pass  # `probe` opens it when there is room
        except StoreError:
            self.close()
            raise

    def _open_now(self) -> None:
        # Longer than a call: SQLite first takes over what a crash left in its log.
        self._connection = self._call(self._open, timeout=_WHOLE)

    def close(self) -> None:
        threads, connection = self._threads, self._connection
        self._threads = self._connection = None
        if threads is None:
            return
        if connection is not None:
            threads.begin(connection.close).wait(self._timeout)
        threads.stop()

    def probe(self) -> None:
        if self._connection is None:
            try:
                self._open_now()
            except StoreRefusesWrites as refused:
                raise StoreUnavailable(str(refused)) from refused
        if self._doubtful or not self._call(self._is_well):
            self._doubtful = True
            self._call(self._try_write)
            self._doubtful = False

    def write(self, namespace: str, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        rows = [(namespace, key, value) for key, value in values.items()]
        gone = [(namespace, key) for key in removals]
        try:
            self._call(partial(self._write, rows, gone))
        except StoreRefusesWrites:
            self._doubtful = True
            raise

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        rest = iter(keys)
        while piece := list(islice(rest, _KEYS_AT_A_TIME)):
            marks = ",".join("?" * len(piece))
            query = f"SELECT key, value FROM entry WHERE namespace = ? AND key IN ({marks})"
            found.update(self._call(partial(self._rows, query, namespace, *piece)))
        return found

    def read_all(self, namespace: str) -> dict[str, bytes]:
        query = "SELECT key, value FROM entry WHERE namespace = ?"
        return dict(self._call(partial(self._rows, query, namespace), timeout=_WHOLE))

    def keys(self, namespace: str) -> set[str]:
        query = "SELECT key FROM entry WHERE namespace = ?"
        return {key for (key,) in self._call(partial(self._rows, query, namespace), timeout=_WHOLE)}

    def _call(self, function: Callable[[], _T], *, timeout: float | None = None) -> _T:
        """Runs `function` in the thread. Its errors become StoreErrors."""
        threads = self._threads
        if threads is None:
            raise StoreUnavailable(f"{self._path} is closed")

        limit = gevent.Timeout.start_new(timeout or self._timeout)
        begun = False
        try:
            running = threads.begin(function)  # waits while the thread is busy
            begun = True
            return running.get()
        except (sqlite3.Error, OSError) as failure:
            kind = StoreRefusesWrites if self._no_room(failure) else StoreError
            raise kind(self._explained(failure)) from failure
        except gevent.Timeout as given_up:
            if given_up is not limit:
                raise
            late = StoreTimeout if begun else StoreUnavailable
            raise late(f"{self._path}: the disk does not answer") from None
        finally:
            limit.close()

    def _no_room(self, error: Exception) -> bool:
        """Whether the disk takes nothing, so that there is nothing wrong with the file itself."""
        if isinstance(error, OSError):
            return error.errno in _NO_ROOM
        code = getattr(error, "sqlite_errorcode", 0)
        if code & 0xFF == sqlite3.SQLITE_CANTOPEN:  # SQLite does not tell why
            with suppress(OSError):
                return os.statvfs(self._path.parent).f_bavail == 0
        return code & 0xFF == sqlite3.SQLITE_FULL or code in _CANNOT_WRITE

    def _explained(self, error: Exception) -> str:
        if isinstance(error, sqlite3.Error):
            # The lower byte is the kind. Errors of the sqlite3 module itself have no code.
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_BUSY:
                return f"{self._path} is in use by another process"
            if self._no_room(error):
                return f"{self._path} cannot be written, make room on its disk ({error})"
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                return f"{self._path} is damaged or no database ({error}): move it away, or restore a copy"
            if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                return f"{self._path} cannot be written ({error}): check its owner and its directory"
            return f"{self._path}: {error} ({getattr(error, 'sqlite_errorname', 'no code')})"
        return f"{self._path}: {error}"

    # In the thread

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and not os.access(self._path, os.W_OK):
            raise StoreError(f"{self._path} cannot be written (permission denied): check its owner and its directory")
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            # Exclusive: a second process on the file is refused, and no shared memory file is needed.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            # The log of changes stays small, and an old one makes room first: on a small disk it may be what fills it.
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("BEGIN EXCLUSIVE")
            if self._check(connection) != _LAYOUT:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS entry"
                    " (namespace TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (namespace, key))"
                )
                connection.execute(f"PRAGMA user_version = {_LAYOUT}")
            connection.execute("COMMIT")
            self._file = _identity(self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> int:
        """The layout of the file, 0 for a new one. Raises StoreError for one that cannot be used."""
        layout: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if layout not in (0, _LAYOUT):
            raise StoreError(f"{self._path} has layout {layout}, made by a newer version; this one knows {_LAYOUT}")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise StoreError(f"{self._path} is damaged ({verdict}): move it away, or restore a copy")
        return layout

    def _is_well(self) -> bool:
        """Whether the disk looks as if it took a write.

        Raises StoreError when a start would not find what is stored: a file that is open takes writes also when it has
        been removed.
        """
        self._rows("SELECT 1")
        if not self._path.exists() or _identity(self._path) != self._file:
            raise StoreError(f"{self._path} was removed or replaced while it was in use: put it back")
        disk = os.statvfs(self._path)
        return disk.f_bavail > 0 and not disk.f_flag & os.ST_RDONLY

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreUnavailable(f"{self._path} is not open: there was no room on its disk")
        return self._connection

    def _rows(self, query: str, *parameters: str) -> list[Any]:
        return self._opened().execute(query, parameters).fetchall()

    def _try_write(self) -> None:
        """Writes a value in a namespace that nobody has, and takes it back. In one step it would not reach the disk."""
        self._write([("", "", bytes(_TRIED))], [])
        self._write([], [("", "")])

    def _write(self, rows: list[tuple[str, str, bytes]], gone: list[tuple[str, str]]) -> None:
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", rows)
            connection.executemany("DELETE FROM entry WHERE namespace = ? AND key = ?", gone)
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _identity(path: Path) -> tuple[int, int]:
    """What tells a file from another one of the same name. Raises OSError."""
    found = path.stat()
    return found.st_dev, found.st_ino


class SqliteStore(CommittingStore):
    """A `Store` in the SQLite file `path`. Only one process may have it open."""

    def __init__(self, path: str | Path, *, timeout: float = 2.0, observer: StoreObserver | None = None) -> None:
        super().__init__(SqliteBackend(path, timeout=timeout), patience=timeout, observer=observer)
