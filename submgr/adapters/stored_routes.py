# SPDX-License-Identifier: Apache-2.0
"""The last route table of the Routing Manager, kept with the records.

The Routing Manager sends a full table only now and then. With the kept one, whoever starts or takes over sends at once.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from time import monotonic

import gevent

from submgr.platform.inflating import ZLIB, inflated
from submgr.platform.native_threads import in_thread
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import in_turns
from submgr.rmr.routing.lines import Lines
from submgr.rmr.routing.reader import FileReader
from submgr.rmr.routing.table import RouteTable, RouteTableError

log = logging.getLogger(__name__)

LARGEST = 4 << 20
"""Bytes of a table as it is kept. One that is larger is not kept."""
_LARGEST_TEXT = 64 << 20
_PIECE_LINES = 1000
_SHORTEST_PAUSE = 1.0
_PAUSE_FACTOR = 10
"""The pause after a table is so many times as long as keeping it took."""


class StoredRoutes:
    """Keeps the newest of the tables that come, one after the other, by `save`. It keeps nothing before `start`."""

    def __init__(self, save: Callable[[bytes], None]) -> None:
        self._save = save
        self._next: RouteTable | None = None
        self._saved: bytes | None = None
        self._started = False
        self._writer = SupervisedLoop("kept route table", self._step)

    def start(self) -> None:
        self._started = True
        self._write_soon()

    def stop(self) -> None:
        self._started = False
        self._writer.stop()

    def keep(self, table: RouteTable) -> None:
        """A new table is in force. Does not block."""
        self._next = table
        self._write_soon()

    def _write_soon(self) -> None:
        if self._started and self._next is not None:
            self._writer.start()

    def _step(self) -> bool:
        """Keeps the last table. Returns whether there was one."""
        table, self._next = self._next, None
        if table is None:
            return False
        begun = monotonic()
        data = packed(table)
        if len(data) > LARGEST:
            log.warning("the route table is too large to be kept: %d bytes", len(data))
        elif data != self._saved:
            self._saved = data
            self._save(data)
        gevent.sleep(max(_SHORTEST_PAUSE, _PAUSE_FACTOR * (monotonic() - begun)))
        return True


def packed(table: RouteTable) -> bytes:
    """The table as it is kept: its text, compressed. Others have their turn meanwhile."""
    deflate = zlib.compressobj()
    done: list[bytes] = []
    lines: list[str] = []
    for line in in_turns(table.lines()):
        lines.append(line)
        if len(lines) >= _PIECE_LINES:
            done.append(in_thread(deflate.compress, _text(lines)))
            lines = []
    done.append(in_thread(deflate.compress, _text(lines)))
    return b"".join([*done, deflate.flush()])


def unpacked(data: bytes) -> RouteTable | None:
    """The table that was kept; None, with a warning, for what cannot be read. Others have their turn meanwhile."""
    try:
        return in_thread(_unpacked, data)
    except (zlib.error, RouteTableError, ValueError) as bad:
        log.warning("the kept route table cannot be read: %s", bad)
        return None


def _unpacked(data: bytes) -> RouteTable:
    lines, reader = Lines(), FileReader()
    for piece in inflated(data, ZLIB, _LARGEST_TEXT):
        reader.take(lines.take(piece, more=True))
    reader.take(lines.take(b"", more=False))
    return reader.finish()


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
