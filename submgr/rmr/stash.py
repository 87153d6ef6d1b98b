# SPDX-License-Identifier: Apache-2.0
"""Writes the table in force to the stash file (RMR_STASH_RT)."""

from __future__ import annotations

import logging
from pathlib import Path
from time import monotonic

import gevent

from submgr.platform.native_threads import in_thread
from submgr.platform.sparse_log import Sparsely
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import in_turns
from submgr.rmr.routing.table import RouteTable

_LOG = logging.getLogger(__name__)
_PIECE_LINES = 4096
_PAUSE_FACTOR = 10
"""The pause after a table is so many times as long as writing it took."""
_LONGEST_PAUSE = 30.0


class Stash:
    """Writes one table after the other, by way of `path`.inc, so that the file is never seen half written.

    Of several tables that come while one is being written only the last is written. A file that cannot be written is
    logged, once a minute at most.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = Path(f"{path}.inc")
        self._next: RouteTable | None = None
        self._writer = SupervisedLoop("route table stash", self._step)
        self._log = Sparsely(_LOG)

    def save(self, table: RouteTable) -> None:
        """Writes the table soon. Never blocks, never raises."""
        self._next = table
        self._writer.start()

    def stop(self) -> None:
        """Writes no more."""
        self._writer.stop(block=False)

    def _step(self) -> bool:
        """Writes the last table. Returns whether there was one."""
        table, self._next = self._next, None
        if table is None:
            return False
        begun = monotonic()
        try:
            self._write(table)
        except OSError as bad:
            self._log.warning("stash", str(self._path), f"route table not saved: {bad}")
        gevent.sleep(min(_PAUSE_FACTOR * (monotonic() - begun), _LONGEST_PAUSE))
        return True

    def _write(self, table: RouteTable) -> None:
        lines: list[str] = []
        in_thread(self._unfinished.write_bytes, b"")
        for line in in_turns(table.snapshot().lines()):
            lines.append(line)
            if len(lines) >= _PIECE_LINES:
                in_thread(self._append, lines)
                lines = []
        in_thread(self._append, lines)
        in_thread(self._unfinished.replace, self._path)

    def _append(self, lines: list[str]) -> None:
        with self._unfinished.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
