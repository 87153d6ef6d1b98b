# SPDX-License-Identifier: Apache-2.0
"""The state of each E2 node's connection as E2 Manager keeps it in R-NIB: readings of all nodes, events about one.

E2 Manager renews a node's entry by SREM and then SADD, at every health check and state change. A reading in between
finds a connected node in no set, so the node's own record decides, and a change to worse is believed when two readings
have found it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from gevent.event import Event
from msgspec import Struct, field

from submgr.adapters.rnib.connection_table import ConnectionTable, OnChange
from submgr.adapters.rnib.looks import Looks
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
from submgr.adapters.rnib.pending_events import PendingEvents
from submgr.adapters.rnib.ran_functions import RanFunction, RanFunctionTable
from submgr.platform.sparse_log import Sparsely
from submgr.platform.store.base import StoreError, StoreTimeout, StoreUnavailable
from submgr.platform.store.sdl_channel import Listener, SdlChannel
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import Budget, in_turns, turn

_log = logging.getLogger(__name__)

_READ_AT_ONCE = 128


def _nothing(*_: object) -> None:
    pass


class _Reading(Struct):
    """What one look at R-NIB found.

    `states`: each node that R-NIB has; None when its record cannot be read. `unrecorded`: members of the sets without
    a record, which count as DISCONNECTED. `odd_members`: how many members cannot be read.
    """

    states: dict[str, ConnectionState | None] = field(default_factory=dict)
    unrecorded: set[str] = field(default_factory=set)
    odd_members: int = 0

    @property
    def unreadable(self) -> set[str]:
        return {name for name, state in self.states.items() if state is None}


class RnibNodeState:
    """Connection states as E2 Manager keeps them in R-NIB. Implements `NodeState`.

    A greenlet reads all nodes at the start, after each reconnect to the database and every `interval` seconds; a
    failed reading is repeated after `retry` seconds. What a reading finds worse than before, or incomplete, is read
    again after `confirm_after` seconds, and counts when it is found again. The events of E2 Manager's channel change
    single nodes in between; of a flood of them, each node's worst and last one. While the database is away, the states
    stay as they were.

    `RnibNodeState` owns `channel`: it starts and stops it. `count`: see `ConnectionTable`.
    """

    def __init__(
        self,
        channel: SdlChannel,
        *,
        interval: float = 30.0,
        retry: float = 1.0,
        confirm_after: float = 0.2,
        count: Callable[[str], None] = _nothing,
    ) -> None:
        self._channel = channel
        self._interval = interval
        self._retry = retry
        self._confirm_after = min(confirm_after, interval)
        self._table = ConnectionTable(count)
        self._functions = RanFunctionTable()
        self._looks = Looks(self._read_one)
        self._sparsely = Sparsely(_log)
        self._due = Event()
        self._events = PendingEvents()
        self._events_came = Event()
        self.readings = 0
        """How often all nodes have been read."""
        self._last_mark = 0
        self._suspects: dict[str, int] = {}
        self._unreadable: set[str] = set()
        self._known = False
        self._failed: str | None = None
        self._odd_members = 0
        self._listener: Listener | None = None
        self._pause = interval
        self._loop = SupervisedLoop("R-NIB reader", self._step, longest_pause=interval)
        self._events_loop = SupervisedLoop("R-NIB events", self._take_events)
        self.ignored = 0
        """How many parts of payloads were no known event, and how many entries of R-NIB could not be read."""

    def on_change(self, callback: OnChange) -> None:
        self._table.callback = callback

    def start(self) -> None:
        """Begins to listen and to read. It waits for a database that is down. Raises StoreError for wrong settings."""
        self._channel.start()
        # the subscription comes first, so that no change after a reading is missed
        self._listener = self._channel.listen(NAMESPACE, CHANNEL, self._on_payload, self._due.set)
        self._loop.start()
        self._events_loop.start()

    def stop(self) -> None:
        self._loop.stop()
        self._events_loop.stop()
        self._channel.stop()
        self._listener = None

    def state(self, meid: str) -> ConnectionState:
        return self._table.state(meid)

    def look_again(self, meid: str) -> None:
        """Reads the record of one node, at most once a second.

        A node that an event has told of since the last reading is not read: nothing that E2 Manager has said since can
        have been missed.
        """
        if self._listening() and self._table.told_since(self._last_mark, meid):
            return
        if meid.isprintable():
            self._looks.look(meid)

    def knows(self, meid: str) -> bool:
        return self._table.state(meid) is not ConnectionState.UNKNOWN

    def functions(self, meid: str) -> tuple[RanFunction, ...]:
        return self._functions.of(meid)

    def connected(self) -> list[str]:
        return self._table.connected()

    def known(self) -> bool:
        return self._known

    def stale(self) -> bool:
        return self._failed is not None or not self._loop.running or not self._listening()

    def trouble(self) -> str | None:
        if self._failed is not None:
            return f"R-NIB cannot be read, the nodes stay as they were: {self._failed}"
        if not self._listening():
            return "the events of R-NIB are not heard at the moment"
        if self._unreadable or self._odd_members:
            named = f" ({', '.join(sorted(self._unreadable)[:10])})" if self._unreadable else ""
            count = len(self._unreadable) + self._odd_members
            return f"{count} entries of R-NIB cannot be read{named}"
        return None

    def _listening(self) -> bool:
        return self._listener is not None and self._listener.subscribed

    def _on_payload(self, payload: bytes) -> None:
        events = read_events(payload)
        if events.ignored:
            self._ignore("event", payload[:200])
        self._events.add(events.changes)
        self._events_came.set()

    def _take_events(self) -> None:
        self._events_came.wait()
        self._events_came.clear()
        budget = Budget()
        while (event := self._events.take()) is not None:
            if not self._table.told(event.name, event.state):
                self._ignore("event of yet another node", event.name[:200])
            if event.state is ConnectionState.CONNECTED:
                self._functions.forget(event.name)
            budget.spend()

    def _ignore(self, what: str, shown: object) -> None:
        self.ignored += 1
        self._sparsely.log(logging.WARNING, what, f"ignored an unknown {what} of R-NIB: {shown!r}")

    def _step(self) -> None:
        due = self._due.wait(self._pause)
        self._due.clear()
        try:
            certain = self._read_all()
        except StoreError as error:
            if self._failed is None:
                _log.warning("R-NIB cannot be read, the nodes stay as they were: %s", error)
            self._failed = str(error)
            self._pause = self._retry
        except Exception as bug:
            self._failed = repr(bug)
            self._pause = self._retry
            raise
        else:
            # a node that nobody knows yet may be between its two steps as well: after a start it is looked twice
            self._pause = self._confirm_after if due or not certain else self._interval

    def _read_all(self) -> bool:
        """Reads all nodes. Returns whether the states are certain, so that there is nothing to be read again soon."""
        began = time.monotonic()
        mark = self._table.mark()
        reading = self._reading()
        unheard = {name for name in reading.unrecorded if self._table.state(name) is ConnectionState.UNKNOWN}
        worse = self._table.worse(mark, reading.states) | unheard
        doubted = {name for name in worse if not self._found_before(name)}
        self._table.read(mark, reading.states, spared=doubted)
        self._suspects = dict.fromkeys(doubted, mark)
        self._functions.keep(reading.states)
        certain = not doubted and reading.unreadable <= self._unreadable
        self._unreadable = reading.unreadable
        if self._failed is not None or not self.readings:
            _log.info("R-NIB read: %d nodes in %.3f s", len(reading.states), time.monotonic() - began)
        self._failed = None
        self._odd_members = reading.odd_members
        self._last_mark = mark
        self.readings += 1
        self._known = self._known or certain or self.readings > 1
        return certain

    def _found_before(self, name: str) -> bool:
        """Whether the reading before found the node worse, too, and no event came since."""
        return name in self._suspects and not self._table.told_since(self._suspects[name], name)

    def _reading(self) -> _Reading:
        reading = _Reading()
        members, complete = self._members(reading)
        names = sorted({*members, *self._table.names()})
        for start in range(0, len(names), _READ_AT_ONCE):
            piece = names[start : start + _READ_AT_ONCE]
            found = self._channel.get(NAMESPACE, [node_key(name) for name in piece])
            for name in piece:
                data = found.get(node_key(name))
                if data is not None:
                    reading.states[name] = self._state_of(name, data)
                elif name in members:
                    reading.states[name] = ConnectionState.DISCONNECTED
                    reading.unrecorded.add(name)
                elif not complete and self.knows(name):
                    reading.states[name] = None
            turn()  # a database nearby answers without ever letting others run
        return reading

    def _members(self, reading: _Reading) -> tuple[set[str], bool]:
        """The names in the sets, and whether all sets could be read. A set that is no set does not hide the others."""
        names: set[str] = set()
        refused: list[StoreError] = []
        budget = Budget()
        for set_name in SETS:
            try:
                members = self._channel.members(NAMESPACE, set_name)
            except (StoreTimeout, StoreUnavailable):
                raise
            except StoreError as error:
                refused.append(error)
                self._ignore("set", str(error))
                continue
            for member in in_turns(members, budget):
                identity = read_identity(member)
                if identity is None:
                    reading.odd_members += 1
                    self._ignore("member", member[:200])
                else:
                    names.add(identity.name)
        if len(refused) == len(SETS):
            raise refused[0]
        return names, not refused

    def _read_one(self, meid: str) -> None:
        mark = self._table.mark()
        data = self._channel.get(NAMESPACE, [node_key(meid)]).get(node_key(meid))
        state = self._state_of(meid, data) if data is not None else None
        if state is not None:
            self._table.read_one(mark, meid, state)

    def _state_of(self, name: str, data: bytes) -> ConnectionState | None:
        nodeb = read_nodeb(data)
        if nodeb is None or nodeb.name not in ("", name):
            self._ignore("record", node_key(name))
            return None
        self._functions.read(name, data)
        return nodeb.state
