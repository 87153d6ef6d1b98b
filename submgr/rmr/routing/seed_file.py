# SPDX-License-Identifier: Apache-2.0
"""Reads route tables from the seed file (RMR_SEED_RT), and writes a table to the stash file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent

from submgr.platform.native_threads import in_thread
from submgr.rmr.routing.reader import parse_routes
from submgr.rmr.routing.table import RouteTable, RouteTableError

_LOG = logging.getLogger(__name__)
_LARGEST_FILE = 64 << 20
_INTERVAL_GOOD = 60.0
_INTERVAL_BAD = 1.0


class SeedFile:
    """The route table file. `trouble` says what is wrong with the file; "" when it is good.

    A file that cannot be read or has a bad record changes nothing: the table in force stays.
    """

    def __init__(self, path: Path, apply: Callable[[RouteTable], None]) -> None:
        self.path = path
        self.trouble = ""
        self._apply = apply
        self._own_names: frozenset[str] = frozenset()
        self._text: str | None = None
        self._table: RouteTable | None = None
        self._reader: Any = None

    def load(self, own_names: frozenset[str]) -> None:
        """Reads the file once and applies its table. `own_names` are the "host:port" names of this process."""
        self._own_names = own_names
        self._read()

    def watch(self) -> None:
        """From now on reads the file again: every 60 s, every second while it is not good."""
        if self._reader is None:
            self._reader = gevent.spawn(self._watch)

    def stop(self) -> None:
        """Stops reading."""
        if self._reader is not None:
            self._reader.kill(block=False)
            self._reader = None

    def _watch(self) -> None:
        while True:
            gevent.sleep(_INTERVAL_BAD if self.trouble else _INTERVAL_GOOD)
            self._read()

    def _read(self) -> None:
        try:
            text, table = in_thread(self._parse)
        except (OSError, RouteTableError) as bad:
            self._bad(f"route table file {self.path}: {bad}")
            return
        if text == self._text:
            return
        self.trouble, self._text, self._table = "", text, table
        _LOG.info("rmr: route table file %s applied, %d routes", self.path, len(table.routes))
        self._apply(table)

    def _parse(self) -> tuple[str, RouteTable]:
        """Runs on a native thread, since a file system may hang and a large table takes its time."""
        text = _read_text(self.path)
        if self._table is not None and text == self._text:
            return text, self._table
        return text, parse_routes(text, self._own_names, self._table)

    def _bad(self, trouble: str) -> None:
        if trouble != self.trouble:
            _LOG.error("rmr: %s", trouble)
        self.trouble = trouble


def save_table(path: Path, table: RouteTable) -> None:
    """Writes a table to `path`, by way of `path`.inc so that it is never seen half written. Raises OSError."""
    unfinished = Path(f"{path}.inc")
    unfinished.write_text(table.text(), encoding="utf-8")
    unfinished.replace(path)


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(_LARGEST_FILE + 1)
    if len(raw) > _LARGEST_FILE:
        raise OSError(f"larger than {_LARGEST_FILE} bytes")
    return raw.decode(errors="replace")
