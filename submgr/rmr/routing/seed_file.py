# SPDX-License-Identifier: Apache-2.0
"""Reads route tables from the seed file (RMR_SEED_RT)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import gevent

from submgr.platform.native_threads import in_thread
from submgr.platform.supervised import SupervisedLoop
from submgr.rmr.routing.lines import Lines
from submgr.rmr.routing.reader import LARGEST_TABLE, FileReader
from submgr.rmr.routing.table import RouteTable, RouteTableError

_LOG = logging.getLogger(__name__)
_PIECE = 1 << 18
_INTERVAL_GOOD = 60.0
_INTERVAL_BAD = 1.0


class SeedFile:
    """The route table file. `trouble` says why no table can be taken from the file; "" when there is one.

    A file that cannot be read, or has no complete table, changes nothing: the table in force stays. Records that cannot
    be read are skipped.
    """

    def __init__(self, path: Path, apply: Callable[[RouteTable], None]) -> None:
        self.path = path
        self.trouble = ""
        self._apply = apply
        self._own_names: frozenset[str] = frozenset()
        self._digest = b""
        self._table: RouteTable | None = None
        self._loop = SupervisedLoop("route table file", self._step)

    def load(self, own_names: frozenset[str]) -> None:
        """Reads the file once and applies its table. `own_names` are the "host:port" names of this process."""
        self._own_names = own_names
        self._read()

    def watch(self) -> None:
        """From now on reads the file again: every 60 s, every second while it is not good."""
        self._loop.start()

    def stop(self) -> None:
        """Stops reading."""
        self._loop.stop(block=False)

    def _step(self) -> None:
        gevent.sleep(_INTERVAL_BAD if self.trouble else _INTERVAL_GOOD)
        self._read()

    def _read(self) -> None:
        try:
            digest, table = in_thread(self._parse)
        except (OSError, RouteTableError) as bad:
            self._bad(f"route table file {self.path}: {bad}")
            return
        self.trouble = ""
        if digest == self._digest or table is None:
            return
        self._digest, self._table = digest, table
        _LOG.info("rmr: route table file %s applied, %d routes", self.path, len(table.routes))
        if table.unread.count:
            _LOG.warning("rmr: route table file %s: %s", self.path, table.unread.told())
        self._apply(table)

    def _parse(self) -> tuple[bytes, RouteTable | None]:
        """Runs on a native thread, since a file system may hang and a large table takes its time.

        Returns the digest of the text, and its table when the text has changed.
        """
        digest = self._digest_now()
        return digest, None if digest == self._digest else self._table_now()

    def _digest_now(self) -> bytes:
        digest = sha256()
        with self.path.open("rb") as file:
            while piece := file.read(_PIECE):
                if file.tell() > LARGEST_TABLE:
                    raise OSError(f"larger than {LARGEST_TABLE} bytes")
                digest.update(piece)
        return digest.digest()

    def _table_now(self) -> RouteTable:
        lines, reader = Lines(), FileReader(self._own_names, self._table)
        with self.path.open("rb") as file:
            while (piece := file.read(_PIECE)) and file.tell() <= LARGEST_TABLE:
                reader.take(lines.take(piece, more=True))
        reader.take(lines.take(b"", more=False))
        return reader.finish()

    def _bad(self, trouble: str) -> None:
        if trouble != self.trouble:
            _LOG.error("rmr: %s", trouble)
        self.trouble = trouble
