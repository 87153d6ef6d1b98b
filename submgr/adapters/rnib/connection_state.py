# SPDX-License-Identifier: Apache-2.0
"""The state of each E2 node's connection, read from R-NIB or, where no E2 Manager writes one, set in the process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

import gevent
from gevent.event import Event

from submgr.adapters.rnib.connection_table import ConnectionTable, OnChange
from submgr.adapters.rnib.messages import (
    CHANNEL,
    NAMESPACE,
    SETS,
    ConnectionState,
    node_key,
    read_events,
    read_identity,
    read_nodeb,
)
from submgr.platform.sparse_log import Sparsely
from submgr.platform.store.base import StoreError
from submgr.platform.store.sdl_channel import Listener, SdlChannel
from submgr.platform.turns import in_turns, turn

_log = logging.getLogger(__name__)

_READ_AT_ONCE = 128


def _nothing(*_: object) -> None:
    pass


class NodeState(Protocol):
    """The source of the connection states. A node is named by its Meid, which is its ranName."""

    def on_change(self, callback: OnChange) -> None:
        """Has `callback` called for each change. To be used before `start`."""

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def state(self, meid: str) -> ConnectionState:
        """The state of this node's connection; UNKNOWN for a node that is not known."""

    def knows(self, meid: str) -> bool:
        """Whether anybody has told of this node."""

    def connected(self) -> list[str]:
        """Names of the nodes that are CONNECTED, sorted."""

    def known(self) -> bool:
        """Whether all nodes have been read at least once."""

    def stale(self) -> bool:
        """Whether states may have changed since without being noticed here."""


class LocalNodeState:
    """Connection states that the simulator of the nodes sets.

    `everything_up`: a node that was never set counts as CONNECTED. This is for real E2 nodes without an R-NIB.
    """

    def __init__(self, *, everything_up: bool = False, count: Callable[[str], None] = _nothing) -> None:
        self._everything_up = everything_up
        self._table = ConnectionTable(count)

    def on_change(self, callback: OnChange) -> None:
        self._table.callback = callback

    def start(self) -> None:
        if self._everything_up:
            _log.warning("the state of the E2 nodes is not watched: every one counts as connected")

    def stop(self) -> None:
        pass

    def set(self, meid: str, state: ConnectionState) -> None:
        """The simulator reports the state of a node."""
        self._table.told(meid, state)

    def state(self, meid: str) -> ConnectionState:
        state = self._table.state(meid)
        return ConnectionState.CONNECTED if state is ConnectionState.UNKNOWN and self._everything_up else state

    def knows(self, meid: str) -> bool:
        return self._table.state(meid) is not ConnectionState.UNKNOWN

    def connected(self) -> list[str]:
        return self._table.connected()

    def known(self) -> bool:
        return True

    def stale(self) -> bool:
        return False


class RnibNodeState:
    """Connection states as E2 Manager keeps them in R-NIB.

    A greenlet reads all nodes at the start, after each reconnect to the database and every `interval` seconds; a
    failed reading is repeated after `retry` seconds. The events of E2 Manager's channel change single nodes in
    between. While the database is away, the states stay as they were.

    `RnibNodeState` owns `channel`: it starts and stops it. `count`: see `ConnectionTable`.
    """

    def __init__(
        self,
        channel: SdlChannel,
        *,
        interval: float = 30.0,
        retry: float = 1.0,
        count: Callable[[str], None] = _nothing,
    ) -> None:
        self._channel = channel
        self._interval = interval
        self._retry = retry
        self._table = ConnectionTable(count)
        self._sparsely = Sparsely(_log)
        self._due = Event()
        self._known = False
        self._failed = False
        self._listener: Listener | None = None
        self._reader: gevent.Greenlet[[], None] | None = None
        self.ignored = 0
        """How many parts of payloads were no known event, and how many entries of R-NIB could not be read."""

    def on_change(self, callback: OnChange) -> None:
        self._table.callback = callback

    def start(self) -> None:
        """Begins to listen and to read. It waits for a database that is down. Raises StoreError for wrong settings."""
        self._channel.start()
        # the subscription comes first, so that no change after a reading is missed
        self._listener = self._channel.listen(NAMESPACE, CHANNEL, self._on_payload, self._due.set)
        self._reader = gevent.spawn(self._keep_reading)

    def stop(self) -> None:
        if self._reader is not None:
            self._reader.kill()
        self._channel.stop()
        self._listener = None

    def state(self, meid: str) -> ConnectionState:
        return self._table.state(meid)

    def knows(self, meid: str) -> bool:
        return self._table.state(meid) is not ConnectionState.UNKNOWN

    def connected(self) -> list[str]:
        return self._table.connected()

    def known(self) -> bool:
        return self._known

    def stale(self) -> bool:
        reading = self._reader is not None and not self._reader.dead
        listening = self._listener is not None and self._listener.subscribed
        return self._failed or not reading or not listening

    def _on_payload(self, payload: bytes) -> None:
        events = read_events(payload)
        if events.ignored:
            self._ignore("event", payload[:200])
        for change in events.changes:
            self._table.told(change.name, change.state)

    def _ignore(self, what: str, shown: object) -> None:
        self.ignored += 1
        self._sparsely.log(logging.WARNING, f"{what} {shown!r}", f"ignored an unknown {what} of R-NIB: {shown!r}")

    def _keep_reading(self) -> None:
        while True:
            self._due.wait(self._retry if self._failed else self._interval)
            self._due.clear()
            try:
                self._read_all()
            except StoreError as error:
                if not self._failed:
                    _log.warning("R-NIB cannot be read, the nodes stay as they were: %s", error)
                self._failed = True

    def _read_all(self) -> None:
        began = time.monotonic()
        mark = self._table.mark()
        names = self._names()
        states: dict[str, ConnectionState | None] = {}
        for start in range(0, len(names), _READ_AT_ONCE):
            states.update(self._states_of(names[start : start + _READ_AT_ONCE]))
            turn()  # a database nearby answers without ever letting others run
        if self._failed or not self._known:
            _log.info("R-NIB read: %d nodes in %.3f s", len(states), time.monotonic() - began)
        self._failed = False
        self._table.read(mark, states)
        self._known = True

    def _names(self) -> list[str]:
        names = set()
        for set_name in SETS:
            for member in in_turns(self._channel.members(NAMESPACE, set_name)):
                identity = read_identity(member)
                if identity is None:
                    self._ignore("member", member[:200])
                else:
                    names.add(identity.name)
        return sorted(names)

    def _states_of(self, names: list[str]) -> dict[str, ConnectionState | None]:
        found = self._channel.get(NAMESPACE, [node_key(name) for name in names])
        return {name: self._state_of(name, found.get(node_key(name))) for name in names}

    def _state_of(self, name: str, data: bytes | None) -> ConnectionState | None:
        if data is None:
            return ConnectionState.DISCONNECTED
        nodeb = read_nodeb(data)
        if nodeb is None or nodeb.name not in ("", name):
            self._ignore("record", node_key(name))
            return None
        return nodeb.state
