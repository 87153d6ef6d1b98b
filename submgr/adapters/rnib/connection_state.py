# SPDX-License-Identifier: Apache-2.0
"""Which E2 nodes are connected: from R-NIB, or in-process when nobody writes an R-NIB."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import gevent
from gevent.event import Event

from submgr.adapters.rnib.messages import (
    CHANNEL,
    NAMESPACE,
    SETS,
    Link,
    node_key,
    read_events,
    read_identity,
    read_nodeb,
)
from submgr.platform.logs import Sparsely
from submgr.platform.store.base import StoreError
from submgr.platform.store.sdl_channel import Listener, SdlChannel

_log = logging.getLogger(__name__)

OnChange = Callable[[str, Link, bool], None]
"""Told (Meid, link, again) of each change, in order; must not block. `again`: CONNECTED while it was CONNECTED
already, so that a lost connection in between may have been missed."""

_COUNTERS = {
    Link.CONNECTED: "E2StateChangedToUp",
    Link.DISCONNECTED: "E2StateChangedToDown",
    Link.UNDER_RESET: "E2StateChangedToUnderReset",
}
_READ_AT_ONCE = 128


def _nothing(*_: object) -> None:
    pass


class NodeState(Protocol):
    """Knows the nodes by their Meid, which is their ranName."""

    def on_change(self, callback: OnChange) -> None:
        """To be called before `start`."""

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def state(self, meid: str) -> Link: ...

    def connected(self) -> list[str]:
        """Names of the nodes that are CONNECTED, sorted."""

    def known(self) -> bool:
        """Whether the nodes have been read once."""

    def stale(self) -> bool:
        """Whether what is known may have changed meanwhile, unseen."""


class LocalNodeState:
    """Nodes whose state is set by whoever simulates them.

    With `everything_up` a node nobody has set counts as CONNECTED: for real neighbours without an R-NIB.
    """

    def __init__(self, *, everything_up: bool = False, count: Callable[[str], None] = _nothing) -> None:
        self._everything_up = everything_up
        self._book = Book(count)

    def on_change(self, callback: OnChange) -> None:
        self._book.callback = callback

    def start(self) -> None:
        if self._everything_up:
            _log.warning("the state of the E2 nodes is not watched: every one counts as connected")

    def stop(self) -> None:
        pass

    def set(self, meid: str, link: Link) -> None:
        """A node is, or came into, this state."""
        self._book.told(meid, link)

    def state(self, meid: str) -> Link:
        link = self._book.state(meid)
        return Link.CONNECTED if link is Link.UNKNOWN and self._everything_up else link

    def connected(self) -> list[str]:
        return self._book.connected()

    def known(self) -> bool:
        return True

    def stale(self) -> bool:
        return False


@dataclass(slots=True)
class _Node:
    """`listed`: R-NIB had it when it was read last. `told_at`: number of the last event about it."""

    link: Link = Link.UNKNOWN
    listed: bool = False
    told_at: int = 0


class Book:
    """The state of each node, from events and from readings of all of them.

    E2 Manager writes a node's record before it tells the change. So a reading is newer than every event that came
    before it began, and what came while it was made is newer than the reading.
    """

    def __init__(self, count: Callable[[str], None]) -> None:
        self.callback: OnChange = _nothing
        self._count = count
        self._nodes: dict[str, _Node] = {}
        self._events = 0

    def state(self, meid: str) -> Link:
        node = self._nodes.get(meid)
        return node.link if node else Link.UNKNOWN

    def connected(self) -> list[str]:
        return sorted(name for name, node in self._nodes.items() if node.link is Link.CONNECTED)

    def told(self, meid: str, link: Link) -> None:
        """An event; a node that was not known is known from now on."""
        self._events += 1
        node = self._nodes.setdefault(meid, _Node())
        node.told_at = self._events
        self._set(meid, node, link, told=True)

    def mark(self) -> int:
        """To be taken before a reading begins, and given to `read`."""
        return self._events

    def read(self, mark: int, links: dict[str, Link | None]) -> None:
        """All nodes that R-NIB has now; None: its record cannot be read, and what is known of it stays.

        A node that R-NIB does not have any more is UNKNOWN, unless only events have ever told of it.
        """
        for meid, link in links.items():
            node = self._nodes.setdefault(meid, _Node())
            node.listed = True
            if link is not None and node.told_at <= mark:
                self._set(meid, node, link)
        for meid, node in list(self._nodes.items()):
            if node.listed and meid not in links and node.told_at <= mark:
                node.listed = False
                self._set(meid, node, Link.UNKNOWN)

    def _set(self, meid: str, node: _Node, link: Link, told: bool = False) -> None:
        before, node.link = node.link, link
        again = told and before is link is Link.CONNECTED
        if before is link and not again:
            return
        if told or before is not Link.UNKNOWN:
            if link in _COUNTERS:
                self._count(_COUNTERS[link])
            _log.info("E2 node %s: %s -> %s", meid, before, link)
        self.callback(meid, link, again)


class RnibNodeState:
    """Nodes as E2 Manager keeps them in R-NIB: read at the start, after each reconnect and every `interval` s, and
    changed by the events of its channel in between. While the database is away what was known stays.

    The channel belongs to it: it is started and stopped with it. `retry`: seconds after a reading that failed.
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
        self._book = Book(count)
        self._sparsely = Sparsely(_log)
        self._due = Event()
        self._known = False
        self._failed = False
        self._listener: Listener | None = None
        self._reader: gevent.Greenlet[[], None] | None = None
        self.ignored = 0
        """Parts of payloads of the channel that told nothing known, and entries of R-NIB that could not be read."""

    def on_change(self, callback: OnChange) -> None:
        self._book.callback = callback

    def start(self) -> None:
        """Raises StoreError for wrong settings; a database that is down is waited for."""
        self._channel.start()
        # the subscription comes first: what changes after a reading is told
        self._listener = self._channel.listen(NAMESPACE, CHANNEL, self._on_payload, self._due.set)
        self._reader = gevent.spawn(self._keep_reading)

    def stop(self) -> None:
        if self._reader is not None:
            self._reader.kill()
        self._channel.stop()
        self._listener = None

    def state(self, meid: str) -> Link:
        return self._book.state(meid)

    def connected(self) -> list[str]:
        return self._book.connected()

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
            self._book.told(change.name, change.link)

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
        mark = self._book.mark()
        names = self._names()
        links: dict[str, Link | None] = {}
        for start in range(0, len(names), _READ_AT_ONCE):
            links.update(self._links(names[start : start + _READ_AT_ONCE]))
            gevent.sleep(0)  # a database nearby answers without ever letting others run
        if self._failed or not self._known:
            _log.info("R-NIB read: %d nodes in %.3f s", len(links), time.monotonic() - began)
        self._failed = False
        self._book.read(mark, links)
        self._known = True

    def _names(self) -> list[str]:
        names = set()
        for set_name in SETS:
            for n, member in enumerate(self._channel.members(NAMESPACE, set_name), 1):
                identity = read_identity(member)
                if identity is None:
                    self._ignore("member", member[:200])
                else:
                    names.add(identity.name)
                if n % _READ_AT_ONCE == 0:
                    gevent.sleep(0)
        return sorted(names)

    def _links(self, names: list[str]) -> dict[str, Link | None]:
        found = self._channel.get(NAMESPACE, [node_key(name) for name in names])
        return {name: self._link(name, found.get(node_key(name))) for name in names}

    def _link(self, name: str, data: bytes | None) -> Link | None:
        if data is None:
            return Link.DISCONNECTED
        nodeb = read_nodeb(data)
        if nodeb is None or nodeb.name not in ("", name):
            self._ignore("record", node_key(name))
            return None
        return nodeb.link
