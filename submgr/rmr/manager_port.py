# SPDX-License-Identifier: Apache-2.0
"""The control port (RMR_CTL_PORT): the route manager pushes route tables to it and hears what became of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import gevent

from submgr.platform.turns import in_turns
from submgr.rmr import mtypes
from submgr.rmr.counters import SparseLog
from submgr.rmr.message import NO_SUB_ID, Message, Status
from submgr.rmr.routing.reader import Outcome, TableBuilder
from submgr.rmr.routing.table import RouteTable
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.transport import WireTransport

_LOG = logging.getLogger(__name__)


class ManagerPort:
    """Serves the route manager on a port of its own.

    A table (type 20) may come in any number of messages. The port gives each complete table to `apply` and acknowledges
    it (type 22). It refuses a broken table with the line and the reason (type 22), and the table in force stays. A
    `manager` ("host:port") is asked for a table (type 21) every `interval` seconds until the first table data comes.
    """

    def __init__(
        self,
        config: TransportConfig,
        apply: Callable[[RouteTable], None],
        manager: str = "",
        interval: float = 5.0,
    ) -> None:
        self._transport = WireTransport(config, self._handle, ours=frozenset((manager,)))
        self._apply = apply
        self._manager = manager
        self._interval = interval
        self._log = SparseLog(_LOG)
        self._builder = TableBuilder()
        self._served_name = ""
        self._asker: Any = None

    @property
    def port(self) -> int:
        """The port it listens on, known after start."""
        return self._transport.port

    def start(self, served_name: str, own_names: frozenset[str], base: RouteTable | None = None) -> None:
        """Listens for the tables of the transport called `served_name`. Raises TransportError.

        `own_names` are that transport's names in route tables. `base` is the table it has: a new table keeps its meids,
        but an update needs a full table of the route manager before it.
        """
        self._served_name = served_name
        self._builder = TableBuilder(own_names, base)
        self._transport.start()
        if self._manager:
            self._asker = gevent.spawn(self._ask)

    def stop(self) -> None:
        """Closes the port."""
        self._stop_asking()
        self._transport.stop()

    def _ask(self) -> None:
        while True:
            text = f"{self._served_name} ts={int(time.time())}\n\0"
            request = Message(mtypes.RMRRM_REQ_TABLE, text.encode(), sub_id=0)
            self._transport.send_to(self._manager, request, self._not_asked)
            gevent.sleep(self._interval)

    def _not_asked(self, reason: str) -> None:
        self._log.warning("request", self._manager, f"route table not requested: {reason}")

    def _stop_asking(self) -> None:
        if self._asker is not None:
            self._asker.kill(block=False)
            self._asker = None

    def _handle(self, message: Message) -> None:
        if message.mtype != mtypes.RMRRM_TABLE_DATA:
            name = mtypes.name_of(message.mtype)
            self._log.warning("type", message.src, f"message of type {name} on the control port ignored")
            return
        self._stop_asking()
        for line in in_turns(message.payload.decode(errors="replace").removesuffix("\n").split("\n")):
            for outcome in self._builder.feed(line):
                if outcome.table is not None:
                    self._apply(outcome.table)
                self._answer(message, outcome)

    def _answer(self, request: Message, outcome: Outcome) -> None:
        verdict = "OK" if outcome.error is None else "ERR"
        if outcome.error is None:
            _LOG.info("rmr: route table %s from %s applied", outcome.table_id, request.src)
        else:
            _LOG.error("rmr: route table %s from %s refused: %s", outcome.table_id, request.src, outcome.reason)
        text = f"{verdict} {outcome.table_id} {outcome.reason}\n\0"
        status = self._transport.reply(
            request, mtypes.RMRRM_TABLE_STATE, text.encode(), self._not_told, sub_id=NO_SUB_ID
        )
        if status is not Status.OK:
            self._not_told(status.name)

    def _not_told(self, reason: str) -> None:
        self._log.warning("state", "route manager", f"state of the route table not told: {reason}")
