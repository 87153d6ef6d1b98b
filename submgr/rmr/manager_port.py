# SPDX-License-Identifier: Apache-2.0
"""The control port (RMR_CTL_PORT): the route manager pushes route tables to it and hears what became of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from msgspec.structs import replace

from submgr.platform.fair import Share
from submgr.platform.lease.permit import always
from submgr.platform.sparse_log import Sparsely
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import in_turns
from submgr.rmr import mtypes
from submgr.rmr.framing import SMALLEST_FRAME
from submgr.rmr.message import NO_SUB_ID, Message, Status
from submgr.rmr.routing.changes import MAX_MEMORY, Tables
from submgr.rmr.routing.lines import Lines
from submgr.rmr.routing.reader import LARGEST_TABLE, Outcome, TableBuilder
from submgr.rmr.routing.table import RouteTable
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.transport import WireTransport

_LOG = logging.getLogger(__name__)
_PIECE = 1 << 16
"""Bytes of a frame from which on its payload is taken in pieces."""
_BATCH = 4
"""Lines that are read before the others may have their turn."""
_LARGE = 20_000
"""Routes from which on a table that is not in force any more is freed in turns."""
_QUEUED_BYTES = 1 << 20
_MOST_CONNECTIONS = 64
"""Route managers are few."""
_MOST_UNFINISHED = 4
"""Tables that may have begun and not ended, each from another connection. One more, and the one that has been silent
for longest is given up; when they take more memory together than one may, the largest."""


class _Reader:
    """Reads the tables of one connection."""

    def __init__(self, tables: Tables) -> None:
        self.lines = Lines()
        self.builder = TableBuilder(tables=tables)
        self.last_data = 0.0


class ManagerPort:
    """Serves the route manager on a port of its own.

    A table (type 20) may come in any number of messages on one connection, and its messages may be large: they are read
    piece by piece. The port gives each complete table to `apply` and acknowledges it (type 22). It refuses a broken
    table with the line and the reason (type 22), and the table in force stays. A `manager` ("host:port") is asked for a
    table (type 21) every `interval` seconds until a full table has come. An update that comes before is kept, and its
    sender is asked when there is no `manager`.
    """

    def __init__(
        self,
        config: TransportConfig,
        apply: Callable[[RouteTable], None],
        manager: str = "",
        interval: float = 5.0,
    ) -> None:
        config = replace(
            config,
            max_frame=max(config.max_frame, LARGEST_TABLE + SMALLEST_FRAME),
            stream_above=_PIECE,
            max_connections=min(config.max_connections, _MOST_CONNECTIONS),
            receive_bytes=min(config.receive_bytes, _QUEUED_BYTES),
            may_send=always,
        )
        self._transport = WireTransport(config, self._handle, ours=frozenset((manager,)))
        self._apply = apply
        self._manager = manager
        self._interval = interval
        self._log = Sparsely(_LOG)
        self._share = Share()
        self._tables = Tables()
        self._readers: WeakKeyDictionary[Any, _Reader] = WeakKeyDictionary()
        self._served_name = ""
        self._last_data = -interval
        self._last_asked = -interval
        self._asker = SupervisedLoop("rmr table request", self._ask, longest_pause=interval)

    @property
    def port(self) -> int:
        """The port it listens on, known after start."""
        return self._transport.port

    @property
    def full(self) -> bool:
        """Whether a full table has come since the start."""
        return self._tables.full

    def start(
        self, served_name: str, own_names: frozenset[str], base: RouteTable | None = None, *, ask: bool = True
    ) -> None:
        """Listens for the tables of the transport called `served_name`. Raises TransportError.

        `own_names` are that transport's names in route tables. `base` is the table it has: a new table keeps its meids,
        but an update needs a full table of the route manager before it. `ask`: asks for a table at once.
        """
        self._served_name = served_name
        self._tables = Tables(own_names, base)
        self._transport.start()
        if ask:
            self.ask()

    def ask(self) -> None:
        """Asks the manager, if there is one, until a full table comes. What came before counts as old."""
        self._tables.full = False
        if self._manager:
            self._asker.start()

    def go_on_with(self, table: RouteTable) -> bool:
        """Takes a table of an earlier run for the one in force. False: a full table has come already."""
        if self._tables.full:
            return False
        self._tables.table = table
        return True

    def stop(self) -> None:
        """Closes the port."""
        self._asker.stop(block=False)
        self._transport.stop()

    def _ask(self) -> bool:
        if not self._tables.full and not self._table_is_coming():
            self._last_asked = time.monotonic()
            self._transport.send_to(self._manager, self._request(), self._not_asked)
        gevent.sleep(self._interval)
        return not self._tables.full

    def _table_is_coming(self) -> bool:
        """Whether a large table is on its way: another question would only have it sent once more."""
        recent = time.monotonic() - self._last_data < self._interval
        return recent and any(reader.builder.unfinished for reader in self._readers.values())

    def _request(self) -> Message:
        text = f"{self._served_name} ts={int(time.time())}\n\0"
        return Message(mtypes.RMRRM_REQ_TABLE, text.encode(), sub_id=0)

    def _not_asked(self, reason: str) -> None:
        self._log.warning("request", self._manager or "route manager", f"route table not requested: {reason}")

    def _ask_for_full(self, update: Message) -> None:
        """Asks for the full table that an update belongs to: the `manager`, or for want of one the update's sender."""
        now = time.monotonic()
        if now - self._last_asked < self._interval:
            return
        self._last_asked = now
        asked = self._request()
        if self._manager:
            self._transport.send_to(self._manager, asked, self._not_asked)
            return
        self._transport.reply(
            update, asked.mtype, asked.payload, self._not_asked, sub_id=0, xid=b"", sid=b"", meid="", d1=bytes(4)
        )

    def _handle(self, message: Message) -> None:
        if message.mtype != mtypes.RMRRM_TABLE_DATA:
            if not message.more:
                name = mtypes.name_of(message.mtype)
                self._log.warning("type", "route manager", f"message of type {name} on the control port ignored")
            return
        self._last_data = time.monotonic()
        reader = self._reader(message.origin)
        reader.last_data, unfinished = self._last_data, reader.builder.unfinished
        lines = reader.lines.take(message.payload, message.more)
        for at in range(0, len(lines), _BATCH):
            before = self._tables.table
            for outcome in reader.builder.take(lines[at : at + _BATCH]):
                if outcome.table is not None:
                    self._apply(outcome.table)
                    replaced = before is not None and before.routes is not outcome.table.routes
                    if before is not None and replaced and len(before.routes) > _LARGE:
                        gevent.spawn(_free, list(before.routes))
                        before = None
                self._answer(message, outcome)
            self._share.spend()
        if reader.builder.unfinished and (not unfinished or reader.builder.memory > MAX_MEMORY // _MOST_UNFINISHED):
            self._bound_unfinished()

    def _reader(self, origin: Any) -> _Reader:
        reader = self._readers.get(origin)
        if reader is None:
            reader = self._readers[origin] = _Reader(self._tables)
        return reader

    def _bound_unfinished(self) -> None:
        unfinished = [origin for origin, its in self._readers.items() if its.builder.unfinished]
        if len(unfinished) > _MOST_UNFINISHED:
            silent = min(unfinished, key=lambda origin: self._readers[origin].last_data)
            self._log.warning("unfinished", "route manager", "a route table that did not go on was given up")
            del self._readers[silent]
        elif sum(self._readers[origin].builder.memory for origin in unfinished) > MAX_MEMORY:
            largest = max(unfinished, key=lambda origin: self._readers[origin].builder.memory)
            self._log.warning("too large", "route manager", "an unfinished route table was given up: too much memory")
            del self._readers[largest]

    def _answer(self, request: Message, outcome: Outcome) -> None:
        verdict = "OK" if outcome.error is None else "ERR"
        what = f"rmr: route table {outcome.table_id} from {request.src}"
        if outcome.error is not None:
            self._log.log(logging.ERROR, "refused", f"{what} refused: {outcome.reason}")
        elif outcome.table is None:
            self._log.log(logging.WARNING, "kept", f"{what} is an update: kept until a full table comes")
            self._ask_for_full(request)
        else:
            self._log.log(logging.INFO, "applied", f"{what} applied")
        if outcome.skipped.count:
            told = f"route table {outcome.table_id}: {outcome.skipped.told()}"
            self._log.warning(f"skipped from {outcome.kind}", "route manager", told)
        text = f"{verdict} {outcome.table_id} {outcome.reason}\n\0"
        status = self._transport.reply(
            request, mtypes.RMRRM_TABLE_STATE, text.encode(), self._not_told, sub_id=NO_SUB_ID
        )
        if status is not Status.OK:
            self._not_told(status.name)

    def _not_told(self, reason: str) -> None:
        self._log.warning("state", "route manager", f"state of the route table not told: {reason}")


def _free(keys: list[tuple[int, int]]) -> None:
    """Frees the keys of an old table, which would hold up everybody if they all went with it."""
    for _ in in_turns(range(0, len(keys), 1000)):
        del keys[-1000:]
